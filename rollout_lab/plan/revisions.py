"""Revisions: the ReplicaSet of a new version, its number, and forgetting the oldest ones. Pure."""

from __future__ import annotations

from rollout_lab.api import fields, meta, names, selectors
from rollout_lab.api.fields import Json
from rollout_lab.api.names import EventReason
from rollout_lab.api.rollout import Rollout
from rollout_lab.plan.actions import (
    AnnotateReplicaSet,
    CreateReplicaSet,
    DeleteReplicaSet,
    UpdateRollout,
)
from rollout_lab.plan.replicasets import ReplicaSet, Sets, wanted_hash
from rollout_lab.plan.work import Work

_NOT_COPIED = frozenset(
    {
        names.LAST_APPLIED_ANNOTATION,
        names.REVISION_ANNOTATION,
        names.REVISION_HISTORY_ANNOTATION,
        names.DESIRED_REPLICAS_ANNOTATION,
    }
)


def next_revision(sets: Sets) -> int:
    """One more than the highest number of any version but the new one."""
    return max((rs.revision for rs in sets.not_new), default=0) + 1


def copied_annotations(rollout: Rollout) -> dict[str, str]:
    """The Rollout's annotations that its ReplicaSets carry too."""
    return {
        key: value
        for key, value in rollout.annotations.items()
        if key not in _NOT_COPIED and not key.startswith(names.NOTIFIED_ANNOTATION_PREFIX)
    }


def new_replica_set(rollout: Rollout, revision: int) -> Json:
    """The ReplicaSet of the version the spec asks for, at size 0.

    # upstream: rollout/sync.go::createDesiredReplicaSet
    """
    hash_ = wanted_hash(rollout)
    template = dict(rollout.template)
    labels = {**meta.labels(template), names.ROLLOUT_HASH_LABEL: hash_}
    template["metadata"] = {**fields.mapping(template, "metadata"), "labels": labels}
    annotations = {
        **copied_annotations(rollout),
        names.REVISION_ANNOTATION: str(revision),
        names.DESIRED_REPLICAS_ANNOTATION: str(rollout.replicas),
    }
    spec: Json = {
        "replicas": 0,
        "selector": selectors.with_label(rollout.selector, names.ROLLOUT_HASH_LABEL, hash_),
        "template": template,
    }
    if rollout.min_ready_seconds:
        spec["minReadySeconds"] = rollout.min_ready_seconds
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{rollout.name}-{hash_}",
            "namespace": rollout.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [meta.owner_reference(rollout.raw)],
        },
        "spec": spec,
    }


def create(work: Work) -> None:
    """Ask for the new version's ReplicaSet; the status write that ends the pass is the caller's."""
    revision = next_revision(work.sets)
    body = new_replica_set(work.rollout, revision)
    name = meta.name(body)
    work.add(CreateReplicaSet(body))
    work.because(
        "create.replicaset",
        f"ReplicaSet/{name}",
        replicaset=name,
        hash=meta.pod_hash(body),
        revision=revision,
    )
    number_rollout(work, revision)
    work.emit(EventReason.NEW_REPLICA_SET, f"Created ReplicaSet {name} (revision {revision})")


def number_rollout(work: Work, revision: int) -> bool:
    """Give the Rollout the number of its newest version; whether that is a write."""
    if work.rollout.annotations.get(names.REVISION_ANNOTATION) == str(revision):
        return False
    work.add(UpdateRollout(annotations={names.REVISION_ANNOTATION: str(revision)}))
    work.emit(EventReason.UPDATED, f"Rollout updated to revision {revision}")
    return True


def sync(work: Work) -> bool:
    """Bring number and annotations of an existing new ReplicaSet in line; whether anything was written.

    # upstream: rollout/sync.go::syncReplicaSetRevision, utils/annotations::SetNewReplicaSetAnnotations
    """
    rs = work.sets.new
    if rs is None:
        return False
    before = len(work.actions)
    revision = max(rs.revision, next_revision(work.sets))
    changes = _changes(work.rollout, rs, revision)
    seconds = work.rollout.min_ready_seconds
    late = (fields.integer(rs.raw, "spec", "minReadySeconds") or 0) != seconds
    if changes or late:
        work.add(AnnotateReplicaSet(rs.name, changes, seconds if late else None))
        work.because(
            "revision",
            f"ReplicaSet/{rs.name}",
            "metadata.annotations",
            replicaset=rs.name,
            revision=revision,
        )
    number_rollout(work, revision)
    return len(work.actions) > before


def _changes(rollout: Rollout, rs: ReplicaSet, revision: int) -> dict[str, str | None]:
    own = rs.annotations
    changes: dict[str, str | None] = {
        key: value for key, value in copied_annotations(rollout).items() if own.get(key) != value
    }
    if rs.revision < revision:
        changes[names.REVISION_ANNOTATION] = str(revision)
        if rs.revision:
            past = own.get(names.REVISION_HISTORY_ANNOTATION, "")
            changes[names.REVISION_HISTORY_ANNOTATION] = ",".join(filter(None, (past, str(rs.revision))))
    return changes


def forget_oldest(work: Work) -> None:
    """Delete empty old ReplicaSets beyond the history limit, oldest first.

    # upstream: rollout/sync.go::reconcileRevisionHistoryLimit
    """
    limit = work.rollout.revision_history_limit
    alive = [rs for rs in work.sets.old if not meta.being_deleted(rs.raw)]
    for rs in alive[: max(0, len(alive) - limit)]:
        if rs.size == 0 and rs.replicas == 0 and rs.settled:
            work.add(DeleteReplicaSet(rs.name))
            work.because("history.delete", f"ReplicaSet/{rs.name}", replicaset=rs.name, limit=limit)
