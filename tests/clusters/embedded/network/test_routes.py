"""What a Service and its slices mean for the proxies."""

from __future__ import annotations

from typing import Any

from rollout_lab.clusters.embedded.network.portmap import Address
from rollout_lab.clusters.embedded.network.proxy import Backend
from rollout_lab.clusters.embedded.network.routes import (
    affinity_seconds,
    route,
    service_of,
    service_ports,
)


def piece(*endpoints: dict[str, Any], ports: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    meta = {"namespace": "ns", "name": "s-1", "labels": {"kubernetes.io/service-name": "s"}}
    return {"metadata": meta, "endpoints": list(endpoints), "ports": ports or [{"name": "", "port": 8080}]}


def end(ip: str, **conditions: bool) -> dict[str, Any]:
    return {"addresses": [ip], "conditions": conditions}


def test_ports_of_every_service_type() -> None:
    """Protects which listeners open: ClusterIP, NodePort, none for headless, ExternalName and UDP."""
    ports = [{"name": "a", "port": 80, "nodePort": 30080}, {"name": "b", "port": 53, "protocol": "UDP"}]
    spec = {"clusterIP": "127.96.0.9", "ports": ports}
    (found,) = service_ports({"spec": spec})
    assert (found.cluster, found.node) == (Address("127.96.0.9", 80), Address("127.0.0.1", 30080))
    assert service_ports({"spec": {"clusterIP": "None", "ports": [{"port": 80}]}}) == ()
    assert service_ports({"spec": {"type": "ExternalName", "externalName": "x"}}) == ()


def test_ready_terminating_and_named_ports() -> None:
    """Protects the choice of endpoints: conditions as Kubernetes means them, ports by name."""
    pieces = [
        piece(
            end("127.10.0.1", ready=True),
            end("127.10.0.2", ready=False, serving=True, terminating=True),
            end("127.10.0.3", ready=False, serving=False, terminating=False),
            {"addresses": ["127.10.0.4"]},
            ports=[{"name": "http", "port": 8080}, {"name": "admin", "port": 9}],
        ),
        piece(end("127.10.0.1", ready=True), ports=[{"name": "http", "port": 8080}]),
    ]
    assert route("http", pieces).backends == (
        Backend(Address("127.10.0.1", 8080)),
        Backend(Address("127.10.0.2", 8080), ready=False, terminating=True),
        Backend(Address("127.10.0.3", 8080), ready=False),
        Backend(Address("127.10.0.4", 8080)),
    )
    assert route("other", pieces).backends == ()
    assert service_of(pieces[0]) == ("ns", "s")


def test_affinity_and_its_default() -> None:
    """Protects sessionAffinity: off unless asked for, three hours unless said otherwise."""
    assert affinity_seconds({"spec": {}}) == 0
    assert affinity_seconds({"spec": {"sessionAffinity": "ClientIP"}}) == 10800
    config = {"clientIP": {"timeoutSeconds": 5}}
    assert affinity_seconds({"spec": {"sessionAffinity": "ClientIP", "sessionAffinityConfig": config}}) == 5
