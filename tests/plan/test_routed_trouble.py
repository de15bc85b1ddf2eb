"""A router and what goes wrong around it: objects that are not there, Services, delays, sizes in between."""

from __future__ import annotations

from typing import Any

import pytest

from rollout_lab.api.fields import Json
from rollout_lab.plan.actions import Plan
from rollout_lab.simulate.pods import Timing
from rollout_lab.simulate.world import Hooks, World
from tests.plan.rollouts import codes, emitted, selectors, sizes, until, update
from tests.plan.routed_worlds import HEADER, PLUGIN, ROUTERS, Seen, objects, routed

PAUSED = [{"setWeight": 5}, {"pause": {}}]
AT = "spec.strategy.canary"


def deployed(obj: Json, **timing: Any) -> World:
    world = World(Timing(**timing))
    for each in objects():
        world.apply(each)
    world.apply(obj)
    until(world, "Healthy")
    return world


@pytest.mark.parametrize(
    ("router", "kind", "name", "field"),
    [
        ("nginx", "Ingress", "web", f"{AT}.trafficRouting.nginx.stableIngress"),
        ("istio", "VirtualService", "web", f"{AT}.trafficRouting.istio.virtualService.name"),
        ("subsets", "DestinationRule", "web", f"{AT}.trafficRouting.istio.destinationRule.name"),
        ("gateway", "HTTPRoute", "web", f"{AT}.trafficRouting.plugins[{PLUGIN}].httpRoute"),
        ("nginx", "Service", "canary", f"{AT}.canaryService"),
        ("pingpong", "Service", "ping", f"{AT}.pingPong.pingService"),
    ],
)
def test_a_missing_object_stops_the_update_and_nothing_else(
    router: str, kind: str, name: str, field: str
) -> None:
    """Protects InvalidSpec: field, value and remedy are said, Pods stay, and it goes on by itself."""
    world = deployed(routed(router, PAUSED))
    update(world)
    until(world, "Paused")
    before, gone = sizes(world), world.store.get(kind, name)
    assert gone is not None
    world.store.delete(kind, name)
    world.act("promote")
    until(world, "Degraded")
    said = world.rollout.status.message
    about = f'InvalidSpec: The Rollout "demo" is invalid: {field}: Invalid value: "{name}": '
    assert said.startswith(about) and "not found" in said and "create it" in said
    world.run(100)
    assert (sizes(world), world.rollout.status.current_step_index) == (before, 1)
    world.apply({key: gone[key] for key in ("apiVersion", "kind", "metadata", "spec")})
    assert world.run_until(lambda m: m.phase == "Healthy" and m.stable == "2"), world.rollout.status.raw
    kinds = {c["type"] for c in world.rollout.status.raw["conditions"]}
    assert "InvalidSpec" not in kinds


def test_a_service_is_taken_over_whole_and_moved_with_one_pod() -> None:
    """Protects a Service's users: adopted when every Pod is available, later switched at the first one."""
    seen: dict[str, list[int]] = {}

    def changed(type_: str, obj: Json) -> None:
        hash_ = obj.get("spec", {}).get("selector", {}).get("rollouts-pod-template-hash", "")
        if obj["kind"] != "Service" or not hash_ or hash_ in seen:
            return
        sets = world.store.of_kind("ReplicaSet")
        new = next(rs for rs in sets if rs["metadata"]["labels"]["rollouts-pod-template-hash"] == hash_)
        seen[hash_] = [new["status"].get("availableReplicas", 0), new["spec"]["replicas"]]

    def planned(_: Plan) -> None:
        return

    world = World(Timing(), hooks=Hooks(changed, planned))
    for each in objects():
        world.apply(each)
    world.apply(routed("nginx", [{"setCanaryScale": {"replicas": 6}}, {"pause": {}}]))
    until(world, "Healthy")
    update(world)
    until(world, "Paused")
    taken, moved = seen.values()
    assert taken == [10, 10]
    assert moved[0] < moved[1] == 6 and moved[0] >= 1
    assert "wait.service" in codes(world)
    assert (selectors(world)["stable"], selectors(world)["canary"]) == ("1", "2")


def test_the_weights_in_the_status_name_service_and_version() -> None:
    """Protects who reads status.canary.weights as the peer writes it; without a router there is none."""
    world = deployed(routed("nginx", PAUSED))
    update(world)
    until(world, "Paused")
    raw = world.rollout.status.raw
    assert raw["canary"]["weights"] == {
        "canary": {"weight": 5, "serviceName": "canary", "podTemplateHash": raw["currentPodHash"]},
        "stable": {"weight": 95, "serviceName": "stable", "podTemplateHash": raw["stableRS"]},
    }
    spec = world.rollout.raw["spec"]
    plain = {"steps": [{"setWeight": 5}, {"pause": {}}]}
    world.store.put({**world.rollout.raw, "spec": {**spec, "strategy": {"canary": plain}}})
    world.run(30)
    assert "weights" not in world.rollout.status.raw.get("canary", {})


def test_the_events_of_a_routed_update_in_order() -> None:
    """Protects who reads Events: the peer's reasons, the router's own among them, none twice."""
    world = deployed(routed("nginx", PAUSED))
    first = emitted(world)
    assert first == [
        "RolloutAddedToInformer",
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "RolloutCompleted",
        "CreatingCanaryIngress",
        "TrafficWeightUpdated",
        "SwitchService",
        "SwitchService",
    ]
    update(world)
    until(world, "Paused")
    assert emitted(world)[len(first) :] == [
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "RolloutNotCompleted",
        "TrafficWeightUpdated",
        "ScalingReplicaSet",
        "SwitchService",
        "PatchingCanaryIngress",
        "TrafficWeightUpdated",
        "RolloutStepCompleted",
        "RolloutPaused",
    ]


def test_old_versions_beyond_the_limit_go_at_once() -> None:
    """Protects scaleDownDelayRevisionLimit behind a router: of what waits, the newest stay."""
    more = {"scaleDownDelaySeconds": 3600, "scaleDownDelayRevisionLimit": 1}
    world = deployed(routed("istio", [{"setWeight": 50}], 3, **more))
    for version in ("2", "3"):
        update(world, version)
        assert world.run_until(lambda m, v=version: m.stable == v and m.phase == "Healthy")  # type: ignore[misc]
    world.run(60)
    assert sizes(world) == {"1": 0, "2": 3, "3": 3}


@pytest.mark.parametrize("dynamic", [False, True])
def test_an_abort_leaves_the_canary_up_for_its_delay(dynamic: bool) -> None:
    """Protects abortScaleDownDelaySeconds: that long and no longer, also where stable shrinks."""
    more = {"abortScaleDownDelaySeconds": 100, "dynamicStableScale": dynamic}
    world = deployed(routed("gateway", [{"setWeight": 50}, {"pause": {}}], **more))
    update(world)
    until(world, "Paused")
    world.act("abort")
    until(world, "Degraded")
    world.run(60)
    assert sizes(world) == {"1": 10, "2": 5}
    world.run(100)
    assert sizes(world) == {"1": 10, "2": 0}


def test_testers_keep_their_pods_while_stable_grows() -> None:
    """Protects a header route: its last Pod goes only when the routers were told, however stable is."""
    steps = [
        {"setCanaryScale": {"replicas": 3}},
        {"setHeaderRoute": HEADER},
        {"pause": {}},
        {"setCanaryScale": {"matchTrafficWeight": True}},
        {"pause": {}},
    ]
    seen = Seen(routed("gateway", steps, 2))
    until(seen.world, "Healthy")
    update(seen.world)
    until(seen.world, "Paused")
    seen.world.act("promote")
    seen.world.run(0.05)
    seen.world.act("scale 12")
    seen.world.run(60)
    assert sizes(seen.world) == {"1": 12, "2": 0}
    assert not seen.wrong


@pytest.mark.parametrize("router", sorted(ROUTERS))
def test_a_canary_that_loses_its_pods_loses_its_requests(router: str) -> None:
    """Protects users from Pods that were ready once: weight and routes go, and come back with the Pods."""
    routes = [] if router == "nginx" else [{"setHeaderRoute": HEADER}]
    seen = Seen(routed(router, [{"setWeight": 50}, *routes, {"pause": {}}]))
    world = seen.world
    until(world, "Healthy")
    update(world)
    until(world, "Paused")
    stable, canary = world.rollout.status.stable_rs, world.rollout.status.current_pod_hash
    assert seen.shares == {stable: 0.5, canary: 0.5}
    for pod in world.store.of_kind("Pod"):
        if pod["metadata"]["labels"]["rollouts-pod-template-hash"] == canary:
            world._sets.remove_pod(pod["metadata"]["name"])
    world.run(0.5)
    seen.look()
    assert (seen.shares, seen.by_header()) == ({stable: 1.0}, [])
    world.run(10)
    seen.look()
    assert seen.shares == {stable: 0.5, canary: 0.5}
    assert seen.by_header() == ([canary] if routes else [])
    assert sizes(world) == {"1": 10, "2": 5}
