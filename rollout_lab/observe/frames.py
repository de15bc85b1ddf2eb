"""Rows of a run as DataFrames: one table for each chart, the same on the page and in a notebook.

The only module outside the page that imports pandas. Rows come from `observe.timeline` (or from a
recorded file, see `read_run`); nothing is measured or decided here. Every `t` is lab seconds since
the scenario was applied.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rollout_lab.api.names import ROLLOUT_HASH_LABEL
from rollout_lab.client.images import image_tag

Row = Mapping[str, Any]


def read_run(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a recorded run (JSON lines)."""
    with Path(path).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def _hash(row: Row) -> str:
    """The Pod-template hash of a row, a Rollout's or a Deployment's."""
    labels = row.get("labels") or {}
    return str(labels.get(ROLLOUT_HASH_LABEL) or labels.get("pod-template-hash") or "")


def versions(rows: Iterable[Row]) -> dict[str, str]:
    """The version of each Pod-template hash, in order of first appearance."""
    found: dict[str, str] = {}
    for row in rows:
        if row.get("kind") == "ReplicaSet":
            hash_ = _hash(row)
            found.setdefault(hash_, image_tag(str(row.get("image") or "")))
    return found


def _end(rows: Sequence[Row]) -> float:
    return max((float(row.get("until", row.get("t", 0.0))) for row in rows), default=0.0)


def pods_over_time(rows: Sequence[Row]) -> pd.DataFrame:
    """Columns t, version, pods, ready: the counts of each version from `t` on, wherever they change.

    A Pod counts until it is gone; it counts as ready while it is ready and not terminating.
    """
    named = versions(rows)
    alive: dict[str, tuple[str, bool]] = {}
    out: list[tuple[float, str, int, int]] = []
    last: dict[str, tuple[int, int]] = {}
    for row in rows:
        if row.get("kind") != "Pod":
            continue
        name = str(row["name"])
        if row["type"] == "DELETED":
            alive.pop(name, None)
        else:
            version = named.get(_hash(row), "")
            alive[name] = (version, row.get("ready") == "True" and not row.get("deleting"))
        for version in dict.fromkeys([*last, *(v for v, _ in alive.values())]):
            of_version = [ready for v, ready in alive.values() if v == version]
            counts = (len(of_version), sum(of_version))
            if last.get(version) != counts:
                last[version] = counts
                out.append((float(row["t"]), version, *counts))
    return pd.DataFrame(out, columns=["t", "version", "pods", "ready"]).astype(
        {"t": "float64", "version": "str", "pods": "int64", "ready": "int64"}
    )


def lanes(rows: Sequence[Row]) -> pd.DataFrame:
    """Columns service, start, end, hash, version: which version each Service selected, and when.

    A Service that selects no hash has an empty version for that time.
    """
    named, end = versions(rows), _end(rows)
    open_: dict[str, tuple[float, str]] = {}
    out: list[tuple[str, float, float, str, str]] = []

    def close(service: str, until: float) -> None:
        start, hash_ = open_.pop(service)
        out.append((service, start, until, hash_, named.get(hash_, "")))

    for row in rows:
        if row.get("kind") != "Service":
            continue
        service, t = str(row["name"]), float(row["t"])
        hash_ = str((row.get("selector") or {}).get(ROLLOUT_HASH_LABEL, ""))
        if service in open_ and (row["type"] == "DELETED" or open_[service][1] != hash_):
            close(service, t)
        if row["type"] != "DELETED" and service not in open_:
            open_[service] = (t, hash_)
    for service in list(open_):
        close(service, end)
    found = pd.DataFrame(out, columns=["service", "start", "end", "hash", "version"]).astype(
        {"service": "str", "start": "float64", "end": "float64", "hash": "str", "version": "str"}
    )
    return found.sort_values(["service", "start"], ignore_index=True)


def half_width(share: float, n: int) -> float:
    """Half of the 95 % interval of a measured share: 1.96 standard errors, at least that of one answer."""
    if n <= 0:
        return 1.0
    return 1.96 * math.sqrt(max(share * (1 - share), 1 / n * (1 - 1 / n)) / n)


def shares(rows: Sequence[Row]) -> pd.DataFrame:
    """Columns service, start, end, version, n, total, share, low, high: answers as they were counted.

    One row for each Probe row and version; `low` and `high` bound the 95 % interval, cut to 0..1.
    """
    out = []
    for row in rows:
        if row.get("kind") != "Probe":
            continue
        counted = row.get("versions") or {}
        total = sum(counted.values())
        for version, n in counted.items():
            share = n / total if total else 0.0
            half = half_width(share, total)
            bounds = (max(0.0, share - half), min(1.0, share + half))
            out.append((row["name"], row["t"], row.get("until", row["t"]), version, n, total, share, *bounds))
    names = ["service", "start", "end", "version", "n", "total", "share", "low", "high"]
    floats = dict.fromkeys(("start", "end", "share", "low", "high"), "float64")
    kinds = {"service": "str", "version": "str", "n": "int64", "total": "int64", **floats}
    return pd.DataFrame(out, columns=names).astype(kinds)


def events(rows: Sequence[Row]) -> pd.DataFrame:
    """Columns t, what, reason, text: Events, actions of people, and the engine's reasons, in order."""
    out = []
    for row in rows:
        t = float(row.get("t", 0.0))
        if row.get("kind") == "Event":
            out.append((t, "event", str(row.get("reason")), str(row.get("message"))))
        elif row.get("type") == "ACTION":
            out.append((t, "action", str(row["action"]).partition(" ")[0], str(row["action"])))
        elif row.get("type") == "WHY":
            out.append(
                (t, "why", str(row.get("code")), json.dumps(row.get("params") or {}, ensure_ascii=False))
            )
    return pd.DataFrame(out, columns=["t", "what", "reason", "text"]).astype(
        {"t": "float64", "what": "str", "reason": "str", "text": "str"}
    )
