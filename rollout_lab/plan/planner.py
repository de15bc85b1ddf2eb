"""What should happen next: one pass of the engine as a function of a snapshot. Pure.

A pass is level-triggered: it looks only at the objects and the time, so any pass may be the first
after a crash. Effects of a decision show one pass later on purpose, because clients that watch
would miss a state that two merged writes skip. The order of early exits is the peer's.

# upstream: rollout/controller.go::syncHandler, rollout/context.go::reconcile
"""

from __future__ import annotations

from rollout_lab.api import meta
from rollout_lab.api.fields import Json
from rollout_lab.api.names import ConditionReason, ConditionType, EventReason, Phase
from rollout_lab.plan import bluegreen, canary, conditions, revisions, status, validity
from rollout_lab.plan.actions import PatchStatus, Plan, UpdateRollout
from rollout_lab.plan.replicasets import wanted_hash
from rollout_lab.plan.snapshot import Snapshot
from rollout_lab.plan.work import Work

INVALID_RETRY_SECONDS = 20.0
"""An invalid Rollout may only have come before its Service, so it is looked at again."""


def plan(snapshot: Snapshot) -> Plan:
    """Everything one pass writes, in order, with the reasons; no writes when nothing is to be done."""
    work = Work.of(snapshot)
    if meta.being_deleted(work.rollout.raw):
        work.because("deleting")
        return work.plan()
    if not work.status.raw:
        work.emit(
            EventReason.ADDED_TO_INFORMER,
            f"Rollout resource added to informer: {work.rollout.namespace}/{work.rollout.name}",
        )
    problem = validity.first_problem(work)
    if problem is not None:
        _refuse(work, validity.message(work, problem), problem.field)
    elif not work.rollout.replicas_set:
        work.add(UpdateRollout(replicas=work.rollout.replicas))
        work.because("replicas.default", field_="spec.replicas", replicas=work.rollout.replicas)
    elif work.sets.new is None:
        _create(work)
    elif not (revisions.sync(work) or _first_condition(work) or _follow_pause(work)):
        _roll(work)
    return work.plan()


def create_failed(snapshot: Snapshot, replica_set: str, message: str) -> Plan:
    """What to write when the API server refuses the ReplicaSet of a new version."""
    work = Work.of(snapshot)
    text = f'Failed to create new replica set "{replica_set}": {message}'
    work.emit(EventReason.REPLICA_SET_CREATE_ERROR, text, "Warning")
    found = status.stored(work)
    reason = ConditionReason.REPLICA_SET_CREATE_ERROR
    conditions.put(found, work.now, ConditionType.PROGRESSING, "False", reason, text)
    status.patch_conditions(work, found)
    work.because("create.failed", f"ReplicaSet/{replica_set}", replicaset=replica_set, message=message)
    return work.plan()


def _roll(work: Work) -> None:
    strategy = work.rollout
    if _scaled(work):
        if strategy.blue_green is not None:
            bluegreen.rescale(work, strategy.blue_green)
        else:
            canary.rescale(work)
    elif strategy.blue_green is not None:
        bluegreen.roll(work, strategy.blue_green)
    elif strategy.canary is not None:
        canary.roll(work, strategy.canary)
    _say_rest(work)


def _refuse(work: Work, message: str, field: str) -> None:
    """Nothing but the InvalidSpec condition, and another look a little later."""
    found = status.stored(work)
    old = conditions.get(found, ConditionType.INVALID_SPEC)
    if old is None or old.get("message") != message:
        type_, reason = ConditionType.INVALID_SPEC, ConditionReason.INVALID_SPEC
        conditions.put(found, work.now, type_, "True", reason, message, refresh=True)
    status.patch_conditions(work, found)
    work.because("invalid", field_=field, message=message)
    work.look_again(INVALID_RETRY_SECONDS)


def _create(work: Work) -> None:
    """A version without a ReplicaSet: create it, number the Rollout, say so. The size comes later."""
    revisions.create(work)
    name = f"{work.rollout.name}-{wanted_hash(work.rollout)}"
    _note_replica_set(work, ConditionReason.NEW_REPLICA_SET, f'Created new replica set "{name}"')


def _first_condition(work: Work) -> bool:
    """An adopted ReplicaSet was found before any progress was noted."""
    if work.status.condition(ConditionType.PROGRESSING) is not None or work.sets.new is None:
        return False
    text = f'Found new replica set "{work.sets.new.name}"'
    _note_replica_set(work, ConditionReason.FOUND_NEW_REPLICA_SET, text)
    return True


def _note_replica_set(work: Work, reason: ConditionReason, text: str) -> None:
    """Only the condition is written: phase and generation wait for a pass that has seen all of it."""
    found = status.stored(work)
    conditions.put(found, work.now, ConditionType.PROGRESSING, "True", reason, text)
    patch = status.difference(work.status.raw, found)
    if patch:
        work.add(PatchStatus(patch))


def _follow_pause(work: Work) -> bool:
    """Conditions that follow a pause, a resume or a retry; a write ends the pass.

    Only once the stored status speaks about this spec: a new version is looked at first.

    # upstream: rollout/sync.go::checkPausedConditions
    """
    if not work.observed:
        return False
    found, now = status.stored(work), work.now
    progress = conditions.get(found, ConditionType.PROGRESSING)
    reason = progress.get("reason") if progress is not None else None
    paused = bool(work.status.pause_conditions) or work.rollout.paused
    was_aborted = reason == ConditionReason.ABORTED
    changed = False
    type_ = ConditionType.PROGRESSING
    if was_aborted:
        if not work.status.abort:
            retry = ConditionReason.RETRY
            changed = conditions.put(found, now, type_, "Unknown", retry, conditions.RETRY_MESSAGE)
            work.because("retry", revision=work.rollout.revision)
    else:
        if paused != (reason == ConditionReason.PAUSED):
            why = ConditionReason.PAUSED if paused else ConditionReason.RESUMED
            text = conditions.PAUSED_MESSAGE if paused else conditions.RESUMED_MESSAGE
            changed = conditions.put(found, now, type_, "Unknown", why, text)
        noted = conditions.get(found, ConditionType.PAUSED)
        if paused != (noted is not None and noted.get("status") == "True"):
            value, text = "True" if paused else "False", conditions.PAUSED_MESSAGE
            put = conditions.put(found, now, ConditionType.PAUSED, value, ConditionReason.PAUSED, text)
            changed = put or changed
    if changed:
        status.patch_conditions(work, found)
    return changed


def _scaled(work: Work) -> bool:
    """Whether `spec.replicas` is another than noted on a ReplicaSet that has Pods.

    # upstream: rollout/sync.go::isScalingEvent
    """
    replicas = work.rollout.replicas
    return any(rs.size > 0 and rs.desired not in (None, replicas) for rs in work.sets.all)


def _say_rest(work: Work) -> None:
    """The reasons that belong to a state rather than to a rule."""
    after = _status_after(work)
    if work.rollout.paused:
        work.because("pause.spec", field_="spec.paused")
    if work.aborted:
        work.because("aborted", field_="status.abort", revision=work.rollout.revision)
    if after.get("phase") == Phase.HEALTHY:
        work.because("healthy", revision=work.rollout.revision, replicas=work.rollout.replicas)


def _status_after(work: Work) -> Json:
    merged = dict(work.status.raw)
    for action in work.actions:
        if isinstance(action, PatchStatus):
            merged |= {k: v for k, v in action.patch.items() if k == "phase"}
    return merged
