"""Where an address of the cluster really listens on this machine.

Here: opening listeners, and the map from the address a Pod or Service *has* (127.10.0.5:8080)
to the one that *answers*. Linux binds every 127.x.y.z; macOS has only 127.0.0.1, ports below
1024 may need root, and a port may be taken: then 127.0.0.1 and a free port take its place.
Nothing here may listen on, or lead to, anything but loopback.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

SINGLE_LOOPBACK = "127.0.0.1"
BACKLOG = 1024
BLOCK_PREFIX = 20  # a lab uses 4,096 Pod addresses, so that several labs share 127.10.0.0/16
LOCK_PORT = 10250  # the kubelet's port, on the first address of a block, says that it is in use


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An IPv4 address and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class AddressInUse(OSError):
    """The cluster itself already listens there: two containers of a Pod want one port."""


@dataclass(slots=True)
class Listener:
    """An open listener: the address that was asked for and the one that answers."""

    wanted: Address
    actual: Address
    server: asyncio.Server

    @property
    def moved(self) -> bool:
        return self.wanted != self.actual


class PortMap:
    """Every listener of the cluster, by the address it was asked for.

    `listen` and `close` belong to the data plane's loop; `actual` and `snapshot` may be read
    from any thread.
    """

    def __init__(self, *, single: bool | None = None) -> None:
        """`single`: only 127.0.0.1, as on macOS; None asks ``ROLLOUT_LAB_LOOPBACK=single``."""
        self.single = os.environ.get("ROLLOUT_LAB_LOOPBACK") == "single" if single is None else single
        self._listeners: dict[Address, Listener] = {}
        self._lock: socket.socket | None = None

    def claim(self, cidr: str) -> str:
        """A block of `cidr` that no other lab of this machine uses; `cidr` itself where that cannot be known.

        The block is held until `release`. Pods of two labs then keep their own addresses.
        """
        network = ipaddress.IPv4Network(cidr)
        if self.single or network.prefixlen >= BLOCK_PREFIX:
            return cidr
        for block in network.subnets(new_prefix=BLOCK_PREFIX):
            lock = socket.socket()
            try:
                lock.bind((str(block[1]), LOCK_PORT))
                lock.listen(1)
            except OSError as error:
                lock.close()
                if error.errno != errno.EADDRINUSE:
                    return cidr
                continue
            self._lock = lock
            return str(block)
        return cidr

    def release(self) -> None:
        """Give the claimed block back."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def listen(self, wanted: Address, protocol_factory: Callable[[], asyncio.BaseProtocol]) -> Listener:
        """Listen at `wanted`, or at 127.0.0.1 and a free port where that cannot be.

        Raises AddressInUse when the cluster already listens there, OSError when the machine has
        no port left.
        """
        if not ipaddress.ip_address(wanted.host).is_loopback:
            raise ValueError(f"the lab listens on loopback only, not on {wanted.host}")
        if wanted in self._listeners:
            raise AddressInUse(f"listen tcp {wanted}: bind: address already in use")
        loop = asyncio.get_running_loop()
        server: asyncio.Server | None = None
        if not self.single or wanted.host == SINGLE_LOOPBACK:
            try:
                server = await loop.create_server(protocol_factory, wanted.host, wanted.port, backlog=BACKLOG)
            except OSError:
                server = None
        if server is None:
            server = await loop.create_server(protocol_factory, SINGLE_LOOPBACK, 0, backlog=BACKLOG)
        host, port = server.sockets[0].getsockname()[:2]
        listener = Listener(wanted, Address(host, port), server)
        if wanted.port != 0:
            if wanted in self._listeners:  # another opened it while the socket was made
                server.close()
                raise AddressInUse(f"listen tcp {wanted}: bind: address already in use")
            self._listeners[wanted] = listener
        return listener

    def close(self, listener: Listener) -> None:
        """Stop accepting; connections that are open live on. Safe to call twice."""
        if self._listeners.get(listener.wanted) is listener:
            del self._listeners[listener.wanted]
        listener.server.close()

    def actual(self, wanted: Address) -> Address | None:
        """Where `wanted` answers; None when nothing of the cluster listens there.

        Probes and proxies connect only to what this returns, so a manifest cannot make the
        cluster call anything else on the machine or beyond it.
        """
        listener = self._listeners.get(wanted)
        return listener.actual if listener else None

    def snapshot(self) -> dict[Address, Address]:
        """All of it: asked for -> answering."""
        return {wanted: listener.actual for wanted, listener in list(self._listeners.items())}
