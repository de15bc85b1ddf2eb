"""What Services and EndpointSlices say, as routes a proxy can follow. Pure functions of raw objects.

Nothing here opens a socket or watches anything (`services.py` does).
# upstream: Kubernetes page "Virtual IPs and Service Proxies"; pkg/proxy/endpointslicecache.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rollout_lab.clusters.embedded.network.portmap import Address
from rollout_lab.clusters.embedded.network.proxy import Backend, Route

NODE_ADDRESS = "127.0.0.1"
SERVICE_LABEL = "kubernetes.io/service-name"
DEFAULT_AFFINITY_SECONDS = 10800

Key = tuple[str, str]  # (namespace, name)


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service and where it should listen; `name` is "" when it has none."""

    name: str
    port: int
    cluster: Address | None
    node: Address | None

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every address it should listen at."""
        return tuple(a for a in (self.cluster, self.node) if a is not None)


def service_ports(service: Mapping[str, Any]) -> tuple[ServicePort, ...]:
    """The TCP ports that need listeners; none for headless and ExternalName Services."""
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return ()
    ip = spec.get("clusterIP") or ""
    host = ip if ip.startswith("127.") else ""
    found = []
    for port in spec.get("ports") or []:
        if port.get("protocol", "TCP") != "TCP":
            continue
        number, node = int(port["port"]), int(port.get("nodePort") or 0)
        if not host and not node:
            continue
        found.append(
            ServicePort(
                str(port.get("name") or ""),
                number,
                Address(host, number) if host else None,
                Address(NODE_ADDRESS, node) if node else None,
            )
        )
    return tuple(found)


def affinity_seconds(service: Mapping[str, Any]) -> float:
    """Lab seconds a client stays with its endpoint; 0 without ``sessionAffinity: ClientIP``."""
    spec = service.get("spec") or {}
    if spec.get("sessionAffinity") != "ClientIP":
        return 0.0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return float(config.get("timeoutSeconds") or DEFAULT_AFFINITY_SECONDS)


def service_of(endpoint_slice: Mapping[str, Any]) -> Key | None:
    """The Service a slice belongs to, from its label."""
    meta = endpoint_slice["metadata"]
    name = (meta.get("labels") or {}).get(SERVICE_LABEL)
    return (meta.get("namespace") or "", name) if name else None


def route(port_name: str, slices: Iterable[Mapping[str, Any]], affinity: float = 0.0) -> Route:
    """The endpoints of one Service port over all its slices, without duplicates."""
    found: dict[Address, Backend] = {}
    for piece in slices:
        numbers = [
            int(p["port"])
            for p in piece.get("ports") or []
            if (p.get("name") or "") == port_name and p.get("port") and p.get("protocol", "TCP") == "TCP"
        ]
        for endpoint in piece.get("endpoints") or []:
            conditions = endpoint.get("conditions") or {}
            ready = conditions.get("ready") is not False
            leaving = bool(conditions.get("terminating")) and conditions.get("serving") is not False
            for host in (endpoint.get("addresses") or [])[:1]:
                for number in numbers:
                    address = Address(host, number)
                    if address not in found or ready:
                        found[address] = Backend(address, ready, leaving and not ready)
    return Route(tuple(found[a] for a in sorted(found)), affinity)
