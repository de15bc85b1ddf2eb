"""Who owns whom, by uid: what the garbage collector remembers of every object. Pure.

# upstream: pkg/controller/garbagecollector/graph_builder.go
"""

from __future__ import annotations

from dataclasses import dataclass

from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    finalizers_of,
    is_terminating,
    owners_of,
    uid_of,
)
from rollout_lab.clusters.embedded.resources import Resource

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(frozen=True, slots=True)
class Node:
    """One object, as last seen."""

    res: Resource
    object: Object

    @property
    def uid(self) -> str:
        return uid_of(self.object)

    @property
    def owner_uids(self) -> frozenset[str]:
        return frozenset(str(o.get("uid")) for o in owners_of(self.object))

    @property
    def relevant(self) -> tuple[list[Object], list[str], bool]:
        """What of the object matters here; when it stays the same, nothing is to do."""
        return owners_of(self.object), finalizers_of(self.object), is_terminating(self.object)


def waits_for_dependents(obj: Object) -> bool:
    """Whether the object is on its way out and stays until what it owns is gone."""
    return is_terminating(obj) and FOREGROUND in finalizers_of(obj)


class Graph:
    """Nodes by uid, and for each owner the uids of what it owns."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._dependents: dict[str, set[str]] = {}

    def get(self, uid: str) -> Node | None:
        return self._nodes.get(uid)

    def dependents(self, uid: str) -> list[Node]:
        found = (self._nodes.get(d) for d in self._dependents.get(uid, ()))
        return [node for node in found if node is not None]

    def put(self, node: Node) -> set[str]:
        """Remember a state; the uids to look at because of it."""
        before = self._nodes.get(node.uid)
        self._nodes[node.uid] = node
        if before is not None and before.relevant == node.relevant:
            return set()
        old_owners = before.owner_uids if before else frozenset()
        for owner in old_owners - node.owner_uids:
            self._unlink(owner, node.uid)
        for owner in node.owner_uids:
            self._dependents.setdefault(owner, set()).add(node.uid)
        affected = {node.uid} | self._waiting(old_owners | node.owner_uids)
        if waits_for_dependents(node.object) and not (before and waits_for_dependents(before.object)):
            affected |= self._dependents.get(node.uid, set())
        return affected

    def remove(self, uid: str) -> set[str]:
        """Forget an object that is gone; the uids to look at because of it."""
        node = self._nodes.pop(uid, None)
        if node is None:
            return set()
        for owner in node.owner_uids:
            self._unlink(owner, uid)
        return set(self._dependents.get(uid, set())) | self._waiting(node.owner_uids)

    def _waiting(self, uids: frozenset[str]) -> set[str]:
        found = (self._nodes.get(uid) for uid in uids)
        return {node.uid for node in found if node is not None and waits_for_dependents(node.object)}

    def _unlink(self, owner: str, dependent: str) -> None:
        known = self._dependents.get(owner)
        if known is not None:
            known.discard(dependent)
            if not known:
                del self._dependents[owner]
