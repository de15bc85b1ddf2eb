"""Conditions of Gateway API objects: made without a time, then laid over what an object has. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The status an object should have; conditions in it have no lastTransitionTime yet."""

    kind: str
    namespace: str
    name: str
    status: Mapping[str, Any] = field(default_factory=dict)


def condition(kind: str, value: bool, reason: str, message: str, generation: int) -> Json:
    """One condition, without its time."""
    return {
        "type": kind,
        "status": "True" if value else "False",
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
    }


def timed(wanted: Iterable[Mapping[str, Any]], had: Sequence[Mapping[str, Any]], now: str) -> list[Json]:
    """`wanted` with times: a condition keeps its own while its status stays, else it is `now`."""
    before = {c.get("type"): c for c in had}
    found = []
    for one in wanted:
        old = before.get(one["type"], {})
        same = old.get("status") == one["status"] and old.get("lastTransitionTime")
        found.append({**one, "lastTransitionTime": old["lastTransitionTime"] if same else now})
    return found


def dated(wanted: Wanted, had: Mapping[str, Any], now: str) -> Json:
    """The whole new status of an object whose status is `had`; `now` is RFC 3339.

    Parents of a route that other controllers wrote stay as they are.
    """
    new: Json = {**wanted.status}
    if "conditions" in new:
        new["conditions"] = timed(new["conditions"], had.get("conditions") or [], now)
    if "listeners" in new:
        before = {row.get("name"): row.get("conditions") or [] for row in had.get("listeners") or []}
        new["listeners"] = [
            {**row, "conditions": timed(row["conditions"], before.get(row["name"], []), now)}
            for row in new["listeners"]
        ]
    if "parents" in new:
        ours = {p["controllerName"] for p in new["parents"]} | {new.pop("controllerName", "")}
        present = had.get("parents") or []
        others = [p for p in present if p.get("controllerName") not in ours]
        mine = []
        for parent in new["parents"]:
            same = [
                p
                for p in present
                if p.get("parentRef") == parent["parentRef"] and p.get("controllerName") in ours
            ]
            old = (same[0].get("conditions") or []) if same else []
            mine.append({**parent, "conditions": timed(parent["conditions"], old, now)})
        new["parents"] = others + mine
    return {**had, **new}
