"""Warnings about new objects that are accepted all the same. Pure.

# upstream: pkg/api/pod/warnings.go, pkg/api/service/warnings.go, pkg/registry/core/pod/strategy.go
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from rollout_lab.clusters.embedded.resources import PODS, SERVICES, Resource
from rollout_lab.clusters.embedded.schema.quantity import amount as quantity

Object = dict[str, Any]

_OLD_LABELS = {
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
}
_HOSTNAME = (
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
    "a DNS label is recommended: [must not contain dots]"
)


def of(res: Resource, obj: Object) -> list[str]:
    """The warnings a new object earns, without the `299 -` of the header."""
    if res is PODS:
        return list(_pod(obj))
    if res is SERVICES:
        return list(_service(obj))
    return []


def _pod(pod: Object) -> Iterator[str]:
    spec = pod.get("spec") or {}
    if "." in pod["metadata"].get("name", ""):
        yield _HOSTNAME
    for label in spec.get("nodeSelector") or {}:
        if label in _OLD_LABELS:
            since, new = _OLD_LABELS[label]
            yield f'spec.nodeSelector[{label}]: deprecated since {since}; use "{new}" instead'
    for index, container in enumerate(spec.get("containers") or []):
        yield from _container(container, f"spec.containers[{index}]")


def _container(container: Object, where: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, env in enumerate(container.get("env") or []):
        name = env.get("name", "")
        if name in seen:
            hides = f'hides previous definition of "{name}", which may be dropped when using apply'
            yield f"{where}.env[{index}]: {hides}"
        seen.add(name)
    ports: dict[tuple[Any, Any, Any], int] = {}
    for index, port in enumerate(container.get("ports") or []):
        key = (port.get("containerPort"), port.get("protocol"), port.get("hostPort"))
        if key in ports:
            yield f"{where}.ports[{index}]: duplicate port definition with {where}.ports[{ports[key]}]"
        ports.setdefault(key, index)
    resources = container.get("resources") or {}
    for part in ("limits", "requests"):
        amount = (resources.get(part) or {}).get("memory")
        if amount is not None and _fractional(str(amount)):
            text = "is invalid, must be an integer"
            yield f'{where}.resources.{part}[memory]: fractional byte value "{amount}" {text}'


def _fractional(amount: str) -> bool:
    try:
        return quantity(amount) % 1 != 0
    except (ValueError, ArithmeticError):
        return False


def _service(service: Object) -> Iterator[str]:
    for index, text in enumerate((service.get("spec") or {}).get("externalIPs") or []):
        parts = str(text).split(".")
        plain = ".".join(p.lstrip("0") or "0" for p in parts)
        try:
            ipaddress.IPv4Address(plain)
        except ValueError:
            continue
        if plain != text:
            yield (
                f'spec.externalIPs[{index}]: non-standard IP address "{text}" will be considered invalid '
                f'in a future Kubernetes release: use "{plain}"'
            )
