"""Copies of what routers read: watched when first needed, absent kinds told; and all of it live."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from rollout_lab.api import fields, meta
from rollout_lab.client.actions import send
from rollout_lab.client.mirror import Callback, Mirror
from rollout_lab.client.requests import Action, requests
from rollout_lab.client.resources import CRDS, EVENTS, HTTPROUTES, INGRESSES, ROLLOUTS, Resource
from rollout_lab.client.routes import NotLooked, Routes, concerned, resource_of, using
from rollout_lab.controller.apply import change
from rollout_lab.errors import ApiError, ClusterUnavailable, LabError, NotFound
from rollout_lab.routers import gatewayapi, istio, nginx
from rollout_lab.routers.model import Kind, Ref
from tests.conformance.live import Live, running
from tests.controller.fakes import Json, obj
from tests.plan.rollouts import canary, service

STEPS: list[Json] = [{"setWeight": 5}, {"pause": {}}]
TWO = {"stableService": "stable", "canaryService": "canary"}
NGINX = {**TWO, "trafficRouting": {"nginx": {"stableIngress": "web"}}}
GATEWAY = {**TWO, "trafficRouting": {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "web"}}}}


# --- the copies, with mirrors that are played ---------------------------------------------------


class Played:
    """A mirror whose server is the test."""

    def __init__(
        self, resource: Resource, trouble: Callable[[LabError], None], listed: Callable[[], None]
    ) -> None:
        self.resource, self.trouble, self.listed = resource, trouble, listed
        self.objects: dict[tuple[str, str], Json] = {}
        self.callbacks: list[Callback] = []
        self.running: bool | None = None

    def on_event(self, callback: Callback) -> None:
        self.callbacks.append(callback)

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def get(self, namespace: str, name: str) -> Json | None:
        return self.objects.get((namespace, name))


class Bench:
    def __init__(self) -> None:
        self.mirrors: dict[str, Played] = {}
        self.changed: list[str] = []
        self.routes = Routes(self._make, lambda kind: self.changed.append(kind.name))

    def _make(self, *asked: Any) -> Mirror:
        made = Played(*asked)
        self.mirrors[made.resource.kind] = made
        return cast(Mirror, made)

    def begin(self, kind: Kind, name: str = "web") -> tuple[Played, Ref]:
        ref = Ref(kind, "n", name)
        with pytest.raises(NotLooked):
            self.routes.gather([ref])
        return self.mirrors[kind.name], ref


def test_a_kind_is_watched_from_the_first_rollout_on_that_names_it() -> None:
    """Protects clusters without meshes: nobody asks them for kinds that no Rollout needs."""
    bench = Bench()
    assert bench.routes.gather([]) == ({}, {}) and not bench.mirrors
    mirror, ref = bench.begin(nginx.INGRESS)
    assert mirror.running and mirror.resource == INGRESSES
    mirror.objects["n", "web"] = obj("Ingress", "web")
    mirror.listed()
    assert bench.routes.gather([ref]) == ({ref: obj("Ingress", "web")}, {})
    assert bench.routes.look("Ingress", "n", "web") == obj("Ingress", "web")
    assert bench.routes.look("Ingress", "n", "else") is None is bench.routes.look("HTTPRoute", "n", "web")
    assert list(bench.mirrors) == ["Ingress"] and bench.changed == ["Ingress"]
    bench.routes.stop()
    assert mirror.running is False


def test_an_absent_kind_is_told_once_and_found_when_it_comes() -> None:
    """Protects a Rollout that is applied before the CRDs: a reason, no crash, and it goes on by itself."""
    bench = Bench()
    mirror, ref = bench.begin(istio.VIRTUAL_SERVICE)
    for _ in range(3):
        mirror.trouble(NotFound(404, "NotFound", "no such page"))
    assert bench.routes.gather([ref]) == ({}, {"VirtualService (networking.istio.io/v1)": ""})
    assert bench.changed == ["VirtualService"]
    mirror.listed()
    assert bench.routes.gather([ref]) == ({}, {}) and len(bench.changed) == 2
    mirror.objects["n", "web"] = obj("VirtualService", "web")
    mirror.trouble(ApiError(403, "Forbidden", "you may not list it"))
    objects, absent = bench.routes.gather([ref])
    assert objects == {} and list(absent.values()) == ["you may not list it"]


def test_a_server_that_is_away_takes_no_kind_with_it() -> None:
    """Protects a running update from InvalidSpec while the API server restarts."""
    bench = Bench()
    mirror, ref = bench.begin(gatewayapi.HTTP_ROUTE)
    mirror.trouble(ClusterUnavailable("away"))
    with pytest.raises(NotLooked):
        bench.routes.gather([ref])
    mirror.listed()
    mirror.trouble(ClusterUnavailable("away again"))
    mirror.trouble(ApiError(500, "InternalError", "no"))
    assert bench.routes.gather([ref]) == ({}, {})


def test_a_change_concerns_the_rollouts_whose_routers_use_it() -> None:
    """Protects quick repair: an Ingress edited by hand is looked at again, and by its Rollout only."""
    one = {**canary(STEPS, **NGINX), "metadata": {"name": "one", "namespace": "n"}}
    two = {**canary(STEPS, **GATEWAY), "metadata": {"name": "two", "namespace": "n"}}
    all_ = [one, two, obj("Rollout", "plain", spec={})]
    assert list(concerned(obj("Ingress", "web"), all_)) == [("n", "one")]
    assert list(concerned(obj("Ingress", "one-web-canary"), all_)) == [("n", "one")]
    assert list(concerned(obj("HTTPRoute", "web"), all_)) == [("n", "two")]
    assert list(concerned(obj("HTTPRoute", "web", metadata={"namespace": "m"}), all_)) == []
    assert list(using(gatewayapi.HTTP_ROUTE, all_)) == [("n", "two")]
    assert resource_of(gatewayapi.HTTP_ROUTE) == HTTPROUTES


def test_a_route_is_patched_by_what_differs() -> None:
    """Protects fields of other writers: only what the router changed is sent, lists whole."""
    before = {"spec": {"http": [1, 2], "hosts": ["a"]}, "metadata": {"annotations": {"a": "1"}}}
    after = {"spec": {"http": [1], "hosts": ["a"], "tls": []}, "metadata": {"annotations": {}}}
    assert change(before, after) == {
        "spec": {"http": [1], "tls": []},
        "metadata": {"annotations": {"a": None}},
    }


# --- on a live cluster --------------------------------------------------------------------------


class Shop:
    """One namespace of the live cluster with a Rollout `demo`."""

    def __init__(self, live: Live) -> None:
        self.client = live.client
        self.namespace = live.namespace("routed")
        self._wait = threading.Event()

    def apply(self, *objects: Json) -> None:
        for one in objects:
            body = copy.deepcopy(one)
            body["metadata"]["namespace"] = self.namespace
            self.client.apply(body)

    def act(self, action: Action, **args: Any) -> None:
        found = self.rollout
        send(self.client, self.namespace, "demo", requests(action, found, (), **args))

    @property
    def rollout(self) -> Json:
        return self.client.get(ROLLOUTS, self.namespace, "demo")

    @property
    def message(self) -> str:
        return fields.text(self.rollout, "status", "message")

    @property
    def phase(self) -> str:
        return fields.text(self.rollout, "status", "phase")

    def weights(self) -> tuple[int, int] | None:
        found = fields.mapping(self.rollout, "status", "canary", "weights")
        return (found["canary"]["weight"], found["stable"]["weight"]) if found else None

    def child_weight(self) -> str:
        try:
            child = self.client.get(INGRESSES, self.namespace, "demo-web-canary")
        except NotFound:
            return ""
        return meta.annotations(child)["nginx.ingress.kubernetes.io/canary-weight"]

    def until(self, holds: Callable[[], object], patience: int = 600) -> None:
        for _ in range(patience):
            if holds():
                return
            self._wait.wait(0.1)
        raise AssertionError(self.rollout.get("status"))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("routes"), speed=10.0) as found:
        yield found


def ingress() -> Json:
    backend = {"service": {"name": "stable", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web"},
        "spec": {"rules": [{"host": "web.local", "http": {"paths": [path]}}]},
    }


def http_route() -> Json:
    refs = [{"name": name, "port": 80} for name in ("stable", "canary")]
    spec = {"rules": [{"backendRefs": refs}]}
    return {
        "apiVersion": HTTPROUTES.api_version,
        "kind": "HTTPRoute",
        "metadata": {"name": "web"},
        "spec": spec,
    }


def crd() -> Json:
    open_ = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": open_, "status": open_}}}
    return {
        "apiVersion": CRDS.api_version,
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{HTTPROUTES.plural}.{HTTPROUTES.group}"},
        "spec": {
            "group": HTTPROUTES.group,
            "scope": "Namespaced",
            "names": {"plural": "httproutes", "singular": "httproute", "kind": "HTTPRoute"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def demo(strategy: Json) -> Json:
    found = canary(STEPS, 2, **strategy)
    found["spec"]["template"]["spec"]["containers"][0]["image"] = "rollout-lab/api-tester:1.0.0"
    return found


@pytest.mark.cluster
@pytest.mark.timeout(180)
def test_the_engine_keeps_the_child_ingress_as_the_weights_say(live: Live) -> None:
    """Protects the whole way: weight in spec, child Ingress, status; and a child deleted by hand."""
    shop = Shop(live)
    shop.apply(service("stable"), service("canary"), ingress(), demo(NGINX))
    shop.until(lambda: shop.phase == "Healthy" and shop.child_weight() == "0")
    shop.act(Action.SET_IMAGE, version="2.0.0")
    shop.until(lambda: shop.phase == "Paused")
    assert (shop.child_weight(), shop.weights()) == ("5", (5, 95))
    live.client.delete(INGRESSES, shop.namespace, "demo-web-canary")
    shop.until(lambda: shop.child_weight() == "5")
    live.client.patch(
        INGRESSES,
        shop.namespace,
        "demo-web-canary",
        {"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "77"}}},
    )
    shop.until(lambda: shop.child_weight() == "5")
    shop.act(Action.ABORT)
    shop.until(lambda: shop.phase == "Degraded" and shop.child_weight() == "0")
    assert shop.weights() == (0, 100)
    reasons = [event["reason"] for event in live.client.list(EVENTS, shop.namespace)["items"]]
    assert {"CreatingCanaryIngress", "PatchingCanaryIngress", "TrafficWeightUpdated"} <= set(reasons)


@pytest.mark.cluster
@pytest.mark.timeout(180)
def test_a_rollout_waits_for_the_kinds_of_its_router(live: Live) -> None:
    """Protects a cluster without the Gateway API: a clear condition, no crash, and it heals by itself."""
    shop = Shop(live)
    shop.apply(service("stable"), service("canary"), demo(GATEWAY))
    shop.until(lambda: "needs the kind HTTPRoute (gateway.networking.k8s.io/v1)" in shop.message)
    assert shop.phase == "Degraded" and "install the Gateway API" in shop.message
    live.client.apply(crd())
    shop.until(lambda: 'HTTPRoute "web" not found' in shop.message)
    shop.apply(http_route())
    shop.until(lambda: shop.phase == "Healthy")
    shop.act(Action.SET_IMAGE, version="2.0.0")
    shop.until(lambda: shop.phase == "Paused")
    route = live.client.get(HTTPROUTES, shop.namespace, "web")
    assert [ref["weight"] for ref in route["spec"]["rules"][0]["backendRefs"]] == [95, 5]
    live.client.delete(CRDS, None, crd()["metadata"]["name"])
    shop.until(lambda: shop.phase == "Degraded" and "HTTPRoute" in shop.message)
    assert shop.weights() == (5, 95), "what was told stays known"
