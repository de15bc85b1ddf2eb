"""Canary with a router, rule by rule, in virtual time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollout_lab.plan import routed as numbers
from rollout_lab.plan.actions import PatchStatus, ScaleReplicaSet, WriteRoute
from rollout_lab.plan.planner import plan
from rollout_lab.plan.replicas import Counts
from rollout_lab.plan.routed import Scale
from rollout_lab.routers.istio import VIRTUAL_SERVICE
from tests.plan.rollouts import codes, emitted, selectors, sizes, until, update
from tests.plan.routed_worlds import HEADER, MIRROR, ROUTERS, Seen, routed

PAUSED = [{"setWeight": 5}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]


def deployed(router: str, steps: list[dict[str, Any]], replicas: int = 10, **more: Any) -> Seen:
    seen = Seen(routed(router, steps, replicas, **more))
    until(seen.world, "Healthy")
    return seen


def weights(seen: Seen) -> tuple[int, int]:
    found = seen.world.rollout.status.weights
    assert found is not None
    return found.canary.weight, found.stable.weight


def healthy(seen: Seen, version: str) -> None:
    assert seen.world.run_until(lambda m: m.stable == version and m.phase == "Healthy"), seen.world.moment
    seen.world.run(60)


@pytest.mark.parametrize("router", sorted(ROUTERS))
def test_five_percent_go_to_one_pod_of_ten_and_stable_stays_whole(router: str) -> None:
    """Protects the lesson of every router: the weight is not the number of Pods any more."""
    seen = deployed(router, PAUSED)
    assert weights(seen) == (0, 100)
    update(seen.world)
    until(seen.world, "Paused")
    assert (weights(seen), sizes(seen.world)) == ((5, 95), {"1": 10, "2": 1})
    assert sorted(seen.shares.values()) == [0.05, 0.95]
    seen.world.act("promote")
    assert seen.world.run_until(lambda m: m.phase == "Paused" and m.step == 3)
    assert (weights(seen), sizes(seen.world)) == ((50, 50), {"1": 10, "2": 5})
    seen.world.act("promote")
    healthy(seen, "2")
    assert (weights(seen), sizes(seen.world)) == ((0, 100), {"1": 0, "2": 10})
    assert set(seen.shares) == {seen.world.rollout.status.stable_rs}
    assert not seen.wrong


@pytest.mark.parametrize("router", sorted(ROUTERS))
def test_an_abort_takes_requests_back_before_pods_go(router: str) -> None:
    """Protects abort: the weight is gone at once, the canary's Pods stay for their 30 seconds, then go."""
    seen = deployed(router, PAUSED)
    update(seen.world)
    until(seen.world, "Paused")
    seen.world.act("abort")
    until(seen.world, "Degraded")
    assert (weights(seen), sizes(seen.world)["2"]) == ((0, 100), 1)
    assert set(seen.shares) == {seen.world.rollout.status.stable_rs}
    seen.world.run(40)
    assert sizes(seen.world) == {"1": 10, "2": 0}
    seen.world.act("retry")
    assert seen.world.run_until(lambda m: m.phase == "Paused")
    assert weights(seen) == (5, 95)
    assert not seen.wrong


def test_an_abort_without_delay_leaves_the_canary_up() -> None:
    """Protects abortScaleDownDelaySeconds 0: the Pods stay for as long as anybody wants to look."""
    seen = deployed("nginx", PAUSED, abortScaleDownDelaySeconds=0)
    update(seen.world)
    until(seen.world, "Paused")
    seen.world.act("abort")
    until(seen.world, "Degraded")
    seen.world.run(1000)
    assert (weights(seen), sizes(seen.world)) == ((0, 100), {"1": 10, "2": 1})


def test_no_weight_before_the_pods_that_carry_it() -> None:
    """Protects users from a version that is not there yet: a bad version never gets a request."""
    seen = Seen(routed("nginx", [{"setWeight": 50}, {"pause": {}}]), never_ready=("demo:2",))
    until(seen.world, "Healthy")
    update(seen.world)
    seen.world.run(120)
    assert (weights(seen), sizes(seen.world)) == ((0, 100), {"1": 10, "2": 5})
    assert seen.world.moment.step == 0


@pytest.mark.parametrize(
    ("scale", "pods"),
    [({"replicas": 3}, 3), ({"weight": 35}, 4), ({"matchTrafficWeight": True}, 2)],
)
def test_the_three_forms_of_set_canary_scale(scale: dict[str, Any], pods: int) -> None:
    """Protects setCanaryScale: Pods apart from the weight, and back to it."""
    first = [{"setCanaryScale": {"replicas": 7}}] if "matchTrafficWeight" in scale else []
    steps = [*first, {"setCanaryScale": scale}, {"setWeight": 20}, {"pause": {}}]
    seen = deployed("istio", steps)
    update(seen.world)
    until(seen.world, "Paused")
    assert (weights(seen), sizes(seen.world)) == ((20, 80), {"1": 10, "2": pods})
    if first:
        done = [why for p in seen.world.plans for why in p.why if why.code == "step.done"]
        assert [why.params["kind"] for why in done][:2] == ["setCanaryScale", "setCanaryScale"]


def test_stable_shrinks_only_behind_its_weight() -> None:
    """Protects dynamicStableScale, both ways: no side is smaller than what its weight needs."""
    seen = deployed("gateway", [{"setWeight": 20}, {"setWeight": 80}, {"pause": {}}], dynamicStableScale=True)
    update(seen.world)
    until(seen.world, "Paused")
    assert (weights(seen), sizes(seen.world)) == ((80, 20), {"1": 2, "2": 8})
    seen.world.act("abort")
    until(seen.world, "Degraded")
    seen.world.run(60)
    assert (weights(seen), sizes(seen.world)) == ((0, 100), {"1": 10, "2": 0})
    told = [why.params["to"] for p in seen.world.plans for why in p.why if why.code == "weight.set"]
    assert told[-2:] == [20, 0], "down the steps again, not all at once"
    assert not seen.wrong


def test_old_pods_stay_for_the_scale_down_delay() -> None:
    """Protects scaleDownDelaySeconds behind a router, and that the rollout is healthy meanwhile."""
    seen = deployed("nginx", [{"setWeight": 50}], scaleDownDelaySeconds=20)
    update(seen.world)
    assert seen.world.run_until(lambda m: m.stable == "2" and m.phase == "Healthy")
    assert sizes(seen.world) == {"1": 10, "2": 10}
    seen.world.run(30)
    assert sizes(seen.world) == {"1": 0, "2": 10}
    assert {"scaledown.mark", "scaledown.wait"} <= codes(seen.world)


def test_a_third_version_begins_at_nothing() -> None:
    """Protects an update during an update: the weight of the second does not fall to the third."""
    seen = deployed("subsets", PAUSED)
    update(seen.world)
    until(seen.world, "Paused")
    update(seen.world, "3")
    seen.world.run(0.6)
    assert weights(seen)[0] == 0
    until(seen.world, "Paused")
    assert (weights(seen), sizes(seen.world)) == ((5, 95), {"1": 10, "2": 0, "3": 1})
    assert not seen.wrong


@pytest.mark.parametrize("router", sorted(ROUTERS))
def test_requests_stay_where_pods_are_while_a_shrunken_stable_grows_again(router: str) -> None:
    """Protects users when a third version comes while stable has no Pod left: no moment without an answer."""
    seen = deployed(router, [{"setWeight": 100}, {"pause": {}}], 4, dynamicStableScale=True)
    update(seen.world)
    until(seen.world, "Paused")
    seen.world.run(10)
    assert (weights(seen), sizes(seen.world)) == ((100, 0), {"1": 0, "2": 4})
    before = len(seen.history)
    update(seen.world, "3")
    until(seen.world, "Paused")
    stable, second = seen.world.rollout.status.stable_rs, seen.history[before - 1]
    after = seen.history[before:]
    assert second in after and {stable: 1.0} in after, "from the second to stable, and only then to the third"
    assert not seen.wrong and weights(seen) == (100, 0)


def test_a_floor_and_another_scale_of_weights() -> None:
    """Protects minPodsPerReplicaSet and maxTrafficWeight."""
    steps = [{"setWeight": 5}, {"pause": {}}]
    seen = deployed("nginx", steps, minPodsPerReplicaSet=2, routing={"maxTrafficWeight": 1000})
    update(seen.world)
    until(seen.world, "Paused")
    assert (weights(seen), sizes(seen.world)) == ((5, 995), {"1": 10, "2": 2})
    child = seen.world.store.get("Ingress", "demo-web-canary")
    assert child is not None
    notes = child["metadata"]["annotations"]
    assert notes["nginx.ingress.kubernetes.io/canary-weight-total"] == "1000"


def test_two_services_take_turns() -> None:
    """Protects pingPong: the stable Service is never touched by an update; the roles change at its end."""
    seen = deployed("pingpong", PAUSED)
    assert selectors(seen.world)["ping"] == "1"
    update(seen.world)
    until(seen.world, "Paused")
    assert (selectors(seen.world)["ping"], selectors(seen.world)["pong"]) == ("1", "2")
    seen.world.act("promote full")
    healthy(seen, "2")
    assert seen.world.rollout.status.stable_ping_pong == "pong"
    update(seen.world, "3")
    until(seen.world, "Paused")
    assert (selectors(seen.world)["ping"], selectors(seen.world)["pong"]) == ("3", "2")


@pytest.mark.parametrize("router", ["istio", "subsets", "gateway"])
def test_routes_of_steps_come_with_the_canary_and_go_with_it(router: str) -> None:
    """Protects setHeaderRoute and setMirrorRoute: from their step on, gone after an abort and at the end."""
    steps = [
        {"setCanaryScale": {"replicas": 1}},
        {"setHeaderRoute": HEADER},
        {"setMirrorRoute": MIRROR},
        {"pause": {}},
        {"setMirrorRoute": {"name": "copy"}},
        {"pause": {}},
    ]
    seen = deployed(router, steps)

    def there() -> tuple[bool, bool]:
        found = str(seen.world.store.get("VirtualService", "web" if router == "istio" else "sub"))
        if router == "gateway":
            found = str(seen.world.store.get("HTTPRoute", "web"))
        return "X-Test" in found, "irror" in found

    assert there() == (False, False)
    update(seen.world)
    until(seen.world, "Paused")
    assert there() == (True, True) and weights(seen) == (0, 100)
    seen.world.act("promote")
    assert seen.world.run_until(lambda m: m.phase == "Paused" and m.step == 5)
    assert there() == (True, False)
    seen.world.act("abort")
    until(seen.world, "Degraded")
    assert there() == (False, False)
    seen.world.act("retry")
    assert seen.world.run_until(lambda m: m.phase == "Paused")
    assert there() == (True, True)
    seen.world.act("promote full")
    healthy(seen, "2")
    assert there() == (False, False)


def test_objects_are_written_before_pods_go_and_before_the_status_says_so() -> None:
    """Protects against dying between two writes: nothing is lost, nothing too early."""
    seen = deployed("nginx", PAUSED)
    update(seen.world)
    until(seen.world, "Paused")
    seen.world.act("promote")
    seen.world.run(60)
    for found in seen.world.plans:
        order = [type(write) for write in found.writes]
        if WriteRoute in order:
            at = order.index(WriteRoute)
            assert ScaleReplicaSet not in order[:at] and PatchStatus not in order[:at]
    assert emitted(seen.world).count("TrafficWeightUpdated") >= 3
    assert "CreatingCanaryIngress" in emitted(seen.world)


def test_a_server_without_the_kind_is_named_in_the_condition() -> None:
    """Protects a student without Istio: the Rollout says what is missing, and nothing else is done."""
    seen = deployed("istio", PAUSED)
    found = plan(replace(seen.world._snapshot(), routes={}, absent={str(VIRTUAL_SERVICE): ""}))
    (write,) = found.writes
    assert isinstance(write, PatchStatus)
    message = write.patch["conditions"][-1]["message"]
    assert "VirtualService (networking.istio.io/v1)" in message and "manifests/crds" in message


def test_the_sizes_of_the_formula() -> None:
    """Protects the arithmetic: rounded up, floored, fixed, and held while requests are still there."""
    assert numbers.counts(Scale(10), 25) == Counts(3, 10)
    assert numbers.counts(Scale(4, min_pods=9), 1) == Counts(4, 4)
    assert numbers.counts(Scale(10), 0, 0, held=5) == Counts(1, 10)
    assert numbers.counts(Scale(3, dynamic=True, configured=(50, 50)), 100) == Counts(3, 2)
    assert numbers.walk_back(Scale(10, configured=(50, 50)), [20, 50], 5, 5) == 20
