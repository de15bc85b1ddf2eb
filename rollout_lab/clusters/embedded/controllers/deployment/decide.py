"""One pass of the Deployment controller: from the Deployment, its ReplicaSets and their Pods to what to
write. Pure: the shell in `run` does the writing.

# upstream: pkg/controller/deployment/{deployment_controller,rolling,recreate,sync}.go
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rollout_lab.clusters.embedded.controllers.deployment import conditions, revisions, sizes
from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    annotations_of,
    condition_of,
    controller_of,
    count_of,
    generation_of,
    is_terminating,
    name_of,
    replicas_of,
    spec,
    status,
    uid_of,
)
from rollout_lab.clusters.embedded.controllers.pods import is_finished


@dataclass(frozen=True, slots=True)
class CreateReplicaSet:
    """Create this ReplicaSet; `event` is told when it worked (empty: nothing)."""

    body: Object
    event: str = ""


@dataclass(frozen=True, slots=True)
class UpdateReplicaSet:
    """Replace a ReplicaSet by this state of it; `event` is told when it worked."""

    rs: Object
    event: str = ""


@dataclass(frozen=True, slots=True)
class DeleteReplicaSet:
    """Delete an old ReplicaSet that is empty and beyond the history limit."""

    rs: Object


Action = CreateReplicaSet | UpdateReplicaSet | DeleteReplicaSet


@dataclass(frozen=True, slots=True)
class Pass:
    """What to do, in order; then the Deployment as it should be stored (status and annotations)."""

    actions: tuple[Action, ...]
    deployment: Object
    requeue: float | None  # lab seconds


@dataclass(slots=True)
class _Work:
    """The state of a pass: every change to a ReplicaSet is an action and counts from then on."""

    deployment: Object
    new: Object | None
    old: list[Object]
    now: float
    actions: list[Action] = field(default_factory=list)

    @property
    def everyone(self) -> list[Object]:
        return [*self.old, *([self.new] if self.new else [])]

    def resize(self, rs: Object, size: int) -> bool:
        """Give a ReplicaSet this size and note the Deployment's; whether the size changed."""
        before = replicas_of(rs)
        made = revisions.sized(rs, replicas_of(self.deployment), sizes.most_pods(self.deployment))
        if size != before:
            made = {**made, "spec": {**spec(made), "replicas": size}}
        if made is rs:
            return False
        way = "up" if size > before else "down"
        event = f"Scaled {way} replica set {name_of(rs)} from {before} to {size}"
        self.update(made, event if size != before else "")
        return size != before

    def update(self, rs: Object, event: str = "") -> None:
        """Store this state of a ReplicaSet; one write, also when it was only numbered a moment ago."""
        self.actions = [
            a for a in self.actions if not (isinstance(a, UpdateReplicaSet) and uid_of(a.rs) == uid_of(rs))
        ]
        self.actions.append(UpdateReplicaSet(rs, event))
        if self.new is not None and uid_of(self.new) == uid_of(rs):
            self.new = rs
        self.old = [rs if uid_of(other) == uid_of(rs) else other for other in self.old]

    def resize_all(self, wanted: dict[str, int]) -> bool:
        """Several at once, in the order of `wanted`; whether any size changed."""
        by_name = {name_of(rs): rs for rs in self.everyone}
        changed = [self.resize(by_name[name], size) for name, size in wanted.items()]
        return any(changed)

    def finish(self, made: Object) -> Pass:
        requeue = conditions.until_deadline(self.deployment, made, self.now)
        return Pass(tuple(self.actions), {**self.deployment, "status": made}, requeue)

    def rolled(self) -> Pass:
        return self.finish(conditions.rollout_status(self.deployment, self.old, self.new, self.now))

    def settled(self) -> Pass:
        return self.finish(conditions.plain_status(self.deployment, self.old, self.new, self.now))


def decide(deployment: Object, sets: Sequence[Object], pods: Iterable[Object], now: float) -> Pass:
    """One pass. `sets` belong to the Deployment, `pods` to any of them; `now` is seconds since the epoch."""
    new = revisions.find_new(deployment, sets)
    work = _Work(deployment, new, revisions.without(sets, new), now)
    if is_terminating(deployment):
        _number_new(work)
        return work.settled()
    work.deployment = conditions.pausing(deployment, now)
    _number_new(work)
    if spec(deployment).get("paused"):
        work.resize_all(sizes.scaled_sizes(work.deployment, work.new, work.old))
        _clean_up(work)
        return work.settled()
    if sizes.is_scaling(work.deployment, work.everyone):
        work.resize_all(sizes.scaled_sizes(work.deployment, work.new, work.old))
        return work.settled()
    return _roll(work) if sizes.is_rolling(deployment) else _recreate(work, list(pods))


def _roll(work: _Work) -> Pass:
    """Grow the new ReplicaSet, else shrink the old ones, else tidy up."""
    if work.new is None:
        _create_new(work)
        return work.rolled()
    size = min(sizes.new_size(work.deployment, work.everyone, work.new), replicas_of(work.deployment))
    if replicas_of(work.new) != replicas_of(work.deployment) and work.resize(work.new, size):
        return work.rolled()
    shrunk = sizes.old_sizes(work.deployment, sizes.active(work.old), work.new)
    if not work.resize_all(shrunk):
        _clean_up_when_complete(work)
    return work.rolled()


def _recreate(work: _Work, pods: list[Object]) -> Pass:
    """Empty the old ReplicaSets, wait until their last Pod is gone, then fill the new one."""
    if work.resize_all({name_of(rs): 0 for rs in sizes.active(work.old)}):
        return work.rolled()
    if _old_pods_left(work, pods):
        return work.rolled()
    if work.new is None:
        _create_new(work)
    else:
        work.resize(work.new, replicas_of(work.deployment))
    _clean_up_when_complete(work)
    return work.rolled()


def _old_pods_left(work: _Work, pods: Iterable[Object]) -> bool:
    """Whether a Pod of an old ReplicaSet still runs; one on its way out does."""
    if sizes.total_of(work.old, "replicas") > 0:
        return True
    old = {uid_of(rs) for rs in work.old}
    owners = ((controller_of(pod) or {}).get("uid") for pod in pods if not is_finished(pod))
    return any(owner in old for owner in owners)


def _number_new(work: _Work) -> None:
    """Give the ReplicaSet of the present template the highest revision, and tell the Deployment.

    # upstream: sync.go::getNewReplicaSet
    """
    if work.new is None:
        return
    made = revisions.numbered(work.deployment, work.new, revisions.next_revision(work.old))
    wait = int(spec(work.deployment).get("minReadySeconds") or 0)
    if int(spec(made).get("minReadySeconds") or 0) != wait:
        made = {**made, "spec": {**spec(made), "minReadySeconds": wait}}
    if made is not work.new:
        work.update(made)
    work.deployment = _at_revision(work.deployment, revisions.revision_of(made))
    missing = condition_of(work.deployment, conditions.PROGRESSING) is None
    if conditions.deadline_of(work.deployment) is not None and missing:
        text = f'Found new replica set "{name_of(made)}"'
        found = conditions.condition(conditions.PROGRESSING, "True", conditions.FOUND, text, work.now)
        work.deployment = conditions.set_condition(work.deployment, found)


def _create_new(work: _Work) -> None:
    revision = revisions.next_revision(work.old)
    body = revisions.new_replica_set(work.deployment, revision, sizes.most_pods(work.deployment))
    size = sizes.new_size(work.deployment, [*work.old, body], body)
    body = {**body, "spec": {**spec(body), "replicas": size}}
    event = f"Scaled up replica set {name_of(body)} from 0 to {size}" if size else ""
    work.actions.append(CreateReplicaSet(body, event))
    work.new = body
    work.deployment = _at_revision(work.deployment, revision)
    if conditions.deadline_of(work.deployment) is not None:
        text = f'Created new replica set "{name_of(body)}"'
        made = conditions.condition(conditions.PROGRESSING, "True", conditions.CREATED, text, work.now)
        work.deployment = conditions.set_condition(work.deployment, made)


def _at_revision(deployment: Object, revision: int) -> Object:
    if not revision or annotations_of(deployment).get(revisions.REVISION) == str(revision):
        return deployment
    annotations = {**annotations_of(deployment), revisions.REVISION: str(revision)}
    return revisions.with_annotations(deployment, annotations)


def _clean_up_when_complete(work: _Work) -> None:
    if conditions.is_complete(work.deployment, dict(status(work.deployment))):
        _clean_up(work)


def _clean_up(work: _Work) -> None:
    """Delete the oldest revisions beyond the history limit, empty ones only.

    # upstream: sync.go::cleanupDeployment
    """
    limit = spec(work.deployment).get("revisionHistoryLimit")
    if limit is None:
        return
    alive = sorted((rs for rs in work.old if not is_terminating(rs)), key=revisions.revision_of)
    for rs in alive[: max(0, len(alive) - int(limit))]:
        unseen = generation_of(rs) > count_of(rs, "observedGeneration")
        if replicas_of(rs) == 0 and count_of(rs, "replicas") == 0 and not unseen:
            work.actions.append(DeleteReplicaSet(rs))


def creation_failed(deployment: Object, name: str, message: str, now: float) -> Object:
    """The Deployment that says why its new ReplicaSet could not be created."""
    if conditions.deadline_of(deployment) is None:
        return deployment
    text = f'Failed to create new replica set "{name}": {message}'
    failed = conditions.condition(conditions.PROGRESSING, "False", conditions.CREATE_ERROR, text, now)
    return conditions.set_condition(deployment, failed)


def collided(deployment: Object) -> Object:
    """The Deployment after another template turned out to have the same hash: the next hash differs."""
    count = int(status(deployment).get("collisionCount") or 0) + 1
    return {**deployment, "status": {**status(deployment), "collisionCount": count}}
