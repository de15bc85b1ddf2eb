"""One line of plain text for each thing the engine does or waits for: what its log says. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rollout_lab.api.times import rfc3339
from rollout_lab.plan.why import Why

_TIMES = ("at", "endsAt", "restartAt")


def line(why: Why) -> str:
    """``scale.canary ReplicaSet/demo-5d (spec.replicas) from=0 to=1 weight=33``."""
    parts = [why.code, why.object]
    if why.field:
        parts.append(f"({why.field})")
    parts += [f"{key}={_value(key, value)}" for key, value in why.params.items() if value not in (None, "")]
    return " ".join(part for part in parts if part)


def lines(whys: Iterable[Why]) -> tuple[str, ...]:
    return tuple(line(why) for why in whys)


def _value(key: str, value: object) -> str:
    if key in _TIMES and isinstance(value, int | float):
        return rfc3339(float(value))
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f'"{text}"' if " " in text else text
