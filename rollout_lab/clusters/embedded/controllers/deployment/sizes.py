"""How many Pods each ReplicaSet of a Deployment should have. Pure numbers from raw objects.

# upstream: pkg/controller/deployment/{rolling,sync}.go, pkg/controller/deployment/util/deployment_util.go
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollout_lab.api.intstr import resolve
from rollout_lab.clusters.embedded.controllers.deployment.revisions import (
    DESIRED,
    MOST,
    annotated_number,
    by_age,
)
from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    count_of,
    name_of,
    replicas_of,
    spec,
)


def is_rolling(deployment: Object) -> bool:
    return bool((spec(deployment).get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def surge_and_unavailable(deployment: Object) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in Pods; both 0 would never move, then one may be unavailable.

    # upstream: deployment_util.go::ResolveFenceposts
    """
    if not is_rolling(deployment):
        return 0, 0
    rolling = (spec(deployment).get("strategy") or {}).get("rollingUpdate") or {}
    total = replicas_of(deployment)
    surge = resolve(rolling.get("maxSurge"), total, round_up=True)
    unavailable = resolve(rolling.get("maxUnavailable"), total, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, total)


def most_pods(deployment: Object) -> int:
    """The number of Pods the Deployment may have at a time, surge included."""
    return replicas_of(deployment) + surge_and_unavailable(deployment)[0]


def least_available(deployment: Object) -> int:
    return replicas_of(deployment) - surge_and_unavailable(deployment)[1]


def total(sets: Iterable[Object]) -> int:
    return sum(replicas_of(rs) for rs in sets)


def total_of(sets: Iterable[Object], field: str) -> int:
    return sum(count_of(rs, field) for rs in sets)


def active(sets: Iterable[Object]) -> list[Object]:
    return [rs for rs in sets if replicas_of(rs) > 0]


def new_size(deployment: Object, sets: Sequence[Object], new: Object) -> int:
    """The size the new ReplicaSet may have now; `sets` are all of them, the new one included.

    # upstream: deployment_util.go::NewRSNewReplicas
    """
    wanted = replicas_of(deployment)
    if not is_rolling(deployment):
        return wanted
    room = most_pods(deployment) - total(sets)
    if room <= 0:
        return replicas_of(new)
    return replicas_of(new) + min(room, wanted - replicas_of(new))


def old_sizes(deployment: Object, old: Sequence[Object], new: Object) -> dict[str, int]:
    """The old ReplicaSets to shrink, by name, so that enough Pods stay available; unhealthy Pods go first.

    Nothing shrinks while an old one still reports more available Pods than it is to have: its status lags
    behind, and counting those Pods would take more away than may be unavailable.

    # upstream: rolling.go::reconcileOldReplicaSets, cleanupUnhealthyReplicas (which gives up there)
    """
    sizes = {name_of(rs): replicas_of(rs) for rs in old}
    if sum(sizes.values()) == 0:
        return {}
    waiting = replicas_of(new) - count_of(new, "availableReplicas")
    budget = sum(sizes.values()) + replicas_of(new) - least_available(deployment) - waiting
    if budget <= 0:
        return {}
    ordered = sorted(old, key=by_age)
    for rs in ordered:
        unhealthy = sizes[name_of(rs)] - count_of(rs, "availableReplicas")
        if unhealthy < 0 and budget > 0:
            return {}
        cut = min(budget, unhealthy)
        sizes[name_of(rs)] -= cut
        budget -= cut
    spare = total_of([*old, new], "availableReplicas") - least_available(deployment)
    for rs in ordered:
        cut = max(0, min(spare, sizes[name_of(rs)]))
        sizes[name_of(rs)] -= cut
        spare -= cut
    return {name_of(rs): sizes[name_of(rs)] for rs in ordered if sizes[name_of(rs)] != replicas_of(rs)}


def is_scaling(deployment: Object, sets: Iterable[Object]) -> bool:
    """Whether the Deployment's own size changed since its ReplicaSets were last scaled.

    # upstream: sync.go::isScalingEvent
    """
    known = (annotated_number(rs, DESIRED) for rs in active(sets))
    return any(number is not None and number != replicas_of(deployment) for number in known)


def scaled_sizes(deployment: Object, new: Object | None, old: Sequence[Object]) -> dict[str, int]:
    """The sizes after the Deployment itself was scaled (or paused), by name of those that are affected.

    With several active ReplicaSets each keeps its share, so a rollout in the middle stays balanced.

    # upstream: sync.go::scale
    """
    wanted = replicas_of(deployment)
    everyone = [*old, *([new] if new else [])]
    single = _active_or_latest(new, old)
    if single is not None:
        return {} if replicas_of(single) == wanted else {name_of(single): wanted}
    if new is not None and _is_saturated(deployment, new):
        return {name_of(rs): 0 for rs in active(old)}
    if not is_rolling(deployment):
        return {}
    shared = active(everyone)
    allowed = most_pods(deployment) if wanted > 0 else 0
    to_add = allowed - total(shared)
    shared.sort(key=by_age, reverse=to_add > 0)
    shared.sort(key=replicas_of, reverse=True)
    sizes: dict[str, int] = {}
    added = 0
    for rs in shared:
        share = proportion(deployment, rs, to_add, added) if to_add else 0
        sizes[name_of(rs)] = replicas_of(rs) + share
        added += share
    if to_add:
        first = name_of(shared[0])
        sizes[first] = max(0, sizes[first] + to_add - added)
    return sizes


def _active_or_latest(new: Object | None, old: Sequence[Object]) -> Object | None:
    """The only active ReplicaSet; with none, the new one or else the youngest; with several, nothing."""
    candidates = active([*old, *([new] if new else [])])
    if len(candidates) > 1:
        return None
    if candidates:
        return candidates[0]
    return new or max(old, key=by_age, default=None)


def _is_saturated(deployment: Object, rs: Object) -> bool:
    wanted = replicas_of(deployment)
    return (
        replicas_of(rs) == wanted
        and annotated_number(rs, DESIRED) == wanted
        and count_of(rs, "availableReplicas") == wanted
    )


def proportion(deployment: Object, rs: Object, to_add: int, added: int) -> int:
    """How many of `to_add` Pods (below 0: to remove) fall to `rs` when `added` are spoken for already.

    # upstream: deployment_util.go::GetReplicaSetProportion, getReplicaSetFraction
    """
    if replicas_of(rs) == 0 or to_add == added:
        return 0
    share, left = _fraction(deployment, rs), to_add - added
    return min(share, left) if to_add > 0 else max(share, left)


def _fraction(deployment: Object, rs: Object) -> int:
    if replicas_of(deployment) == 0:
        return -replicas_of(rs)
    before = annotated_number(rs, MOST) or count_of(deployment, "replicas")
    if not before:
        return 0
    exact = replicas_of(rs) * most_pods(deployment) / before
    return int(exact + 0.5) - replicas_of(rs)
