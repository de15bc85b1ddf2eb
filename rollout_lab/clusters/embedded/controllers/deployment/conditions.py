"""The status of a Deployment: counts, and the Available, Progressing and ReplicaFailure conditions. Pure.

# upstream: pkg/controller/deployment/{sync,progress}.go, pkg/controller/deployment/util/deployment_util.go
"""

from __future__ import annotations

from collections.abc import Sequence

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.deployment.sizes import least_available, total, total_of
from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    compact,
    condition_of,
    count_of,
    find_condition,
    generation_of,
    name_of,
    replicas_of,
    seconds_of,
    spec,
    status,
)

PROGRESSING, AVAILABLE, FAILURE = "Progressing", "Available", "ReplicaFailure"
COMPLETE, UPDATED, TIMED_OUT = "NewReplicaSetAvailable", "ReplicaSetUpdated", "ProgressDeadlineExceeded"
CREATED, FOUND, CREATE_ERROR = "NewReplicaSetCreated", "FoundNewReplicaSet", "ReplicaSetCreateError"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
NO_DEADLINE = 2147483647  # seconds; the largest number means: none
_COUNTS = (
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "conditions",
)


def condition(kind: str, value: str, reason: str, message: str, now: float) -> Object:
    return {
        "type": kind,
        "status": value,
        "lastUpdateTime": rfc3339(now),
        "lastTransitionTime": rfc3339(now),
        "reason": reason,
        "message": message,
    }


def with_condition(conditions: Sequence[Object], new: Object) -> list[Object]:
    """The conditions with `new` at the end; nothing changes when status and reason are the same as before."""
    present = find_condition(conditions, new["type"])
    if present and (present.get("status"), present.get("reason")) == (new["status"], new["reason"]):
        return list(conditions)
    if present and present.get("status") == new["status"]:
        new = {**new, "lastTransitionTime": present.get("lastTransitionTime")}
    return [*(c for c in conditions if c.get("type") != new["type"]), new]


def set_condition(deployment: Object, new: Object) -> Object:
    conditions = with_condition(status(deployment).get("conditions") or [], new)
    return {**deployment, "status": {**status(deployment), "conditions": conditions}}


def deadline_of(deployment: Object) -> int | None:
    """Lab seconds a rollout may go without progress; None when there is no limit."""
    given = spec(deployment).get("progressDeadlineSeconds")
    return None if given is None or given == NO_DEADLINE else int(given)


def pausing(deployment: Object, now: float) -> Object:
    """The Deployment with what Progressing says about being paused or resumed.

    # upstream: sync.go::checkPausedConditions
    """
    present = condition_of(deployment, PROGRESSING)
    reason = present.get("reason") if present else None
    if deadline_of(deployment) is None or reason == TIMED_OUT:
        return deployment
    paused = bool(spec(deployment).get("paused"))
    if paused == (reason == PAUSED):
        return deployment
    entry = (PAUSED, "Deployment is paused") if paused else (RESUMED, "Deployment is resumed")
    return set_condition(deployment, condition(PROGRESSING, "Unknown", *entry, now))


def plain_status(deployment: Object, old: Sequence[Object], new: Object | None, now: float) -> Object:
    """Counts and Available; Progressing and the rest stay as they are.

    # upstream: sync.go::calculateStatus
    """
    everyone = [*old, *([new] if new else [])]
    available = total_of(everyone, "availableReplicas")
    counts = {
        "observedGeneration": generation_of(deployment),
        "replicas": total_of(everyone, "replicas"),
        "updatedReplicas": count_of(new, "replicas") if new else 0,
        "readyReplicas": total_of(everyone, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(everyone) - available),
    }
    if available >= least_available(deployment):
        entry = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        entry = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    conditions = with_condition(status(deployment).get("conditions") or [], condition(AVAILABLE, *entry, now))
    kept = {k: v for k, v in status(deployment).items() if k not in _COUNTS}
    return {**compact(counts), "conditions": conditions, **kept}


def rollout_status(deployment: Object, old: Sequence[Object], new: Object | None, now: float) -> Object:
    """As `plain_status`, and what became of the rollout: progress, completion, deadline, failures.

    # upstream: progress.go::syncRolloutStatus
    """
    made = plain_status(deployment, old, new, now)
    conditions: list[Object] = made["conditions"]
    present = condition_of(deployment, PROGRESSING)
    if deadline_of(deployment) is None:
        conditions = [c for c in conditions if c.get("type") != PROGRESSING]
    elif not _was_complete(present, made):
        conditions = _progress(deployment, new, {**made, "conditions": conditions}, present, now)
    failure = _failure([new] if new else []) or _failure(old)
    conditions = [c for c in conditions if c.get("type") != FAILURE or failure]
    if failure:
        conditions = with_condition(conditions, failure)
    return {**made, "conditions": conditions}


def _was_complete(present: Object | None, made: Object) -> bool:
    same = made.get("replicas", 0) == made.get("updatedReplicas", 0)
    return same and present is not None and present.get("reason") == COMPLETE


def _progress(
    deployment: Object, new: Object | None, made: Object, present: Object | None, now: float
) -> list[Object]:
    who = f'ReplicaSet "{name_of(new)}"' if new else f'Deployment "{name_of(deployment)}"'
    conditions: list[Object] = made["conditions"]
    if is_complete(deployment, made):
        done = condition(PROGRESSING, "True", COMPLETE, f"{who} has successfully progressed.", now)
        return with_condition(conditions, done)
    if _has_progressed(deployment, made):
        step = condition(PROGRESSING, "True", UPDATED, f"{who} is progressing.", now)
        if present and present.get("status") == "True":
            step["lastTransitionTime"] = present.get("lastTransitionTime")
        return [*(c for c in conditions if c.get("type") != PROGRESSING), step]
    if is_timed_out(deployment, find_condition(conditions, PROGRESSING), now):
        late = condition(PROGRESSING, "False", TIMED_OUT, f"{who} has timed out progressing.", now)
        return with_condition(conditions, late)
    return conditions


def is_complete(deployment: Object, made: Object) -> bool:
    """Whether a status says that all wanted Pods are new and available, and nothing old is left."""
    wanted = replicas_of(deployment)
    counts = (made.get(k) or 0 for k in ("updatedReplicas", "replicas", "availableReplicas"))
    observed = made.get("observedGeneration") or 0
    return all(count == wanted for count in counts) and observed >= generation_of(deployment)


def _has_progressed(deployment: Object, made: Object) -> bool:
    before = status(deployment)

    def old_pods(counts: Object) -> int:
        return int(counts.get("replicas") or 0) - int(counts.get("updatedReplicas") or 0)

    def grew(field: str) -> bool:
        return int(made.get(field) or 0) > int(before.get(field) or 0)

    fewer_old = old_pods(made) < old_pods(dict(before))
    return fewer_old or grew("updatedReplicas") or grew("readyReplicas") or grew("availableReplicas")


def is_timed_out(deployment: Object, progressing: Object | None, now: float) -> bool:
    limit = deadline_of(deployment)
    if limit is None or progressing is None or progressing.get("reason") == COMPLETE:
        return False
    if progressing.get("reason") == TIMED_OUT:
        return True
    return seconds_of(progressing.get("lastUpdateTime")) + limit < now


def until_deadline(deployment: Object, made: Object, now: float) -> float | None:
    """Lab seconds until the rollout may have to be called late; None when it cannot be."""
    limit = deadline_of(deployment)
    progressing = find_condition(made.get("conditions") or [], PROGRESSING)
    if limit is None or progressing is None or is_complete(deployment, made):
        return None
    if progressing.get("reason") in (TIMED_OUT, COMPLETE) or spec(deployment).get("paused"):
        return None
    return max(0.0, seconds_of(progressing.get("lastUpdateTime")) + limit - now) + 0.05


def _failure(sets: Sequence[Object]) -> Object | None:
    """The first ReplicaFailure of these ReplicaSets, as a condition of the Deployment."""
    for rs in sets:
        found = condition_of(rs, FAILURE)
        if found is not None:
            return {**found, "lastUpdateTime": found.get("lastTransitionTime")}
    return None
