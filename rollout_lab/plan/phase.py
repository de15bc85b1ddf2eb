"""Phase and message of a status: one word and one line for a whole rollout. Pure.

# upstream: utils/rollout/rolloututil.go::CalculateRolloutPhase
"""

from __future__ import annotations

from rollout_lab.api.fields import Json
from rollout_lab.api.names import ConditionReason, ConditionType, Phase
from rollout_lab.api.rollout import Rollout
from rollout_lab.api.status import Status

_BAD_REASONS = (ConditionReason.ABORTED, ConditionReason.TIMED_OUT)


def phase(rollout: Rollout, status: Json) -> tuple[Phase, str]:
    """Phase and message that `status` means for `rollout`; the first rule that fits wins."""
    new = Status(status)
    for condition in new.conditions:
        reason = condition.get("reason")
        if condition.get("type") == ConditionType.INVALID_SPEC:
            return Phase.DEGRADED, f"{ConditionType.INVALID_SPEC}: {condition.get('message')}"
        if reason in _BAD_REASONS:
            return Phase.DEGRADED, f"{reason}: {condition.get('message')}"
    if rollout.paused:
        return Phase.PAUSED, "manually paused"
    if new.pause_conditions:
        return Phase.PAUSED, new.pause_conditions[0].reason
    if rollout.restart_at and rollout.restart_at != new.restarted_at:
        return Phase.PROGRESSING, "rollout is restarting"
    if new.updated_replicas < rollout.replicas:
        return Phase.PROGRESSING, "more replicas need to be updated"
    if new.available_replicas < new.updated_replicas:
        return Phase.PROGRESSING, "updated replicas are still becoming available"
    return _strategy_phase(rollout, new)


def _strategy_phase(rollout: Rollout, new: Status) -> tuple[Phase, str]:
    promoted = bool(new.stable_rs) and new.stable_rs == new.current_pod_hash
    if rollout.blue_green is not None:
        if not new.active_selector or new.active_selector != new.current_pod_hash:
            return Phase.PROGRESSING, "active service cutover pending"
        if not promoted:
            return Phase.PROGRESSING, "waiting for post-promotion verification to complete"
    elif rollout.canary is not None:
        if rollout.routing is None and new.replicas > new.updated_replicas:
            return Phase.PROGRESSING, "old replicas are pending termination"
        if not promoted:
            return Phase.PROGRESSING, "waiting for all steps to complete"
    return Phase.HEALTHY, ""
