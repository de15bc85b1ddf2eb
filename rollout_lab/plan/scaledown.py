"""Old Pods stay a while: the note with the time they may go, and what follows from it. Pure."""

from __future__ import annotations

from rollout_lab.api import names
from rollout_lab.api.times import rfc3339
from rollout_lab.plan.actions import AnnotateReplicaSet
from rollout_lab.plan.replicasets import ReplicaSet
from rollout_lab.plan.work import Work, abort_delay, fully_promoted, keeps_mark, scale

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
    stable = work.sets.stable
    assert stable is not None
    if new.marked:
        return None if waits(work, new) else 0
    delay = abort_delay(work)
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


def old_of_routed(work: Work) -> bool:
    """Old versions beside a router, which sends them nothing: what was stable stays for its delay, what
    was on its way when a newer version came goes at once; nothing goes that is still pointed at.

    Whether a size changed.

    # upstream: rollout/canary.go::scaleDownOldReplicaSetsForCanary
    """
    canary, replicas = work.rollout.canary, work.rollout.replicas
    assert canary is not None
    available = sum(rs.available for rs in work.sets.all)
    spare = available - (replicas - canary.room(replicas)[1])
    params = {"available": available, "minAvailable": replicas - canary.room(replicas)[1]}
    limit, kept, scaled = canary.scale_down_delay_revision_limit, 0, False
    for rs in sorted(work.sets.old, key=lambda rs: rs.revision, reverse=True):
        if rs.size == 0:
            continue
        size = min(rs.size, rs.available)
        if spare > 0 and not referenced(work, rs):
            was_stable = fully_promoted(work) or rs.marked
            over = limit is not None and kept >= limit
            if over or not was_stable or canary.dynamic_stable_scale:
                size = 0
            else:
                kept += 1
                size = size if _stays(work, rs, canary.scale_down_delay_seconds) else 0
            spare -= rs.size - size
        scaled = scale(work, rs, size, "scale.old", params) or scaled
    return scaled


def _stays(work: Work, rs: ReplicaSet, delay: float) -> bool:
    """Whether `rs` keeps its Pods for now; begins the delay where it has not begun."""
    if rs.marked:
        return waits(work, rs)
    mark(work, rs, delay)
    return delay > 0


def referenced(work: Work, rs: ReplicaSet) -> bool:
    """Whether the status, the weights last sent or a Service still points at `rs`.

    Of ping and pong only the stable one counts: the other keeps its old version until the next update.
    """
    status, canary = work.status, work.rollout.canary
    named = {status.stable_rs, status.current_pod_hash, status.active_selector, status.preview_selector}
    if status.weights is not None:
        named |= {status.weights.canary.hash, status.weights.stable.hash}
    idle = ""
    if canary is not None and canary.ping_pong is not None:
        idle = canary.services_now(status.stable_ping_pong)[1]
    pointed = {hash_ for service, hash_ in work.hashes.items() if service != idle}
    return rs.hash in named or rs.hash in pointed
