"""Garbage collection decisions: who is deleted, who waits, who is let go."""

from __future__ import annotations

from typing import Any

import pytest

from rollout_lab.clusters.embedded.controllers.garbage.decide import (
    Action,
    Delete,
    DropFinalizer,
    DropOwners,
    LookAt,
    OwnerState,
    ReleaseDependents,
    decide,
)
from rollout_lab.clusters.embedded.controllers.garbage.graph import Graph, Node
from rollout_lab.clusters.embedded.resources import CONFIGMAPS

PRESENT, WAITING, ABSENT, UNKNOWN = (
    OwnerState.PRESENT,
    OwnerState.WAITING,
    OwnerState.ABSENT,
    OwnerState.UNKNOWN,
)
Object = dict[str, Any]


def thing(
    name: str, *owners: str, finalizers: tuple[str, ...] = (), going: bool = False, block: bool = True
) -> Object:
    """A ConfigMap owned by the objects of these uids."""
    meta: Object = {"name": name, "namespace": "d", "uid": name}
    if owners:
        meta["ownerReferences"] = [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": o, "uid": o, "blockOwnerDeletion": block}
            for o in owners
        ]
    if finalizers:
        meta["finalizers"] = list(finalizers)
    if going:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


FOREGROUND = ("foregroundDeletion",)
TABLE: list[tuple[str, Object, list[OwnerState], list[Object], Action]] = [
    ("no owners", thing("a"), [], [thing("b", "a")], None),
    ("owner there", thing("a", "o"), [PRESENT], [], None),
    ("owner gone", thing("a", "o"), [ABSENT], [], Delete("Background")),
    ("kind of the owner not served", thing("a", "o", "x"), [ABSENT, UNKNOWN], [], None),
    ("one of two owners gone", thing("a", "o", "x"), [ABSENT, PRESENT], [], DropOwners(frozenset({"o"}))),
    ("one of two owners waits", thing("a", "o", "x"), [WAITING, PRESENT], [], DropOwners(frozenset({"o"}))),
    ("the only owner waits", thing("a", "o"), [WAITING], [], Delete("Background")),
    ("the owner waits and so will we", thing("a", "o"), [WAITING], [thing("b", "a")], Delete("Foreground")),
    (
        "a circle is broken",
        thing("a", "b"),
        [WAITING],
        [thing("b", "a", finalizers=FOREGROUND, going=True)],
        Delete("Foreground", unblock=True),
    ),
    ("own orphans are kept", thing("a", "o", finalizers=("orphan",)), [ABSENT], [], Delete("Orphan")),
    ("already going", thing("a", "o", finalizers=("x/y",), going=True), [ABSENT], [], None),
    ("orphaning", thing("a", finalizers=("orphan",), going=True), [], [], ReleaseDependents()),
    (
        "foreground: nothing left",
        thing("a", finalizers=FOREGROUND, going=True),
        [],
        [],
        DropFinalizer("foregroundDeletion"),
    ),
    (
        "foreground: only what does not block is left",
        thing("a", finalizers=FOREGROUND, going=True),
        [],
        [thing("b", "a", block=False)],
        DropFinalizer("foregroundDeletion"),
    ),
    (
        "foreground: waits, and all dependents go",
        thing("a", finalizers=FOREGROUND, going=True),
        [],
        [thing("b", "a"), thing("c", "a", block=False), thing("d", "a", finalizers=FOREGROUND, going=True)],
        LookAt(frozenset({"b", "c"})),
    ),
]


@pytest.mark.parametrize(
    ("why", "obj", "states", "dependents", "wanted"), TABLE, ids=[row[0] for row in TABLE]
)
def test_decisions(
    why: str, obj: Object, states: list[OwnerState], dependents: list[Object], wanted: Action
) -> None:
    """Deleting too much loses a learner's work, deleting too little leaves old Pods serving."""
    assert decide(obj, states, dependents) == wanted


def test_graph_names_who_is_affected() -> None:
    """A change reaches exactly the objects whose fate it may change."""
    graph = Graph()

    def put(obj: Object) -> set[str]:
        return graph.put(Node(CONFIGMAPS, obj))

    assert put(thing("o")) == {"o"}
    assert put(thing("a", "o")) == {"a"}
    assert put(thing("a", "o")) == set()  # nothing that matters here has changed
    assert [n.uid for n in graph.dependents("o")] == ["a"]
    assert put(thing("o", finalizers=FOREGROUND, going=True)) == {"o", "a"}
    assert put(thing("a", "o", block=False)) == {"a", "o"}
    assert graph.remove("a") == {"o"}
    assert put(thing("b", "o")) == {"b", "o"}
    assert graph.remove("o") == {"b"}
    assert graph.remove("o") == set()
