"""A cluster in this process for the tests of kubelet and network: Api, controllers, node, and callers."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.clock import ScaledClock
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.bootstrap import prepare
from rollout_lab.clusters.embedded.controllers import Controllers
from rollout_lab.clusters.embedded.kubelet import KubeletOptions, Node
from rollout_lab.clusters.embedded.resources import EVENTS, PODS, SERVICES

QUICK = KubeletOptions(pod_start_delay=0.0, pod_start_stagger=0.0)
PROBES = {
    kind: {"httpGet": {"path": path, "port": 8080}, "periodSeconds": 1}
    for kind, path in (("startupProbe", "/startup"), ("readinessProbe", "/readiness"))
}


@dataclass
class Bench:
    """The parts, and what tests ask of them."""

    api: Api
    node: Node
    clock: ScaledClock

    async def until(self, holds: Callable[[], Any], what: str = "", seconds: float = 10.0) -> Any:
        """Poll until `holds()` is true; its value. Fails after so many wall seconds."""
        end = asyncio.get_running_loop().time() + seconds
        while not (value := holds()):
            assert asyncio.get_running_loop().time() < end, f"never: {what or holds}"
            await asyncio.sleep(0.005)
        return value

    def pod(self, name: str, image: str = "1pro/api-tester:1.0.0", **container: Any) -> dict[str, Any]:
        """Create a Pod of one container ``app``; keyword `spec` and `labels` go to the Pod."""
        spec = container.pop("spec", {})
        labels = container.pop("labels", {"app": name})
        app = {"name": "app", "image": image, "ports": [{"containerPort": 8080, "name": "http"}], **container}
        body = {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [app], **spec}}
        return self.api.create(PODS, "default", body)

    def service(self, name: str, selector: dict[str, str], **spec: Any) -> dict[str, Any]:
        ports = spec.pop("ports", [{"port": 80, "targetPort": "http"}])
        body = {"metadata": {"name": name}, "spec": {"selector": selector, "ports": ports, **spec}}
        return self.api.create(SERVICES, "default", body)

    def find(self, name: str) -> dict[str, Any] | None:
        return self.api.find(PODS, "default", name)

    def status(self, name: str) -> dict[str, Any]:
        """The status of the Pod's first container; {} before there is one."""
        statuses = self.api.get(PODS, "default", name)["status"].get("containerStatuses") or [{}]
        return statuses[0]

    def waiting(self, name: str) -> str:
        return (self.status(name).get("state", {}).get("waiting") or {}).get("reason", "")

    def condition(self, name: str, kind: str) -> str:
        found = self.api.get(PODS, "default", name)["status"].get("conditions") or []
        return next((c["status"] for c in found if c["type"] == kind), "")

    def is_ready(self, name: str) -> bool:
        return self.condition(name, "Ready") == "True"

    async def ready(self, *names: str) -> None:
        await self.until(lambda: all(self.is_ready(name) for name in names), f"{names} ready")

    def events(self, name: str) -> list[dict[str, Any]]:
        found, _ = self.api.list(EVENTS, "default", field_selector=f"involvedObject.name={name}")
        return sorted(found, key=lambda e: int(e["metadata"]["resourceVersion"]))

    def reasons(self, name: str) -> list[str]:
        return [event["reason"] for event in self.events(name)]

    def address(self, service: str) -> str:
        """Where the Service's first port answers; "" before it does."""
        rows = self.node.addresses()["services"].get(f"default/{service}") or [{}]
        return rows[0].get("address") or ""

    def pod_address(self, name: str, port: int = 8080) -> str:
        return self.node.addresses()["pods"].get(f"default/{name}", {}).get(str(port), "")

    async def get(self, address: str, path: str = "/version", method: str = "GET") -> tuple[int, str]:
        return await call(address, path, method)

    async def log(self, name: str, **options: Any) -> str:
        return b"".join([line async for line in self.node.logs("default", name, **options)]).decode()


@contextlib.asynccontextmanager
async def bench(
    speed: float = 1.0, options: KubeletOptions = QUICK, controllers: bool = True
) -> AsyncIterator[Bench]:
    """A running cluster; everything is closed at the end of the block."""
    clock = ScaledClock.start(speed)
    api = Api(clock)
    prepare(api)
    node = await Node.start(api, clock, options)
    working = Controllers(api) if controllers else None
    if working:
        working.start()
    try:
        yield Bench(api, node, clock)
    finally:
        if working:
            await working.stop()
        await node.stop()


async def call(address: str, path: str = "/version", method: str = "GET") -> tuple[int, str]:
    """One HTTP request on a connection of its own: status and body. Raises OSError or EOFError."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n".encode())
        return await read_answer(reader)
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    """One HTTP answer with a Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(line for line in head.split("\r\n") if line.lower().startswith("content-length:"))
    body = await reader.readexactly(int(length.partition(":")[2]))
    return int(head.split()[1]), body.decode()


@dataclass
class Load:
    """A steady loop of requests, each on a new connection, and what came back."""

    address: str
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    stopping: bool = False
    reconnects: int = 0

    @property
    def count(self) -> int:
        return sum(self.answers.values()) + len(self.failures)

    async def run(self) -> None:
        while not self.stopping:
            try:
                status, body = await call(self.address)
            except (OSError, EOFError) as error:
                self.failures.append(repr(error))
                continue
            if status == 200:
                self.answers[body.strip().rpartition(" ")[2]] += 1
            else:
                self.failures.append(f"{status} {body}")

    async def run_keeping_alive(self) -> None:
        """As `run`, on one connection until the server says ``Connection: close``."""
        host, _, port = self.address.rpartition(":")
        while not self.stopping:
            reader, writer = await asyncio.open_connection(host, int(port))
            self.reconnects += 1
            try:
                while not self.stopping:
                    writer.write(f"GET /version HTTP/1.1\r\nHost: {self.address}\r\n\r\n".encode())
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                    body = (await reader.readexactly(length)).decode()
                    self.answers[body.strip().rpartition(" ")[2]] += 1
                    if b"connection: close" in head.lower():
                        break
                    await asyncio.sleep(0.002)
            except (OSError, EOFError) as error:
                self.failures.append(repr(error))
            finally:
                writer.close()


@contextlib.asynccontextmanager
async def load(address: str, callers: int = 4, *, keep_alive: bool = False) -> AsyncIterator[Load]:
    """So many callers at once, until the end of the block."""
    found = Load(address)
    run = found.run_keeping_alive if keep_alive else found.run
    tasks = [asyncio.create_task(run()) for _ in range(callers)]
    try:
        yield found
    finally:
        found.stopping = True
        await asyncio.gather(*tasks)
