"""A program while it runs: its server and listeners on the data plane, its end, its log.

Here: starting and stopping one run, without losing a request. When and why is decided in
`container.py`. # upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go::killContainer
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollout_lab.clusters.embedded.kubelet.apps.app import Answer, App, Exit, Request, Surroundings
from rollout_lab.clusters.embedded.kubelet.apps.http import HttpServer
from rollout_lab.clusters.embedded.kubelet.catalogue import Program
from rollout_lab.clusters.embedded.kubelet.environment import Environment
from rollout_lab.clusters.embedded.kubelet.health import Health
from rollout_lab.clusters.embedded.kubelet.probes import Probe, ProbeKind, port_number
from rollout_lab.clusters.embedded.kubelet.probing import ask
from rollout_lab.clusters.embedded.kubelet.runtime import Runtime
from rollout_lab.clusters.embedded.network.portmap import Address, Listener, PortMap

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.kubelet.container import Container

ONE_SHOT_SECONDS = 0.2  # lab seconds an init container takes
UNROUTED_WITHIN = 3.0  # wall seconds the proxies have to stop using a Pod that ends
SETTLE = 0.05  # wall seconds for connections already on their way to it
LEAST_DRAIN = 0.5  # wall seconds running requests always have, even on a fast clock
_SLEEP = re.compile(r"\bsleep\s+([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Stop:
    """The order to end by lab second `deadline`. `message` is the Killing Event of a restart."""

    deadline: float
    message: str = ""
    abrupt: bool = False


@dataclass(slots=True)
class Run:
    """One run of a program. `end` holds its own Exit, or the Stop it was given."""

    end: asyncio.Future[Exit | Stop]
    app: App
    server: HttpServer
    listeners: list[Listener]
    write: Any  # Callable[[str], None]
    started_at: float = 0.0
    _health: asyncio.Task[None] | None = field(default=None)

    @property
    def ended(self) -> bool:
        return self.end.done()

    def finish(self, ending: Exit | Stop) -> None:
        """Only the first ending counts. API loop only."""
        if not self.end.done():
            self.end.set_result(ending)

    def watch_health(self, health: Health) -> None:
        self._health = asyncio.get_running_loop().create_task(health.watch(), name="health")

    def cancel_health(self) -> None:
        if self._health is not None:
            self._health.cancel()

    def cut_soon(self, runtime: Runtime) -> None:
        """Drop everything that is open, without waiting."""
        runtime.plane.post(_cut_now, self, runtime.ports)

    async def shut_down(self, ending: Exit | Stop, container: Container) -> Exit:
        """Close what it has open, in the way its end demands; how it ended."""
        plane = container.pod.runtime.plane
        if isinstance(ending, Exit) or ending.abrupt:
            await plane.run(_cut(self, container.pod.runtime.ports))
            return ending if isinstance(ending, Exit) else Exit(137)
        container.event("Normal", "Killing", ending.message or f"Stopping container {container.state.name}")
        runtime = container.pod.runtime
        plane.post(self.server.start_closing)
        left = runtime.clock.real_seconds(max(0.0, ending.deadline - runtime.clock.now()))
        try:
            async with asyncio.timeout(max(left, LEAST_DRAIN)):
                await self._serve_on(ending, container)
        except TimeoutError:
            self.write("the grace period is over")
        left = runtime.clock.real_seconds(max(0.0, ending.deadline - runtime.clock.now()))
        clean = await plane.run(_drain(self, runtime.ports, max(left, LEAST_DRAIN)))
        return Exit(0) if clean else Exit(137)

    async def _serve_on(self, ending: Stop, container: Container) -> None:
        """preStop, the program's own delay, and until no Service sends requests here any more."""
        runtime = container.pod.runtime
        await _pre_stop(container)
        self.write("told to end")
        await runtime.nap(max(self.app.stop_delay, runtime.options.stop_delay))
        if not ending.message:  # a restart in place stays in its Services, as in Kubernetes
            try:
                async with asyncio.timeout(UNROUTED_WITHIN):
                    await runtime.proxies.unrouted(container.pod.ip)
            except TimeoutError:
                self.write("a Service still names this Pod; it ends nevertheless")
            await asyncio.sleep(SETTLE)


async def start_run(container: Container, program: Program, environment: Environment) -> Run:
    """Start the program and open its ports. A port that is taken ends it at once with code 1."""
    pod, runtime = container.pod, container.pod.runtime
    loop, log, clock = runtime.loop, container.log, runtime.clock
    end: asyncio.Future[Exit | Stop] = loop.create_future()

    def finish(ending: Exit) -> None:
        if not end.done():
            end.set_result(ending)

    def write(text: str) -> None:
        log.write(clock.now(), text)

    def access(request: Request, answer: Answer) -> None:
        if not request.is_probe:
            write(f'"{request.method} {request.path}" {answer.status}')

    around = Surroundings(
        pod=pod.raw["metadata"]["name"],
        namespace=pod.raw["metadata"]["namespace"],
        ip=pod.ip,
        node=runtime.options.node_name,
        image=program.image.text,
        environment=environment.values,
        shown=environment.shown,
        now=clock.now,
        write=write,
        exit=lambda ending: _soon(loop, finish, ending),
    )
    app, faults = program.build(around)
    app.start()
    run = Run(end, app, HttpServer(app, access), [], write)
    if container.one_shot:
        code = 0 if app.crash_after is None else 1
        write("an init container: this cluster runs no command, so it ends at once")
        loop.call_later(clock.real_seconds(ONE_SHOT_SECONDS), finish, Exit(code))
        return run
    numbers = [faults.port] if faults.port else tcp_ports(container.spec) or [program.port]
    wanted = [Address(pod.ip, number) for number in numbers]
    opening = loop.create_task(runtime.plane.run(_open(run, wanted, runtime.ports)))
    try:
        await asyncio.shield(opening)
    except asyncio.CancelledError:
        await asyncio.gather(opening, return_exceptions=True)  # milliseconds; then nothing is left open
        run.cut_soon(runtime)
        raise
    except OSError as error:
        write(str(error))
        finish(Exit(1))
        return run
    write(f"listens on {', '.join(str(a) for a in wanted)}")
    if app.crash_after is not None:
        loop.call_later(clock.real_seconds(app.crash_after), _crash, write, finish, app.crash_after)
    return run


def _crash(write: Any, finish: Any, after: float) -> None:
    write(f"crashes on purpose, {after:g} s after its start")
    finish(Exit(1))


def _soon(loop: asyncio.AbstractEventLoop, callback: Any, ending: Exit) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback, ending)


def tcp_ports(spec: Mapping[str, Any]) -> list[int]:
    """The TCP containerPorts, in order, each once."""
    ports = [int(p["containerPort"]) for p in spec.get("ports") or [] if p.get("protocol", "TCP") == "TCP"]
    return list(dict.fromkeys(ports))


async def _open(run: Run, wanted: list[Address], ports: PortMap) -> None:
    for address in wanted:
        run.listeners.append(await ports.listen(address, run.server.protocol))


async def _drain(run: Run, ports: PortMap, timeout: float) -> bool:
    for listener in run.listeners:
        ports.close(listener)
    return await run.server.drain(timeout)


async def _cut(run: Run, ports: PortMap) -> None:
    _cut_now(run, ports)


def _cut_now(run: Run, ports: PortMap) -> None:
    for listener in run.listeners:
        ports.close(listener)
    run.server.cut()


async def _pre_stop(container: Container) -> None:
    """The preStop hook: sleep, httpGet, and ``sleep N`` as a command; other commands are never run."""
    hook = (container.spec.get("lifecycle") or {}).get("preStop") or {}
    runtime = container.pod.runtime
    if (nap := hook.get("sleep")) is not None:
        await runtime.nap(float(nap.get("seconds") or 0))
    elif (get := hook.get("httpGet")) is not None:
        number = port_number(container.spec, get.get("port", 0)) or 0
        probe = Probe(ProbeKind.LIVENESS, "httpGet", path=get.get("path") or "/", timeout=30)
        await runtime.plane.run(ask(probe, Address(container.pod.ip, number), runtime.ports))
    elif (command := hook.get("exec")) is not None:
        match = _SLEEP.search(" ".join(str(part) for part in command.get("command") or []))
        if match:
            await runtime.nap(float(match[1]))
        else:
            text = "the preStop command was not run: this cluster runs no command of a manifest"
            container.event("Warning", "FailedPreStopHook", text)
