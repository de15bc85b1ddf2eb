"""The rules of Services, Endpoints and EndpointSlices that need only the object.

Addresses that are taken or out of range are the allocator's business.
# upstream: pkg/apis/core/validation/validation.go::ValidateService, pkg/apis/discovery/validation
"""

from __future__ import annotations

from typing import Any

from . import causes, container_rules, meta_rules, names
from .causes import Cause, Raw

Object = dict[str, Any]

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")


def service(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type") or "", spec.get("ports") or []
    headless = spec.get("clusterIP") == "None" or (spec.get("clusterIPs") or [""])[0] == "None"
    found: list[Cause] = []
    if not ports and not headless and kind != "ExternalName":
        found.append(causes.required("spec.ports"))
    if headless and kind in ("NodePort", "LoadBalancer"):
        detail = f"may not be set to 'None' for {kind} services"
        found.append(causes.invalid("spec.clusterIPs[0]", "None", detail))
    if kind == "ExternalName":
        found += _external_name(spec)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        found += _port(port, f"spec.ports[{index}]", len(ports) > 1, seen)
    found += meta_rules.label_map(spec.get("selector"), "spec.selector")
    found += container_rules.choice(spec.get("sessionAffinity"), "spec.sessionAffinity", ("ClientIP", "None"))
    found += _affinity_time(spec)
    for index, ip in enumerate(spec.get("externalIPs") or []):
        found += [causes.invalid(f"spec.externalIPs[{index}]", ip, text) for text in names.ip_address(ip)]
    found += container_rules.choice(kind, "spec.type", _TYPES)
    if kind == "ClusterIP":
        for index, port in enumerate(ports):
            if port.get("nodePort"):
                detail = "may not be used when `type` is 'ClusterIP'"
                found.append(causes.forbidden(f"spec.ports[{index}].nodePort", detail))
    return found + _repeated(ports) + _traffic(spec, kind)


def service_update(new: Object, old: Object) -> list[Cause]:
    """A ClusterIP stays as long as the Service has one; leaving it out means keeping it."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return []
    had = before.get("clusterIPs") or []
    ips = spec.get("clusterIPs") or []
    if ips == had and spec.get("clusterIP") not in (None, "", before.get("clusterIP")):
        ips = [spec["clusterIP"]]
    if had and ips and ips[0] != had[0]:
        return [causes.invalid("spec.clusterIPs[0]", ips, "may not change once set")]
    return []


def endpoints(obj: Object) -> list[Cause]:
    found: list[Cause] = []
    for index, subset in enumerate(obj.get("subsets") or []):
        where = f"subsets[{index}]"
        addresses = subset.get("addresses") or []
        if not addresses and not subset.get("notReadyAddresses"):
            detail = "must specify `addresses` or `notReadyAddresses`"
            found.append(causes.required(where, detail))
        for kind in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(subset.get(kind) or []):
                ip = address.get("ip") or ""
                field = f"{where}.{kind}[{number}].ip"
                found += [causes.invalid(field, ip, text) for text in names.ip_address(ip)]
        ports = subset.get("ports") or []
        for number, port in enumerate(ports):
            field = f"{where}.ports[{number}]"
            if len(ports) > 1 and not port.get("name"):
                found.append(causes.required(f"{field}.name"))
            elif name := port.get("name"):
                found += [causes.invalid(f"{field}.name", name, text) for text in names.dns_label(name)]
            found += container_rules.port_number(port.get("port"), f"{field}.port")
            found += container_rules.choice(
                port.get("protocol"), f"{field}.protocol", container_rules.PROTOCOLS
            )
    return found


def endpoint_slice(obj: Object) -> list[Cause]:
    kinds = ("FQDN", "IPv4", "IPv6")
    kind = obj.get("addressType") or ""
    found = container_rules.choice(kind, "addressType", kinds)
    if len(obj.get("endpoints") or []) > 1000:
        found.append(causes.too_many("endpoints", len(obj["endpoints"]), 1000))
    for index, endpoint in enumerate(obj.get("endpoints") or []):
        addresses = endpoint.get("addresses") or []
        field = f"endpoints[{index}].addresses"
        if not addresses:
            found.append(causes.required(field, "must contain at least 1 address"))
        for number, address in enumerate(addresses):
            rule = names.dns_subdomain if kind == "FQDN" else names.ip_address
            found += [causes.invalid(f"{field}[{number}]", address, text) for text in rule(address)]
    seen: set[str] = set()
    for index, port in enumerate(obj.get("ports") or []):
        name = port.get("name") or ""
        if name:
            found += [causes.invalid(f"ports[{index}].name", name, text) for text in names.dns_label(name)]
        if name in seen:
            found.append(causes.duplicate(f"ports[{index}].name", name))
        seen.add(name)
        found += container_rules.choice(
            port.get("protocol"), f"ports[{index}].protocol", container_rules.PROTOCOLS
        )
    return found


def endpoint_slice_update(new: Object, old: Object) -> list[Cause]:
    if new.get("addressType") == old.get("addressType"):
        return []
    return [causes.invalid("addressType", new.get("addressType") or "", meta_rules.IMMUTABLE)]


def _external_name(spec: Object) -> list[Cause]:
    found: list[Cause] = []
    for key in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(key):
            found.append(causes.forbidden(f"spec.{key}", "may not be set for ExternalName services"))
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return [*found, causes.required("spec.externalName")]
    return found + [causes.invalid("spec.externalName", name, text) for text in names.dns_subdomain(name)]


def _port(port: Object, field: str, several: bool, seen: set[str]) -> list[Cause]:
    found: list[Cause] = []
    name = port.get("name") or ""
    if several and not name:
        found.append(causes.required(f"{field}.name"))
    elif name:
        found += [causes.invalid(f"{field}.name", name, text) for text in names.dns_label(name)]
        if name in seen:
            found.append(causes.duplicate(f"{field}.name", name))
        seen.add(name)
    found += container_rules.port_number(port.get("port"), f"{field}.port")
    found += container_rules.choice(port.get("protocol"), f"{field}.protocol", container_rules.PROTOCOLS)
    found += container_rules.port_reference(port.get("targetPort", 0), f"{field}.targetPort")
    if protocol := port.get("appProtocol"):
        texts = names.qualified_name(protocol)
        found += [causes.invalid(f"{field}.appProtocol", protocol, text) for text in texts]
    return found


def _affinity_time(spec: Object) -> list[Cause]:
    config = spec.get("sessionAffinityConfig")
    field = "spec.sessionAffinityConfig"
    if spec.get("sessionAffinity") == "None" and config:
        detail = "must not be set when session affinity is None"
        return [causes.forbidden(field, detail)]
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is not None and not 0 < seconds <= 86400:
        detail = "must be greater than 0 and less than 86400"
        return [causes.invalid(f"{field}.clientIP.timeoutSeconds", seconds, detail)]
    return []


def _repeated(ports: list[Object]) -> list[Cause]:
    """The same node port, or the same port, twice with one protocol."""
    found: list[Cause] = []
    node_ports: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        number, protocol = port.get("nodePort"), port.get("protocol")
        if number:
            if (protocol, number) in node_ports:
                found.append(causes.duplicate(f"spec.ports[{index}].nodePort", number))
            node_ports.add((protocol, number))
    seen: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            shown = (
                f'{{"Name":"","Protocol":"{key[0]}","AppProtocol":null,'
                f'"Port":{key[1]},"TargetPort":0,"NodePort":0}}'
            )
            found.append(causes.duplicate(f"spec.ports[{index}]", Raw(shown)))
        seen.add(key)
    return found


def _traffic(spec: Object, kind: str) -> list[Cause]:
    found: list[Cause] = []
    outside = spec.get("externalTrafficPolicy")
    reachable = kind in ("NodePort", "LoadBalancer") or (
        kind == "ClusterIP" and bool(spec.get("externalIPs"))
    )
    if outside:
        if not reachable:
            detail = "may only be set for externally-accessible services"
            found.append(causes.invalid("spec.externalTrafficPolicy", outside, detail))
        elif outside not in ("Cluster", "Local"):
            allowed = ("Cluster", "Local")
            found.append(causes.not_supported("spec.externalTrafficPolicy", outside, allowed))
    inside = spec.get("internalTrafficPolicy")
    if inside is not None and inside not in ("Cluster", "Local"):
        found.append(causes.not_supported("spec.internalTrafficPolicy", inside, ("Cluster", "Local")))
    return found
