"""A cluster with two versions behind two Services, objects that route to them, and counted requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.clusters.embedded.kubelet import KubeletOptions
from rollout_lab.clusters.embedded.resources import REPLICASETS
from tests.clusters.embedded.kubelet.bench import Bench, bench
from tests.clusters.embedded.network.test_services import replica_set

STABLE, CANARY = "v1.0.0", "v2.0.0"
NGINX = "nginx.ingress.kubernetes.io"
OPTIONS = KubeletOptions(pod_start_delay=0.0, pod_start_stagger=0.0, gateway_port=0)


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
) -> Load:
    """`n` requests to the gateway over `parallel` kept connections."""
    address, found = b.node.gateway.address, into or Load()
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
