"""Durations as manifests write them, to seconds. Pure.

# upstream: Go time.ParseDuration; pkg/apis/rollouts/v1alpha1 RolloutPause.DurationSeconds
"""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),  # micro sign
    "μs": Decimal("1e-6"),  # Greek mu
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
}
_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)
_GO = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)

MALFORMED: float = -1.0
"""What `pause_seconds` answers for a duration nobody can read; validation refuses it."""


def seconds(value: int | str | None) -> float | None:
    """Seconds of a number (seconds), a numeral ("10") or a Go duration ("1h30m"). None stays None.

    >>> seconds(10), seconds("10"), seconds("1h30m"), seconds("1.5s"), seconds(None)
    (10.0, 10.0, 5400.0, 1.5, None)

    Raises ValueError for anything else.
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if _NUMBER.fullmatch(value):
            return float(int(value))
        if _GO.fullmatch(value):
            total = sum((Decimal(n) * _UNITS[u] for n, u in _PART.findall(value)), Decimal(0))
            return float(-total if value.startswith("-") else total)
    raise ValueError(f"{value!r} is no duration: write seconds (30) or a duration such as 30s, 2m, 1h30m")


def pause_seconds(value: object) -> float | None:
    """How long a pause step waits: whole seconds, cut as the peer cuts; None waits for a person.

    `MALFORMED` (negative, so never waited for) for what cannot be read.

    >>> pause_seconds("2m"), pause_seconds("1500ms"), pause_seconds(None), pause_seconds("5x")
    (120.0, 1.0, None, -1.0)
    """
    try:
        found = seconds(value)  # type: ignore[arg-type]
    except ValueError:
        return MALFORMED
    return None if found is None else float(int(found))


def spoken(total: float) -> str:
    """Seconds in the short form people read: ``30s``, ``2m``, ``1h30m``.

    >>> spoken(30), spoken(120), spoken(5400), spoken(0)
    ('30s', '2m', '1h30m', '0s')
    """
    left = max(0, round(total))
    parts = []
    for size, unit in ((3600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
