"""One pass of a canary rollout: Services, routers, sizes one ReplicaSet at a time, then the step. Pure.

# upstream: rollout/canary.go
"""

from __future__ import annotations

from typing import Any

from rollout_lab.api import fields, hashing, selectors
from rollout_lab.api.fields import Json
from rollout_lab.api.names import EventReason, PauseReason
from rollout_lab.api.rollout import Canary
from rollout_lab.api.steps import ROUTE_FIELDS, Pause, SetCanaryScale, SetRoute, SetWeight, Step
from rollout_lab.plan import deadline, pause, promotion, revisions, services, sizes, status, traffic
from rollout_lab.plan.replicasets import ReplicaSet
from rollout_lab.plan.resize import resize
from rollout_lab.plan.restart import restart_pods
from rollout_lab.plan.work import Work, pause_condition


def roll(work: Work, strategy: Canary) -> None:
    """Everything a canary pass does once the new ReplicaSet is there."""
    if changed(work, strategy):
        finish(work, strategy)
        return
    before = len(work.actions)
    restart_pods(work)
    if len(work.actions) > before:
        finish(work, strategy)
        return
    revisions.forget_oldest(work)
    services.stable_and_canary(work)
    told = traffic.direct(work, strategy)
    if not resize(work, told=told):
        hold(work, strategy)
    finish(work, strategy)


def changed(work: Work, strategy: Canary) -> bool:
    """Whether version or steps are others than the stored status speaks about (or it is the first).

    # upstream: utils/replicaset/replicaset.go::PodTemplateOrStepsChanged
    """
    if work.status.current_step_hash != hashing.step_hash(strategy.raw_steps):
        return True
    known, new = work.status.current_pod_hash, work.sets.new
    return bool(known) and new is not None and known != new.hash


def hold(work: Work, strategy: Canary) -> None:
    """Begin or keep the pause of a pause step.

    # upstream: rollout/canary.go::reconcileCanaryPause
    """
    step, index = _current(work, strategy)
    if work.rollout.paused or work.status.promote_full or not isinstance(step, Pause):
        return
    if pause_condition(work, PauseReason.CANARY_STEP) is None:
        if work.status.controller_pause:
            return
        work.pause.add.append(PauseReason.CANARY_STEP.value)
    where = f"spec.strategy.canary.steps[{index}].pause"
    numbers: dict[str, Any] = {"step": index + 1, "steps": len(strategy.steps)}
    if step.duration is None:
        work.because("pause.indefinite", field_=where, **numbers)
        return
    ends = pause.step_ends_at(work, step)
    if ends is None:
        ends = float(int(work.now)) + step.duration
    if work.now < ends:
        work.because("pause.timed", field_=where, duration=step.duration, endsAt=ends, **numbers)
    work.look_again_at(ends)


def finish(work: Work, strategy: Canary) -> None:
    """The status of the pass: reset, promotion, abort or the next step.

    # upstream: rollout/canary.go::syncRolloutStatusCanary
    """
    steps = len(strategy.steps)
    new_status = status.base(work)
    new_status["selector"] = selectors.text(work.rollout.selector)
    new_status["currentStepHash"] = hashing.step_hash(strategy.raw_steps)
    new_status["canary"]["weights"] = work.weights
    step, index = _current(work, strategy)
    if changed(work, strategy):
        status.reset(work, new_status)
        _skip_steps(work, new_status, steps)
        status.finish(work, new_status)
        return
    if work.status.promote_full or promotion.within_window(work):
        work.pause.clear = True
        work.pause.remove_abort = True
        index = steps
    new_status["currentStepIndex"] = index if steps else None
    reason = promotion.of_canary(work)
    if reason is not None:
        status.promote(work, new_status, *reason)
        status.finish(work, new_status)
        return
    deadline.abort_if_asked(work, new_status)
    if work.aborted:
        promoted = new_status.get("stableRS") == new_status["currentPodHash"]
        new_status["currentStepIndex"] = (steps if promoted else 0) if steps else None
    elif step is not None and index < steps and _completed(work, step):
        new_status["currentStepIndex"] = index + 1
        _say_step_done(work, strategy, step, index)
        work.pause.remove.append(PauseReason.CANARY_STEP.value)
    status.finish(work, new_status)


def _current(work: Work, strategy: Canary) -> tuple[Step | None, int]:
    """The step in force and its index; (None, number of steps) past the end."""
    steps = strategy.steps
    index = work.status.current_step_index or 0
    return (steps[index], index) if 0 <= index < len(steps) else (None, len(steps))


def _skip_steps(work: Work, new_status: Json, steps: int) -> None:
    """Back to stable, or within the rollback window to Pods that are still up: no steps."""
    new = work.sets.new
    if new is None or not steps:
        return
    if work.status.stable_rs == new.hash:
        work.emit(EventReason.SKIP_STEPS, "Rollback to stable ReplicaSets")
    elif promotion.within_window(work) and new.size > 0:
        work.emit(EventReason.SKIP_STEPS, "Rollback to active ReplicaSets within RollbackWindow")
    else:
        return
    new_status["currentStepIndex"] = steps
    window = work.status.stable_rs != new.hash
    work.because("skip.steps", hash=new.hash, stepCount=steps, window=window)


def _completed(work: Work, step: Step) -> bool:
    """# upstream: rollout/canary.go::completedCurrentCanaryStep"""
    if work.rollout.paused:
        return False
    if isinstance(step, Pause):
        return pause.step_completed(work, step)
    if isinstance(step, SetWeight):
        return at_target(work) and traffic.sent(work, step.weight)
    return isinstance(step, SetRoute) or (isinstance(step, SetCanaryScale) and at_target(work))


def at_target(work: Work) -> bool:
    """Whether every side has exactly what the step wants: new available, stable there, old gone.

    # upstream: utils/replicaset/canary.go::AtDesiredReplicaCountsForCanary
    """
    if work.rollout.routing is not None:
        return traffic.at_target(work)
    target = sizes.canary(work).target
    new, stable = work.sets.new, work.sets.stable
    if new is None or new.size != target.canary or new.available != target.canary:
        return False
    if stable is not None and work.sets.rolling and not _has(stable, target.stable):
        return False
    return not any(rs.available for rs in work.sets.old)


def _has(rs: ReplicaSet, pods: int) -> bool:
    return rs.size == pods and rs.replicas == pods


def _say_step_done(work: Work, strategy: Canary, step: Step, index: int) -> None:
    number, steps = index + 1, len(strategy.steps)
    raw = fields.items(strategy.raw, "steps")[index]
    work.emit(EventReason.STEP_COMPLETED, f"Rollout step {number}/{steps} completed ({step_words(raw)})")
    weight = step.weight if isinstance(step, SetWeight) else None
    work.because(
        "step.done",
        field_=f"spec.strategy.canary.steps[{index}]",
        step=number,
        steps=steps,
        kind=step.kind,
        weight=weight,
    )


def step_words(raw: Any) -> str:
    """A step as Events name it: ``setWeight: 33``, ``pause``, ``pause: 8s``, ``setCanaryScale{replicas: 2}``.

    # upstream: utils/rollout/rolloututil.go::CanaryStepString
    """
    weight = fields.integer(raw, "setWeight")
    if weight is not None:
        return f"setWeight: {weight}"
    for kind in ("setCanaryScale", *ROUTE_FIELDS):
        found = fields.mapping(raw, kind)
        if found:
            told = ("weight", "replicas", "matchTrafficWeight", "name")
            inside = ", ".join(f"{k}: {str(found[k]).lower()}" for k in told if k in found)
            return f"{kind}{{{inside}}}"
    length = fields.value(raw, "pause", "duration")
    return "pause" if length is None else f"pause: {length}"


def rescale(work: Work) -> None:
    """The pass after `spec.replicas` changed: sizes and counts, nothing else."""
    resize(work, told=False)
    new_status = status.stored(work)
    new_status["HPAReplicas"] = sum(rs.replicas for rs in work.sets.all)
    new_status["availableReplicas"] = sum(rs.available for rs in work.sets.all)
    status.persist(work, new_status)
