"""Who obeys routes on a real cluster: a controller that is there, else our gateway, brought in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import (
    CRDS,
    DEPLOYMENTS,
    GATEWAYCLASSES,
    INGRESSCLASSES,
    NAMESPACES,
    SERVICES,
    of_object,
)
from rollout_lab.clock import FakeClock, ScaledClock
from rollout_lab.clusters.base import write_kubeconfig
from rollout_lab.clusters.embedded.process import running
from rollout_lab.clusters.traffic import NAME, NAMESPACE
from rollout_lab.errors import LabError
from rollout_lab.gateway.kinds import gateway_class, ingress_class
from rollout_lab.gateway.objects import CONTROLLER
from rollout_lab.lab import parts
from rollout_lab.lab.entrance import MARK, ROUTING, Entrance, gateway_objects
from rollout_lab.lab.gateways import REPORT, Finder, find_gateway
from rollout_lab.lab.installed import Head, Installed
from rollout_lab.lab.parts import Base
from rollout_lab.lab.scenario import load_objects, router_crds
from rollout_lab.observe.gateways import Place
from tests.waiting import there

Json = dict[str, Any]
SPACE = "demo"
SERVED = [o for o in gateway_objects() if not o["kind"].startswith("ClusterRole")]
"""The embedded API server knows no rights; a real one is asked for them in tests/kind."""
INGRESS: Json = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web", "namespace": SPACE},
    "spec": {
        "ingressClassName": "nginx",
        "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}},
    },
}
GATEWAY: Json = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "web", "namespace": SPACE},
    "spec": {
        "gatewayClassName": "rollout-lab",
        "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
    },
}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[KubeClient]:
    """An API server without Pods, as of a cluster somebody else runs."""
    began, stop = threading.Event(), threading.Event()

    def serve() -> None:
        async def body() -> None:
            async with running(controllers=False, kubelet=False) as cluster:
                write_kubeconfig(tmp_path / "kubeconfig", cluster.address, cluster.token)
                began.set()
                await asyncio.to_thread(stop.wait)

        asyncio.run(body())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert began.wait(30)
    found = KubeClient.from_kubeconfig(str(tmp_path / "kubeconfig"))
    found.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    yield found
    found.close()
    stop.set()
    thread.join(30)


def base(client: KubeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("rollout_lab.lab.entrance.gateway_objects", lambda: SERVED)
    installed = Installed.begin(Head(client.context_name, client.server))
    return Base("kind:x", client, ScaledClock(), tmp_path, "", installed=installed)


def runs(client: KubeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no kubelet: every Deployment that is made has a ready Pod at once."""
    wait = parts.wait_deployments

    def ready(client: KubeClient, made: list[Json], who: str) -> None:
        for one in (o for o in made if o["kind"] == "Deployment"):
            status = {"observedGeneration": one["metadata"]["generation"], "readyReplicas": 1, "replicas": 1}
            where = one["metadata"]
            client.patch(
                DEPLOYMENTS, where["namespace"], where["name"], {"status": status}, subresource="status"
            )
        wait(client, made, who)

    monkeypatch.setattr("rollout_lab.lab.entrance.wait_deployments", ready)


def mark(client: KubeClient) -> str:
    """Of the build its Pods are made of."""
    template = client.get(DEPLOYMENTS, NAMESPACE, NAME)["spec"]["template"]
    return str(template["metadata"]["annotations"][MARK])


def test_ours_is_brought_once_where_nobody_is_and_all_of_it_is_written_down(
    client: KubeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects a classroom without internet, and the cluster it borrowed: what was made is written down."""
    runs(client, monkeypatch)
    before = base(client, tmp_path, monkeypatch)
    said: list[tuple[str, str]] = []
    images: list[int] = []
    entrance = Entrance(
        before, lambda: images.append(1) or "build-1", lambda stage, words: said.append((stage, words))
    )
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {}}
    assert entrance.fit(service) == service and not said, "what routes nothing brings nothing"
    assert find_gateway(client, {30880: "127.0.0.1:8800"}) is None
    for obj in (INGRESS, GATEWAY, INGRESS):
        assert entrance.fit(obj) == obj
    assert said[0] == ("gateway", NAME) and images
    assert client.get(INGRESSCLASSES, None, "nginx")["spec"]["controller"] == CONTROLLER
    assert there(client, GATEWAYCLASSES, None, "rollout-lab")
    place = find_gateway(client, {30880: "127.0.0.1:8800"})
    assert place is not None and (place.address, place.status, place.name) == ("127.0.0.1:8800", REPORT, "")
    assert there(client, SERVICES, NAMESPACE, f"{NAME}-status"), "the report is asked there"
    # a second lab, of a newer build
    again = Entrance(before, lambda: "build-2", lambda stage, words: said.append((stage, words)))
    assert mark(client) == "build-1"
    assert again.fit(GATEWAY) == GATEWAY
    assert mark(client) == "build-2", "a newer build of the same tag replaces its Pod"
    assert before.installed is not None
    made = {(row["kind"], row["name"]) for row in before.installed.objects()}
    assert {("CustomResourceDefinition", crd["metadata"]["name"]) for crd in router_crds()} < made
    assert {(o["kind"], o["metadata"]["name"]) for o in SERVED} < made


def test_a_real_controller_is_used_as_it_is(
    client: KubeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects what somebody installed: our objects name its class, nothing of ours comes beside it."""
    parts_of = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
    template = {
        "metadata": {"labels": parts_of},
        "spec": {
            "containers": [{"name": "controller", "image": "registry.k8s.io/ingress-nginx/controller:v1"}]
        },
    }
    spec = {"selector": {"matchLabels": parts_of}, "template": template}
    about = {"name": "ingress-nginx-controller", "namespace": SPACE, "labels": parts_of}
    client.create(
        DEPLOYMENTS, SPACE, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": about, "spec": spec}
    )
    public = {**ingress_class("k8s.io/ingress-nginx"), "metadata": {"name": "public"}}
    client.create(INGRESSCLASSES, None, public)
    said: list[tuple[str, str]] = []
    found = base(client, tmp_path, monkeypatch)
    entrance = Entrance(found, lambda: "build-1", lambda stage, words: said.append((stage, words)))
    assert entrance.fit(INGRESS)["spec"] == {**INGRESS["spec"], "ingressClassName": "public"}
    named = {**INGRESS, "spec": {**INGRESS["spec"], "ingressClassName": "somebody-elses"}}
    assert entrance.fit(named) == named
    assert said == [("gateway.real", "ingress-nginx")] and INGRESS["spec"]["ingressClassName"] == "nginx"
    assert not there(client, NAMESPACES, None, NAMESPACE)
    place = find_gateway(client, {80: "127.0.0.1:8080"})
    assert place is not None and (place.name, place.address, place.status) == (
        "ingress-nginx",
        "127.0.0.1:8080",
        "",
    )


def test_crds_and_classes_that_are_there_are_left_alone(
    client: KubeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects real CRDs: they win over ours, field by field, and stay when the lab goes."""
    runs(client, monkeypatch)
    crds = {crd["metadata"]["name"]: crd for crd in router_crds()}
    theirs = crds["httproutes.gateway.networking.k8s.io"]
    theirs = {**theirs, "metadata": {**theirs["metadata"], "annotations": {"of": "the channel"}}}
    client.create(CRDS, None, theirs)
    client.create(INGRESSCLASSES, None, ingress_class("example.com/other"))
    found = base(client, tmp_path, monkeypatch)
    Entrance(found, lambda: "build-1", lambda stage, words: None).fit(GATEWAY)
    assert client.get(CRDS, None, theirs["metadata"]["name"])["metadata"]["annotations"] == {
        "of": "the channel"
    }
    assert client.get(INGRESSCLASSES, None, "nginx")["spec"]["controller"] == "example.com/other"
    assert found.installed is not None
    names = [row["name"] for row in found.installed.objects()]
    assert theirs["metadata"]["name"] not in names and "nginx" not in names


def test_nothing_of_ours_comes_where_that_is_not_allowed(
    client: KubeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects clusters of others, where our image is not: routes are applied as they are written."""
    found = base(client, tmp_path, monkeypatch)
    assert Entrance(found, None, lambda stage, words: None).fit(GATEWAY) == GATEWAY
    assert not there(client, NAMESPACES, None, NAMESPACE)


def test_a_cluster_of_others_is_not_looked_through_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects a large cluster: who looks on asks twice a second, and each look lists every Service."""
    looks: list[Place | None] = [None, Place("127.0.0.1:1", "", "istio"), None]
    monkeypatch.setattr("rollout_lab.lab.gateways.find_gateway", lambda *_: looks.pop(0))
    clock = FakeClock()
    found = Finder(None, {}, clock, 10.0)  # type: ignore[arg-type]
    assert [found.find() for _ in range(20)] == [None] * 20 and len(looks) == 2
    clock.advance(10.0)
    assert {found.find() for _ in range(20)} == {Place("127.0.0.1:1", "", "istio")} and len(looks) == 1


def test_every_scenario_with_a_router_asks_for_somebody() -> None:
    """Protects scenarios to come: each kind of route they use is one that has a controller."""
    for name in ("nginx", "gatewayapi", "istio"):
        kinds = {
            ROUTING.get((o["apiVersion"].partition("/")[0], o["kind"]))
            for o in load_objects(f"manifests/canary-{name}.yaml")
        }
        assert kinds - {None}
    for obj in gateway_objects():
        assert of_object(obj)
    assert gateway_class()["metadata"]["name"] in {o["metadata"]["name"] for o in gateway_objects()}


def test_a_gateway_that_does_not_start_is_said(
    client: KubeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects from a lab that seems to hang: which Deployment, and where to look."""
    monkeypatch.setattr(parts, "PODS_PATIENCE", 0.1)
    monkeypatch.setattr(parts, "PODS_POLL", 0.05)
    found = base(client, tmp_path, monkeypatch)
    with pytest.raises(LabError, match=f"the gateway in the cluster is not ready.*{NAMESPACE}/{NAME}"):
        Entrance(found, lambda: "build-1", lambda stage, words: None).fit(INGRESS)
