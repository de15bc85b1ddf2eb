"""The size each ReplicaSet should have now: `replicas` asked with the objects of a pass. Pure."""

from __future__ import annotations

from rollout_lab.api.steps import weight_at
from rollout_lab.plan import replicas
from rollout_lab.plan.replicasets import ReplicaSet
from rollout_lab.plan.work import Work


def preview_size(work: Work) -> int:
    """Pods of the new version of a blue-green update: all, or previewReplicaCount while it is preview.

    # upstream: utils/replicaset/replicaset.go::NewRSNewReplicas
    """
    rollout, new, blue_green = work.rollout, work.sets.new, work.rollout.blue_green
    if blue_green is None:
        return rollout.replicas
    serving = work.sets.by_hash(work.status.active_selector)
    elsewhere = serving is not None and new is not None and serving.name != new.name
    unpaused = not rollout.paused and not work.status.pause_conditions
    counts = replicas.blue_green_counts(
        rollout.replicas,
        blue_green.preview_replica_count,
        active_elsewhere=elsewhere,
        promote_full=work.status.promote_full,
        past_preview=work.status.scale_up_preview_check_point and unpaused,
    )
    return counts.canary


def weight(work: Work) -> int:
    """The share of the new version that the canary asks for now, in percent."""
    return replicas.weight_in_force(
        weight_at(work.rollout.steps, work.status.current_step_index),
        abort=work.aborted,
        promote_full=work.status.promote_full,
        has_stable=work.sets.rolling,
    )


def canary(work: Work) -> replicas.Breakdown:
    """The next sizes of new and stable of a canary, with the numbers of the formula."""
    rollout, sets = work.rollout, work.sets
    assert rollout.canary is not None
    surge, unavailable = rollout.canary.room(rollout.replicas)
    return replicas.explain(
        rollout.replicas,
        weight(work),
        surge,
        unavailable,
        _size(sets.new),
        _size(sets.stable) if sets.rolling else None,
        [found for rs in sets.old if (found := _size(rs)) is not None],
    )


def old(work: Work, old_newest_first: list[ReplicaSet]) -> replicas.OldCounts:
    """The next sizes of a canary's old ReplicaSets."""
    rollout = work.rollout
    assert rollout.canary is not None
    _, unavailable = rollout.canary.room(rollout.replicas)
    available = sum(rs.available for rs in work.sets.all)
    sizes = [replicas.Size(rs.size, rs.available) for rs in old_newest_first]
    return replicas.old_counts(rollout.replicas, unavailable, available, sizes)


def _size(rs: ReplicaSet | None) -> replicas.Size | None:
    return None if rs is None else replicas.Size(rs.size, rs.available)
