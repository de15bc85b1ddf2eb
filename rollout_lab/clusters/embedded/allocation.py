"""ClusterIPs and node ports: which are taken, and what a Service gets. No sockets (the network listens).

# upstream: pkg/registry/core/service/storage/alloc.go
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.resources import SERVICES

Object = dict[str, Any]

NODE_PORTS = range(30000, 32768)
DRY_RUN_PORT = NODE_PORTS[-1] + 2  # a dry run is shown a port nobody can have


class Allocations:
    """The addresses of all Services. Used inside one synchronous write, so without locks."""

    def __init__(self, cidr: str) -> None:
        self.network = ipaddress.IPv4Network(cidr)
        self.ips: set[str] = set()
        self.ports: set[tuple[str, int]] = set()

    @contextmanager
    def transaction(self, dry: bool = False) -> Iterator[Allocation]:
        """Addresses taken inside the block are given back unless `commit` is called; `dry` for a dry run."""
        attempt = Allocation(self, dry)
        try:
            yield attempt
        finally:
            attempt.rollback()

    def adopt(self, service: Object) -> None:
        """Mark the addresses of a stored Service as taken."""
        spec = service.get("spec") or {}
        self.ips.update(ip for ip in spec.get("clusterIPs") or [] if ip != "None")
        self.ports.update(_node_ports(spec))

    def release(self, service: Object) -> None:
        """Give the addresses of a deleted Service back."""
        spec = service.get("spec") or {}
        self.ips.difference_update(spec.get("clusterIPs") or [])
        self.ports.difference_update(_node_ports(spec))

    def free_ip(self) -> str:
        """A random free address of the upper part of the range (the lower is left for fixed wishes)."""
        size = self.network.num_addresses
        reserved = min(max(16, size // 16), 256) if size > 64 else 0
        for _ in range(64 if size > 2 else 0):
            ip = str(self.network[random.randrange(reserved + 1, size - 1)])
            if ip not in self.ips:
                return ip
        for host in self.network.hosts():
            if str(host) not in self.ips:
                return str(host)
        text = "Internal error occurred: failed to allocate a serviceIP: range is full"
        raise statuses.error(500, "InternalError", text)

    def free_port(self, protocol: str) -> int:
        free = [p for p in NODE_PORTS if (protocol, p) not in self.ports]
        if not free:
            text = "Internal error occurred: failed to allocate a nodePort: range is full"
            raise statuses.error(500, "InternalError", text)
        return random.choice(free)


class Allocation:
    """The addresses one write takes."""

    def __init__(self, pool: Allocations, dry: bool) -> None:
        self.pool = pool
        self.dry = dry
        self._ips: set[str] = set()
        self._ports: set[tuple[str, int]] = set()
        self._drop_ips: set[str] = set()
        self._drop_ports: set[tuple[str, int]] = set()

    def commit(self) -> None:
        self.pool.ips -= self._drop_ips
        self.pool.ports -= self._drop_ports
        self._ips, self._ports = set(), set()

    def rollback(self) -> None:
        self.pool.ips -= self._ips
        self.pool.ports -= self._ports

    def for_create(self, service: Object) -> Object:
        """The Service with the addresses its type needs. Raises 422 for a wish that cannot be met."""
        return self._complete(service, None)

    def for_update(self, new: Object, old: Object) -> Object:
        """As `for_create`, keeping what `old` has where `new` does not say otherwise."""
        spec, before = dict(new.get("spec") or {}), old.get("spec") or {}
        if _has_ip(spec) and _has_ip(before) and not spec.get("clusterIP"):
            spec["clusterIP"] = before.get("clusterIP", "")
            if before.get("clusterIPs") and not spec.get("clusterIPs"):
                spec["clusterIPs"] = before["clusterIPs"]
        for key in ("ipFamilies", "ipFamilyPolicy"):
            if key not in spec and key in before and _has_ip(spec):
                spec[key] = before[key]
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            spec["ports"] = _inherit_ports(spec.get("ports") or [], before.get("ports") or [])
        return self._complete({**new, "spec": spec}, old)

    def _complete(self, service: Object, old: Object | None) -> Object:
        spec = dict(service.get("spec") or {})
        before = (old or {}).get("spec") or {}
        kind = spec.get("type", "ClusterIP")
        if kind != "ExternalName":
            _check_families(service, spec)
        if kind == "ExternalName":
            for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
                spec.pop(key, None)
            self._drop_ips = {ip for ip in before.get("clusterIPs") or [] if ip != "None"}
        else:
            spec = self._with_ip(service, spec, before)
        spec = self._with_ports(service, spec, before)
        return {**service, "spec": spec}

    def _with_ip(self, service: Object, spec: Object, before: Object) -> Object:
        wished = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or []), "")
        kept = before.get("clusterIP")
        if not wished:
            wished = self.pool.free_ip()
            self._take_ip(wished)
        elif wished not in ("None", kept):
            self._wish_ip(service, wished)
        spec["clusterIP"] = wished
        spec["clusterIPs"] = spec.get("clusterIPs") or [wished]
        both = spec["clusterIP"] == "None" and not spec.get("selector")
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
        return spec

    def _wish_ip(self, service: Object, ip: str) -> None:
        name, shown = service["metadata"].get("name", ""), f'["{ip}"]'
        try:
            inside = ipaddress.IPv4Address(ip) in self.pool.network
        except ValueError:
            return
        if not inside:
            detail = f"failed to allocate IP {ip}: the provided network does not match the current range"
        elif ip in self.pool.ips:
            detail = f"failed to allocate IP {ip}: provided IP is already allocated"
        else:
            self._take_ip(ip)
            return
        raise statuses.invalid(SERVICES, name, [statuses.invalid_value("spec.clusterIPs", shown, detail)])

    def _take_ip(self, ip: str) -> None:
        self.pool.ips.add(ip)
        self._ips.add(ip)

    def _with_ports(self, service: Object, spec: Object, before: Object) -> Object:
        wants = spec.get("type") in ("NodePort", "LoadBalancer")
        kept = set(_node_ports(before))
        ports: list[Object] = []
        for index, port in enumerate(spec.get("ports") or []):
            port = dict(port)
            protocol, number = port.get("protocol", "TCP"), port.get("nodePort")
            if not wants:
                if number and (protocol, number) in kept:
                    port.pop("nodePort")
            elif not number:
                number = DRY_RUN_PORT if self.dry else self.pool.free_port(protocol)
                port["nodePort"] = number
                self._take_port(protocol, number)
            elif (protocol, number) not in kept:
                self._wish_port(service, index, protocol, number)
            ports.append(port)
        if "ports" in spec:
            spec["ports"] = ports
        self._drop_ports = kept - set(_node_ports(spec))
        return spec

    def _wish_port(self, service: Object, index: int, protocol: str, number: int) -> None:
        if number not in NODE_PORTS:
            low, high = NODE_PORTS[0], NODE_PORTS[-1]
            detail = f"provided port is not in the valid range. The range of valid ports is {low}-{high}"
        elif (protocol, number) in self.pool.ports:
            if (protocol, number) in self._ports:
                return
            detail = "provided port is already allocated"
        else:
            self._take_port(protocol, number)
            return
        name, where = service["metadata"].get("name", ""), f"spec.ports[{index}].nodePort"
        raise statuses.invalid(SERVICES, name, [statuses.invalid_value(where, str(number), detail)])

    def _take_port(self, protocol: str, number: int) -> None:
        self.pool.ports.add((protocol, number))
        self._ports.add((protocol, number))


def _check_families(service: Object, spec: Object) -> None:
    """Refuse what needs IPv6 addresses. Raises 422."""
    causes = []
    if spec.get("clusterIP") != "None" or spec.get("selector"):
        if spec.get("ipFamilyPolicy") == "RequireDualStack":
            text = "this cluster is not configured for dual-stack services"
            causes.append(statuses.invalid_value("spec.ipFamilyPolicy", '"RequireDualStack"', text))
        for index, family in enumerate(spec.get("ipFamilies") or []):
            if family == "IPv6":
                where = f"spec.ipFamilies[{index}]"
                causes.append(statuses.invalid_value(where, '"IPv6"', "not configured on this cluster"))
    if causes:
        raise statuses.invalid(SERVICES, service["metadata"].get("name", ""), causes)


def _has_ip(spec: Object) -> bool:
    return bool(spec.get("type", "ClusterIP") != "ExternalName")


def _node_ports(spec: Object) -> list[tuple[str, int]]:
    return [(p.get("protocol", "TCP"), p["nodePort"]) for p in spec.get("ports") or [] if p.get("nodePort")]


def _inherit_ports(ports: list[Object], before: list[Object]) -> list[Object]:
    """The node ports of the same (port, protocol) of the earlier Service, where none is asked for."""
    known = {(p.get("port"), p.get("protocol", "TCP")): p.get("nodePort") for p in before}
    taken = {p.get("nodePort") for p in ports if p.get("nodePort")}
    out = []
    for port in ports:
        number = known.get((port.get("port"), port.get("protocol", "TCP")))
        if not port.get("nodePort") and number and number not in taken:
            port = {**port, "nodePort": number}
            taken.add(number)
        out.append(port)
    return out
