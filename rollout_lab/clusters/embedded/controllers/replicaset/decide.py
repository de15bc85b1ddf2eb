"""What a ReplicaSet does next, from the ReplicaSet and its Pods. Pure: nothing is written here.

# upstream: pkg/controller/replicaset/replica_set.go, replica_set_utils.go
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    compact,
    condition_of,
    controller_reference,
    count_of,
    generation_of,
    is_terminating,
    labels_of,
    meta,
    name_of,
    replicas_of,
    spec,
    status,
)
from rollout_lab.clusters.embedded.controllers.pods import available_at, is_available, is_ready
from rollout_lab.clusters.embedded.controllers.replicaset.ranking import first_to_go

BURST = 500  # the most Pods made or deleted in one pass


@dataclass(frozen=True, slots=True)
class Change:
    """How many Pods to make, or which to delete. Never both."""

    create: int = 0
    delete: tuple[Object, ...] = ()


def pod_change(rs: Object, pods: Sequence[Object], related: Iterable[Object], now: float) -> Change:
    """The Pods to make or delete, given the active Pods that belong to `rs`."""
    if is_terminating(rs):
        return Change()
    difference = len(pods) - replicas_of(rs)
    if difference < 0:
        return Change(create=min(-difference, BURST))
    if difference > 0:
        return Change(delete=tuple(first_to_go(pods, related, min(difference, BURST), now)))
    return Change()


def batches(count: int, first: int = 1) -> Iterator[int]:
    """Sizes 1, 2, 4, … that add up to `count`: a quota or a bad template is found out early.

    # upstream: replica_set.go::slowStartBatch
    """
    size = first
    while count > 0:
        size = min(size, count)
        yield size
        count -= size
        size *= 2


def pod_of(rs: Object) -> Object:
    """The Pod to create: the template, named after the ReplicaSet and owned by it."""
    template = spec(rs).get("template") or {}
    given = meta(template)
    metadata: Object = {
        "generateName": name_of(rs) + "-",
        "namespace": meta(rs).get("namespace"),
        "ownerReferences": [controller_reference(rs, "apps/v1", "ReplicaSet")],
    }
    for key in ("labels", "annotations", "finalizers"):
        if given.get(key):
            metadata[key] = given[key]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec(template)}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the Pods could not be made or deleted; becomes the ReplicaFailure condition."""

    reason: str  # FailedCreate or FailedDelete
    message: str


def new_status(rs: Object, pods: Sequence[Object], failure: Failure | None, now: float) -> Object:
    """The status the active `pods` make; numbers that are zero are left out, except `replicas`.

    # upstream: replica_set_utils.go::calculateStatus
    """
    template_labels = labels_of(spec(rs).get("template") or {})
    wait = min_ready_seconds(rs)
    ready = [pod for pod in pods if is_ready(pod)]
    counts = {
        "fullyLabeledReplicas": sum(template_labels.items() <= labels_of(pod).items() for pod in pods),
        "readyReplicas": len(ready),
        "availableReplicas": sum(is_available(pod, wait, now) for pod in ready),
        "observedGeneration": generation_of(rs),
    }
    dropped = {"replicas", "conditions", "terminatingReplicas", *counts}
    kept = {k: v for k, v in status(rs).items() if k not in dropped}
    return {
        **kept,
        "replicas": len(pods),
        **compact(counts),
        **compact({"conditions": _conditions(rs, failure, now)}),
    }


def _conditions(rs: Object, failure: Failure | None, now: float) -> list[Object]:
    others = [c for c in status(rs).get("conditions") or [] if c.get("type") != "ReplicaFailure"]
    present = condition_of(rs, "ReplicaFailure")
    if failure is None:
        return others
    if present is not None:  # the first failure stays until it is over
        return list(status(rs).get("conditions") or [])
    condition = {
        "type": "ReplicaFailure",
        "status": "True",
        "lastTransitionTime": rfc3339(now),
        "reason": failure.reason,
        "message": failure.message,
    }
    return [*others, condition]


def min_ready_seconds(rs: Object) -> float:
    return float(spec(rs).get("minReadySeconds") or 0)


def next_availability(rs: Object, pods: Sequence[Object], now: float) -> float | None:
    """Lab seconds until the next ready Pod counts as available; None when there is none to wait for."""
    times = [available_at(pod, min_ready_seconds(rs)) for pod in pods]
    waits = [at - now for at in times if at is not None and at > now]
    return min(waits) if waits else None


def needs_write(rs: Object, wanted: Object) -> bool:
    """Whether the status differs from the one the object has."""
    return {"replicas": count_of(rs, "replicas"), **status(rs)} != wanted
