"""What was decided in a run, free of hashes, names of Pods and timing: the measure of two equal runs. Pure.

The same reduction as ``milestones.py`` beside the recorded runs, whose result a test holds it to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rollout_lab.api import fields, names

Json = dict[str, Any]
Row = Mapping[str, Any]
DECISIVE: Final = (
    "NewReplicaSetCreated",
    "SwitchService",
    "RolloutStepCompleted",
    "RolloutPaused",
    "RolloutCompleted",
    "RolloutAborted",
    "SkipSteps",
)
"""Reasons of Events that are counted; of the others only the order of first appearance matters."""


def milestones(rows: Iterable[Row]) -> Json:
    """services {name: [version]}, replicaSetSizes {version: [size]}, steps, weights, Events and final.

    ``eventOrder`` are reasons in order of first appearance, ``eventCounts`` counts of `DECISIVE` ones.
    Versions are image tags. ``steps`` are [current, stable, step index, pause reasons, aborted]
    wherever one of them changes; ``final`` is the last state of the Rollout.
    """
    found = [row for row in rows if row.get("type") != "DELETED" or row.get("kind") == "ReplicaSet"]
    versions = {
        fields.text(row, "labels", names.ROLLOUT_HASH_LABEL): _tag(row.get("image"))
        for row in found
        if row.get("kind") == "ReplicaSet"
    }
    there = [row for row in found if row.get("type") != "DELETED"]
    events = [
        str(row.get("reason"))
        for row in there
        if row.get("kind") == "Event" and row.get("about") == names.KIND
    ]
    rollouts = [row for row in there if row.get("kind") == names.KIND]
    return {
        "services": _services(there, versions),
        "replicaSetSizes": _sizes(there),
        "steps": _steps(rollouts, versions),
        "weights": _weights(there),
        "eventOrder": list(dict.fromkeys(events)),
        "eventCounts": {reason: events.count(reason) for reason in DECISIVE},
        "final": _final(rollouts[-1], versions) if rollouts else None,
    }


def differences(one: Json, two: Json) -> dict[str, tuple[Any, Any]]:
    """The kinds of milestone in which two runs differ, each with what the one and the other has."""
    return {kind: (one[kind], two[kind]) for kind in one if one[kind] != two[kind]}


def _tag(image: object) -> str | None:
    return str(image).rsplit(":", 1)[-1] if image else None


def _append(sequence: list[Any], value: object) -> None:
    if not sequence or sequence[-1] != value:
        sequence.append(value)


def _version(versions: Mapping[str, str | None], hash_: object) -> str | None:
    return versions.get(str(hash_), str(hash_)) if hash_ else None


def _services(rows: Iterable[Row], versions: Mapping[str, str | None]) -> Json:
    found: Json = {}
    for row in rows:
        if row.get("kind") == "Service":
            hash_ = fields.value(row, "selector", names.ROLLOUT_HASH_LABEL)
            _append(found.setdefault(fields.text(row, "name"), []), _version(versions, hash_))
    return found


def _sizes(rows: Iterable[Row]) -> Json:
    found: dict[Any, list[Any]] = {}
    for row in rows:
        if row.get("kind") == "ReplicaSet":
            _append(found.setdefault(_tag(row.get("image")), []), row.get("replicas"))
    return found


def _weights(rows: Iterable[Row]) -> list[Any]:
    found: list[Any] = []
    for row in rows:
        if row.get("kind") == "Ingress":
            for key, value in fields.mapping(row, "annotations").items():
                if key.endswith("canary-weight"):
                    _append(found, value)
    return found


def _steps(rollouts: Iterable[Row], versions: Mapping[str, str | None]) -> list[Any]:
    found: list[Any] = []
    for row in rollouts:
        status = fields.mapping(row, "status")
        current, stable = status.get("currentPodHash"), status.get("stableRS")
        if current:
            pauses = [pause.get("reason") for pause in fields.objects(status, "pauseConditions")]
            step = [_version(versions, current), _version(versions, stable), status.get("currentStepIndex")]
            _append(found, [*step, pauses, bool(status.get("abort"))])
    return found


def _final(rollout: Row, versions: Mapping[str, str | None]) -> Json:
    status = fields.mapping(rollout, "status")
    conditions = fields.objects(status, "conditions")
    return {
        "phase": status.get("phase"),
        "message": status.get("message"),
        "stable": _version(versions, status.get("stableRS")),
        "current": _version(versions, status.get("currentPodHash")),
        "step": status.get("currentStepIndex"),
        "replicas": status.get("replicas"),
        "updated": status.get("updatedReplicas"),
        "available": status.get("availableReplicas"),
        "conditions": {str(c.get("type")): [c.get("status"), c.get("reason")] for c in conditions},
    }
