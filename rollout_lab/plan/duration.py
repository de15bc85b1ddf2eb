"""`status.duration`: when an update began and ended, and how long people let it wait. Pure."""

from __future__ import annotations

from rollout_lab.api import fields
from rollout_lab.api.fields import Json
from rollout_lab.api.names import PauseReason
from rollout_lab.api.rollout import Rollout
from rollout_lab.api.status import Status
from rollout_lab.api.steps import Pause
from rollout_lab.api.times import parse_time, rfc3339
from rollout_lab.plan.replicasets import Sets

STARTED, PAUSED = "rolloutStartedAt", "manualPauseStartedAt"
TOTAL, FINISHED, OUTCOME = "totalManualPauseDurationSeconds", "finishedAt", "completionStatus"


def duration(rollout: Rollout, sets: Sets, status: Json, now: float) -> Json:
    """The duration that belongs to the new `status`; empty before the first update began."""
    old, new = rollout.status, Status(status)
    if not new.current_pod_hash:
        return fields.mapping(old.raw, "duration")
    found = dict(fields.mapping(old.raw, "duration"))
    if _begins(old, new, found):
        found = {STARTED: rfc3339(now)}
    if FINISHED in found:
        return found
    _count_pause(found, waits_for_person(rollout, new), now)
    if new.abort:
        found[OUTCOME] = "Aborted"
        found[FINISHED] = rfc3339(now)
    elif new.stable_rs and new.stable_rs == new.current_pod_hash:
        found.setdefault(OUTCOME, _outcome(old, new, sets))
        if new.available_replicas >= rollout.replicas:
            found[FINISHED] = rfc3339(now)
    return found


def _begins(old: Status, new: Status, found: Json) -> bool:
    """A new version, or a retry; going back to stable half-way belongs to the update it ends."""
    if not found:
        return True
    if found.get(OUTCOME) == "Aborted" and not new.abort:
        return True
    if old.current_pod_hash == new.current_pod_hash:
        return False
    return not _back_to_stable(old, new)


def _back_to_stable(old: Status, new: Status) -> bool:
    return new.current_pod_hash == old.stable_rs and old.current_pod_hash != old.stable_rs


def _outcome(old: Status, new: Status, sets: Sets) -> str:
    if _back_to_stable(old, new):
        return "FastRolledBack"
    if old.promote_full:
        return "FastPromoted"
    before, after = sets.by_hash(old.stable_rs), sets.by_hash(new.stable_rs)
    if before is not None and after is not None and after.created < before.created:
        return "RolledBack"
    return "Promoted"


def waits_for_person(rollout: Rollout, status: Status) -> bool:
    """Whether only a person can end this wait: spec.paused, a pause without an end, no auto promotion."""
    if status.abort:
        return False
    if rollout.paused:
        return True
    reasons = {condition.reason for condition in status.pause_conditions}
    if PauseReason.BLUE_GREEN in reasons and rollout.blue_green is not None:
        return not rollout.blue_green.auto_promotion_enabled
    if PauseReason.CANARY_STEP in reasons:
        index = status.current_step_index or 0
        step = rollout.steps[index] if index < len(rollout.steps) else None
        return isinstance(step, Pause) and step.duration is None
    return False


def _count_pause(found: Json, waits: bool, now: float) -> None:
    if waits:
        found.setdefault(PAUSED, rfc3339(now))
    elif PAUSED in found:
        try:
            since = parse_time(str(found.pop(PAUSED)))
        except ValueError:
            since = now
        found[TOTAL] = (fields.integer(found, TOTAL) or 0) + int(max(0.0, now - since))
