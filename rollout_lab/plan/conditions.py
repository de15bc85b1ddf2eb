"""Conditions of the status: how one is set, and what counts as healthy, progressing or timed out. Pure.

# upstream: utils/conditions/conditions.go
"""

from __future__ import annotations

from rollout_lab.api import fields, meta
from rollout_lab.api.fields import Json
from rollout_lab.api.names import ConditionReason, ConditionType
from rollout_lab.api.status import Status
from rollout_lab.api.times import parse_time, rfc3339
from rollout_lab.plan.work import Work

PAUSED_MESSAGE = "Rollout is paused"
RESUMED_MESSAGE = "Rollout is resumed"
RETRY_MESSAGE = "Retrying Rollout after abort"
AVAILABLE_MESSAGE = "Rollout has minimum availability"
NOT_AVAILABLE_MESSAGE = "Rollout does not have minimum availability"
HEALTHY_MESSAGE = "Rollout is healthy"
NOT_HEALTHY_MESSAGE = "Rollout is not healthy"


def get(status: Json, type_: ConditionType) -> Json | None:
    return meta.condition(fields.objects(status, "conditions"), type_)


def remove(status: Json, type_: ConditionType) -> None:
    status["conditions"] = [c for c in fields.objects(status, "conditions") if c.get("type") != type_]


def put(
    status: Json,
    now: float,
    type_: ConditionType,
    value: str,
    reason: str,
    message: str,
    *,
    refresh: bool = False,
    since: str = "",
) -> bool:
    """Set a condition; whether it changed.

    One of equal status and reason stays untouched, message and times too, unless `refresh`. The
    transition time moves only with the status; `since` keeps an older one on purpose.
    """
    old = get(status, type_)
    if old is not None and not refresh and (old.get("status"), old.get("reason")) == (value, reason):
        return False
    stamp = rfc3339(now)
    moved = since or (str(old["lastTransitionTime"]) if old and old.get("status") == value else "") or stamp
    remove(status, type_)
    status["conditions"].append(
        {
            "lastTransitionTime": moved,
            "lastUpdateTime": stamp,
            "message": message,
            "reason": str(reason),
            "status": value,
            "type": str(type_),
        }
    )
    return True


def healthy(work: Work, status: Json) -> bool:
    """Everything wanted is there, available and serving, and nothing else is left.

    # upstream: conditions.go::RolloutHealthy
    """
    new, rollout = Status(status), work.rollout
    replicas = rollout.replicas
    if rollout.blue_green is not None:
        done = new.active_selector == new.current_pod_hash
        if rollout.blue_green.preview_service:
            done = done and new.preview_selector == new.current_pod_hash
    else:
        steps = len(rollout.steps)
        index = new.current_step_index
        done = not steps or index is None or index == steps
        done = done and completed(status) and new.replicas == replicas
    counts = new.updated_replicas == replicas and new.available_replicas == replicas
    return done and counts and work.observed


def completed(status: Json) -> bool:
    new = Status(status)
    return bool(new.stable_rs) and new.stable_rs == new.current_pod_hash


def progressing(work: Work, status: Json) -> bool:
    """Whether this status shows any progress over the stored one.

    # upstream: conditions.go::RolloutProgressing
    """
    old, new = work.status, Status(status)
    if work.rollout.blue_green is not None:
        moved = (old.active_selector, old.preview_selector) != (new.active_selector, new.preview_selector)
    else:
        stepped = None not in (old.current_step_index, new.current_step_index)
        moved = stepped and old.current_step_index != new.current_step_index
        moved = moved or old.stable_rs != new.stable_rs or old.current_step_hash != new.current_step_hash
    return (
        moved
        or new.updated_replicas != old.updated_replicas
        or new.replicas - new.updated_replicas < old.replicas - old.updated_replicas
        or new.ready_replicas > old.ready_replicas
        or new.available_replicas > old.available_replicas
    )


def deadline_at(work: Work, status: Json) -> float | None:
    """When the progress deadline runs out; None where the time does not count.

    # upstream: conditions.go::RolloutTimedOut, rollout/sync.go::requeueStuckRollout
    """
    found = get(status, ConditionType.PROGRESSING)
    if found is None or found.get("reason") == ConditionReason.ABORTED:
        return None
    try:
        since = parse_time(str(found.get("lastUpdateTime")))
    except ValueError:
        return None
    return since + work.rollout.progress_deadline_seconds
