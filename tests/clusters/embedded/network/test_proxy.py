"""One proxied port: which endpoint, and that every byte arrives."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from rollout_lab.clusters.embedded.network.portmap import Address
from rollout_lab.clusters.embedded.network.proxy import Backend, Balancer, ClientSide, Route

GONE = Address("127.0.0.1", 1)  # nothing listens on tcpmux


@dataclass
class Scene:
    """A proxy and some servers that say their number, then echo until EOF."""

    balancer: Balancer
    address: Address
    servers: list[Address]
    clients: set[ClientSide] = field(default_factory=set)

    def route(self, *addresses: Address, affinity: float = 0.0) -> None:
        self.balancer.set_route(Route(tuple(Backend(a) for a in addresses), affinity))

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.address.host, self.address.port)

    async def ask(self) -> str:
        reader, writer = await self.open()
        try:
            return (await reader.readexactly(1)).decode()
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def scene(count: int, now: list[float] | None = None) -> AsyncIterator[Scene]:
    def serve(number: int):  # type: ignore[no-untyped-def]
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                writer.write(str(number).encode())
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            writer.close()

        return answer

    servers = [await asyncio.start_server(serve(n), "127.0.0.1", 0) for n in range(count)]
    addresses = [Address(*s.sockets[0].getsockname()) for s in servers]
    clock = now if now is not None else [0.0]
    balancer = Balancer(lambda: clock[0], lambda a: a, random.Random(7))
    clients: set[ClientSide] = set()
    proxy = await asyncio.get_running_loop().create_server(
        lambda: ClientSide(balancer, clients), "127.0.0.1", 0
    )
    found = Scene(balancer, Address(*proxy.sockets[0].getsockname()), addresses, clients)
    found.route(*addresses)
    try:
        yield found
    finally:
        proxy.close()
        for client in list(clients):
            if client.transport:
                client.transport.abort()
        for server in servers:
            server.close()
        await asyncio.sleep(0.02)  # the servers' handlers see the end of their connections


def test_connections_are_spread_evenly() -> None:
    """Protects the measured share: each ready endpoint gets about the same."""

    async def run() -> None:
        async with scene(3) as s:
            seen = Counter([await s.ask() for _ in range(300)])
            assert set(seen) == {"0", "1", "2"}
            assert min(seen.values()) > 60

    asyncio.run(run())


def test_a_dead_endpoint_is_passed_over() -> None:
    """Protects the switch: a Pod that is just gone costs no request while another is ready."""

    async def run() -> None:
        async with scene(1) as s:
            s.route(GONE, s.servers[0])
            assert {await s.ask() for _ in range(50)} == {"0"}

    asyncio.run(run())


@pytest.mark.parametrize("routes", [(), (GONE,)], ids=["none ready", "all dead"])
def test_without_an_endpoint_the_caller_is_reset(routes: tuple[Address, ...]) -> None:
    """Protects honesty: no ready endpoint is an error at once, not a hang."""

    async def run() -> None:
        async with scene(1) as s:
            s.route(*routes)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await s.ask()

    asyncio.run(run())


def test_open_connections_survive_a_switch() -> None:
    """Protects keep-alive clients: a route change only concerns new connections."""

    async def run() -> None:
        async with scene(2) as s:
            s.route(s.servers[0])
            reader, writer = await s.open()
            assert await reader.readexactly(1) == b"0"
            s.route(s.servers[1])
            writer.write(b"still here")
            assert await reader.readexactly(10) == b"still here"
            assert await s.ask() == "1"
            writer.close()

    asyncio.run(run())


def test_large_bodies_arrive_whole_in_both_directions() -> None:
    """Protects flow control and half-closed connections: 8 MiB there and back, then EOF."""

    async def run() -> None:
        async with scene(1) as s:
            reader, writer = await s.open()
            data = random.Random(1).randbytes(8 << 20)

            async def send() -> None:
                writer.write(data)
                await writer.drain()
                writer.write_eof()

            sending = asyncio.create_task(send())
            back = await reader.read(-1)
            await sending
            assert back == b"0" + data
            writer.close()
            await asyncio.sleep(0.05)
            assert not s.clients

    asyncio.run(run())


def test_affinity_keeps_a_client_with_its_endpoint() -> None:
    """Protects sessionAffinity ClientIP, its time-out, and its end with the endpoint."""

    async def run() -> None:
        now = [0.0]
        async with scene(4, now) as s:
            s.route(*s.servers, affinity=100)
            first = await s.ask()
            assert {await s.ask() for _ in range(20)} == {first}
            others = [a for n, a in enumerate(s.servers) if str(n) != first]
            s.route(*others, affinity=100)
            second = await s.ask()
            assert second != first
            picks = set()
            for _ in range(20):
                now[0] += 101
                picks.add(await s.ask())
            assert len(picks) > 1

    asyncio.run(run())


def test_terminating_endpoints_serve_when_no_other_does() -> None:
    """Protects the last Pod of a Service: it serves on while it ends."""
    leaving = Backend(GONE, ready=False, terminating=True)
    starting = Backend(Address("127.0.0.1", 3), ready=False)
    ready = Backend(Address("127.0.0.1", 2))
    assert Route((leaving, starting)).usable() == [GONE]
    assert Route((leaving, ready)).usable() == [ready.address]
    assert Route((starting,)).usable() == []


def test_a_caller_that_does_not_read_holds_the_sender() -> None:
    """Protects memory: what an endpoint sends to a caller that does not read is not piled up here."""

    async def run() -> None:
        async with scene(1) as s:
            reader, writer = await s.open()
            assert await reader.readexactly(1) == b"0"
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(bytes(64 << 20))
            await asyncio.sleep(0.3)
            (client,) = s.clients
            assert client.transport is not None
            assert client.transport.get_write_buffer_size() < 4 << 20
            writer.transport.abort()

    asyncio.run(run())
