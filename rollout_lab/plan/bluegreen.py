"""One pass of a blue-green rollout: preview first, Pods, pause, the switch, then the old ones. Pure.

# upstream: rollout/bluegreen.go
"""

from __future__ import annotations

from rollout_lab.api import selectors
from rollout_lab.api.fields import Json
from rollout_lab.api.names import PauseReason
from rollout_lab.api.rollout import BlueGreen
from rollout_lab.plan import deadline, pause, promotion, revisions, scaledown, services, sizes, status
from rollout_lab.plan.replicasets import ReplicaSet
from rollout_lab.plan.restart import restart_pods
from rollout_lab.plan.work import Work, keeps_mark, pause_condition, scale


def roll(work: Work, strategy: BlueGreen) -> None:
    """Everything a blue-green pass does once the new ReplicaSet is there."""
    services.preview(work)
    if changed(work):
        finish(work, strategy)
        return
    restart_pods(work)
    resize(work, strategy)
    hold(work, strategy)
    services.active(work)
    finish(work, strategy)


def changed(work: Work) -> bool:
    """Whether the spec asks for another version than the stored status speaks about."""
    known, new = work.status.current_pod_hash, work.sets.new
    return bool(known) and new is not None and known != new.hash


def resize(work: Work, strategy: BlueGreen) -> None:
    """Sizes: what serves keeps its own, the new version gets its, old ones go when their time comes."""
    scaledown.unmark_wanted(work)
    replicas = work.rollout.replicas
    serving = work.sets.by_hash(work.hashes.get(strategy.active_service, ""))
    new = work.sets.new
    if serving is not None:
        scale(work, serving, replicas, "scale.active", {"replicas": replicas})
    if new is not None and (serving is None or serving.name != new.name):
        _resize_new(work, new, strategy)
    scaledown.old_of_blue_green(work)
    revisions.forget_oldest(work)


def _resize_new(work: Work, new: ReplicaSet, strategy: BlueGreen) -> None:
    if keeps_mark(work):
        size = scaledown.new_after_abort(work, new)
        if size is not None:
            scale(work, new, size, "scaledown.now", {"replicas": size})
        return
    params = {"replicas": work.rollout.replicas, "previewReplicaCount": strategy.preview_replica_count}
    scale(work, new, sizes.preview_size(work), "scale.new", params)


def hold(work: Work, strategy: BlueGreen) -> None:
    """The pause before the switch: begin it, keep it, or let it go.

    # upstream: rollout/bluegreen.go::reconcileBlueGreenPause
    """
    new, reason = work.sets.new, PauseReason.BLUE_GREEN.value
    if new is None or work.status.abort or work.rollout.paused:
        return
    if not services.ready_for_pause(work, new):
        wanted = sizes.preview_size(work)
        work.because(
            "wait.available",
            f"ReplicaSet/{new.name}",
            replicaset=new.name,
            available=new.available,
            wanted=wanted,
        )
        return
    past = work.status.scale_up_preview_check_point or not pause.blue_green_needs_pause(work)
    if services.fast_tracked(work, new) or past:
        work.pause.remove.append(reason)
        return
    if pause_condition(work, reason) is None:
        if not work.status.controller_pause:
            work.pause.add.append(reason)
            if strategy.auto_promotion_enabled and strategy.auto_promotion_seconds:
                work.look_again(strategy.auto_promotion_seconds)
    elif pause.blue_green_completed(work):
        work.pause.remove.append(reason)
    _say_pause(work, strategy)


def _say_pause(work: Work, strategy: BlueGreen) -> None:
    if not (work.pause.add or pause_condition(work, PauseReason.BLUE_GREEN) is not None):
        return
    if PauseReason.BLUE_GREEN.value in work.pause.remove:
        return
    if not strategy.auto_promotion_enabled:
        work.because("pause.bluegreen", field_="spec.strategy.blueGreen.autoPromotionEnabled")
        return
    ends = pause.blue_green_ends_at(work) or float(int(work.now)) + strategy.auto_promotion_seconds
    work.because(
        "pause.autopromote",
        field_="spec.strategy.blueGreen.autoPromotionSeconds",
        duration=strategy.auto_promotion_seconds,
        endsAt=ends,
    )
    work.look_again_at(ends)


def finish(work: Work, strategy: BlueGreen) -> None:
    """The status of the pass.

    # upstream: rollout/bluegreen.go::syncRolloutStatusBlueGreen
    """
    new_status = status.base(work)
    new_status["currentStepHash"] = ""
    new_status["currentStepIndex"] = None
    if changed(work):
        status.reset(work, new_status)
    if work.status.promote_full or promotion.within_window(work):
        work.pause.clear = True
        work.pause.remove_abort = True
    new_status["blueGreen"]["previewSelector"] = work.hashes.get(strategy.preview_service, "")
    new_status["blueGreen"]["activeSelector"] = work.hashes.get(strategy.active_service, "")
    reason = promotion.of_blue_green(work, new_status)
    if reason is not None:
        status.promote(work, new_status, *reason)
    else:
        new_status["blueGreen"]["scaleUpPreviewCheckPoint"] = _checkpoint(work, strategy)
    _count(work, new_status)
    deadline.abort_if_asked(work, new_status)
    status.finish(work, new_status)


def _count(work: Work, new_status: Json) -> None:
    """Once a version serves, ready, available and the autoscaler's numbers are its own."""
    serving = work.sets.by_hash(new_status["blueGreen"]["activeSelector"])
    new_status["selector"] = selectors.text(work.rollout.selector if serving is None else serving.selector)
    if serving is not None:
        new_status["HPAReplicas"] = serving.replicas
        new_status["availableReplicas"] = serving.available
        new_status["readyReplicas"] = serving.ready


def _checkpoint(work: Work, strategy: BlueGreen) -> bool:
    """Set once the small preview was there and its pause is over; stays until promotion.

    # upstream: rollout/bluegreen.go::calculateScaleUpPreviewCheckPoint
    """
    new, wanted = work.sets.new, strategy.preview_replica_count
    if wanted is None or changed(work) or new is None:
        return False
    if work.status.scale_up_preview_check_point:
        return True
    return pause.blue_green_completed(work) and new.available == wanted


def rescale(work: Work, strategy: BlueGreen) -> None:
    """The pass after `spec.replicas` changed: sizes and counts, nothing else."""
    resize(work, strategy)
    new_status = status.stored(work)
    serving = work.sets.by_hash(work.status.active_selector)
    source = [serving] if serving is not None else list(work.sets.all)
    new_status["HPAReplicas"] = sum(rs.replicas for rs in source)
    new_status["availableReplicas"] = sum(rs.available for rs in source)
    status.persist(work, new_status)
