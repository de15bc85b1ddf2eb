"""The gateway as a Pod of a real cluster: shares, header routes, copies; a whole canary loses no request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rollout_lab.client.actions import Action
from rollout_lab.client.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    CONFIGMAPS,
    CRDS,
    DEPLOYMENTS,
    GATEWAYCLASSES,
    INGRESSCLASSES,
    NAMESPACES,
    PODS,
)
from rollout_lab.clusters import commands
from rollout_lab.clusters.kind import machine, ready
from rollout_lab.clusters.kind.create import Wanted
from rollout_lab.clusters.traffic import NAME, NAMESPACE
from rollout_lab.lab import Lab
from rollout_lab.lab.cleanup import delete
from rollout_lab.lab.entrance import MARK
from rollout_lab.lab.gateways import REPORT
from rollout_lab.lab.installed import state_folder
from rollout_lab.lab.scenario import router_crds
from rollout_lab.observe.probe import Count
from tests.gateway.bounds import bounds
from tests.kind.measuring import measured
from tests.kind.test_images import until
from tests.lab.routed import scenario
from tests.waiting import there

pytestmark = [pytest.mark.kind, pytest.mark.timeout(600)]

WEIGHT, SAMPLE, TESTERS = 20, 600, 100
PER_SECOND, BESIDE = 150.0, 50.0
"""Requests a second of a sample, and of the loop beside it: a closed connection keeps its port a minute."""
Json = dict[str, Any]


@pytest.fixture(scope="module")
def lab(cluster: str) -> Iterator[Lab]:
    """A lab on kind without a scenario: the gateway comes with the first route."""
    with Lab.start("kind", scenario=None, kind=Wanted(cluster)) as found:
        yield found


def routes(lab: Lab, name: str) -> list[Json]:
    """What the gateway says of the routes of an object."""
    rows: list[Json] = lab.client.raw_get(REPORT)["routes"]
    return [row for row in rows if row["name"] == name]


def weight(lab: Lab, name: str) -> float:
    """What it is configured to send to the canary, in percent: of the rule that has weights."""
    shares = [[b["weight"] for b in row["backends"] if b["role"] != "mirror"] for row in routes(lab, name)]
    return next((float(found[1]) for found in shares if len(found) > 1), 0.0)


def asking(lab: Lab, host: str, stop: threading.Event, count: Count) -> threading.Thread:
    """Users who ask without end, counted."""
    words = {"host": host, "stop": stop, "count": count, "per_second": BESIDE}
    thread = threading.Thread(target=lab.measure_gateway, args=(10**7, 2), kwargs=words)
    thread.start()
    return thread


def in_bounds(lab: Lab, host: str) -> None:
    """A sample lies within the 99.9 % bound of the weight; chance may miss once, not twice."""
    low, high = bounds(SAMPLE, WEIGHT / 100)
    for again in (False, True):
        found = lab.measure_gateway(SAMPLE, host=host, per_second=PER_SECOND)
        assert dict(found.failures) == {}
        measured(
            f"kind: requests of {SAMPLE} at {WEIGHT} % that met the canary",
            found.versions["2.0.0"],
            "requests",
        )
        if low <= found.versions["2.0.0"] <= high:
            return
        assert not again, f"{found.versions} is not {WEIGHT} %"


@pytest.mark.parametrize("router", ["nginx", "istio"])  # lesson 12 does it with an HTTPRoute
def test_a_routed_canary_on_kind_loses_no_request(router: str, lab: Lab, cluster: str) -> None:
    """Share by weight, testers exactly, copies; abort, retry, promote under load: 0 requests fail."""
    name = f"api-tester-2234-{router}"
    host, stop, count = f"{name}.localhost", threading.Event(), Count()
    wanted, began = scenario(router, weight=WEIGHT), time.monotonic()
    lab.apply(wanted)
    rollout = lab.rollout(name)

    def reaches(percent: float) -> Callable[[], bool]:
        return lambda: weight(lab, name) == percent

    try:
        assert rollout.wait_for("Healthy", 120)
        until(
            "the gateway leads to the Pods",
            lambda: [b for r in routes(lab, name) for b in r["backends"] if b["ready"]],
        )
        place = lab.gateway()
        assert (
            place is not None and place.address == machine.mapped_ports(cluster)[30880] and place.name == ""
        )
        users = asking(lab, host, stop, count)
        assert lab.do(Action.SET_IMAGE, name, version="2.0.0").ok
        assert rollout.wait_for("Paused", 120)
        until(f"{WEIGHT} %", reaches(WEIGHT))
        in_bounds(lab, host)
        testers = lab.measure_gateway(TESTERS, host=host, headers={"X-Tester": "yes"}, per_second=PER_SECOND)
        assert (dict(testers.versions), dict(testers.failures)) == ({"2.0.0": TESTERS}, {})
        copies = sum(b["mirrored"] for row in routes(lab, name) for b in row["backends"])
        assert (copies > 0) == (router != "nginx")
        assert lab.wait_for(lambda p: bool(p.get("gateway")) and p["gateway"]["requests"] > 0, 30, name)
        picture = lab.view(rollout=name)
        assert picture["gateway"]["known"] and picture["gateway"]["address"] == place.address
        assert picture["rollout"]["weight"]["configured"] == WEIGHT

        assert lab.do(Action.ABORT, name).ok and rollout.wait_for("Degraded", 120)
        until("0 % after the abort", reaches(0))
        assert lab.do(Action.RETRY, name).ok and rollout.wait_for("Paused", 120)
        until(f"{WEIGHT} % again", reaches(WEIGHT))
        assert lab.do(Action.PROMOTE, name).ok
        until("60 %", reaches(60))
        assert rollout.wait_for("Paused", 120) and lab.do(Action.PROMOTE, name).ok
        assert rollout.wait_for("Healthy", 120)
        until(
            "all on the new version", lambda: lab.measure_gateway(5, host=host).versions.keys() == {"2.0.0"}
        )
        stop.set()
        users.join(30)
        assert dict(count.failures) == {} and count.versions.keys() == {"1.0.0", "2.0.0"}
        report = lab.client.raw_get(REPORT)
        assert report["problems"] == []
        assert sum(b["failed"] for row in routes(lab, name) for b in row["backends"]) == 0
        measured(f"kind, gateway Pod, {router}: requests beside it, none failed", count.requests, "requests")
        measured(f"kind, gateway Pod, {router}: canary with abort and retry", time.monotonic() - began, "s")
    finally:
        stop.set()
        delete(wanted, lab.client, lab.recorder, 120)


def test_its_pod_is_replaced_without_a_lost_request(lab: Lab) -> None:
    """Protects an update of the lab during a class: the new Pod is ready before the old one ends."""
    wanted = scenario("nginx", replicas=1)
    name = wanted.rollout
    host, stop, count = f"{name}.localhost", threading.Event(), Count()
    lab.apply(wanted)
    try:
        assert lab.rollout(name).wait_for("Healthy", 120)
        until("it answers", lambda: lab.measure_gateway(1, host=host).versions)
        before = the_pod(lab)
        users = asking(lab, host, stop, count)
        note = {"spec": {"template": {"metadata": {"annotations": {MARK: "another"}}}}}
        lab.client.patch(DEPLOYMENTS, NAMESPACE, NAME, note)
        until("only the new one is there", lambda: the_pod(lab) not in (before, ""), 60)
        so_far = count.requests
        until("it goes on", lambda: count.requests > so_far + 50)
        stop.set()
        users.join(30)
        assert dict(count.failures) == {}
        measured("kind, gateway Pod: requests while it was replaced, none failed", count.requests, "requests")
    finally:
        stop.set()
        delete(wanted, lab.client, lab.recorder, 120)


def the_pod(lab: Lab) -> str:
    """The gateway's Pod; none while there are two."""
    found = lab.client.list(PODS, NAMESPACE, f"app.kubernetes.io/name={NAME}")["items"]
    return str(found[0]["metadata"]["name"]) if len(found) == 1 else ""


def test_it_has_the_rights_for_what_it_does_and_no_more(lab: Lab) -> None:
    """Protects whoever runs the cluster: the API server itself says so, and nothing was forbidden."""
    pods = lab.client.list(PODS, NAMESPACE, f"app.kubernetes.io/name={NAME}")["items"]
    said = "".join(lab.client.logs(NAMESPACE, p["metadata"]["name"]) for p in pods)
    assert len(pods) == 1 and "forbidden" not in said.lower() and "not written" not in said, said
    assert pods[0]["status"]["containerStatuses"][0]["restartCount"] == 0
    config = state_folder() / "gateway-kubeconfig"
    config.write_text(commands.check("kubectl", "--kubeconfig", lab.kubeconfig, "config", "view", "--raw"))
    try:
        for verb, what, allowed in (
            ("list", "ingresses.networking.k8s.io", "yes"),
            ("patch", "httproutes.gateway.networking.k8s.io/status", "yes"),
            ("patch", "ingresses.networking.k8s.io", "no"),
            ("patch", "services", "no"),
            ("get", "secrets", "no"),
            ("list", "customresourcedefinitions.apiextensions.k8s.io", "no"),
        ):
            who = f"system:serviceaccount:{NAMESPACE}:{NAME}"
            resource, _, part = what.partition("/")
            words = ["--kubeconfig", str(config), "auth", "can-i", verb, resource, "--as", who]
            done = commands.call("kubectl", *words, *(["--subresource", part] if part else []))
            assert done.out.strip() == allowed, (verb, what)
    finally:
        config.unlink()


def test_a_borrowed_cluster_keeps_nothing_of_it(cluster: str, lab: Lab) -> None:
    """Protects a kind cluster of others: CRDs, rights, classes and the Pod go when the lab closes."""
    lab.client.delete(NAMESPACES, None, NAMESPACE)
    until(
        "the gateway of the tests before is gone",
        lambda: not there(lab.client, NAMESPACES, None, NAMESPACE),
        120,
    )
    left: list[tuple[Any, None, str]] = [
        (NAMESPACES, None, NAMESPACE),
        (CLUSTERROLES, None, NAME),
        (CLUSTERROLEBINDINGS, None, NAME),
        (INGRESSCLASSES, None, "nginx"),
        (GATEWAYCLASSES, None, "rollout-lab"),
        *((CRDS, None, crd["metadata"]["name"]) for crd in router_crds()),
    ]
    for res, _, name in left[1:]:
        lab.client.delete(res, None, name)
    until("all of it is gone", lambda: not [x for x in left if x[0] is CRDS and there(lab.client, *x)])
    lab.client.delete(CONFIGMAPS, ready.SYSTEM, ready.MARK)  # now it is somebody else's cluster
    try:
        with Lab.start("kind", scenario=scenario("istio", replicas=1), kind=Wanted(cluster)) as borrowed:
            assert borrowed.rollout().wait_for("Healthy", 120)
            made = [x[2] for x in left if there(lab.client, *x)]
            assert made == [x[2] for x in left]
        assert [x[2] for x in left if there(lab.client, *x)] == []
    finally:
        ready.sign(lab.client, cluster)
