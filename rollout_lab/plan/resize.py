"""Sizes of a canary's ReplicaSets, one kind per pass: its effect is waited for before the next. Pure.

# upstream: rollout/canary.go::reconcileCanaryReplicaSets
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rollout_lab.plan import scaledown, sizes
from rollout_lab.plan.replicas import Breakdown
from rollout_lab.plan.replicasets import ReplicaSet
from rollout_lab.plan.work import Work, abort_delay, keeps_mark, scale


def resize(work: Work, *, told: bool) -> bool:
    """Bring sizes one step nearer: stable, else new, else old; whether one changed.

    `told`: the routers were brought in line in this pass. Where not, the canary keeps its last Pod.
    """
    if work.rollout.paused:
        return False
    scaledown.unmark_wanted(work)
    return _basic(work) if work.rollout.routing is None else _routed(work, told)


def _basic(work: Work) -> bool:
    """Without a router the number of Pods is the weight."""
    found = sizes.canary(work)
    strategy = work.rollout.canary
    assert strategy is not None
    params = {
        "weight": found.weight,
        "replicas": found.replicas,
        "surge": found.surge,
        "unavailable": found.unavailable,
        "canary": found.target.canary,
        "stable": found.target.stable,
        "maxSurge": strategy.max_surge,
        "maxUnavailable": strategy.max_unavailable,
    }
    stable, new = work.sets.stable, work.sets.new
    if (
        stable is not None
        and work.sets.rolling
        and scale(work, stable, found.counts.stable, "scale.stable", params)
    ):
        return True
    if new is not None and scale(work, new, found.counts.canary, "scale.canary", params):
        return True
    if _resize_old(work):
        return True
    _say_waiting(work, found)
    return False


def _resize_old(work: Work) -> bool:
    """# upstream: rollout/canary.go::scaleDownOldReplicaSetsForCanary"""
    newest_first = sorted(work.sets.old, key=lambda rs: rs.revision, reverse=True)
    active = [rs for rs in newest_first if rs.size]
    if not active:
        return False
    found = sizes.old(work, active)
    assert work.rollout.canary is not None
    _, unavailable = work.rollout.canary.room(work.rollout.replicas)
    params = {
        "available": sum(rs.available for rs in work.sets.all),
        "minAvailable": work.rollout.replicas - unavailable,
    }
    scaled = [
        scale(work, rs, size, "scale.old", params) for rs, size in zip(active, found.final, strict=True)
    ]
    return any(scaled)


def _say_waiting(work: Work, found: Breakdown) -> None:
    """Why sizes are not yet where the step wants them."""
    new, stable = work.sets.new, work.sets.stable if work.sets.rolling else None
    if new is None:
        return
    about = f"ReplicaSet/{new.name}"
    old = sum(rs.replicas for rs in work.sets.old)
    if new.size < found.target.canary:
        total = sum(rs.size for rs in work.sets.all)
        work.because(
            "wait.room",
            about,
            "spec.strategy.canary.maxSurge",
            replicaset=new.name,
            size=new.size,
            target=found.target.canary,
            total=total,
            most=found.max_total,
        )
    if new.available < min(new.size, found.target.canary):
        _say_available(work, new)
    if stable is not None and stable.size > found.target.stable:
        work.because(
            "wait.minimum",
            f"ReplicaSet/{stable.name}",
            "spec.strategy.canary.maxUnavailable",
            replicaset=stable.name,
            size=stable.size,
            target=found.target.stable,
            available=sum(rs.available for rs in work.sets.all),
            minAvailable=found.min_available,
        )
    if old:
        work.because("wait.old", pods=old)


def _say_available(work: Work, new: ReplicaSet) -> None:
    work.because(
        "wait.available",
        f"ReplicaSet/{new.name}",
        replicaset=new.name,
        available=new.available,
        wanted=new.size,
    )


def _routed(work: Work, told: bool) -> bool:
    """With a router: stable stays whole (or follows its weight), the canary gets what its weight needs."""
    found, strategy = sizes.routed(work, held=True), work.rollout.canary
    assert strategy is not None and strategy.routing is not None
    numbers = {"weight": found.weight, "maximum": strategy.routing.maximum}
    stable, new = work.sets.stable, work.sets.new
    if stable is not None and work.sets.rolling:
        code, params = ("scale.dynamic", numbers) if strategy.dynamic_stable_scale else ("scale.whole", {})
        if scale(work, stable, found.counts.stable, code, params):
            return True
    if not told and new is not None and new.size and not found.counts.canary:
        found = replace(found, counts=replace(found.counts, canary=1))
    if new is not None and _resize_canary(work, new, found, numbers):
        return True
    if scaledown.old_of_routed(work):
        return True
    if new is not None and new.available < new.size:
        _say_available(work, new)
    return False


def _resize_canary(work: Work, new: ReplicaSet, found: sizes.Routed, numbers: dict[str, Any]) -> bool:
    """The size of the new version. After an abort its Pods go when their delay is over, or not at all;
    the note of the whole's size is kept up to date meanwhile."""
    if keeps_mark(work) and work.sets.rolling:
        size = scaledown.new_after_abort(work, new)
        if size is None:
            return scale(work, new, new.size, "scale.desired", {})
        return scale(work, new, size, "scaledown.now", {"replicas": size})
    if work.aborted and work.sets.rolling and abort_delay(work) is None:
        return scale(work, new, new.size, "scale.desired", {})
    if found.fixed is not None:
        return scale(work, new, found.counts.canary, "scale.fixed", {})
    params = {**numbers, "replicas": work.rollout.replicas}
    return scale(work, new, found.counts.canary, "scale.routed", params)
