"""The node as one thing: kubelet, proxies, gateway, data plane. What a cluster process starts.

Composition only; nothing is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from rollout_lab.clock import Clock
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.gateway import EmbeddedGateway
from rollout_lab.clusters.embedded.kubelet.events import EventRecorder
from rollout_lab.clusters.embedded.kubelet.kubelet import Kubelet
from rollout_lab.clusters.embedded.kubelet.logs import LogOptions
from rollout_lab.clusters.embedded.kubelet.runtime import KubeletOptions, Runtime
from rollout_lab.clusters.embedded.network.addresses import PodAddresses
from rollout_lab.clusters.embedded.network.dataplane import DataPlane
from rollout_lab.clusters.embedded.network.network import Network
from rollout_lab.clusters.embedded.network.portmap import PortMap
from rollout_lab.clusters.embedded.network.services import ServiceProxies


class Node:
    """``node = await Node.start(api, clock, options)`` on the API loop; ``await node.stop()`` ends it all.

    `logs(…)` reads a container's log, `addresses()` tells where everything answers.
    """

    def __init__(
        self,
        plane: DataPlane,
        kubelet: Kubelet,
        proxies: ServiceProxies,
        network: Network,
        ports: PortMap,
        gateway: EmbeddedGateway,
    ) -> None:
        self.kubelet = kubelet
        self.network = network
        self.gateway = gateway
        self._plane = plane
        self._ports = ports
        self._proxies = proxies

    @staticmethod
    async def start(api: Api, clock: Clock, options: KubeletOptions | None = None) -> Node:
        """Start everything; returns soon, work goes on in tasks of the running loop."""
        options = options or KubeletOptions()
        plane = DataPlane()
        ports = PortMap(single=options.single_loopback)
        options = replace(options, pod_cidr=ports.claim(options.pod_cidr))
        pods = PodAddresses(options.pod_cidr)
        proxies = ServiceProxies(api, plane, ports, seed=options.seed)
        runtime = Runtime(
            api=api,
            clock=clock,
            plane=plane,
            ports=ports,
            proxies=proxies,
            addresses=pods,
            events=EventRecorder(api, "kubelet", options.node_name),
            options=options,
            loop=asyncio.get_running_loop(),
        )
        kubelet = Kubelet(runtime)
        proxies.start()
        kubelet.start()
        gateway = EmbeddedGateway(api, plane, ports, port=options.gateway_port, seed=options.seed)
        await gateway.start()
        return Node(plane, kubelet, proxies, Network(proxies, pods, ports), ports, gateway)

    async def stop(self) -> None:
        """Close every listener and connection, end every task, join the data plane's thread."""
        await self.gateway.stop()
        await self.kubelet.stop()
        await self._proxies.stop()
        await self._plane.stop()
        self._ports.release()

    def logs(
        self,
        ns: str,
        pod: str,
        container: str | None = None,
        *,
        follow: bool = False,
        previous: bool = False,
        timestamps: bool = False,
        tail: int | None = None,
        since: float | None = None,
    ) -> AsyncIterator[bytes]:
        """The log of a container as encoded lines; `tail` lines, `since` lab seconds ago.

        Raises NotFound or ApiError 400 at once, before the first line.
        """
        wanted = LogOptions(
            follow=follow, previous=previous, timestamps=timestamps, tail_lines=tail, since_seconds=since
        )
        return self.kubelet.logs(ns, pod, container, wanted)

    def addresses(self) -> dict[str, Any]:
        """As `Network.addresses`, and ``"gateway": "127.0.0.1:8800"``: where Ingresses and routes answer."""
        return {**self.network.addresses(), "gateway": self.gateway.address}
