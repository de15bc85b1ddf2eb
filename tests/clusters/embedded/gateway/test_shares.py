"""Real requests through the embedded gateway: shares by weight, exact headers and copies, no lost request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from rollout_lab.clusters.embedded.resources import INGRESSES, REPLICASETS
from tests.clusters.embedded.gateway.scenes import (
    CANARY,
    GATEWAY,
    NGINX,
    STABLE,
    SUBSETS,
    Load,
    ask,
    change,
    create,
    http_route,
    ingress,
    route,
    routed,
    two_versions,
    virtual_service,
    with_kinds,
)
from tests.clusters.embedded.kubelet.bench import Bench
from tests.gateway.bounds import bounds

REQUESTS = 5000
FEW = 200  # fewer than the lines a Pod's log keeps
WEIGHTS = (1, 5, 25, 50, 99)
Set = Callable[[int], None]


def nginx(b: Bench) -> Set:
    b.api.create(INGRESSES, "default", ingress("web", "stable"))
    notes = {"canary": "true", "canary-weight": "0"}
    b.api.create(INGRESSES, "default", ingress("web-canary", "canary", notes))

    def to(weight: int) -> None:
        notes = {f"{NGINX}/canary-weight": str(weight)}
        b.api.patch(INGRESSES, "default", "web-canary", {"metadata": {"annotations": notes}}, "merge")

    return to


def gateway_api(b: Bench) -> Set:
    with_kinds(b)
    create(b, GATEWAY)
    made = create(b, http_route(0))
    return lambda weight: change(b, made, http_route(weight)["spec"])


def istio(b: Bench) -> Set:
    with_kinds(b)
    create(b, SUBSETS)
    made = create(b, virtual_service(0))
    return lambda weight: change(b, made, virtual_service(weight)["spec"])


ROUTERS = {"nginx": nginx, "gatewayapi": gateway_api, "istio": istio}


@pytest.mark.parametrize("router", list(ROUTERS))
def test_the_measured_share_is_the_weight(router: str) -> None:
    """Protects "5 % with ten Pods": 5,000 real requests at each weight, within a 99.9 % binomial bound.

    The gateway's numbers are seeded (`scenes.OPTIONS`), so that chance cannot fail the test now and then.
    """

    async def scene() -> None:
        async with two_versions() as b:
            to = ROUTERS[router](b)
            for weight in WEIGHTS:
                to(weight)
                await routed(b, "web", [100 - weight, weight])
                before = [x["requests"] for x in route(b, "web")["backends"]]
                found = await ask(b, REQUESTS)
                low, high = bounds(REQUESTS, weight / 100)
                assert found.failures == []
                assert low <= found.canaries <= high, f"{weight} %: {found.canaries} of {REQUESTS}"
                after = [x["requests"] for x in route(b, "web")["backends"]]
                counted = [a - n for a, n in zip(after, before, strict=True)]
                assert counted == [REQUESTS - found.canaries, found.canaries], "the gateway counts the same"

    asyncio.run(scene())


@pytest.mark.parametrize("router", list(ROUTERS))
def test_changes_under_load_fail_no_request(router: str) -> None:
    """Protects the swap of tables and the end of Pods: weights change and Pods come and go, none fails."""

    async def scene() -> None:
        async with two_versions(3) as b:
            to = ROUTERS[router](b)
            to(50)
            await routed(b, "web", [50, 50])
            found = Load()
            load = asyncio.create_task(ask(b, 10**9, into=found))
            for weight, replicas in ((25, 1), (99, 4), (1, 2), (0, 1), (60, 3)):
                so_far = found.count
                to(weight)
                for version in ("1.0.0", "2.0.0"):
                    body = {"spec": {"replicas": replicas}}
                    b.api.patch(REPLICASETS, "default", f"web-{version}", body, "merge")
                await b.until(lambda n=so_far: found.count > n + 500, seconds=60)
            found.stopping = True
            await load
            assert found.failures == []
            assert min(found.answers[STABLE], found.answers[CANARY]) > 100

    asyncio.run(scene())


def test_header_and_cookie_choose_the_canary_exactly() -> None:
    """Protects "only the testers": every marked request, and no other, meets the canary of an Ingress."""

    async def scene() -> None:
        async with two_versions(1) as b:
            b.api.create(INGRESSES, "default", ingress("web", "stable"))
            notes = {"canary": "true", "canary-by-header": "X-Tester", "canary-by-cookie": "tester"}
            b.api.create(INGRESSES, "default", ingress("web-canary", "canary", notes))
            await b.until(lambda: route(b, "web").get("canary") and route(b, "web")["backends"][1]["ready"])
            for headers, version in (
                ({"X-Tester": "always"}, CANARY),
                ({"Cookie": "a=b; tester=always"}, CANARY),
                ({"X-Tester": "never", "Cookie": "tester=always"}, STABLE),
                ({}, STABLE),
            ):
                found = await ask(b, 100, headers=headers)
                assert (found.answers, found.failures) == ({version: 100}, [])

    asyncio.run(scene())


def test_copies_are_counted_exactly_and_change_no_answer() -> None:
    """Protects mirror routes: each request once to the stable version, and once more as a copy; headers."""

    async def scene() -> None:
        async with two_versions(1) as b:
            with_kinds(b)
            create(b, GATEWAY)
            mirror = {
                "type": "RequestMirror",
                "requestMirror": {"backendRef": {"name": "canary", "port": 80}},
            }
            create(b, http_route(0, hosts=["api.localhost"], filters=[mirror]))
            create(b, SUBSETS)
            half = {"mirror": {"host": "both", "subset": "canary"}, "mirrorPercentage": {"value": 20.0}}
            create(b, virtual_service(0, host="istio.localhost", **half))
            await b.until(lambda: len(b.node.gateway.report()["routes"]) == 2)
            found = await ask(b, FEW, headers={"Host": "api.localhost"})
            assert (found.answers, found.failures) == ({STABLE: FEW}, [])
            await arrived(b, "web-2", FEW)
            found = await ask(b, REQUESTS, headers={"Host": "istio.localhost"})
            assert (found.answers, found.failures) == ({STABLE: REQUESTS}, [])
            sent = {r["kind"]: r["backends"][-1]["mirrored"] for r in b.node.gateway.report()["routes"]}
            low, high = bounds(REQUESTS, 0.2)
            assert sent["HTTPRoute"] == FEW
            assert low <= sent["VirtualService"] <= high

    asyncio.run(scene())


async def arrived(b: Bench, prefix: str, wanted: int) -> None:
    """Until the Pods have logged so many requests, and not one more."""
    pods = [name.split("/")[1] for name in b.node.addresses()["pods"] if name.startswith(f"default/{prefix}")]
    end = asyncio.get_running_loop().time() + 30
    while True:
        seen = sum([(await b.log(name)).count('"GET /version" 200') for name in pods])
        if seen >= wanted:
            break
        assert asyncio.get_running_loop().time() < end, f"{seen} of {wanted} copies arrived"
        await asyncio.sleep(0.05)
    assert seen == wanted
