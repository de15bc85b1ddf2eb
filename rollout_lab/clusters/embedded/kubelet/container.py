"""One container of a Pod over all its starts: configuration, run, end, restart.

Here: the order of states a container goes through (API loop). The image comes from `pulling.py`,
the running program and its sockets are in `running.py`, probes in `health.py`, waits in `backoff.py`.
# upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go, kuberuntime_manager.go::doBackOff
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.kubelet.apps.app import Exit
from rollout_lab.clusters.embedded.kubelet.backoff import Backoff, go_duration
from rollout_lab.clusters.embedded.kubelet.catalogue import Program
from rollout_lab.clusters.embedded.kubelet.environment import ConfigError, Environment, build
from rollout_lab.clusters.embedded.kubelet.health import Health
from rollout_lab.clusters.embedded.kubelet.logs import LogRing
from rollout_lab.clusters.embedded.kubelet.probes import Probe, ProbeKind
from rollout_lab.clusters.embedded.kubelet.pulling import obtain
from rollout_lab.clusters.embedded.kubelet.running import Run, Stop, start_run
from rollout_lab.clusters.embedded.kubelet.runtime import Runtime
from rollout_lab.clusters.embedded.kubelet.status import ContainerState
from rollout_lab.clusters.embedded.resources import CONFIGMAPS, SECRETS

CONFIG_RETRY = 5.0
COMMAND_IGNORED = "command and args of a manifest are never run on this machine; the built-in program runs"


class PodSide(Protocol):
    """What a container sees of its Pod."""

    runtime: Runtime
    raw: Mapping[str, Any]
    ip: str
    start_at: float

    def publish(self) -> None: ...

    def event(self, kind: str, reason: str, message: str, container: str = "") -> None: ...


class Container:
    """`launch` it, `stop` it; `state` is what the Pod's status shows."""

    def __init__(self, pod: PodSide, spec: Mapping[str, Any], *, one_shot: bool = False) -> None:
        """`one_shot`: an init container, which ends at once because the lab runs no command."""
        self.pod = pod
        self.spec = spec
        self.one_shot = one_shot
        self.state = ContainerState(str(spec["name"]), str(spec["image"]))
        self.log = LogRing(pod.runtime.loop)
        self.previous_log: LogRing | None = None
        self.task: asyncio.Task[None] | None = None
        self.up = asyncio.Event()  # set while it has started
        self.respec = asyncio.Event()  # set when the manifest names another image
        self._backoff = Backoff()
        self._run: Run | None = None
        self._final = False
        self._ran_before = False

    # -- from outside ------------------------------------------------------------------------------

    def launch(self) -> None:
        """Begin; the task ends when the container will not run again."""
        self.task = self.pod.runtime.loop.create_task(self._live(), name=f"container-{self.state.name}")

    async def stop(self, deadline: float, *, abrupt: bool = False) -> None:
        """End it for good by lab second `deadline`; `abrupt` drops what runs, as a kill does."""
        self._final = True
        if self.task is None:
            return
        run = self._run
        if run is not None and not run.ended:
            run.finish(Stop(deadline, abrupt=abrupt))
        elif run is None or abrupt:  # nothing runs yet, or it is taking its time to end
            self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def respecified(self, spec: Mapping[str, Any]) -> None:
        """The manifest changed; another image means a restart with it."""
        changed = spec["image"] != self.spec["image"]
        self.spec = spec
        if not changed:
            return
        self.state.image = str(spec["image"])
        self.respec.set()
        if self._run is not None and not self._run.ended:
            text = f"Container {self.state.name} definition changed, will be restarted"
            self._run.finish(Stop(self._deadline(None), message=text))

    # -- its life ------------------------------------------------------------------------------------

    async def _live(self) -> None:
        while True:
            program = await obtain(self)
            environment = await self._configure()
            if self._ran_before:
                self.previous_log, self.log = self.log, LogRing(self.pod.runtime.loop)
            run = self._run = await start_run(self, program, environment)
            try:
                self._started(run, program)
                ending = await run.end
                run.cancel_health()
                exit_ = await run.shut_down(ending, self)
            except asyncio.CancelledError:
                run.cancel_health()
                run.cut_soon(self.pod.runtime)
                raise
            self._run = None
            self.up.clear()
            self._ended(run, exit_)
            if self._final or not self._again(exit_):
                return
            await self._back_off()

    def _started(self, run: Run, program: Program) -> None:
        state, now = self.state, self.pod.runtime.clock.now()
        run.started_at = now
        if self._ran_before:
            state.restarts += 1
            state.last = state.state if state.ended else state.last
        self._ran_before = True
        state.image_id = program.image.id
        state.container_id = self._new_id()
        state.state = {"running": {"startedAt": rfc3339(now)}}
        state.ready = state.started = False
        self.event("Normal", "Created", f"Created container: {state.name}")
        self.event("Normal", "Started", f"Started container {state.name}")
        if self.spec.get("command") or self.spec.get("args"):
            self.event("Normal", "CommandIgnored", COMMAND_IGNORED)
            run.write(COMMAND_IGNORED)
        if self.one_shot:
            state.started = True
        else:
            run.watch_health(self._health(run))
        self.pod.publish()

    def _health(self, run: Run) -> Health:
        return Health(
            self.pod.runtime,
            self.spec,
            self.pod.ip,
            warn=lambda text: self.event("Warning", "Unhealthy", text),
            on_started=self._is_started,
            on_ready=self._is_ready,
            on_dead=lambda probe: self._is_dead(run, probe),
        )

    def _is_started(self) -> None:
        self.state.started = True
        self.up.set()
        # without a readiness probe readiness follows in the same breath, and is published with it
        if self.spec.get(ProbeKind.READINESS.field):
            self.pod.publish()

    def _is_ready(self, ready: bool) -> None:
        if self.state.ready != ready:
            self.state.ready = ready
            self.pod.publish()

    def _is_dead(self, run: Run, probe: Probe) -> None:
        text = f"Container {self.state.name} failed {probe.kind.value.lower()} probe, will be restarted"
        run.finish(Stop(self._deadline(probe.grace), message=text))

    def _ended(self, run: Run, exit_: Exit) -> None:
        now, state = self.pod.runtime.clock.now(), self.state
        state.ready = state.started = False
        state.state = {
            "terminated": {
                "exitCode": exit_.code,
                "reason": exit_.reason or ("Completed" if exit_.code == 0 else "Error"),
                "startedAt": rfc3339(run.started_at),
                "finishedAt": rfc3339(now),
                "containerID": state.container_id,
            }
        }
        self.log.end()
        self.pod.publish()

    def _again(self, exit_: Exit) -> bool:
        policy = self.spec.get("restartPolicy") or self.pod.raw["spec"].get("restartPolicy") or "Always"
        if self.one_shot:
            return exit_.code != 0 and policy != "Never"
        return policy == "Always" or (policy == "OnFailure" and exit_.code != 0)

    async def _back_off(self) -> None:
        runtime, state, meta = self.pod.runtime, self.state, self.pod.raw["metadata"]
        wait = self._backoff.next(runtime.clock.now())
        if wait <= 0:
            return
        state.last = state.state
        where = f"{meta['name']}_{meta['namespace']}({meta['uid']})"
        text = f"back-off {go_duration(wait)} restarting failed container={state.name} pod={where}"
        state.state = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
        event = f"Back-off restarting failed container {state.name} in pod {where}"
        self.event("Warning", "BackOff", event)
        self.pod.publish()
        await self.nap(wait)

    async def _configure(self) -> Environment:
        """The environment; waits with CreateContainerConfigError while something it names is missing."""
        api, namespace = self.pod.runtime.api, self.pod.raw["metadata"]["namespace"]
        while True:
            try:
                return build(
                    self.spec,
                    self.pod.raw,
                    self.pod.ip,
                    lambda name: api.find(CONFIGMAPS, namespace, name),
                    lambda name: api.find(SECRETS, namespace, name),
                )
            except ConfigError as error:
                self.event("Warning", "Failed", f"Error: {error}")
                self.waits("CreateContainerConfigError", str(error))
            await self.nap(CONFIG_RETRY)

    # -- small things, for `pulling.py` and `running.py` too -------------------------------------------

    def waits(self, reason: str, message: str) -> None:
        """Show that it waits, and why."""
        if self.state.ended:
            self.state.last = self.state.state
        self.state.state = {"waiting": {"reason": reason, "message": message}}
        self.pod.publish()

    def event(self, kind: str, reason: str, message: str) -> None:
        self.pod.event(kind, reason, message, self.state.name)

    async def nap(self, seconds: float) -> None:
        """Wait so many lab seconds, or until the manifest names another image."""
        try:
            async with asyncio.timeout(self.pod.runtime.clock.real_seconds(seconds)):
                await self.respec.wait()
            self.respec.clear()
        except TimeoutError:
            pass

    def _deadline(self, grace: int | None) -> float:
        if grace is None:
            grace = int(self.pod.raw["spec"].get("terminationGracePeriodSeconds", 30))
        return self.pod.runtime.clock.now() + grace

    def _new_id(self) -> str:
        seed = f"{self.pod.raw['metadata']['uid']}/{self.state.name}/{self.state.restarts}"
        return f"rollout-lab://{hashlib.sha256(seed.encode()).hexdigest()}"
