"""The Services of the cluster as listeners: follows Services and EndpointSlices, programs the proxies.

Here: the watches (API loop), the listeners (data plane) and `addresses()`. A changed slice is
on its way to the proxy within the same turn of the loop that reads it. What a slice means is in
`routes.py`, how bytes travel in `proxy.py`.
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.network.dataplane import DataPlane
from rollout_lab.clusters.embedded.network.portmap import Address, Listener, PortMap
from rollout_lab.clusters.embedded.network.proxy import Balancer, ClientSide, Route
from rollout_lab.clusters.embedded.network.routes import (
    Key,
    ServicePort,
    affinity_seconds,
    route,
    service_of,
    service_ports,
)
from rollout_lab.clusters.embedded.resources import ENDPOINTSLICES, SERVICES
from rollout_lab.clusters.embedded.watching import Compacted

log = logging.getLogger(__name__)
Object = dict[str, Any]

RETRY = 0.5  # wall seconds until a listener that could not open is tried again


@dataclass(slots=True)
class Proxy:
    """The listeners of one Service port and the balancer behind them."""

    port: ServicePort
    balancer: Balancer
    listeners: dict[Address, Listener] = field(default_factory=dict)
    clients: set[ClientSide] = field(default_factory=set)


class ServiceProxies:
    """Listeners for every Service. `start` and `stop` on the API loop."""

    def __init__(self, api: Api, plane: DataPlane, ports: PortMap, *, seed: int | None = None) -> None:
        """`seed` makes the choice of endpoints repeatable."""
        self._api, self._plane, self._ports = api, plane, ports
        self._rng = random.Random(seed)
        self._services: dict[Key, Object] = {}
        self._slices: dict[Key, dict[str, Object]] = {}
        self._routed: dict[Key, frozenset[str]] = {}
        self._proxies: dict[Key, dict[str, Proxy]] = {}
        self._dirty: dict[Key, None] = {}
        self._wake = asyncio.Event()
        self._unrouted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to follow the API; returns at once."""
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._follow_services(), name="network-services"),
            loop.create_task(self._follow_slices(), name="network-endpointslices"),
            loop.create_task(self._open_and_close(), name="network-listeners"),
        ]

    async def stop(self) -> None:
        """Close every listener and every open connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for key in list(self._proxies):
            for proxy in self._proxies.pop(key).values():
                await self._plane.run(self._close(proxy, cut=True))

    def is_routed(self, ip: str) -> bool:
        """Whether a Service still sends new connections to Pod address `ip` as a ready endpoint."""
        return any(ip in hosts for hosts in self._routed.values())

    async def unrouted(self, ip: str) -> None:
        """Wait until no Service sends new connections to `ip`. Bound it with a timeout."""
        while self.is_routed(ip):
            self._unrouted.clear()
            await self._unrouted.wait()

    def addresses(self) -> dict[str, list[dict[str, Any]]]:
        """``{"ns/name": [{"port", "name", "nodePort", "address", "clusterAddress"}]}``.

        `address` is what a browser or curl on this machine uses: where the NodePort really
        listens, or the ClusterIP's listener without one.
        """
        found = {}
        for (namespace, name), proxies in sorted(self._proxies.items()):
            found[f"{namespace}/{name}"] = [_address_row(proxy) for proxy in proxies.values()]
        return found

    # -- following the API ----------------------------------------------------------------------

    async def _follow_services(self) -> None:
        while True:
            watch = self._api.watch(SERVICES)
            try:
                listed = watch.pending()
                for key in set(self._services) - {_key(obj) for _, obj, _ in listed}:
                    self._service_event("DELETED", key, None)
                for kind, obj, _ in listed:
                    self._service_event(kind, _key(obj), obj)
                async for kind, obj, _ in watch:
                    self._service_event(kind, _key(obj), obj)
                return
            except Compacted:
                continue
            finally:
                watch.close()

    def _service_event(self, kind: str, key: Key, obj: Object | None) -> None:
        if kind == "DELETED" or obj is None:
            self._services.pop(key, None)
        else:
            self._services[key] = obj
        self._mark(key)
        self._reroute(key)

    def _mark(self, key: Key) -> None:
        self._dirty[key] = None
        self._wake.set()

    async def _follow_slices(self) -> None:
        while True:
            watch = self._api.watch(ENDPOINTSLICES)
            try:
                touched = set(self._slices)
                self._slices.clear()
                for kind, obj, _ in watch.pending():
                    touched |= self._slice_event(kind, obj)
                for key in touched:
                    self._reroute(key)
                async for kind, obj, _ in watch:
                    for key in self._slice_event(kind, obj):
                        self._reroute(key)
                return
            except Compacted:
                continue
            finally:
                watch.close()

    def _slice_event(self, kind: str, obj: Object) -> set[Key]:
        key = service_of(obj)
        if key is None:
            return set()
        name = obj["metadata"]["name"]
        if kind == "DELETED":
            self._slices.get(key, {}).pop(name, None)
        else:
            self._slices.setdefault(key, {})[name] = obj
        return {key}

    def _reroute(self, key: Key) -> None:
        service = self._services.get(key)
        hosts: set[str] = set()
        if service is not None:
            affinity = affinity_seconds(service)
            for name, proxy in self._proxies.get(key, {}).items():
                fresh = route(name, self._slices.get(key, {}).values(), affinity)
                hosts |= {b.address.host for b in fresh.backends if b.ready}
                self._plane.post(proxy.balancer.set_route, fresh)
        before = self._routed.pop(key, frozenset())
        if hosts:
            self._routed[key] = frozenset(hosts)
        if before - hosts:
            self._unrouted.set()

    # -- listeners --------------------------------------------------------------------------------

    async def _open_and_close(self) -> None:
        """What is not wanted any more closes first: another Service may want its node port."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            keys, self._dirty = list(self._dirty), {}
            for key in keys:
                await self._bring_down(key)
            for key in keys:
                try:
                    await self._bring_up(key)
                except OSError as error:
                    log.warning("Service %s/%s cannot listen yet: %s", *key, error)
                    asyncio.get_running_loop().call_later(RETRY, self._mark, key)

    def _wanted(self, key: Key) -> dict[str, ServicePort]:
        service = self._services.get(key)
        return {p.name: p for p in service_ports(service)} if service else {}

    async def _bring_down(self, key: Key) -> None:
        wanted, have = self._wanted(key), self._proxies.get(key, {})
        for name in [name for name in have if name not in wanted]:
            await self._plane.run(self._close(have.pop(name), cut=key not in self._services))
        for name, proxy in have.items():
            proxy.port = wanted[name]
            await self._plane.run(self._close_unwanted(proxy))
        if not have:
            self._proxies.pop(key, None)

    async def _bring_up(self, key: Key) -> None:
        for name, port in self._wanted(key).items():
            have = self._proxies.setdefault(key, {})
            if name not in have:
                rng = random.Random(self._rng.random())
                have[name] = Proxy(port, Balancer(self._api.clock.now, self._ports.actual, rng))
                self._reroute(key)
            await self._plane.run(self._listen(have[name]))

    async def _close_unwanted(self, proxy: Proxy) -> None:
        """Data plane: close where the Service does not listen any more."""
        for address in [a for a in proxy.listeners if a not in proxy.port.addresses]:
            self._ports.close(proxy.listeners.pop(address))

    async def _listen(self, proxy: Proxy) -> None:
        """Data plane: open what is missing."""
        for address in proxy.port.addresses:
            if address not in proxy.listeners:
                proxy.listeners[address] = await self._ports.listen(
                    address, lambda: ClientSide(proxy.balancer, proxy.clients)
                )

    async def _close(self, proxy: Proxy, *, cut: bool) -> None:
        """Data plane: stop listening; `cut` also ends the open connections."""
        for listener in proxy.listeners.values():
            self._ports.close(listener)
        proxy.listeners.clear()
        proxy.balancer.set_route(Route())
        if cut:
            for client in list(proxy.clients):
                if client.transport is not None:
                    client.transport.close()


def _key(obj: Object) -> Key:
    return obj["metadata"].get("namespace") or "", obj["metadata"]["name"]


def _address_row(proxy: Proxy) -> dict[str, Any]:
    port = proxy.port
    cluster = proxy.listeners.get(port.cluster) if port.cluster else None
    node = proxy.listeners.get(port.node) if port.node else None
    best = node if port.node else cluster  # a node port that opens in a moment is worth the moment
    return {
        "port": port.port,
        "name": port.name,
        "nodePort": port.node.port if port.node else None,
        "address": str(best.actual) if best else None,
        "clusterAddress": str(cluster.actual) if cluster else None,
    }
