"""What the server warns about without refusing: the texts of ``Warning`` headers for built-in kinds.

# upstream: pkg/api/pod/warnings.go, pkg/api/service/warnings.go
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import names, quantity

Object = dict[str, Any]

_OLD_LABELS = {
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
}
_TEMPLATES = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"})


def warnings(obj: Object, old: Object | None = None) -> list[str]:
    """The warnings for a new object, or for `obj` as the successor of `old` where its spec changed."""
    if old is not None and old.get("spec") == obj.get("spec"):
        return []
    kind, group = obj.get("kind"), str(obj.get("apiVersion", "")).rpartition("/")[0]
    spec = obj.get("spec") or {}
    if kind == "Pod" and not group:
        found = list(_pod_name(obj)) if old is None else []
        return found + list(_pod(spec, "spec"))
    if kind == "Service" and not group:
        return list(_service(spec))
    if kind in _TEMPLATES and group in ("apps", "batch"):
        return list(_pod((spec.get("template") or {}).get("spec") or {}, "spec.template.spec"))
    return []


def _pod_name(pod: Object) -> Iterator[str]:
    name = (pod.get("metadata") or {}).get("name") or ""
    problems = ["must not contain dots"] if "." in name else []
    if len(name) > 63:
        problems.append(names.too_long(63))
    if problems:
        yield (
            "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
            f"a DNS label is recommended: [{', '.join(problems)}]"
        )


def _pod(spec: Object, field: str) -> Iterator[str]:
    for label in sorted(spec.get("nodeSelector") or {}):
        if label in _OLD_LABELS:
            since, instead = _OLD_LABELS[label]
            yield f'{field}.nodeSelector[{label}]: deprecated since {since}; use "{instead}" instead'
    ports: dict[tuple[Any, Any], str] = {}
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or []):
            yield from _container(container, f"{field}.{kind}[{index}]", ports)


def _container(container: Object, field: str, ports: dict[tuple[Any, Any], str]) -> Iterator[str]:
    for part in ("limits", "requests"):
        for name, amount in sorted(((container.get("resources") or {}).get(part) or {}).items()):
            whole = quantity.amount(amount)
            if name in ("memory", "ephemeral-storage") and whole != whole.to_integral_value():
                where = f"{field}.resources.{part}[{name}]"
                yield f'{where}: fractional byte value "{amount}" is invalid, must be an integer'
    seen: set[str] = set()
    for index, env in enumerate(container.get("env") or []):
        name = env.get("name") or ""
        if name in seen:
            hides = f'hides previous definition of "{name}", which may be dropped when using apply'
            yield f"{field}.env[{index}]: {hides}"
        seen.add(name)
    for index, port in enumerate(container.get("ports") or []):
        key, where = (port.get("containerPort"), port.get("protocol")), f"{field}.ports[{index}]"
        if key in ports:
            yield f"{where}: duplicate port definition with {ports[key]}"
        ports.setdefault(key, where)


def _service(spec: Object) -> Iterator[str]:
    for index, ip in enumerate(spec.get("externalIPs") or []):
        parts = ip.split(".")
        if len(parts) == 4 and all(p.isdigit() for p in parts) and any(p != str(int(p)) for p in parts):
            plain = ".".join(str(int(p)) for p in parts)
            yield (
                f'spec.externalIPs[{index}]: non-standard IP address "{ip}" will be considered invalid in a '
                f'future Kubernetes release: use "{plain}"'
            )
