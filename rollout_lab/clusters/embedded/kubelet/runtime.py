"""What every container of the node shares: options, clock, the two loops, ports, images, start turns.

Nothing here knows the life of a Pod (`pod.py`) or of a container (`container.py`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from rollout_lab.clock import Clock
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.kubelet.events import EventRecorder
from rollout_lab.clusters.embedded.network.addresses import PodAddresses
from rollout_lab.clusters.embedded.network.dataplane import DataPlane
from rollout_lab.clusters.embedded.network.portmap import PortMap
from rollout_lab.clusters.embedded.network.services import ServiceProxies


@dataclass(frozen=True, slots=True)
class KubeletOptions:
    """How the node behaves. Times in lab seconds."""

    node_name: str = "rollout-lab"
    pod_start_delay: float = 0.3
    """From the moment the kubelet sees a Pod to its containers' start (pulling, creating)."""
    pod_start_stagger: float = 0.1
    """At least so long between the starts of two Pods, so that they come one after another."""
    stop_delay: float = 0.0
    """How long a program goes on serving after it was told to end, at least."""
    pod_cidr: str = "127.10.0.0/16"
    seed: int | None = None
    """Makes the proxies' choice of endpoints repeatable."""
    single_loopback: bool | None = None
    """Only 127.0.0.1, as on macOS; None asks the environment (ROLLOUT_LAB_LOOPBACK=single)."""
    gateway_port: int = 8800
    """Where the gateway listens on 127.0.0.1; a free port where this one is taken."""


@dataclass(slots=True)
class Runtime:
    """Handed to every Pod."""

    api: Api
    clock: Clock
    plane: DataPlane
    ports: PortMap
    proxies: ServiceProxies
    addresses: PodAddresses
    events: EventRecorder
    options: KubeletOptions
    loop: asyncio.AbstractEventLoop
    images: set[str] = field(default_factory=set)  # pulled once, so present on the node
    _last_start: float = 0.0

    def start_turn(self) -> float:
        """The lab second at which the next Pod's containers may start."""
        turn = self.clock.now() + self.options.pod_start_delay
        turn = max(turn, self._last_start + self.options.pod_start_stagger)
        self._last_start = turn
        return turn

    async def nap(self, seconds: float) -> None:
        """Wait so many lab seconds."""
        await asyncio.sleep(self.clock.real_seconds(max(0.0, seconds)))
