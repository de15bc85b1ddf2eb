"""Which ReplicaSets a Rollout may call its own: adopt those that fit and have no owner, let go of those
that no longer fit. Pure; the writes are made by `worker`.

# upstream: k8s.io/kubernetes pkg/controller/controller_ref_manager.go
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollout_lab.api import fields, meta, selectors
from rollout_lab.api.fields import Json
from rollout_lab.api.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Claims:
    """`owned` are ours and fit; `adopt` fit and have no owner; `release` are ours and do not fit."""

    owned: tuple[Json, ...]
    adopt: tuple[Json, ...]
    release: tuple[Json, ...]


def claims(rollout: Rollout, replica_sets: Iterable[Json]) -> Claims:
    """Sort the ReplicaSets of the namespace."""
    owned: list[Json] = []
    adopt: list[Json] = []
    release: list[Json] = []
    usable = bool(rollout.selector) and not meta.being_deleted(rollout.raw)
    for rs in replica_sets:
        fits = usable and selectors.matches(rollout.selector, meta.labels(rs))
        if meta.is_controlled_by(rs, rollout.raw):
            (owned if fits or not usable else release).append(rs)
        elif fits and meta.controller_of(rs) is None and not meta.being_deleted(rs):
            adopt.append(rs)
    return Claims(tuple(owned), tuple(adopt), tuple(release))


def adoption(rollout: Rollout, rs: Json) -> Json:
    """A merge patch that makes `rs` the Rollout's; it fails if `rs` changed meanwhile."""
    others = [dict(r) for r in fields.objects(rs, "metadata", "ownerReferences")]
    return _owners(rs, [*others, meta.owner_reference(rollout.raw)])


def release(rollout: Rollout, rs: Json) -> Json:
    """A merge patch that takes the Rollout off the owners of `rs`."""
    others = [r for r in fields.objects(rs, "metadata", "ownerReferences") if r.get("uid") != rollout.uid]
    return _owners(rs, others)


def _owners(rs: Json, owners: list[Json]) -> Json:
    return {
        "metadata": {
            "uid": meta.uid(rs),
            "resourceVersion": meta.resource_version(rs),
            "ownerReferences": owners or None,
        }
    }
