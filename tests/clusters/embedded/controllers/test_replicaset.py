"""ReplicaSet decisions as tables: how many Pods, which go first, what the status says."""

from __future__ import annotations

from typing import Any

import pytest

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.claims import adopting, claims, releasing
from rollout_lab.clusters.embedded.controllers.replicaset.decide import (
    BURST,
    Failure,
    batches,
    needs_write,
    new_status,
    next_availability,
    pod_change,
    pod_of,
)
from rollout_lab.clusters.embedded.controllers.replicaset.ranking import first_to_go
from tests.clusters.embedded.controllers.builders import NOW, Object, pod, reference, replica_set


@pytest.mark.parametrize(
    ("wanted", "present", "create", "delete"),
    [(3, 0, 3, 0), (3, 3, 0, 0), (1, 3, 0, 2), (0, 2, 0, 2), (BURST + 7, 0, BURST, 0)],
)
def test_pods_to_make_or_delete(wanted: int, present: int, create: int, delete: int) -> None:
    """The difference is made up, at most a burst at a time."""
    pods = [pod(f"p{n}", ready=True) for n in range(present)]
    change = pod_change(replica_set(replicas=wanted), pods, pods, NOW)
    assert (change.create, len(change.delete)) == (create, delete)


def test_a_replica_set_on_its_way_out_makes_nothing() -> None:
    """Foreground deletion would never end if the ReplicaSet replaced its Pods."""
    rs = replica_set(replicas=3)
    rs["metadata"]["deletionTimestamp"] = rfc3339(NOW)
    assert pod_change(rs, [], [], NOW).create == 0


OLD = NOW - 100_000
RANKING: list[tuple[str, Object, Object]] = [
    ("unassigned before assigned", pod("a", node="", ready=False), pod("b", phase="Pending", ready=False)),
    ("pending before running", pod("a", phase="Pending", ready=True), pod("b", ready=False)),
    ("not ready before ready", pod("a", ready=False, cost=9), pod("b", ready=True, cost=-9)),
    ("cheap before dear", pod("a", ready=True, cost=-5, since=OLD), pod("b", ready=True, since=NOW - 1)),
    ("just ready before long ready", pod("a", ready=True, since=NOW - 2), pod("b", ready=True, since=OLD)),
    ("restarted before calm", pod("a", ready=True, restarts=3, created=OLD), pod("b", ready=True)),
    ("young before old", pod("a", ready=True, created=NOW - 2), pod("b", ready=True, created=OLD)),
    (
        "by uid at about the same age",
        pod("a", ready=True, since=NOW - 90),
        pod("b", ready=True, since=NOW - 80),
    ),
]


@pytest.mark.parametrize(("why", "first", "second"), RANKING, ids=[row[0] for row in RANKING])
def test_who_goes_first(why: str, first: Object, second: Object) -> None:
    """The order people rely on when they scale down: the least useful Pod goes."""
    for pods in ([first, second], [second, first]):
        assert first_to_go(pods, pods, 1, NOW) == [first]


def test_pods_that_share_a_node_go_before_lonely_ones() -> None:
    """Scaling down keeps a version spread over nodes; Pods of sibling ReplicaSets count too."""
    lonely, crowded = pod("a", ready=True, node="n1"), pod("b", ready=True, node="n2")
    sibling = pod("c", ready=True, node="n2")
    assert first_to_go([lonely, crowded], [lonely, crowded, sibling], 1, NOW) == [crowded]


def test_batches_grow() -> None:
    """A template that is refused is tried once, not a hundred times at once."""
    assert list(batches(10)) == [1, 2, 4, 3]
    assert list(batches(0)) == []


def test_a_pod_is_the_template_owned_by_the_replica_set() -> None:
    """Names, labels and owner of a new Pod are what garbage collection and selectors live on."""
    rs = replica_set("web-abc")
    made = pod_of(rs)
    assert made["metadata"]["generateName"] == "web-abc-"
    assert made["metadata"]["labels"] == {"app": "web"}
    assert made["metadata"]["ownerReferences"] == [reference(rs)]
    assert made["spec"] == rs["spec"]["template"]["spec"]


STATUS: list[tuple[str, Object, list[Object], dict[str, Any]]] = [
    ("none", replica_set(replicas=0), [], {"replicas": 0, "observedGeneration": 1}),
    (
        "ready counts as available at once without minReadySeconds",
        replica_set(),
        [pod("a", ready=True, since=NOW), pod("b", ready=False)],
        {
            "replicas": 2,
            "fullyLabeledReplicas": 2,
            "readyReplicas": 1,
            "availableReplicas": 1,
            "observedGeneration": 1,
        },
    ),
    (
        "minReadySeconds holds availability back",
        replica_set(min_ready=10),
        [pod("a", ready=True, since=NOW - 10), pod("b", ready=True, since=NOW - 9)],
        {
            "replicas": 2,
            "fullyLabeledReplicas": 2,
            "readyReplicas": 2,
            "availableReplicas": 1,
            "observedGeneration": 1,
        },
    ),
    (
        "a Pod without the template's labels is not fully labelled",
        replica_set(),
        [pod("a", labels={"other": "x"})],
        {"replicas": 1, "observedGeneration": 1},
    ),
]


@pytest.mark.parametrize(("why", "rs", "pods", "wanted"), STATUS, ids=[row[0] for row in STATUS])
def test_status(why: str, rs: Object, pods: list[Object], wanted: dict[str, Any]) -> None:
    """Rollout engines read these numbers; zeros are left out as Go leaves them out."""
    made = new_status(rs, pods, None, NOW)
    assert made == wanted
    assert not needs_write({**rs, "status": made}, made)


def test_failure_is_a_condition_until_it_is_over() -> None:
    """A ReplicaSet that cannot make Pods says why, since when, and stops saying it when it can."""
    failure = Failure("FailedCreate", "quota")
    first = new_status(replica_set(), [], failure, NOW)
    (condition,) = first["conditions"]
    assert (condition["type"], condition["reason"], condition["message"]) == (
        "ReplicaFailure",
        "FailedCreate",
        "quota",
    )
    again = new_status({**replica_set(), "status": first}, [], Failure("FailedCreate", "other"), NOW + 60)
    assert again["conditions"] == first["conditions"]
    assert "conditions" not in new_status({**replica_set(), "status": first}, [], None, NOW)


def test_next_availability_is_the_earliest_of_the_waiting() -> None:
    """The controller wakes exactly when minReadySeconds of the next Pod are over."""
    pods = [pod("a", ready=True, since=NOW - 3), pod("b", ready=True, since=NOW - 7), pod("c", ready=False)]
    assert next_availability(replica_set(min_ready=10), pods, NOW) == pytest.approx(3)
    assert next_availability(replica_set(), pods, NOW) is None


def test_claims() -> None:
    """Strays that match are adopted, own Pods that no longer match are let go, others' Pods never touched."""
    rs, other = replica_set("mine"), replica_set("other")
    stray, own = pod("stray"), pod("own", owner=rs)
    relabelled = pod("relabelled", owner=rs, labels={"app": "else"})
    foreign, going = pod("foreign", owner=other), pod("going", gone=True)
    found = claims(rs, [stray, own, relabelled, foreign, going, pod("unrelated", labels={})])
    assert (found.mine, found.adopt, found.release) == ((own,), (stray,), (relabelled,))
    assert adopting(rs, stray, "apps/v1", "ReplicaSet")["metadata"]["ownerReferences"] == [reference(rs)]
    assert releasing(rs, relabelled)["metadata"]["ownerReferences"] is None


def test_a_dying_owner_neither_adopts_nor_releases() -> None:
    """Adopting for an owner that is going would delete the stray with it."""
    rs = replica_set()
    rs["metadata"]["deletionTimestamp"] = rfc3339(NOW)
    own = pod("own", owner=rs, labels={"app": "else"})
    found = claims(rs, [pod("stray"), own])
    assert (found.mine, found.adopt, found.release) == ((), (), ())
