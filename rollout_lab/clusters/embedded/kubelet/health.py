"""The health of one run of a container: startup, then readiness and liveness, probed until it ends.

Here: the rhythm of the probes and what a verdict changes. The rules of thresholds are in
`probes.py`, sending in `probing.py`. API loop only.
# upstream: pkg/kubelet/prober/worker.go (first probe at initialDelay, readiness at once after startup)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rollout_lab.clusters.embedded.kubelet.probes import (
    Probe,
    ProbeKind,
    Reply,
    Thresholds,
    port_number,
    probe_of,
)
from rollout_lab.clusters.embedded.kubelet.probing import ask
from rollout_lab.clusters.embedded.kubelet.runtime import Runtime
from rollout_lab.clusters.embedded.network.portmap import Address


@dataclass(slots=True)
class Health:
    """Watches one run. The callbacks are the container's: they change its state and publish it."""

    runtime: Runtime
    spec: Mapping[str, Any]
    ip: str
    warn: Callable[[str], None]
    """Says an Unhealthy Event with this message."""
    on_started: Callable[[], None]
    on_ready: Callable[[bool], None]
    on_dead: Callable[[Probe], None]
    """A startup or liveness probe has failed for good."""

    async def watch(self) -> None:
        """Until cancelled, or until the container is found dead."""
        began = self.runtime.clock.now()
        startup = probe_of(self.spec, ProbeKind.STARTUP)
        if startup is not None and not await self._first_verdict(startup, began):
            self.on_dead(startup)
            return
        self.on_started()
        readiness = probe_of(self.spec, ProbeKind.READINESS)
        liveness = probe_of(self.spec, ProbeKind.LIVENESS)
        loops: list[Awaitable[None]] = []
        if readiness is None:
            self.on_ready(True)
        else:
            loops.append(self._each(readiness, began, self.on_ready))
        if liveness is not None:
            loops.append(self._until_dead(liveness, began))
        await asyncio.gather(*loops)

    async def _first_verdict(self, probe: Probe, began: float) -> bool:
        verdicts: list[bool] = []
        await self._each(probe, began, verdicts.append, stop=lambda _: True)
        return verdicts[-1]

    async def _until_dead(self, probe: Probe, began: float) -> None:
        await self._each(probe, began, lambda _: None, stop=lambda alive: not alive)
        self.on_dead(probe)

    async def _each(
        self,
        probe: Probe,
        began: float,
        tell: Callable[[bool], None],
        stop: Callable[[bool], bool] = lambda _: False,
    ) -> None:
        """Probe at its rhythm; `tell` every verdict, end after one that `stop` likes."""
        clock = self.runtime.clock
        thresholds = Thresholds(probe.success_threshold, probe.failure_threshold)
        due = max(began + probe.initial_delay, clock.now())
        while True:
            await self.runtime.nap(due - clock.now())
            reply = await self._ask(probe)
            if not reply.known:
                self.warn(f"{probe.kind} probe errored and resulted in unknown state: {reply.output}")
            else:
                if not reply.ok:
                    self.warn(f"{probe.kind} probe failed: {reply.output}")
                verdict = thresholds.feed(reply.ok)
                if verdict is not None:
                    tell(verdict)
                    if stop(verdict):
                        return
            due = max(due + probe.period, clock.now())

    async def _ask(self, probe: Probe) -> Reply:
        number = port_number(self.spec, probe.port)
        if number is None and probe.handler in ("httpGet", "tcpSocket"):
            text = f"couldn't find port: strconv.Atoi: parsing {str(probe.port)!r}: invalid syntax"
            return Reply(False, text, known=False)
        target = Address(probe.host or self.ip, number or 0)
        return await self.runtime.plane.run(ask(probe, target, self.runtime.ports))
