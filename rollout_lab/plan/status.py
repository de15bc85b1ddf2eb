"""The status at the end of a pass: counts, conditions, phase, and the one patch that writes them. Pure.

# upstream: rollout/sync.go::calculateBaseStatus, calculateRolloutConditions, persistRolloutStatus
"""

from __future__ import annotations

from typing import Any

from rollout_lab.api import fields
from rollout_lab.api.fields import Json
from rollout_lab.api.names import ConditionReason, ConditionType, EventReason
from rollout_lab.api.status import Status
from rollout_lab.plan import conditions, deadline, pause
from rollout_lab.plan.actions import PatchStatus
from rollout_lab.plan.duration import duration
from rollout_lab.plan.phase import phase
from rollout_lab.plan.replicasets import ReplicaSet, available, ready, replicas, wanted_hash
from rollout_lab.plan.work import Work


def stored(work: Work) -> Json:
    """A copy of the stored status that a pass may change."""
    status = dict(work.status.raw)
    status["conditions"] = [dict(c) for c in work.status.conditions]
    status["blueGreen"] = dict(fields.mapping(status, "blueGreen"))
    status["canary"] = dict(fields.mapping(status, "canary"))
    return status


def base(work: Work) -> Json:
    """The stored status with hash and counts brought up to date; a valid spec loses InvalidSpec."""
    status, sets = stored(work), work.sets
    conditions.remove(status, ConditionType.INVALID_SPEC)
    status["currentPodHash"] = sets.new.hash if sets.new is not None else wanted_hash(work.rollout)
    status["replicas"] = replicas(sets.all)
    status["updatedReplicas"] = replicas([sets.new])
    status["readyReplicas"] = ready(sets.all)
    status["availableReplicas"] = available(sets.all)
    status["HPAReplicas"] = replicas(sets.all)
    status["restartedAt"] = work.restarted_at
    keep = work.status.promote_full and status["currentPodHash"] != work.status.stable_rs
    status["promoteFull"] = keep
    return status


def reset(work: Work, status: Json) -> None:
    """Begin an update at its start: nothing of the one before counts any more.

    # upstream: rollout/sync.go::resetRolloutStatus
    """
    work.pause.clear = True
    work.pause.remove_abort = True
    if work.rollout.restart_at:
        work.restarted_at = work.rollout.restart_at
        status["restartedAt"] = work.restarted_at
    status["promoteFull"] = False
    status["blueGreen"].pop("scaleUpPreviewCheckPoint", None)
    steps = len(work.rollout.steps)
    status["currentStepIndex"] = 0 if steps else None
    work.because("reset", hash=status["currentPodHash"], stepCount=steps)


def promote(work: Work, status: Json, reason: str, text: str) -> None:
    """Make the new version the stable one. `reason` is one of `why.PROMOTIONS`.

    # upstream: rollout/sync.go::promoteStable
    """
    work.pause.clear = True
    work.pause.remove_abort = True
    status["promoteFull"] = False
    status["blueGreen"].pop("scaleUpPreviewCheckPoint", None)
    if work.rollout.canary is not None:
        status["currentStepIndex"] = len(work.rollout.steps) or None
    if status.get("stableRS") == status["currentPodHash"]:
        return
    status["stableRS"] = status["currentPodHash"]
    if work.rollout.canary is not None and work.rollout.canary.ping_pong is not None:
        status["canary"]["stablePingPong"] = "pong" if work.status.stable_ping_pong == "ping" else "ping"
    revision = work.rollout.revision
    work.emit(
        EventReason.COMPLETED,
        f"Rollout completed update to revision {revision} ({status['stableRS']}): {text}",
    )
    work.because("promote.stable", hash=status["stableRS"], revision=revision, reason=reason)


def finish(work: Work, status: Json) -> None:
    """Conditions, pauses, phase and duration into `status`, then the patch and its Events."""
    _conditions(work, status)
    persist(work, status)


def persist(work: Work, status: Json) -> None:
    """Write `status` if it says anything new."""
    pause.into_status(work, status)
    status["observedGeneration"] = str(work.rollout.generation)
    status["phase"], status["message"] = phase(work.rollout, status)
    status["duration"] = duration(work.rollout, work.sets, status, work.now)
    patch = difference(work.status.raw, status)
    if patch:
        work.add(PatchStatus(patch))
        _state_events(work, status)
    deadline.look_again(work, status)


def patch_conditions(work: Work, status: Json) -> None:
    """Write a status of which only conditions changed; ends the pass.

    # upstream: rollout/sync.go::patchCondition
    """
    status["observedGeneration"] = str(work.rollout.generation)
    status["phase"], status["message"] = phase(work.rollout, status)
    status["duration"] = duration(work.rollout, work.sets, status, work.now)
    patch = difference(work.status.raw, status)
    if patch:
        work.add(PatchStatus(patch))


def _state_events(work: Work, status: Json) -> None:
    """# upstream: rollout/sync.go::sendStateChangeEvents"""
    before, after = work.status.pause_conditions, Status(status).pause_conditions
    if after and not before:
        work.emit(EventReason.PAUSED, f"{conditions.PAUSED_MESSAGE} ({after[0].reason})")
    elif before and not after and not status.get("abortedAt"):
        work.emit(EventReason.RESUMED, conditions.RESUMED_MESSAGE)
        work.because("resume", reason=before[0].reason)


def _conditions(work: Work, status: Json) -> None:
    """# upstream: rollout/sync.go::calculateRolloutConditions"""
    now, paused = work.now, bool(work.status.pause_conditions) or work.rollout.paused
    is_healthy = conditions.healthy(work, status)
    became_unhealthy = False
    if is_healthy and not paused:
        reason, text = ConditionReason.HEALTHY, conditions.HEALTHY_MESSAGE
        conditions.put(status, now, ConditionType.HEALTHY, "True", reason, text)
    elif work.status.condition(ConditionType.HEALTHY) is not None:
        reason, text = ConditionReason.HEALTHY, conditions.NOT_HEALTHY_MESSAGE
        became_unhealthy = conditions.put(status, now, ConditionType.HEALTHY, "False", reason, text)
    if work.aborted:
        _aborted(work, status)
    else:
        # A paused rollout keeps the reason RolloutPaused, or each pass would take back the one before.
        _progress(work, status, is_healthy and not paused, became_unhealthy)
    _availability(work, status)
    _failure(work, status)
    _completion(work, status)


def _aborted(work: Work, status: Json) -> None:
    message = f"Rollout aborted update to revision {work.rollout.revision}"
    if work.pause.abort_message:
        message = f"{message}: {work.pause.abort_message}"
    reason = ConditionReason.ABORTED
    if conditions.put(status, work.now, ConditionType.PROGRESSING, "False", reason, message):
        work.emit(EventReason.ABORTED, message, "Warning")
        work.because("abort", revision=work.rollout.revision, message=work.pause.abort_message)


def _progress(work: Work, status: Json, is_healthy: bool, became_unhealthy: bool) -> None:
    now, new = work.now, work.sets.new
    name = new.name if new is not None else work.rollout.name
    kind = "ReplicaSet" if new is not None else "Rollout"
    old = work.status.condition(ConditionType.PROGRESSING)
    type_ = ConditionType.PROGRESSING
    if is_healthy:
        text = f'ReplicaSet "{new.name if new is not None else ""}" has successfully progressed.'
        conditions.put(status, now, type_, "True", ConditionReason.NEW_REPLICA_SET_AVAILABLE, text)
    elif conditions.progressing(work, status) or became_unhealthy:
        reason, text = ConditionReason.REPLICA_SET_UPDATED, f'{kind} "{name}" is progressing.'
        if became_unhealthy and status.get("stableRS") == status["currentPodHash"]:
            reason, text = ConditionReason.REPLICA_SET_NOT_AVAILABLE, conditions.NOT_AVAILABLE_MESSAGE
        since = str(old["lastTransitionTime"]) if old is not None and old.get("status") == "True" else ""
        conditions.put(status, now, type_, "True", reason, text, refresh=True, since=since)
    elif deadline.exceeded(work, status):
        text = f'{kind} "{name}" has timed out progressing.'
        if conditions.put(status, now, type_, "False", ConditionReason.TIMED_OUT, text):
            seconds = work.rollout.progress_deadline_seconds
            work.because("deadline.exceeded", f"{kind}/{name}", replicaset=name, seconds=seconds)


def _availability(work: Work, status: Json) -> None:
    replicas_ = work.rollout.replicas
    if work.rollout.blue_green is not None:
        serving = work.sets.by_hash(Status(status).active_selector)
        good = serving is not None and serving.saturated(replicas_)
    else:
        good = available(work.sets.all) >= replicas_
    value, text = (
        ("True", conditions.AVAILABLE_MESSAGE) if good else ("False", conditions.NOT_AVAILABLE_MESSAGE)
    )
    conditions.put(status, work.now, ConditionType.AVAILABLE, value, ConditionReason.AVAILABLE, text)


def _failure(work: Work, status: Json) -> None:
    """Copy the ReplicaFailure of the new ReplicaSet, else of any."""
    first = [work.sets.new] if work.sets.new is not None else []
    for rs in [*first, *work.sets.all]:
        found = _replica_failure(rs)
        if found is not None:
            value, reason = str(found.get("status")), str(found.get("reason"))
            text = str(found.get("message") or "")
            conditions.put(status, work.now, ConditionType.REPLICA_FAILURE, value, reason, text)
            return
    conditions.remove(status, ConditionType.REPLICA_FAILURE)


def _replica_failure(rs: ReplicaSet) -> Json | None:
    found = fields.objects(rs.raw, "status", "conditions")
    return next((c for c in found if c.get("type") == ConditionType.REPLICA_FAILURE), None)


def _completion(work: Work, status: Json) -> None:
    value = "True" if conditions.completed(status) else "False"
    reason, type_ = ConditionReason.COMPLETED, ConditionType.COMPLETED
    if conditions.put(status, work.now, type_, value, reason, reason) and value == "False":
        work.emit(
            EventReason.NOT_COMPLETED,
            "Rollout not completed, started update to revision "
            f"{work.rollout.revision} ({status['currentPodHash']})",
        )


def difference(old: Json, new: Json) -> Json:
    """The JSON merge patch from one status to another; empty where they say the same.

    A field without a value (0, false, "", null, empty) counts as absent, as in the peer's types;
    `blueGreen` and `canary` are always there, and a step index of 0 is a value.
    """
    patch: Json = {}
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if key in ("blueGreen", "canary"):
            if not isinstance(before, dict):
                patch[key] = _stripped(after or {})
            elif inner := difference(before, after or {}):
                patch[key] = inner
            continue
        absent = _absent(key, after)
        if absent and _absent(key, before):
            continue
        if absent:
            patch[key] = None
        elif isinstance(before, dict) and isinstance(after, dict):
            if before != after:
                patch[key] = {**{k: None for k in before if k not in after}, **_changed(before, after)}
        elif before != after:
            patch[key] = after
    return patch


def _changed(before: Json, after: Json) -> Json:
    return {k: v for k, v in after.items() if before.get(k) != v}


def _stripped(value: Json) -> Json:
    return {k: v for k, v in value.items() if not _absent(k, v)}


def _absent(key: str, value: Any) -> bool:
    if key in ("currentStepIndex", "collisionCount"):
        return value is None
    return not value
