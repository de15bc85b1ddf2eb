"""What garbage collection does with one object, from the object, its owners and what it owns. Pure.

# upstream: pkg/controller/garbagecollector/garbagecollector.go::attemptToDeleteItem
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rollout_lab.clusters.embedded.controllers.garbage.graph import (
    FOREGROUND,
    ORPHAN,
    waits_for_dependents,
)
from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    finalizers_of,
    is_terminating,
    owners_of,
    uid_of,
)


class OwnerState(StrEnum):
    """What has become of an owner that an object names."""

    PRESENT = "present"
    WAITING = "waiting"  # being deleted in the foreground: it goes after its dependents
    ABSENT = "absent"
    UNKNOWN = "unknown"  # its kind is not served: nothing can be said


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the object itself; with `unblock` its own references stop holding their owners first."""

    propagation: str
    unblock: bool = False


@dataclass(frozen=True, slots=True)
class DropOwners:
    """Take these owners out of the object's references; others still hold it."""

    uids: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReleaseDependents:
    """Take the object out of the owners of what it owns, then drop its `orphan` finalizer."""


@dataclass(frozen=True, slots=True)
class DropFinalizer:
    """Nothing holds the object any more: drop this finalizer."""

    name: str


@dataclass(frozen=True, slots=True)
class LookAt:
    """The object waits; these dependents are to be looked at."""

    uids: frozenset[str]


Action = Delete | DropOwners | ReleaseDependents | DropFinalizer | LookAt | None


def decide(obj: Object, states: Sequence[OwnerState], dependents: Sequence[Object]) -> Action:
    """The next step for `obj`; `states` are those of its owner references, in order."""
    finalizers = finalizers_of(obj)
    if is_terminating(obj):
        if ORPHAN in finalizers:
            return ReleaseDependents()
        if FOREGROUND in finalizers:
            return _finish_foreground(obj, dependents)
        return None
    owners = owners_of(obj)
    if not owners or OwnerState.UNKNOWN in states:
        return None
    lost = {o.get("uid"): s for o, s in zip(owners, states, strict=True) if s is not OwnerState.PRESENT}
    if len(lost) < len(owners):
        return DropOwners(frozenset(str(uid) for uid in lost)) if lost else None
    if OwnerState.WAITING in states and dependents:
        circle = any(waits_for_dependents(d) for d in dependents)
        return Delete("Foreground", unblock=circle)
    if ORPHAN in finalizers:
        return Delete("Orphan")
    return Delete("Foreground" if FOREGROUND in finalizers else "Background")


def _finish_foreground(obj: Object, dependents: Iterable[Object]) -> Action:
    listed = list(dependents)
    if not any(holds(d, obj) for d in listed):
        return DropFinalizer(FOREGROUND)
    return LookAt(frozenset(uid_of(d) for d in listed if not waits_for_dependents(d)))


def holds(dependent: Object, owner: Object) -> bool:
    """Whether a foreground deletion of `owner` waits for `dependent`."""
    return any(o.get("uid") == uid_of(owner) and o.get("blockOwnerDeletion") for o in owners_of(dependent))
