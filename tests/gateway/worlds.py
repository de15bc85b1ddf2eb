"""Small clusters as raw objects, and requests, for tests of what a gateway decides."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import yaml

from rollout_lab.gateway.choose import Decision, choose
from rollout_lab.gateway.compile import Compiled, compile_table
from rollout_lab.gateway.counts import name_of
from rollout_lab.gateway.objects import Settings, World
from rollout_lab.gateway.table import Request

SETTINGS = Settings(port=8800)
CLASS = {"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}
GATEWAY_CLASS = {"metadata": {"name": "lab"}, "spec": {"controllerName": SETTINGS.controller}}
GATEWAY = {
    "metadata": {"name": "gw", "namespace": "demo", "generation": 1},
    "spec": {"gatewayClassName": "lab", "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]},
}


def service(name: str, ip: str, **labels: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A Service on port 80, its slice with one ready Pod at `ip`, and that Pod."""
    where = {"namespace": "demo"}
    made = {"metadata": {"name": name, **where}, "spec": {"ports": [{"name": "http", "port": 80}]}}
    target = {"kind": "Pod", "name": f"{name}-pod", **where}
    piece = {
        "metadata": {"name": f"{name}-x", "labels": {"kubernetes.io/service-name": name}, **where},
        "endpoints": [{"addresses": [ip], "conditions": {"ready": True}, "targetRef": target}],
        "ports": [{"name": "http", "port": 8080}],
    }
    return made, piece, {"metadata": {"name": f"{name}-pod", "labels": labels, **where}}


def compiled(names: Iterable[str] = ("stable", "canary"), **kinds: Any) -> Compiled:
    """A table of Services `names` and objects by kind: lists of dicts, or YAML of one or more documents."""
    found: dict[str, list[dict[str, Any]]] = {"IngressClass": [CLASS], "GatewayClass": [GATEWAY_CLASS]}
    found["Gateway"] = [GATEWAY]
    for number, name in enumerate(names):
        for kind, obj in zip(
            ("Service", "EndpointSlice", "Pod"), service(name, f"10.0.0.{number}", app=name), strict=True
        ):
            found.setdefault(kind, []).append(obj)
    for kind, given in kinds.items():
        listed = list(yaml.safe_load_all(given)) if isinstance(given, str) else given
        for obj in listed:
            obj["metadata"].setdefault("namespace", "demo")
        found[kind] = [*found.get(kind, []), *listed] if kind in ("Service", "EndpointSlice") else listed
    return compile_table(World.of(found), SETTINGS)


def grid(n: int = 1) -> Callable[[], float]:
    """Numbers in the middle of `n` equal parts of 0 to 1, over and over."""
    return itertools.cycle((k + 0.5) / n for k in range(n)).__next__


def request(path: str = "/", *, host: str = "a.example", method: str = "GET", **headers: str) -> Request:
    """A request; `_` in a header's name stands for `-`."""
    plain, _, query = path.partition("?")
    return Request(method, host, plain, query, {k.replace("_", "-"): v for k, v in headers.items()})


def taken(table: Compiled, wanted: Request, draw: Callable[[], float] | None = None) -> str:
    """The backend's name, or the status in its place."""
    found: Decision = choose(table.table, wanted, draw or grid())
    return name_of(found.backend) if found.backend and not found.status else str(found.status)


def said(table: Compiled) -> list[str]:
    """The problems as ``kind name field``."""
    return [f"{p.kind} {p.name} {p.field}" for p in table.problems]
