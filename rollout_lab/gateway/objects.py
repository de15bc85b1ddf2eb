"""The objects a table is made from, how they are looked up, and what is said about them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]
Key = tuple[str, str]  # (namespace, name)

NGINX_PREFIX = "nginx.ingress.kubernetes.io"
CONTROLLER = "rollout-lab/gateway"
"""How this gateway is named in GatewayClass, IngressClass and the status of routes."""
NGINX_CONTROLLER = "k8s.io/ingress-nginx"
SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Settings:
    """Which classes are this gateway's, and the address it publishes."""

    ingress_controllers: frozenset[str] = frozenset({CONTROLLER, NGINX_CONTROLLER})
    controller: str = CONTROLLER
    annotations: str = NGINX_PREFIX
    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of an object that is not obeyed: which field, and what to do about it."""

    kind: str
    namespace: str
    name: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class World:
    """All objects of one moment by kind. Istio's Gateway is kind ``IstioGateway`` here."""

    kinds: Mapping[str, Sequence[Object]] = field(default_factory=dict)
    services: Mapping[Key, Object] = field(default_factory=dict)

    @staticmethod
    def of(kinds: Mapping[str, Iterable[Object]]) -> World:
        """The older object first, then by name: who claims a host or a path first, keeps it."""
        ordered = {kind: tuple(sorted(found, key=_age)) for kind, found in kinds.items()}
        return World(ordered, {key_of(s): s for s in ordered.get("Service", ())})

    def all(self, kind: str) -> Sequence[Object]:
        return self.kinds.get(kind, ())

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """One object; None where it is not there."""
        return next((o for o in self.all(kind) if key_of(o) == (namespace, name)), None)


def _age(obj: Object) -> tuple[str, str, str]:
    return str(obj["metadata"].get("creationTimestamp") or ""), *key_of(obj)


def key_of(obj: Object) -> Key:
    return str(obj["metadata"].get("namespace") or ""), str(obj["metadata"]["name"])


def annotations_of(obj: Object) -> Mapping[str, str]:
    found: Mapping[str, str] = obj["metadata"].get("annotations") or {}
    return found


def part(obj: Object | None, *path: str) -> dict[str, Any]:
    """An object inside, empty where there is none."""
    found: Any = obj
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def rows(obj: Object | None, *path: str) -> list[dict[str, Any]]:
    """A list of objects inside, empty where there is none."""
    above = part(obj, *path[:-1]) if obj is not None else {}
    found = above.get(path[-1])
    return [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []


def service_port(service: Object, wanted: object) -> dict[str, Any] | None:
    """The port of a Service by number or name; the only one where `wanted` is None."""
    ports = rows(service, "spec", "ports")
    if wanted is None:
        return ports[0] if len(ports) == 1 else None
    return next((p for p in ports if wanted in (p.get("port"), p.get("name") or None)), None)


def regex(text: str) -> re.Pattern[str] | str:
    """A compiled pattern, or why it is none."""
    try:
        return re.compile(text)
    except re.error as error:
        return f'"{text}" is no regular expression: {error}'


def ignored(
    kind: str, key: Key, obj: Mapping[str, Any], known: Iterable[str], where: str, why: str = ""
) -> list[Problem]:
    """A problem for each field of `obj` that is set and not `known`."""
    text = why or "this gateway does not obey this field"
    base = f"{where}." if where else ""
    names = set(known)
    return [Problem(kind, *key, f"{base}{name}", text) for name in sorted(obj) if name not in names]
