"""Plans carried out: order, preconditions, and what each refusal leads to."""

from __future__ import annotations

import pytest

from rollout_lab.controller.apply import Applier, Retry
from rollout_lab.controller.freshness import Freshness
from rollout_lab.errors import AlreadyExists, ApiError, Conflict
from rollout_lab.plan.actions import (
    Action,
    AnnotateReplicaSet,
    CreateReplicaSet,
    DeleteReplicaSet,
    Emit,
    EvictPod,
    PatchService,
    PatchStatus,
    Plan,
    ScaleReplicaSet,
    UpdateRollout,
)
from rollout_lab.plan.snapshot import Snapshot
from tests.controller.fakes import FakeClient, Json, obj, owned

ROLLOUT = obj("Rollout", "demo", 5, spec={"template": {"spec": {}}}, metadata={"generation": 1})
SET = obj("ReplicaSet", "demo-a", 7, metadata=owned(ROLLOUT), spec={"replicas": 2})


class Carried:
    """An applier on a fake client, and what came of it."""

    def __init__(self, *objects: Json) -> None:
        self.fake = FakeClient(ROLLOUT, SET, obj("Service", "active", 3), *objects)
        self.events: list[str] = []
        self.log: list[str] = []
        self.freshness = Freshness()

    def out(self, *wanted: Action) -> list[tuple[str, str, str]]:
        snapshot = Snapshot(0.0, ROLLOUT, (SET,))
        applier = Applier(
            self.fake.client,
            snapshot,
            self.freshness,
            lambda rollout, event: self.events.append(event.reason),
            self.log.append,
        )
        applier.carry_out(Plan(tuple(wanted), {}, None, ()))
        return [(verb, kind, name) for verb, kind, name, _ in self.fake.calls]


def test_actions_become_requests_in_their_order() -> None:
    """Protects crash safety, which rests on the order of a plan."""
    found = Carried()
    body = obj("ReplicaSet", "demo-b", spec={})
    calls = found.out(
        CreateReplicaSet(body),
        UpdateRollout(annotations={"a": "1"}),
        Emit("NewReplicaSetCreated", "x"),
        PatchService("active", "abc", "demo"),
        ScaleReplicaSet("demo-a", 0, {"scale-down-deadline": None}),
        EvictPod("p"),
        DeleteReplicaSet("demo-a"),
        PatchStatus({"phase": "Healthy"}),
    )
    assert calls == [
        ("create", "ReplicaSet", "demo-b"),
        ("patch", "Rollout", "demo"),
        ("patch", "Service", "active"),
        ("patch", "ReplicaSet", "demo-a"),
        ("evict", "Pod", "p"),
        ("delete", "ReplicaSet", "demo-a"),
        ("patch", "Rollout", "demo"),
    ]
    assert found.events == ["NewReplicaSetCreated"]
    service = found.fake.calls[2][3]
    assert service == {
        "spec": {"selector": {"rollouts-pod-template-hash": "abc"}},
        "metadata": {"annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": "demo"}},
    }


def test_writes_hold_only_for_the_version_that_was_read_or_written_last() -> None:
    """Protects a promote or abort that a person sends in the same moment from being written over."""
    found = Carried()
    found.out(
        AnnotateReplicaSet("demo-a", {"scale-down-deadline": None}),
        ScaleReplicaSet("demo-a", 2),
        UpdateRollout(replicas=1),
        PatchStatus({"phase": "x"}),
    )
    versions = [body["metadata"]["resourceVersion"] for *_, body in found.fake.calls]
    assert versions == ["7", "100", "5", "102"]


def test_a_conflict_stops_the_plan() -> None:
    """Protects the rest of a stale plan from being carried out."""
    found = Carried()
    found.fake.refuse["patch", "ReplicaSet"] = Conflict(409, "Conflict", "changed")
    with pytest.raises(Conflict):
        found.out(ScaleReplicaSet("demo-a", 0), PatchStatus({"phase": "x"}))
    assert len(found.fake.calls) == 1


def test_a_replica_set_that_is_there_already_is_waited_for() -> None:
    """Protects a pass on a copy that is behind: no second ReplicaSet, no collision counted."""
    found = Carried()
    found.fake.refuse["create", "ReplicaSet"] = AlreadyExists(409, "AlreadyExists", "there")
    with pytest.raises(Retry, match="there already"):
        found.out(CreateReplicaSet(obj("ReplicaSet", "demo-a")))
    assert [verb for verb, *_ in found.fake.calls] == ["create", "get"]


def test_somebody_elses_replica_set_of_that_name_counts_as_a_collision() -> None:
    """Protects the hash: collisionCount goes up and the next pass asks for another name."""
    found = Carried(obj("ReplicaSet", "demo-b"))
    found.fake.refuse["create", "ReplicaSet"] = AlreadyExists(409, "AlreadyExists", "there")
    with pytest.raises(Retry, match="somebody|something else"):
        found.out(CreateReplicaSet(obj("ReplicaSet", "demo-b")))
    assert found.fake.calls[-1][3]["status"] == {"collisionCount": 1}


def test_a_refused_replica_set_is_told_in_condition_and_event() -> None:
    """Protects the person: quota or policy errors stand in the Rollout, not only in a log."""
    found = Carried()
    found.fake.refuse["create", "ReplicaSet"] = ApiError(403, "Forbidden", "exceeded quota")
    with pytest.raises(ApiError):
        found.out(CreateReplicaSet(obj("ReplicaSet", "demo-b")))
    assert found.events == ["ReplicaSetCreateError"]
    (condition,) = found.fake.calls[-1][3]["status"]["conditions"]
    assert condition["reason"] == "ReplicaSetCreateError" and "exceeded quota" in condition["message"]


def test_an_eviction_that_a_budget_forbids_is_no_failure() -> None:
    """Protects PodDisruptionBudgets: the restart goes on later."""
    found = Carried()
    found.fake.refuse["evict", "Pod"] = ApiError(429, "TooManyRequests", "budget")
    found.out(EvictPod("p"), PatchStatus({"phase": "x"}))
    assert len(found.log) == 1 and found.fake.calls[-1][1] == "Rollout"


def test_objects_are_stale_until_the_copy_shows_our_own_write() -> None:
    """Protects against deciding twice: a pass waits until the copy has caught up."""
    found = Carried()
    found.out(ScaleReplicaSet("demo-a", 0), DeleteReplicaSet("demo-a"), UpdateRollout(replicas=1))
    copies: dict[tuple[str, str], Json] = {("ReplicaSet", "demo-a"): SET, ("Rollout", "demo"): ROLLOUT}

    def look(kind: str, name: str) -> Json | None:
        return copies.get((kind, name))

    assert found.freshness.stale("n", look) == "ReplicaSet/demo-a"
    assert found.freshness.stale("other", look) == ""
    del copies["ReplicaSet", "demo-a"]
    assert found.freshness.stale("n", look) == "Rollout/demo"
    copies["Rollout", "demo"] = found.fake.objects["Rollout", "demo"]
    assert found.freshness.stale("n", look) == ""


def test_a_write_whose_object_vanished_is_not_waited_for_for_ever() -> None:
    """Protects against a Rollout that is stuck because somebody deleted an object in between."""
    found = Carried()
    found.out(ScaleReplicaSet("demo-a", 0))
    answers = [found.freshness.stale("n", lambda kind, name: None) for _ in range(80)]
    assert answers[0] and not answers[-1]
