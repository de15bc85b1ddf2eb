"""What holds for both strategies: validity, deadlines, revisions, restarts, and reasons."""

from __future__ import annotations

import copy

import pytest

from rollout_lab.api.fields import Json
from rollout_lab.plan.actions import CreateReplicaSet, PatchStatus, UpdateRollout
from rollout_lab.plan.events import BURST, Budget
from rollout_lab.plan.planner import plan
from rollout_lab.plan.snapshot import Snapshot
from rollout_lab.plan.why import CODES
from tests.plan.rollouts import (
    blue_green,
    canary,
    codes,
    deployed,
    reasons,
    service,
    sizes,
    until,
    update,
)

NOW = 1_764_000_000.0
STEPS = [{"setWeight": 25}, {"pause": {}}]


def as_stored(obj: Json, **meta: object) -> Json:
    found = copy.deepcopy(obj)
    found["metadata"] |= {"namespace": "n", "uid": "u", "generation": 1, "resourceVersion": "1", **meta}
    return found


def services(*names: str) -> dict[str, Json]:
    return {name: service(name) for name in names}


@pytest.mark.parametrize(
    ("obj", "events"),
    [
        (
            canary(STEPS),
            [
                "RolloutAddedToInformer",
                "RolloutUpdated",
                "NewReplicaSetCreated",
                "RolloutNotCompleted",
                "ScalingReplicaSet",
                "RolloutCompleted",
            ],
        ),
        (
            blue_green(),
            [
                "RolloutAddedToInformer",
                "RolloutUpdated",
                "NewReplicaSetCreated",
                "SwitchService",
                "ScalingReplicaSet",
                "RolloutCompleted",
                "SwitchService",
            ],
        ),
    ],
)
def test_the_events_of_a_first_deploy_are_the_exact_list(obj: Json, events: list[str]) -> None:
    """Protects the ordered list that clients compare."""
    world = deployed(obj)
    assert reasons(world) == events


def test_the_first_pass_creates_an_empty_replica_set_and_numbers_it() -> None:
    """Protects the order of writes of a new version: ReplicaSet, revision, condition."""
    found = plan(Snapshot(NOW, as_stored(canary(STEPS))))
    create, number, status = found.writes
    assert isinstance(create, CreateReplicaSet)
    assert (create.body["spec"]["replicas"], create.name) == (0, f"demo-{create.name.split('-')[1]}")
    assert create.body["metadata"]["ownerReferences"][0]["uid"] == "u"
    hash_ = create.body["metadata"]["labels"]["rollouts-pod-template-hash"]
    assert create.body["spec"]["selector"]["matchLabels"] == {
        "app": "demo",
        "rollouts-pod-template-hash": hash_,
    }
    assert create.body["spec"]["template"]["metadata"]["labels"]["rollouts-pod-template-hash"] == hash_
    assert number == UpdateRollout(annotations={"rollout.argoproj.io/revision": "1"})
    assert isinstance(status, PatchStatus)
    assert [c["reason"] for c in status.patch["conditions"]] == ["NewReplicaSetCreated"]
    assert "observedGeneration" not in status.patch


def test_a_plan_never_changes_the_objects_it_looks_at() -> None:
    """Protects the mirrors, which share their objects with every pass."""
    world = deployed(canary(STEPS))
    update(world)
    for _ in range(12):
        snapshot = world._snapshot()
        before = copy.deepcopy(snapshot)
        plan(snapshot)
        assert snapshot == before
        world.run(0.3)


def test_missing_replicas_are_written_first() -> None:
    """Protects autoscalers, which read spec.replicas."""
    found = plan(Snapshot(NOW, as_stored(blue_green(None)), services=services("active", "preview")))
    assert found.writes == (UpdateRollout(replicas=1),)


def test_a_rollout_that_is_being_deleted_is_left_alone() -> None:
    """Protects against creating what the garbage collector removes."""
    found = plan(Snapshot(NOW, as_stored(canary(STEPS), deletionTimestamp="2026-01-01T00:00:00Z")))
    assert found.actions == ()


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"selector": {"matchLabels": {"app": "other"}}}, "spec.template.metadata.labels", "app=other"),
        (
            {"progressDeadlineSeconds": 1, "minReadySeconds": 5},
            "spec.progressDeadlineSeconds",
            "minReadySeconds",
        ),
        ({"analysis": {"successfulRunHistoryLimit": 1}}, "spec.analysis", "not supported"),
        ({"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}}, "spec.", ""),
    ],
)
def test_a_mistake_becomes_a_condition_that_names_the_field(change: Json, field: str, words: str) -> None:
    """Protects the message a person finds in the Rollout, and that nothing else is done."""
    obj = as_stored(canary(STEPS))
    obj["spec"] |= change
    found = plan(Snapshot(NOW, obj))
    assert [type(w) for w in found.writes] == [PatchStatus]
    condition = found.writes[0].patch["conditions"][0]  # type: ignore[union-attr]
    assert (condition["type"], condition["reason"]) == ("InvalidSpec", "InvalidSpec")
    assert condition["message"].startswith('The Rollout "demo" is invalid: ' + field)
    assert words in condition["message"]
    assert found.writes[0].patch["phase"] == "Degraded"  # type: ignore[union-attr]
    assert found.requeue_after == 20.0


@pytest.mark.parametrize("router", [{"smi": {}}, {"plugins": {"x/y": {}}}])
def test_a_router_is_refused_by_name(router: Json) -> None:
    """Protects against pretending to route what is not routed."""
    obj = canary(STEPS, stableService="s", canaryService="c", trafficRouting=router)
    found = plan(Snapshot(NOW, as_stored(obj), services=services("s", "c")))
    text = str(found.writes)
    assert "trafficRouting" in text and "not supported" in text


def test_a_service_that_comes_later_heals_the_rollout() -> None:
    """Protects applying a Rollout before its Services: it is asked again, and the condition goes."""
    world = deployed(canary(None))
    spec = {"strategy": {"canary": None, "blueGreen": {"activeService": "late"}}}
    world.store.patch("Rollout", "demo", {"spec": spec})
    until(world, "Degraded")
    assert 'service "late" not found' in world.moment.message
    world.apply(service("late"))
    until(world, "Healthy")
    assert world.rollout.status.condition("InvalidSpec") is None


def test_a_service_of_another_rollout_or_other_pods_is_refused() -> None:
    """Protects two Rollouts from pulling at one Service."""
    taken = service("active")
    taken["metadata"]["annotations"] = {"argo-rollouts.argoproj.io/managed-by-rollouts": "other"}
    other = service("active")
    other["spec"]["selector"] = {"app": "else"}
    for wrong, words in ((taken, 'another Rollout ("other")'), (other, "app=else")):
        found = plan(
            Snapshot(NOW, as_stored(blue_green()), services={"active": wrong, **services("preview")})
        )
        message = found.writes[0].patch["conditions"][0]["message"]  # type: ignore[union-attr]
        assert "spec.strategy.blueGreen.activeService" in message and words in message


def test_the_progress_deadline_marks_an_update_that_is_stuck() -> None:
    """Protects progressDeadlineSeconds: Degraded with the ReplicaSet's name, without abort."""
    obj = canary(STEPS, spec={"progressDeadlineSeconds": 60})
    world = deployed(obj, never_ready=("demo:2",))
    update(world)
    started = world.now
    until(world, "Degraded")
    assert 58 <= world.now - started <= 66
    assert "ProgressDeadlineExceeded" in world.moment.message and "timed out" in world.moment.message
    assert (world.moment.abort, sizes(world)["2"]) == (False, 1)


def test_the_progress_deadline_aborts_where_the_spec_says_so() -> None:
    """Protects progressDeadlineAbort, and that it says why."""
    spec = {"progressDeadlineSeconds": 60, "progressDeadlineAbort": True}
    world = deployed(canary(STEPS, spec=spec), never_ready=("demo:2",))
    update(world)
    assert world.run_until(lambda m: m.abort)
    assert "timed out progressing" in world.moment.message
    assert world.moment.message.startswith("RolloutAborted")
    world.run(10)
    assert sizes(world) == {"1": 4, "2": 0}


def test_a_pause_does_not_run_into_the_deadline() -> None:
    """Protects a pause that is longer than the progress deadline."""
    world = deployed(canary(STEPS, spec={"progressDeadlineSeconds": 60}))
    update(world)
    until(world, "Paused")
    world.run(1000)
    assert world.moment.phase == "Paused"
    world.act("promote")
    assert world.run_until(lambda m: m.stable == "2" and m.phase == "Healthy")
    assert "ProgressDeadlineExceeded" not in str(world.rows)


def test_pods_that_fail_later_make_it_progressing_again() -> None:
    """Protects a healthy rollout that loses a Pod: not Degraded, and Healthy again."""
    world = deployed(canary(STEPS))
    name = world.store.of_kind("Pod")[0]["metadata"]["name"]
    world._sets.remove_pod(name)
    world.run(1)
    assert world.moment.phase == "Progressing"
    condition = world.rollout.status.condition("Progressing")
    assert condition is not None and condition["reason"] == "ReplicaSetNotAvailable"
    until(world, "Healthy")


def test_old_versions_beyond_the_history_limit_are_deleted() -> None:
    """Protects revisionHistoryLimit: the oldest empty ones go, never one with Pods."""
    world = deployed(canary(None, spec={"revisionHistoryLimit": 1}))
    for version in ("2", "3", "4"):
        update(world, version)
        assert world.run_until(lambda m, v=version: m.stable == v and m.phase == "Healthy")
        world.run(2)
    names = {
        rs["spec"]["template"]["spec"]["containers"][0]["image"] for rs in world.store.of_kind("ReplicaSet")
    }
    assert names == {"demo:3", "demo:4"}
    assert "history.delete" in codes(world)


def test_going_back_gives_the_old_replica_set_a_new_number() -> None:
    """Protects revision and revision-history of a re-used ReplicaSet."""
    world = deployed(canary(None))
    update(world)
    assert world.run_until(lambda m: m.stable == "2" and m.phase == "Healthy")
    world.act("undo to 1")
    assert world.run_until(lambda m: m.stable == "1" and m.phase == "Healthy")
    found = {
        rs["metadata"]["annotations"]["rollout.argoproj.io/revision"]: rs
        for rs in world.store.of_kind("ReplicaSet")
    }
    assert sorted(found) == ["2", "3"]
    assert found["3"]["metadata"]["annotations"]["rollout.argoproj.io/revision-history"] == "1"
    assert world.rollout.revision == 3


def test_an_adopted_replica_set_becomes_the_new_one() -> None:
    """Protects taking over from another engine, whatever its hash: found by its template."""
    world = deployed(canary(STEPS))
    stored = world.rollout.raw
    (rs,) = world.store.of_kind("ReplicaSet")
    foreign = copy.deepcopy(rs)
    for labels in (foreign["metadata"]["labels"], foreign["spec"]["template"]["metadata"]["labels"]):
        labels["rollouts-pod-template-hash"] = "abc"
    foreign["metadata"]["name"] = "demo-abc"
    fresh = {**stored, "status": {}}
    found = plan(Snapshot(NOW, fresh, (foreign,)))
    assert not any(isinstance(a, CreateReplicaSet) for a in found.actions)
    assert "FoundNewReplicaSet" in str(found.writes)


def test_a_restart_evicts_within_what_may_be_unavailable_and_notes_the_end() -> None:
    """Protects restartAt: never below N minus unavailable, and restartedAt once all Pods are newer."""
    world = deployed(canary(STEPS))
    old = {p["metadata"]["name"] for p in world.store.of_kind("Pod")}
    world.run(10)
    world.act("restart")
    world.run(0.5)
    assert world.moment.message == "rollout is restarting"
    fewest = 4
    while world.rollout.status.restarted_at != world.rollout.restart_at and world.now < NOW + 10_000:
        world.run(0.2)
        fewest = min(fewest, world.rollout.status.available_replicas)
    assert fewest == 3
    assert not old & {p["metadata"]["name"] for p in world.store.of_kind("Pod")}
    until(world, "Healthy")


def test_annotations_of_the_rollout_reach_its_replica_sets() -> None:
    """Protects tools that mark ReplicaSets through the Rollout; the applied manifest stays out."""
    obj = canary(None)
    obj["metadata"]["annotations"] = {
        "team": "blue",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "notified.notifications.argoproj.io": "{}",
    }
    world = deployed(obj)
    world.store.patch("Rollout", "demo", {"metadata": {"annotations": {"team": "green"}}})
    world.run(2)
    (rs,) = world.store.of_kind("ReplicaSet")
    assert {k for k in rs["metadata"]["annotations"] if "rollout.argoproj.io" not in k} == {"team"}
    assert rs["metadata"]["annotations"]["team"] == "green"


def test_every_reason_is_listed_with_its_parameters() -> None:
    """Protects the sentences of the page: no code and no number they do not know of."""
    worlds = [deployed(canary(STEPS)), deployed(blue_green(autoPromotionEnabled=False))]
    for world in worlds:
        update(world)
        until(world, "Paused")
        for words in ("abort", "retry"):
            world.act(words)
            world.run(90)
        until(world, "Paused")
        world.act("promote")
        world.run(120)
        for found in world.plans:
            for why in found.why:
                assert set(why.params) <= set(CODES[why.code]), why
                assert "/" in why.object
    assert len(codes(worlds[0]) | codes(worlds[1])) >= 20


def test_a_pass_with_nothing_to_do_writes_nothing() -> None:
    """Protects against hot loops: a settled rollout causes no writes, in any state."""
    for obj in (canary(STEPS), blue_green(autoPromotionEnabled=False)):
        world = deployed(obj)
        for words in ("set image 2", "abort", "retry", "promote full", "pause"):
            world.act(words)
            world.run(200)
            found = plan(world._snapshot())
            assert found.actions == (), (words, found)


def test_the_budget_of_events_is_the_peers() -> None:
    """Protects the burst of 25 and the slow refill."""
    budget, posted = Budget(), 0
    for _ in range(40):
        allowed, budget = budget.spend(NOW)
        posted += allowed
    assert posted == BURST
    assert not budget.spend(NOW + 299)[0]
    assert budget.spend(NOW + 301)[0]
