"""What a rolling update promises, held against random orders of readiness, new templates and new sizes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest

from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.controllers import Controllers
from rollout_lab.clusters.embedded.controllers.deployment.sizes import surge_and_unavailable
from rollout_lab.clusters.embedded.controllers.objects import is_terminating
from rollout_lab.clusters.embedded.controllers.pods import is_active, is_ready
from rollout_lab.clusters.embedded.resources import DEPLOYMENTS, PODS, REPLICASETS
from rollout_lab.clusters.embedded.watching import Event
from tests.clusters.embedded.controllers.builders import (
    NS,
    Object,
    bare,
    cluster,
    make_ready,
    rolling,
    settle,
    template,
)

STRATEGIES = [rolling("25%", "25%"), rolling(0, 1), rolling(1, 0), rolling(2, 1), rolling("100%", 0)]


@pytest.mark.parametrize("seed", range(25))
def test_a_rolling_update_keeps_its_promise(seed: int) -> None:
    """Whatever the order in which Pods become ready, new templates arrive and sizes change, in the end there
    is exactly the last template; and without scaling ReplicaSets never ask for more Pods than replicas plus
    maxSurge, and there are never fewer ready Pods than replicas minus maxUnavailable."""
    dice = random.Random(seed)
    strategy = STRATEGIES[seed % len(STRATEGIES)]
    replicas = dice.randint(2, 6)
    scaling = seed % 3 == 0

    async def run() -> None:
        async with cluster() as (api, controllers, _):
            body = bare("Deployment", "web", replicas=replicas, strategy=strategy)
            api.create(DEPLOYMENTS, NS, body)
            await _all_ready(api, controllers)
            pods, sets = api.list(PODS, NS)[0], api.list(REPLICASETS, NS)[0]
            rv = api.store.rv
            pod_watch, set_watch = api.watch(PODS, NS, since=rv), api.watch(REPLICASETS, NS, since=rv)
            for version in range(2, 2 + dice.randint(1, 3)):
                change = {"spec": {"template": template(f"app:{version}")}}
                api.patch(DEPLOYMENTS, NS, "web", change, "merge")
                for _ in range(dice.randint(0, 4)):
                    await _some_turns(api, controllers, dice)
                    _one_ready(api, dice)
                if scaling:
                    size = {"spec": {"replicas": dice.randint(2, 6)}}
                    api.patch(DEPLOYMENTS, NS, "web", size, "merge")
            await _all_ready(api, controllers)
            if not scaling:
                surge, unavailable = surge_and_unavailable(
                    {"spec": {"replicas": replicas, "strategy": strategy}}
                )
                for state in _states(set_watch.pending(), sets):
                    assert sum(rs["spec"]["replicas"] for rs in state) <= replicas + surge
                for state in _states(pod_watch.pending(), pods):
                    ready = [p for p in state if is_active(p) and is_ready(p)]
                    assert len(ready) >= replicas - unavailable
            pod_watch.close()
            set_watch.close()
            images = {p["spec"]["containers"][0]["image"] for p in api.list(PODS, NS)[0]}
            assert images == {f"app:{version}"}
            found = api.get(DEPLOYMENTS, NS, "web")
            assert (
                found["status"]["updatedReplicas"] == found["spec"]["replicas"] == len(api.list(PODS, NS)[0])
            )
            assert found["status"]["observedGeneration"] == found["metadata"]["generation"]

    asyncio.run(run())


async def _some_turns(api: Api, controllers: Controllers, dice: random.Random) -> None:
    if dice.random() < 0.5:
        await settle(api, controllers)
    else:
        for _ in range(dice.randint(0, 30)):
            await asyncio.sleep(0)


def _one_ready(api: Api, dice: random.Random) -> bool:
    """What a node does meanwhile: one Pod of those that wait becomes ready, those that go are gone."""
    waiting = [p for p in api.list(PODS, NS)[0] if is_active(p) and not is_ready(p)]
    if waiting:
        address = f"10.1.{dice.randint(0, 250)}.{dice.randint(1, 250)}"
        make_ready(api, dice.choice(waiting)["metadata"]["name"], address)
    for going in [p for p in api.list(PODS, NS)[0] if is_terminating(p)]:
        api.delete(PODS, NS, going["metadata"]["name"], grace=0)
    return bool(waiting)


async def _all_ready(api: Api, controllers: Controllers) -> None:
    dice = random.Random(0)
    await settle(api, controllers)
    while _one_ready(api, dice):
        await settle(api, controllers)


def _states(events: list[Event], before: list[Object]) -> Iterator[list[Object]]:
    """All objects after each event."""
    state = {o["metadata"]["name"]: o for o in before}
    for kind, obj, _ in events:
        state[obj["metadata"]["name"]] = obj
        if kind == "DELETED":
            del state[obj["metadata"]["name"]]
        yield list(state.values())
