"""What the arrows of a gateway are called on the page, in an exported page and in a sketch. Pure.

Which arrows there are is `routed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rollout_lab.messages import say

Json = dict[str, Any]
_SHAPES: Final = {"exact": "{name}: {value}", "prefix": "{name}: {value}*", "present": "{name}"}


def node_of(arrow: Mapping[str, Any]) -> str:
    """The id of the box an arrow ends at."""
    return f"{arrow['service']}/{arrow['subset']}" if arrow["subset"] else str(arrow["service"])


def words(lang: str, arrow: Json) -> tuple[str, str]:
    """What stands on an arrow: what is measured or asked for, and beside it what is set or was counted."""
    if arrow["kind"] == "weight":
        told = say(lang, "gateway.set", n=plain_number(arrow["weight"]))
        return ("", told) if arrow["share"] is None else (f"{round(100 * arrow['share'])} %", told)
    counted = arrow["requests"]
    if arrow["kind"] == "mirror":
        sub = "" if counted is None else say(lang, "gateway.copies", n=counted)
        return say(lang, "gateway.mirror", n=plain_number(arrow["weight"])), sub
    sub = "" if counted is None else say(lang, "gateway.requests", n=counted)
    return condition(arrow), sub


def condition(arrow: Mapping[str, Any]) -> str:
    """What a request must have to take the arrow, as people write it: ``x-tester: yes``."""
    ways = [" + ".join(_header(name, text) for name, text in found.items()) for found in arrow["headers"]]
    if arrow["cookie"]:
        ways.append(f"cookie {arrow['cookie']}")
    return " / ".join(ways)


def _header(name: str, text: str) -> str:
    kind, _, value = str(text).partition(" ")
    return _SHAPES.get(kind, "{name} ~ {value}").format(name=name, value=value)


def plain_number(value: float) -> str:
    """``5``, ``0.5``."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def drawn(lang: str, picture: Mapping[str, Any]) -> Json | None:
    """The gateway for a plain drawing: title, host and arrows; None without one.

    An arrow is kind, service, colour, share (None: not measured), label and place (-1 .. 1: where it ends
    at the Service's box, 0 in its middle).
    """
    gate = picture.get("gateway")
    if not gate:
        return None
    colours = {found["hash"]: found["colour"] for found in picture["replicaSets"]}
    ends: dict[str, list[Json]] = {}
    for arrow in gate["arrows"]:
        ends.setdefault(arrow["service"], []).append(arrow)
    arrows = []
    for service in (s["name"] for s in picture["services"]):
        here = ends.get(service, [])
        for i, arrow in enumerate(here):
            label = " · ".join(part for part in words(lang, arrow) if part)
            share = None if arrow["share"] is None else round(arrow["share"], 2)
            place = 2 * (i + 0.5) / len(here) - 1 if len(here) > 1 else 0.0
            about = {"kind": arrow["kind"], "service": service, "colour": colours.get(arrow["hash"], 0)}
            arrows.append({**about, "share": share, "label": label, "place": round(place, 3)})
    title = gate["name"] or say(lang, "gateway.title")
    return {"title": title, "host": next(iter(gate["hosts"]), ""), "arrows": arrows}
