"""Values that are a number or a percentage: maxSurge, maxUnavailable. Pure.

# upstream: k8s.io/apimachinery pkg/util/intstr::GetScaledValueFromIntOrPercent
"""

from __future__ import annotations

import re

_PERCENT = re.compile(r"[+-]?\d+%")


def percent(value: object) -> int | None:
    """The number before the % sign of ``"25%"``; None for anything that is no such string."""
    if isinstance(value, str) and _PERCENT.fullmatch(value):
        return int(value[:-1])
    return None


def resolve(value: int | str | None, total: int, *, round_up: bool) -> int:
    """How many of `total` the value means. None means 0.

    >>> resolve("25%", 2, round_up=True), resolve("25%", 2, round_up=False), resolve(3, 2, round_up=True)
    (1, 0, 3)

    Raises ValueError for a string that is no percentage ("3", "abc").
    """
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    share = percent(value)
    if share is None:
        raise ValueError(f"{value!r} is neither a whole number nor a percentage such as 25%")
    return -(-share * total // 100) if round_up else share * total // 100


def _lenient(value: int | str | None) -> int | str | None:
    return f"{value.replace('%', '')}%" if isinstance(value, str) else value


def surge_and_unavailable(
    max_surge: int | str | None, max_unavailable: int | str | None, replicas: int
) -> tuple[int, int]:
    """(surge, unavailable) in Pods: surge rounds up, unavailable rounds down and is at most `replicas`.

    Both 0 would leave no way forward, so unavailable becomes 1. As in the peer a string without
    the % sign counts as a percentage here, and an unreadable value makes both 0.

    >>> surge_and_unavailable("25%", "25%", 2)
    (1, 0)
    >>> surge_and_unavailable(0, "25%", 2)
    (0, 1)

    # upstream: utils/replicaset/replicaset.go::MaxSurge, MaxUnavailable
    """
    try:
        surge = resolve(_lenient(max_surge), replicas, round_up=True)
        unavailable = resolve(_lenient(max_unavailable), replicas, round_up=False)
    except ValueError:
        return 0, 0
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, replicas)
