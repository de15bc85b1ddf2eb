"""How long ago something was, the way kubectl shows it. Pure: the present is an argument.

# upstream: apimachinery/pkg/util/duration/duration.go::HumanDuration
"""

from __future__ import annotations

from rollout_lab.api.times import parse_time

UNKNOWN = "<unknown>"
_YEAR = 24 * 365


def human_duration(seconds: float) -> str:
    """`seconds` in at most two units: ``119s``, ``2m``, ``9m59s``, ``3h5m``, ``7d23h``, ``2y1d``."""
    whole = int(seconds)
    if whole < -1:
        return "<invalid>"
    if whole < 0:
        return "0s"
    if whole < 120:
        return f"{whole}s"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 24 * 8:
        return _two(days, "d", hours % 24, "h")
    if hours < 2 * _YEAR:
        return f"{days}d"
    if hours < 8 * _YEAR:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def age(time: str | None, now: float) -> str:
    """The time since the RFC 3339 time `time`, or ``<unknown>`` without one."""
    if not time:
        return UNKNOWN
    try:
        return human_duration(now - parse_time(time))
    except ValueError:
        return "<invalid>"


def _two(many: int, unit: str, few: int, small: str) -> str:
    return f"{many}{unit}{few}{small}" if few else f"{many}{unit}"
