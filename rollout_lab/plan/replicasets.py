"""The ReplicaSets of one Rollout: a typed view, and which of them is new, stable or old. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rollout_lab.api import fields, hashing, meta, names
from rollout_lab.api.fields import Json
from rollout_lab.api.rollout import Rollout
from rollout_lab.api.times import parse_time


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """One ReplicaSet as read. `size` is what is asked for; the other counts are what is there."""

    raw: Json

    @property
    def name(self) -> str:
        return meta.name(self.raw)

    @property
    def hash(self) -> str:
        return meta.pod_hash(self.raw)

    @property
    def revision(self) -> int:
        return meta.revision(self.raw)

    @property
    def annotations(self) -> dict[str, str]:
        return meta.annotations(self.raw)

    @property
    def size(self) -> int:
        found = fields.integer(self.raw, "spec", "replicas")
        return 1 if found is None else found

    @property
    def replicas(self) -> int:
        return fields.integer(self.raw, "status", "replicas") or 0

    @property
    def ready(self) -> int:
        return fields.integer(self.raw, "status", "readyReplicas") or 0

    @property
    def available(self) -> int:
        return fields.integer(self.raw, "status", "availableReplicas") or 0

    @property
    def selector(self) -> Json:
        return fields.mapping(self.raw, "spec", "selector")

    @property
    def desired(self) -> int | None:
        """The size of the whole rollout as last noted on this ReplicaSet; None if never noted."""
        written = self.annotations.get(names.DESIRED_REPLICAS_ANNOTATION, "")
        return int(written) if written.isascii() and written.isdigit() else None

    @property
    def deadline(self) -> float | None:
        """When its Pods may go, in seconds since the epoch; None without a (readable) note."""
        written = self.annotations.get(names.SCALE_DOWN_DEADLINE_ANNOTATION, "")
        try:
            return parse_time(written) if written else None
        except ValueError:
            return None

    @property
    def marked(self) -> bool:
        """Whether it carries the note at all, readable or not."""
        return bool(self.annotations.get(names.SCALE_DOWN_DEADLINE_ANNOTATION))

    @property
    def created(self) -> str:
        """RFC 3339; compares as text because it always ends in Z."""
        return fields.text(self.raw, "metadata", "creationTimestamp")

    @property
    def settled(self) -> bool:
        """Whether its controller has seen the size that is asked for."""
        return meta.generation(self.raw) <= (fields.integer(self.raw, "status", "observedGeneration") or 0)

    def saturated(self, replicas: int) -> bool:
        """Whether it is asked for, noted and available at full size.

        # upstream: utils/annotations/annotations.go::IsSaturated
        """
        return self.size == replicas and self.desired == replicas and self.available == replicas


@dataclass(frozen=True, slots=True)
class Sets:
    """All ReplicaSets of a Rollout, told apart. `new` fits the spec, `stable` was promoted last."""

    all: tuple[ReplicaSet, ...]
    new: ReplicaSet | None
    stable: ReplicaSet | None

    @property
    def old(self) -> tuple[ReplicaSet, ...]:
        """Neither new nor stable."""
        keep = {rs.name for rs in (self.new, self.stable) if rs is not None}
        return tuple(rs for rs in self.all if rs.name not in keep)

    @property
    def not_new(self) -> tuple[ReplicaSet, ...]:
        return tuple(rs for rs in self.all if self.new is None or rs.name != self.new.name)

    @property
    def rolling(self) -> bool:
        """Whether there is a stable version besides the new one."""
        return self.stable is not None and (self.new is None or self.new.name != self.stable.name)

    def by_hash(self, hash_: str) -> ReplicaSet | None:
        return next((rs for rs in self.all if rs.hash == hash_), None) if hash_ else None


def split(rollout: Rollout, replica_sets: Iterable[Json]) -> Sets:
    """Tell the owned ReplicaSets of `rollout` apart.

    # upstream: utils/replicaset/replicaset.go::FindNewReplicaSet
    """
    found = tuple(ReplicaSet(raw) for raw in sorted(replica_sets, key=_age))
    stable_hash = rollout.status.stable_rs
    stable = next((rs for rs in found if rs.hash == stable_hash), None) if stable_hash else None
    return Sets(found, _new(rollout, found), stable)


def wanted_hash(rollout: Rollout) -> str:
    """The hash of the version the spec asks for."""
    return hashing.pod_template_hash(rollout.template, rollout.status.collision_count)


def _new(rollout: Rollout, found: tuple[ReplicaSet, ...]) -> ReplicaSet | None:
    hash_ = wanted_hash(rollout)
    same = next((rs for rs in found if rs.hash == hash_ and rs.name == f"{rollout.name}-{hash_}"), None)
    return same or next((rs for rs in found if same_template(rs.raw, rollout.template)), None)


def same_template(replica_set: Mapping[str, Any], template: Mapping[str, Any]) -> bool:
    """Whether the ReplicaSet runs `template`, its hash label aside: adopted sets may hash otherwise."""
    own = fields.mapping(replica_set, "spec", "template")
    return _without_hash(own) == _without_hash(template)


def _without_hash(template: Mapping[str, Any]) -> Json:
    labels = {k: v for k, v in meta.labels(template).items() if k != names.ROLLOUT_HASH_LABEL}
    metadata = {k: v for k, v in fields.mapping(template, "metadata").items() if v is not None}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _age(raw: Json) -> tuple[str, str]:
    return fields.text(raw, "metadata", "creationTimestamp"), meta.name(raw)


def available(sets: Iterable[ReplicaSet | None]) -> int:
    return sum(rs.available for rs in sets if rs is not None)


def ready(sets: Iterable[ReplicaSet | None]) -> int:
    return sum(rs.ready for rs in sets if rs is not None)


def replicas(sets: Iterable[ReplicaSet | None]) -> int:
    return sum(rs.replicas for rs in sets if rs is not None)
