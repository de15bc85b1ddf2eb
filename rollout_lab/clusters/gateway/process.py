"""The gateway as a program: two listeners, a feed, a table; options, signals and the end.

One loop carries the requests. What takes long (making a table, writing statuses) is done by threads, and
requests under way keep the table they began with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from rollout_lab.api.times import rfc3339
from rollout_lab.client.kube import KubeClient
from rollout_lab.clock import ScaledClock
from rollout_lab.clusters.gateway.feed import Feed
from rollout_lab.clusters.gateway.telling import Telling
from rollout_lab.errors import LabError, UsageError
from rollout_lab.gateway.compile import Compiled, compile_table
from rollout_lab.gateway.counts import report
from rollout_lab.gateway.objects import CONTROLLER, Settings, World, part, rows
from rollout_lab.gateway.pages import pages
from rollout_lab.gateway.proxy import Gateway

PATIENCE: Final = 1.0  # wall seconds a problem must last before an Event says so: objects come one by one
DRAIN: Final = 3.0  # wall seconds it serves on after SIGTERM: proxies learn late that a Pod ends
STATUS: Final = "/lab/v1/gateway"
BACKLOG: Final = 512


@dataclass(frozen=True, slots=True)
class Options:
    """Where it listens (port 0: a free one) and what it says of itself.

    `service`: ``namespace/name`` of the Service before it, whose address goes into statuses. `seed` makes
    every choice repeatable.
    """

    address: str = "127.0.0.1"
    port: int = 0
    status_port: int = 0
    service: str = ""
    seed: int | None = None
    drain: float = DRAIN


def to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Running:
    """One gateway of a cluster. Make and `run` it on its loop."""

    def __init__(self, client: KubeClient, options: Options, log: Callable[[str], None] = to_stderr) -> None:
        self.listens: tuple[str, str] = ("", "")  # for requests, for status
        self._options, self._clock = options, ScaledClock()
        self._said: str = ""
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._gateway = Gateway(seed=options.seed)
        self._dirty, self._tell, self._stop = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._compiled: Compiled | None = None
        self._feed = Feed(client, self._changed, self._trouble)
        self._telling = Telling(client, self._feed, self._clock, self._note)

    def end(self) -> None:
        """Let `run` serve a moment longer, then return."""
        self._stop.set()

    @property
    def ready(self) -> bool:
        """Whether it routes by the cluster's objects, and means to go on."""
        return self._compiled is not None and not self._stop.is_set()

    async def run(self) -> None:
        """Serve until `end`. Raises UsageError where a port cannot be opened."""
        status = pages(self._answer)
        listeners = [
            await self._listen(self._gateway.server, self._options.port),
            await self._listen(status, self._options.status_port),
        ]
        first, second = (str(one.sockets[0].getsockname()[1]) for one in listeners)
        self.listens = f"{self._options.address}:{first}", f"{self._options.address}:{second}"
        self._note(f"the gateway listens on {self.listens[0]}, its status on {self.listens[1]}")
        self._feed.start()
        tasks = [self._loop.create_task(self._route()), self._loop.create_task(self._speak())]
        try:
            await self._stop.wait()
            self._note(f"ends in {self._options.drain:g} s")
            await asyncio.sleep(self._options.drain)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for listener in listeners:
                listener.close()
            await self._gateway.stop()
            await status.shutdown(1.0)
            await asyncio.to_thread(self._feed.stop)

    async def _listen(self, protocol: Any, port: int) -> asyncio.Server:
        try:
            return await self._loop.create_server(protocol, self._options.address, port, backlog=BACKLOG)
        except OSError as problem:
            where = f"{self._options.address}:{port}"
            raise UsageError(f"{where} cannot be opened: {problem.strerror or problem}") from None

    def report(self) -> dict[str, Any]:
        """As `GET /lab/v1/gateway` of the embedded cluster; `address`: of the Service, in the cluster."""
        compiled = self._compiled or Compiled(self._gateway.table)
        address = where(self._feed.find("Service", *_key(self._options.service))) or self.listens[0]
        problems = [asdict(p) for p in compiled.problems]
        return {"address": address, **report(compiled.table, self._gateway.counts), "problems": problems}

    def _answer(self, path: str) -> tuple[int, str, str]:
        match path:
            case "/healthz":
                return 200, "text/plain", "ok\n"
            case "/readyz":
                return (200, "text/plain", "ok\n") if self.ready else (503, "text/plain", "not ready\n")
            case "/lab/v1/gateway":
                return 200, "application/json", json.dumps(self.report())
        return 404, "text/plain", f"paths: /healthz /readyz {STATUS}\n"

    # -- objects become a table -----------------------------------------------------------------------

    def _changed(self) -> None:
        """From any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._dirty.set)

    async def _route(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if not self._feed.synced:  # a table of half the objects would refuse what the whole one takes
                continue
            try:
                self._compiled = await asyncio.to_thread(self._compile)
            except Exception as mistake:  # ours: the last good table stays in use
                self._note(f"the gateway keeps its last table: {type(mistake).__name__}: {mistake}")
                continue
            self._gateway.use(self._compiled.table)
            self._tell.set()

    def _compile(self) -> Compiled:
        world = self._feed.world()
        return compile_table(world, settings(world, self._options.service))

    async def _speak(self) -> None:
        """Statuses at once, and again where one failed; Events about what has been wrong for a while."""
        before: frozenset[Any] = frozenset()
        fine = True
        while True:
            try:
                await asyncio.wait_for(self._tell.wait(), PATIENCE)
            except TimeoutError:
                now = self._compiled.problems if self._compiled else ()
                await asyncio.to_thread(self._telling.problems, [p for p in now if p in before])
                before = frozenset(now)
            if self._compiled is not None and (self._tell.is_set() or not fine):
                self._tell.clear()
                fine = await asyncio.to_thread(self._telling.statuses, self._compiled.statuses)

    def _trouble(self, problem: LabError) -> None:
        self._note(str(problem))

    def _note(self, text: str) -> None:
        if text != self._said:  # a server that is away says the same a hundred times
            self._said = text
            self._log(f"{rfc3339(self._clock.now())} {text}")


def settings(world: World, service: str) -> Settings:
    """This gateway obeys the classes that name it, and no other's; its address is that of its Service."""
    address, _, port = where(world.find("Service", *_key(service))).rpartition(":")
    ours = frozenset({CONTROLLER})
    return Settings(ours, host=address, port=int(port)) if address else Settings(ours)


def where(service: Any) -> str:
    """``host:port`` of a Service inside its cluster; ``""`` while it has none."""
    address, ports = part(service, "spec").get("clusterIP"), rows(service, "spec", "ports")
    return f"{address}:{ports[0]['port']}" if address not in (None, "", "None") and ports else ""


def _key(service: str) -> tuple[str, str]:
    namespace, _, name = service.partition("/")
    return namespace, name


def serve(client: KubeClient, options: Options, log: Callable[[str], None] = to_stderr) -> None:
    """Run the gateway in the foreground until SIGTERM or SIGINT."""

    async def body() -> None:
        running = Running(client, options, log)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, running.end)
        await running.run()

    try:
        asyncio.run(body())
    finally:
        client.close()


def main(argv: list[str] | None = None) -> int:
    """`python -m rollout_lab.clusters.gateway.process`: what a Pod of our image runs."""
    parser = argparse.ArgumentParser(
        prog="python -m rollout_lab.clusters.gateway.process",
        description="Route requests as the cluster's Ingresses, HTTPRoutes and VirtualServices say.",
    )
    parser.add_argument("--kubeconfig", help="default: $KUBECONFIG, ~/.kube/config, then the Pod's own")
    parser.add_argument("--context", help="default: the kubeconfig's own")
    parser.add_argument("--address", default="127.0.0.1", help="to listen on; 0.0.0.0 in a Pod")
    parser.add_argument("--port", type=int, default=8800, help="for requests")
    parser.add_argument(
        "--status-port",
        type=int,
        default=8801,
        help=f"for /healthz, /readyz and {STATUS}, on the same address",
    )
    parser.add_argument("--service", default="", metavar="NAMESPACE/NAME", help="the Service before it")
    parser.add_argument("--seed", type=int, help="make every choice repeatable")
    parser.add_argument("--drain", type=float, default=DRAIN, help="seconds to serve on after SIGTERM")
    asked: Any = parser.parse_args(argv)
    options = Options(asked.address, asked.port, asked.status_port, asked.service, asked.seed, asked.drain)
    try:
        serve(KubeClient.from_kubeconfig(asked.kubeconfig, asked.context), options)
    except LabError as error:
        to_stderr(f"error: {error}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
