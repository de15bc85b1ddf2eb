"""Which controller a cluster has: tables of objects as the installers of each write them.

No real one could be run here (no registry): the objects are made after the manifests and pages of
ingress-nginx, Envoy Gateway, Istio and cloud-provider-kind.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollout_lab.clusters.traffic import NAME, NAMESPACE, Controller, Seen, Who, choose, controllers, entry

Json = dict[str, Any]


def workload(namespace: str, name: str, labels: dict[str, str], ready: int = 1, *args: str) -> Json:
    spec = {"template": {"spec": {"containers": [{"name": "c", "args": list(args)}]}}}
    about = {"namespace": namespace, "name": name, "labels": labels}
    return {"kind": "Deployment", "metadata": about, "spec": spec, "status": {"readyReplicas": ready}}


def service(namespace: str, name: str, labels: dict[str, str], *ports: tuple[str, int, int]) -> Json:
    rows = [{"name": n, "port": p, "nodePort": node} for n, p, node in ports]
    return {"metadata": {"namespace": namespace, "name": name, "labels": labels}, "spec": {"ports": rows}}


def ingress_class(name: str, controller: str) -> Json:
    return {"metadata": {"name": name}, "spec": {"controller": controller}}


def gateway_class(name: str, controller: str, accepted: bool = True) -> Json:
    status = {"conditions": [{"type": "Accepted", "status": str(accepted)}]}
    return {"metadata": {"name": name}, "spec": {"controllerName": controller}, "status": status}


def gateway(name: str, cls: str, address: str = "") -> Json:
    spec = {"gatewayClassName": cls, "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}
    status = {"addresses": [{"type": "IPAddress", "value": address}]} if address else {}
    return {"metadata": {"namespace": "demo", "name": name}, "spec": spec, "status": status}


PARTS = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
NGINX = Seen(
    ingress_classes=[ingress_class("nginx", "k8s.io/ingress-nginx")],
    workloads=[workload("ingress-nginx", "ingress-nginx-controller", PARTS)],
    services=[
        service("ingress-nginx", "ingress-nginx-controller-admission", PARTS, ("https-webhook", 443, 0)),
        service(
            "ingress-nginx", "ingress-nginx-controller", PARTS, ("http", 80, 30080), ("https", 443, 30443)
        ),
    ],
)
ENVOY = Seen(
    gateway_classes=[gateway_class("eg", "gateway.envoyproxy.io/gatewayclass-controller")],
    gateways=[gateway("web", "eg"), gateway("other", "else")],
    workloads=[workload("envoy-gateway-system", "envoy-gateway", {"control-plane": "envoy-gateway"})],
    services=[
        service(
            "envoy-gateway-system", "envoy-gateway", {"control-plane": "envoy-gateway"}, ("grpc", 18000, 0)
        ),
        service(
            "envoy-gateway-system",
            "envoy-demo-web-1a2b3c4d",
            {
                "gateway.envoyproxy.io/owning-gateway-name": "web",
                "gateway.envoyproxy.io/owning-gateway-namespace": "demo",
            },
            ("http-80", 80, 31080),
        ),
    ],
)
ISTIO = Seen(
    gateway_classes=[gateway_class("istio", "istio.io/gateway-controller")],
    gateways=[gateway("web", "istio")],
    workloads=[
        workload("istio-system", "istiod", {"app": "istiod", "istio": "pilot"}),
        workload("istio-system", "istio-ingressgateway", {"app": "istio-ingressgateway"}),
    ],
    services=[
        service("istio-system", "istiod", {"app": "istiod"}, ("grpc-xds", 15010, 0)),
        service(
            "istio-system",
            "istio-ingressgateway",
            {"app": "istio-ingressgateway", "istio": "ingressgateway"},
            ("status-port", 15021, 31021),
            ("http2", 80, 32080),
            ("https", 443, 32443),
        ),
    ],
)
CLOUD = Seen(
    ingress_classes=[ingress_class("cloud-provider-kind", "kind.sigs.k8s.io/ingress-controller")],
    gateway_classes=[gateway_class("cloud-provider-kind", "kind.sigs.k8s.io/gateway-controller")],
    gateways=[gateway("web", "cloud-provider-kind", "172.18.0.7")],
)
OURS = Seen(
    ingress_classes=[ingress_class("nginx", "rollout-lab/gateway")],
    gateway_classes=[gateway_class("rollout-lab", "rollout-lab/gateway")],
    workloads=[workload(NAMESPACE, NAME, {})],
    services=[service(NAMESPACE, NAME, {}, ("http", 80, 30880))],
)
MAPPED = {80: "127.0.0.1:80", 30880: "127.0.0.1:8800", 32080: "127.0.0.1:2", 31080: "127.0.0.1:3"}
INGRESS, ROUTE, VIRTUAL = "Ingress", "HTTPRoute", "VirtualService"


def together(*seen: Seen) -> Seen:
    """A cluster that has all of it."""
    names = ("ingress_classes", "gateway_classes", "gateways", "workloads", "services")
    return Seen(**{name: [o for one in seen for o in getattr(one, name)] for name in names})


@pytest.mark.parametrize(
    ("seen", "who", "obeys", "address"),
    [
        (NGINX, Who.NGINX, {INGRESS: "nginx"}, "127.0.0.1:80"),
        (ENVOY, Who.ENVOY, {ROUTE: "eg"}, "127.0.0.1:3"),
        (ISTIO, Who.ISTIO, {VIRTUAL: "", ROUTE: "istio"}, "127.0.0.1:2"),
        (CLOUD, Who.CLOUD, {ROUTE: "cloud-provider-kind"}, "172.18.0.7:80"),
        (OURS, Who.OURS, {INGRESS: "nginx", ROUTE: "rollout-lab", VIRTUAL: ""}, "127.0.0.1:8800"),
        (replace(ISTIO, gateway_classes=[]), Who.ISTIO, {VIRTUAL: ""}, "127.0.0.1:2"),
        (replace(ENVOY, gateway_classes=[]), Who.ENVOY, {}, ""),
        (replace(NGINX, ingress_classes=[]), Who.NGINX, {}, "127.0.0.1:80"),
    ],
)
def test_each_controller_is_known_by_what_its_installer_writes(
    seen: Seen, who: Who, obeys: dict[str, str], address: str
) -> None:
    """Protects "a real one is used where it is there": who it is, which class to name, where to ask."""
    (found,) = controllers(seen)
    assert (found.who, dict(found.obeys), found.ready) == (who, obeys, True)
    assert entry(found, seen, MAPPED) == address
    assert entry(found, replace(seen, gateways=[], services=[]), {}) == ""


def test_a_class_without_its_controller_counts_for_nothing() -> None:
    """Protects from what a removed controller leaves behind, and from other people's classes and programs."""
    assert controllers(Seen()) == ()
    assert controllers(Seen(ingress_classes=NGINX.ingress_classes)) == ()
    left = [gateway_class("eg", "gateway.envoyproxy.io/gatewayclass-controller", accepted=False)]
    assert controllers(Seen(gateway_classes=left)) == ()
    assert (
        controllers(Seen(workloads=[workload("demo", NAME, {}), workload("demo", "web", {"app": "web"})]))
        == ()
    )
    admission = {**PARTS, "app.kubernetes.io/component": "admission-webhook"}
    assert controllers(Seen(workloads=[workload("ingress-nginx", "job", admission)])) == ()


def test_a_controller_without_pods_is_there_and_not_ready() -> None:
    """Protects the doctor's words: installed and broken is not the same as absent."""
    broken = replace(NGINX, workloads=[workload("ingress-nginx", "ingress-nginx-controller", PARTS, 0)])
    assert [(c.who, c.ready) for c in controllers(broken)] == [(Who.NGINX, False)]
    daemon = {**NGINX.workloads[0], "kind": "DaemonSet", "status": {"numberReady": 1}}
    assert [c.ready for c in controllers(replace(NGINX, workloads=[daemon]))] == [True]
    refused = replace(
        CLOUD, gateway_classes=[gateway_class("c", "kind.sigs.k8s.io/gateway-controller", False)]
    )
    assert [c.ready for c in controllers(refused)] == [False]


def test_a_second_ingress_nginx_has_a_class_of_its_own() -> None:
    """Protects clusters with an internal controller: its flag names the class that is its."""
    flag = "--controller-class=k8s.io/internal"
    seen = replace(
        NGINX,
        ingress_classes=[*NGINX.ingress_classes, ingress_class("internal", "k8s.io/internal")],
        workloads=[workload("ingress-nginx", "internal", PARTS, 1, "/nginx-ingress-controller", flag)],
    )
    assert controllers(seen)[0].obeys == {INGRESS: "internal"}


@pytest.mark.parametrize(
    ("seen", "chosen"),
    [
        (together(), (None, None, None)),
        (OURS, (Who.OURS, Who.OURS, Who.OURS)),
        (NGINX, (Who.NGINX, None, None)),
        (together(OURS, NGINX), (Who.NGINX, Who.OURS, Who.OURS)),
        (together(OURS, CLOUD), (Who.OURS, Who.CLOUD, Who.OURS)),
        (together(OURS, ISTIO), (Who.OURS, Who.ISTIO, Who.ISTIO)),
        (together(OURS, ENVOY, ISTIO, NGINX), (Who.NGINX, Who.ENVOY, Who.ISTIO)),
    ],
)
def test_a_real_one_wins_for_what_it_obeys_and_ours_does_the_rest(
    seen: Seen, chosen: tuple[Who | None, ...]
) -> None:
    """Protects the choice by kind: cloud-provider-kind knows no canary Ingress, Envoy no VirtualService."""

    def who(one: Controller | None) -> Who | None:
        return one.who if one is not None else None

    found = controllers(seen)
    assert tuple(who(choose(found, kind)) for kind in (INGRESS, ROUTE, VIRTUAL)) == chosen
