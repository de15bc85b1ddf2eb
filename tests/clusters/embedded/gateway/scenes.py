"""A cluster with two versions behind two Services, objects that route to them, and counted requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.clusters.embedded.kubelet import KubeletOptions
from rollout_lab.clusters.embedded.resources import CRDS, REPLICASETS, Resource
from rollout_lab.lab.scenario import router_crds
from tests.clusters.embedded.kubelet.bench import Bench, bench
from tests.clusters.embedded.network.test_services import replica_set

STABLE, CANARY = "v1.0.0", "v2.0.0"
NGINX = "nginx.ingress.kubernetes.io"
OPTIONS = KubeletOptions(pod_start_delay=0.0, pod_start_stagger=0.0, gateway_port=0, seed=2234)


@contextlib.asynccontextmanager
async def two_versions(replicas: int = 2, options: KubeletOptions = OPTIONS) -> AsyncIterator[Bench]:
    """Services ``stable`` (1.0.0) and ``canary`` (2.0.0), each over ready Pods; ``both`` over all."""
    async with bench(options=options) as b:
        for version in ("1.0.0", "2.0.0"):
            b.api.create(REPLICASETS, "default", replica_set(version, replicas))
        b.service("stable", {"app": "web", "version": "1.0.0"})
        b.service("canary", {"app": "web", "version": "2.0.0"})
        b.service("both", {"app": "web"})
        await b.until(lambda: _all_ready(b), "all Pods are ready", 30)
        yield b


def _all_ready(b: Bench) -> bool:
    sets, _ = b.api.list(REPLICASETS, "default")
    return all(s["status"].get("readyReplicas", 0) == s["spec"]["replicas"] for s in sets)


def ingress(
    name: str, service: str, annotations: Mapping[str, str] | None = None, **path: Any
) -> dict[str, Any]:
    """An Ingress of class nginx for every host; `annotations` without their prefix."""
    host = path.pop("host", None)
    backend = {"service": {"name": service, "port": {"number": 80}}}
    one = {"path": "/", "pathType": "Prefix", "backend": backend, **path}
    rule = {"http": {"paths": [one]}, **({"host": host} if host else {})}
    notes = {f"{NGINX}/{key}": value for key, value in (annotations or {}).items()}
    about = {"name": name, "namespace": "default", "annotations": notes}
    return {"metadata": about, "spec": {"ingressClassName": "nginx", "rules": [rule]}}


def route(b: Bench, name: str) -> dict[str, Any]:
    """The first row of the gateway's report about an object; {} before there is one."""
    return next((r for r in b.node.gateway.report()["routes"] if r["name"] == name), {})


async def routed(b: Bench, name: str, weights: list[float]) -> None:
    """Until the gateway works by these weights, and every backend with one has endpoints."""

    def holds() -> bool:
        rows = [r for r in route(b, name).get("backends", []) if r["role"] != "mirror"]
        return [r["weight"] for r in rows] == weights and all(r["ready"] for r in rows)

    await b.until(holds, f"{name} routes {weights}", 30)


@dataclass
class Load:
    """What came back: answers by text, and what failed."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    stopping: bool = False

    @property
    def count(self) -> int:
        return self.answers.total() + len(self.failures)

    @property
    def canaries(self) -> int:
        return self.answers[CANARY]


def raw(address: str, path: str, headers: Mapping[str, str], method: str = "GET") -> bytes:
    """A request as bytes, on a connection that stays."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in {"Host": address, **headers}.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def ask(
    b: Bench,
    n: int,
    *,
    path: str = "/version",
    headers: Mapping[str, str] | None = None,
    parallel: int = 8,
    into: Load | None = None,
    address: str = "",
) -> Load:
    """`n` requests to the gateway (or another `address`) over `parallel` kept connections."""
    address, found = address or b.node.gateway.address, into or Load()
    request, left = raw(address, path, headers or {}), iter(range(n))

    async def client() -> None:
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            for _ in left:
                if found.stopping:
                    return
                writer.write(request)
                await _read(reader, found)
        finally:
            writer.close()

    await asyncio.gather(*(client() for _ in range(parallel)))
    return found


async def _read(reader: asyncio.StreamReader, found: Load) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    size = next(int(line.split(":")[1]) for line in head if line.lower().startswith("content-length:"))
    body = (await reader.readexactly(size)).decode()
    if head[0].split()[1] == "200":
        found.answers[body.split()[-1]] += 1
    else:
        found.failures.append(f"{head[0]} {body}")


def with_kinds(b: Bench) -> None:
    """Serve the Gateway API's and Istio's kinds, from the CRDs of the project."""
    for crd in router_crds():
        b.api.create(CRDS, None, crd)


def custom(b: Bench, obj: dict[str, Any]) -> Resource:
    """The resource of a custom object."""
    found = b.api.registry.by_kind(obj["apiVersion"], obj["kind"])
    assert found is not None
    return found


def create(b: Bench, obj: dict[str, Any]) -> dict[str, Any]:
    return b.api.create(custom(b, obj), "default", obj)


def change(b: Bench, obj: dict[str, Any], spec: dict[str, Any]) -> None:
    b.api.patch(custom(b, obj), "default", obj["metadata"]["name"], {"spec": spec}, "merge")


GATEWAY = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "web"},
    "spec": {
        "gatewayClassName": "rollout-lab",
        "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
    },
}
SUBSETS = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "DestinationRule",
    "metadata": {"name": "web"},
    "spec": {
        "host": "both",
        "subsets": [
            {"name": "stable", "labels": {"version": "1.0.0"}},
            {"name": "canary", "labels": {"version": "2.0.0"}},
        ],
    },
}


def http_route(canary: int, *, hosts: list[str] | None = None, **rule: Any) -> dict[str, Any]:
    """An HTTPRoute whose only rule splits between the two Services."""
    backends = [
        {"name": "stable", "port": 80, "weight": 100 - canary},
        {"name": "canary", "port": 80, "weight": canary},
    ]
    spec: dict[str, Any] = {"parentRefs": [{"name": "web"}], "rules": [{**rule, "backendRefs": backends}]}
    if hosts:
        spec["hostnames"] = hosts
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "web"},
        "spec": spec,
    }


def virtual_service(canary: int, *, host: str = "*", subsets: bool = True, **http: Any) -> dict[str, Any]:
    """A VirtualService whose only route splits between two subsets of one Service, or two Services."""
    names = [{"host": "both", "subset": s} if subsets else {"host": s} for s in ("stable", "canary")]
    weights = (100 - canary, canary)
    route = [{"destination": d, "weight": w} for d, w in zip(names, weights, strict=True)]
    spec = {"hosts": [host], "http": [{"name": "primary", **http, "route": route}]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "web"},
        "spec": spec,
    }
