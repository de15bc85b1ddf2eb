"""A TCP listener that hands each new connection to one endpoint of a Service.

Here: choosing the endpoint, connecting, copying bytes both ways. The choice is uniformly random
among the ready endpoints per *connection* (a keep-alive client stays with its Pod), as
kube-proxy's iptables rules do. Which endpoints there are is told from outside (`routes.py`);
nothing here knows Services or slices.
# upstream: Kubernetes page "Virtual IPs and Service Proxies", session affinity, terminating endpoints
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from rollout_lab.clusters.embedded.network.portmap import Address

_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Backend:
    """One endpoint of a Service port. `terminating` ones serve only when no other is ready."""

    address: Address
    ready: bool = True
    terminating: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The endpoints of one Service port, and how long a client stays with one (0: not)."""

    backends: tuple[Backend, ...] = ()
    affinity_seconds: float = 0.0

    def usable(self) -> list[Address]:
        """Ready endpoints; when none is, those that still serve while they terminate."""
        ready = [b.address for b in self.backends if b.ready]
        return ready or [b.address for b in self.backends if b.terminating]


class Balancer:
    """Chooses endpoints for one Service port. Lives on the data plane's loop."""

    def __init__(
        self,
        now: Callable[[], float],
        actual: Callable[[Address], Address | None],
        rng: random.Random | None = None,
    ) -> None:
        """`now`: lab seconds, for affinity; `actual`: where an endpoint really answers."""
        self.route = Route()
        self._now = now
        self.actual = actual
        self._rng = rng or random.Random()
        self._sticky: dict[str, tuple[Address, float]] = {}

    def set_route(self, route: Route) -> None:
        """Use `route` from the next connection on; open connections keep their Pod."""
        self.route = route
        alive = set(route.usable())
        self._sticky = {ip: kept for ip, kept in self._sticky.items() if kept[0] in alive}

    def pick(self, client: str, tried: set[Address]) -> Address | None:
        """An endpoint not yet `tried`, or None. `client` is the caller's IP address."""
        choices = [address for address in self.route.usable() if address not in tried]
        if not choices:
            return None
        if self.route.affinity_seconds <= 0:
            return self._rng.choice(choices)
        kept = self._sticky.get(client)
        now = self._now()
        chosen = (
            kept[0]
            if kept and kept[0] in choices and now - kept[1] < self.route.affinity_seconds
            else self._rng.choice(choices)
        )
        self._sticky[client] = (chosen, now)
        return chosen


class Splice(asyncio.Protocol):
    """One side of a spliced connection: what it receives, its peer sends."""

    __slots__ = ("ended", "peer", "transport")

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.peer: Splice | None = None
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        self.ended = True
        if self.peer is None or self.peer.transport is None or self.peer.ended:
            return False  # both halves have ended: close, and connection_lost closes the peer
        if not self.peer.transport.is_closing():
            self.peer.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.peer and self.peer.transport and not self.peer.transport.is_closing():
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer and self.peer.transport and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        peer, self.peer, self.transport = self.peer, None, None
        if peer and peer.transport:
            if exc is None:
                peer.transport.close()
            else:
                reset(peer.transport)


class ClientSide(Splice):
    """The accepted half. It reads nothing until an endpoint has taken the connection, so a
    connect that fails can go to another endpoint without a byte lost."""

    __slots__ = ("_balancer", "_connecting", "_open")

    def __init__(self, balancer: Balancer, open_connections: set[ClientSide]) -> None:
        super().__init__()
        self._balancer = balancer
        self._open = open_connections
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._open.add(self)
        cast(asyncio.Transport, transport).pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        assert self.transport is not None
        loop = asyncio.get_running_loop()
        client = self.transport.get_extra_info("peername")
        tried: set[Address] = set()
        while (choice := self._balancer.pick(client[0] if client else "", tried)) is not None:
            tried.add(choice)
            target = self._balancer.actual(choice)
            if target is None:
                continue
            try:
                _, upstream = await loop.create_connection(Splice, target.host, target.port)
            except OSError:
                continue
            self._join(upstream)
            return
        if self.transport is not None:
            reset(self.transport)

    def _join(self, upstream: Splice) -> None:
        self._connecting = None
        if self.transport is None or upstream.transport is None:  # one end hung up meanwhile
            for transport in (self.transport, upstream.transport):
                if transport is not None:
                    transport.abort()
            return
        upstream.peer, self.peer = self, upstream
        self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self)
        super().connection_lost(exc)


def reset(transport: asyncio.Transport) -> None:
    """Close with RST: what a caller sees when no endpoint answers."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):  # already gone
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
