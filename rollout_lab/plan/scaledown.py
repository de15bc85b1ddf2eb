"""Old Pods stay a while: the note with the time they may go, and what follows from it. Pure."""

from __future__ import annotations

from rollout_lab.api import names
from rollout_lab.api.times import rfc3339
from rollout_lab.plan.actions import AnnotateReplicaSet
from rollout_lab.plan.replicasets import ReplicaSet
from rollout_lab.plan.work import Work, keeps_mark, scale

_FIELD = f"metadata.annotations[{names.SCALE_DOWN_DEADLINE_ANNOTATION}]"


def mark(work: Work, rs: ReplicaSet, delay: float) -> None:
    """Note on `rs` that its Pods may go in `delay` seconds; a delay of 0 takes the note away.

    # upstream: rollout/replicaset.go::addScaleDownDelay
    """
    if delay <= 0:
        unmark(work, rs)
        return
    at = rfc3339(work.now + delay)
    work.add(AnnotateReplicaSet(rs.name, {names.SCALE_DOWN_DEADLINE_ANNOTATION: at}))
    work.because(
        "scaledown.mark",
        f"ReplicaSet/{rs.name}",
        _FIELD,
        replicaset=rs.name,
        delay=delay,
        at=float(int(work.now + delay)),
    )
    work.look_again(delay)


def unmark(work: Work, rs: ReplicaSet) -> None:
    if rs.marked:
        work.add(AnnotateReplicaSet(rs.name, {names.SCALE_DOWN_DEADLINE_ANNOTATION: None}))
        work.because("scaledown.unmark", f"ReplicaSet/{rs.name}", _FIELD, replicaset=rs.name)


def unmark_wanted(work: Work) -> None:
    """New and stable are wanted: they lose the note, unless an abort is letting the new one go.

    # upstream: rollout/replicaset.go::removeScaleDownDeadlines
    """
    new, stable = work.sets.new, work.sets.stable
    if new is not None and not keeps_mark(work):
        unmark(work, new)
    if stable is not None and (new is None or stable.name != new.name or keeps_mark(work)):
        unmark(work, stable)


def waits(work: Work, rs: ReplicaSet) -> bool:
    """Whether the noted time has not come yet; asks for a pass when it has."""
    at = rs.deadline
    if at is None or work.now >= at:
        return False
    work.look_again_at(at)
    work.because("scaledown.wait", f"ReplicaSet/{rs.name}", _FIELD, replicaset=rs.name, endsAt=at)
    return True


def new_after_abort(work: Work, new: ReplicaSet) -> int | None:
    """The size of the new version while an abort lets it go later; None: leave it alone this pass.

    # upstream: rollout/replicaset.go::reconcileNewReplicaSet
    """
    blue_green, stable = work.rollout.blue_green, work.sets.stable
    assert blue_green is not None and stable is not None
    if new.marked:
        return None if waits(work, new) else 0
    delay = blue_green.abort_scale_down_delay_seconds
    if delay is not None and stable.available == work.rollout.replicas:
        mark(work, new, delay)
    return None


def old_of_blue_green(work: Work) -> None:
    """Old versions: noted, kept while their time has not come, then emptied; newest first.

    # upstream: rollout/bluegreen.go::scaleDownOldReplicaSetsForBlueGreen
    """
    blue_green = work.rollout.blue_green
    assert blue_green is not None
    limit = blue_green.scale_down_delay_revision_limit
    kept = 0
    for rs in sorted(work.sets.old, key=lambda rs: rs.revision, reverse=True):
        if rs.size == 0 or referenced(work, rs):
            continue
        size = 0
        within = limit is None or kept < limit
        if not rs.marked:
            if within:
                kept += 1
                size = rs.size
                mark(work, rs, blue_green.scale_down_delay_seconds)
                if blue_green.scale_down_delay_seconds <= 0:
                    size = 0
        else:
            kept += 1
            if within and waits(work, rs):
                size = work.rollout.replicas
        if size == rs.size and rs.desired == work.rollout.replicas:
            continue
        scale(work, rs, size, "scaledown.now" if size == 0 else "scale.active", {"replicas": size})


def referenced(work: Work, rs: ReplicaSet) -> bool:
    """Whether the status or a Service still points at `rs`."""
    status = work.status
    named = {status.stable_rs, status.current_pod_hash, status.active_selector, status.preview_selector}
    return rs.hash in named or rs.hash in work.hashes.values()
