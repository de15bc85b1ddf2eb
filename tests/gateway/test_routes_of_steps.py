"""What a router writes for setHeaderRoute and setMirrorRoute, obeyed by the gateway: exact counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from rollout_lab.api import names
from rollout_lab.api.rollout import Rollout
from rollout_lab.clusters.embedded.resources import PODS
from rollout_lab.routers import table
from rollout_lab.routers.gatewayapi import HTTP_ROUTE
from rollout_lab.routers.istio import DESTINATION_RULE, VIRTUAL_SERVICE
from rollout_lab.routers.model import Kind, Ref, Route, RouteKind, Traffic
from tests.clusters.embedded.gateway.scenes import (
    CANARY,
    GATEWAY,
    STABLE,
    SUBSETS,
    ask,
    create,
    custom,
    http_route,
    two_versions,
    virtual_service,
    with_kinds,
)
from tests.clusters.embedded.gateway.test_shares import arrived
from tests.clusters.embedded.kubelet.bench import Bench

EACH = 60  # all of them fit into the lines a Pod's log keeps
PLUGIN = "argoproj-labs/gatewayAPI"
SERVICES = {"stableService": "stable", "canaryService": "canary"}
ISTIO = {"virtualService": {"name": "web"}}
RULE = {"name": "web", "stableSubsetName": "stable", "canarySubsetName": "canary"}
HEADER = {"name": "testers", "match": [{"headerName": "X-Tester", "headerValue": {"exact": "yes"}}]}
MIRROR = {"name": "copies", "match": [{"path": {"prefix": "/version"}}]}
Json = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """A router's settings, the objects it finds, their kinds, and who answers the testers."""

    canary: Json
    given: tuple[Json, ...]
    kinds: tuple[Kind, ...]
    testers: str = CANARY


WAYS = {
    "istio hosts": Way(
        {**SERVICES, "trafficRouting": {"istio": ISTIO}},
        (virtual_service(0, subsets=False),),
        (VIRTUAL_SERVICE,),
    ),
    "istio subsets": Way(
        {"trafficRouting": {"istio": {**ISTIO, "destinationRule": RULE}}},
        (SUBSETS, virtual_service(0)),
        (VIRTUAL_SERVICE, DESTINATION_RULE),
    ),
    "gateway filters": Way(
        {**SERVICES, "trafficRouting": {"plugins": {PLUGIN: {"httpRoute": "web"}}}},
        (GATEWAY, http_route(0)),
        (HTTP_ROUTE,),
    ),
    "gateway rules": Way(
        {**SERVICES, "trafficRouting": {"plugins": {PLUGIN: {"httpRoute": "web", "mirrorMode": "rule"}}}},
        (GATEWAY, http_route(0)),
        (HTTP_ROUTE,),
        STABLE,
    ),
}


def rollout(canary: Json) -> Rollout:
    routing = {**canary["trafficRouting"], "managedRoutes": [{"name": "testers"}, {"name": "copies"}]}
    steps = [{"setHeaderRoute": HEADER}, {"setMirrorRoute": MIRROR}]
    spec = {"strategy": {"canary": {**canary, "trafficRouting": routing, "steps": steps}}}
    return Rollout({"metadata": {"name": "web", "namespace": "default"}, "spec": spec})


def write(b: Bench, way: Way, routes: tuple[Route, ...]) -> None:
    """What the router wants for weight 0 and these routes; without routes as after an abort."""
    canary, objects = rollout(way.canary), {}
    for kind in way.kinds:
        res = custom(b, {"apiVersion": kind.api_version, "kind": kind.name})
        objects[Ref(kind, "default", "web")] = b.api.get(res, "default", "web")
    named = ("stable", "canary") if "stableService" in way.canary else ("", "")
    traffic = Traffic(canary, 0, 100, *named, "1.0.0", "2.0.0", routes=routes, clear=not routes)
    assert table.problems(canary, objects, {}) == []
    for _, change in table.changes(traffic, objects):
        b.api.update(custom(b, change.body), "default", "web", change.body)


def matches(b: Bench) -> list[str]:
    """What the rules of the gateway match on, as text."""
    return [str(row["matches"]) for row in b.node.gateway.report()["routes"] if row["name"] == "web"]


def mirrored(b: Bench) -> int:
    return sum(r["mirrored"] for row in b.node.gateway.report()["routes"] for r in row["backends"])


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_testers_and_copies_are_exact(way: Way) -> None:
    """Protects lesson 12: every tester and nobody else meets the canary; each other request is copied.

    The Gateway API prefers a longer path to more headers: with a rule of its own (`mirrorMode: rule`)
    a mirror that names a path takes the testers' requests too.
    """

    async def scene() -> None:
        async with two_versions(1) as b:
            for pod in b.api.list(PODS, "default")[0]:
                hash_ = {names.ROLLOUT_HASH_LABEL: pod["metadata"]["labels"]["version"]}
                b.api.patch(
                    PODS, "default", pod["metadata"]["name"], {"metadata": {"labels": hash_}}, "merge"
                )
            with_kinds(b)
            for obj in way.given:
                create(b, obj)
            write(b, way, (Route(RouteKind.HEADER, HEADER), Route(RouteKind.MIRROR, MIRROR)))
            await b.until(lambda: "x-tester" in str(matches(b)).lower() and _copies(b), "the routes", 30)
            for headers, version, seen in (
                ({}, STABLE, EACH),
                ({"X-Tester": "no"}, STABLE, 2 * EACH),
                ({"X-Tester": "yes"}, way.testers, 3 * EACH),
            ):
                found = await ask(b, EACH, headers=headers)
                assert (found.answers, found.failures) == ({version: EACH}, [])
                await arrived(b, "web-2", seen)
            assert mirrored(b) == (2 if way.testers == CANARY else 3) * EACH
            write(b, way, ())
            await b.until(lambda: "x-tester" not in str(matches(b)).lower() and not _copies(b), "gone", 30)
            found = await ask(b, EACH, headers={"X-Tester": "yes"})
            assert (found.answers, found.failures) == ({STABLE: EACH}, [])
            await arrived(b, "web-2", 3 * EACH)

    asyncio.run(scene())


def _copies(b: Bench) -> bool:
    rows = [r for row in b.node.gateway.report()["routes"] for r in row["backends"]]
    return any(r["role"] == "mirror" and r["ready"] for r in rows)
