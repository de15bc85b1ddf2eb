"""Which Pods go first when a ReplicaSet shrinks. Pure.

# upstream: pkg/controller/controller_utils.go::ActivePodsWithRanks
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rollout_lab.clusters.embedded.controllers.objects import Object, annotations_of, created_at, uid_of
from rollout_lab.clusters.embedded.controllers.pods import (
    is_active,
    is_ready,
    node_of,
    phase_of,
    ready_since,
    restarts_of,
)

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def deletion_cost(pod: Object) -> int:
    """The cost a person put on losing this Pod; 0 when there is none or it is not a number."""
    text = annotations_of(pod).get(DELETION_COST, "")
    try:
        return int(text)
    except ValueError:
        return 0


def first_to_go(pods: Sequence[Object], related: Iterable[Object], count: int, now: float) -> list[Object]:
    """The `count` Pods to delete. `related` are all Pods of the same owner's ReplicaSets: Pods that share
    a node with many of them go before others."""
    if count >= len(pods):
        return list(pods)
    crowd = Counter(node_of(pod) for pod in related if is_active(pod))

    def order(a: Object, b: Object) -> int:
        return compare(a, b, crowd, now)

    return sorted(pods, key=functools.cmp_to_key(order))[:count]


def compare(a: Object, b: Object, crowd: Mapping[str, int], now: float) -> int:
    """Below 0 when `a` is to go before `b`.

    Unassigned, pending, not ready, cheap, crowded, newly ready, often restarted, young: in this order.
    """
    for x, y in (
        (bool(node_of(a)), bool(node_of(b))),
        (_PHASES.get(phase_of(a), 2), _PHASES.get(phase_of(b), 2)),
        (is_ready(a), is_ready(b)),
        (deletion_cost(a), deletion_cost(b)),
        (-crowd.get(node_of(a), 0), -crowd.get(node_of(b), 0)),
    ):
        if x != y:
            return -1 if x < y else 1
    if is_ready(a) and is_ready(b):
        decided = _younger_first(ready_since(a), ready_since(b), a, b, now)
        if decided:
            return decided
    if restarts_of(a) != restarts_of(b):
        return -1 if restarts_of(a) > restarts_of(b) else 1
    return _younger_first(created_at(a), created_at(b), a, b, now)


def _younger_first(at_a: float, at_b: float, a: Object, b: Object, now: float) -> int:
    """Ages are compared by powers of two, so Pods of about the same age go by uid."""
    if at_a == at_b:
        return 0
    if not at_a or not at_b:
        return -1 if not at_a else 1
    rank_a, rank_b = _age_rank(now - at_a), _age_rank(now - at_b)
    if rank_a == rank_b:
        return -1 if uid_of(a) < uid_of(b) else 1
    return -1 if rank_a < rank_b else 1


def _age_rank(seconds: float) -> int:
    return int(math.log2(seconds * 1e9)) if seconds > 0 else -1
