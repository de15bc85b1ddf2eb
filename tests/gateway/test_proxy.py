"""The socket side of a gateway against small servers: bodies, streams, refused connections, headers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

from rollout_lab.gateway.proxy import Gateway
from rollout_lab.gateway.table import (
    Backend,
    Endpoint,
    Group,
    HeaderChange,
    Host,
    Mirror,
    Rule,
    Source,
    Table,
)

MAIN, COPY = Backend("demo", "main", "80"), Backend("demo", "copy", "80")
BIG = b"0123456789" * 20_000


class Program:
    """A backend that tells what it got, and remembers it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.streaming = asyncio.Event()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {k.lower(): v for k, v in request.headers.items()}
        body = await request.read()
        self.seen.append((request.method, request.path_qs, body, headers))
        if request.path == "/big":
            return web.Response(body=BIG, headers={"X-Program": "1", "Keep-Alive": "timeout=5"})
        if request.path == "/stream":
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"first")
            await self.streaming.wait()
            await response.write(b"second")
            return response
        return web.Response(body=body or b"hello", status=404 if request.path == "/no" else 200)


async def listen(stack: contextlib.AsyncExitStack, factory: Any) -> Endpoint:
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    stack.callback(server.close)
    host, port = server.sockets[0].getsockname()[:2]
    return host, port


def refusing() -> Endpoint:
    """An address at which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        host, port = one.getsockname()
    return host, port


@contextlib.asynccontextmanager
async def scene(*more: Endpoint, **rule: Any) -> AsyncIterator[tuple[str, Program, Program, Gateway]]:
    """The URL of a gateway with one rule, its program, the program copies go to, and the gateway."""
    async with asyncio.timeout(30), contextlib.AsyncExitStack() as stack:
        main, copy, gateway = Program(), Program(), Gateway(seed=1)
        pools = {}
        for backend, program in ((MAIN, main), (COPY, copy)):
            server = web.Server(program.answer)
            stack.push_async_callback(server.shutdown, 1)
            pools[backend.pool] = (await listen(stack, server),)
        pools[MAIN.pool] = (*pools[MAIN.pool], *more)
        made = Rule(Source("Ingress", "demo", "web"), **{"backends": (MAIN,), **rule})
        gateway.use(Table((Group("Ingress", ((Host(), (made,)),)),), pools=pools))
        stack.push_async_callback(gateway.stop)
        host, port = await listen(stack, gateway.server)
        yield f"http://{host}:{port}", main, copy, gateway


def test_a_request_arrives_as_it_was_sent() -> None:
    """Protects method, path, query, body, host and headers; the program learns whom it serves."""

    async def go() -> None:
        async with scene() as (url, main, _, _), aiohttp.ClientSession() as http:
            headers = {"Host": "a.localhost", "X-One": "1", "Connection": "keep-alive, X-Hop", "X-Hop": "2"}
            async with http.put(f"{url}/a%2Fb?q=%20x", data=b"body", headers=headers) as answer:
                assert (answer.status, await answer.read()) == (200, b"body")
            method, path, body, got = main.seen[0]
            assert (method, path, body) == ("PUT", "/a%2Fb?q=%20x", b"body")
            assert (got["host"], got["x-one"], got["x-forwarded-for"]) == ("a.localhost", "1", "127.0.0.1")
            assert "x-hop" not in got
            async with http.get(f"{url}/no") as answer:
                assert answer.status == 404
            async with http.head(f"{url}/big") as answer:
                assert (answer.headers["Content-Length"], await answer.read()) == (str(len(BIG)), b"")

    asyncio.run(go())


def test_large_and_slow_answers_come_as_they_are_made() -> None:
    """Protects streaming: the first piece is there before the program has made the second."""

    async def go() -> None:
        async with scene() as (url, main, _, _), aiohttp.ClientSession() as http:
            async with http.get(f"{url}/big") as answer:
                assert await answer.read() == BIG
                assert "Keep-Alive" not in answer.headers
                assert answer.headers["X-Program"] == "1"
            async with http.get(f"{url}/stream") as answer:
                assert await answer.content.readexactly(5) == b"first"
                main.streaming.set()
                assert await answer.content.read() == b"second"

    asyncio.run(go())


def test_a_refused_connection_is_tried_elsewhere() -> None:
    """Protects users from an endpoint that just went: GET and POST reach the one that is left."""

    async def go() -> None:
        gone = [refusing() for _ in range(3)]
        async with scene(*gone) as (url, main, _, gateway), aiohttp.ClientSession() as http:
            for _ in range(10):
                async with http.get(url) as answer:
                    assert answer.status == 200
                async with http.post(url, data=b"once") as answer:
                    assert await answer.read() == b"once"
            assert len(main.seen) == 20
            assert gateway.counts.retried > 0

    asyncio.run(go())


def test_nothing_there_is_said_by_the_gateway() -> None:
    """Protects the difference: no route 404, no endpoint 503, none that takes a connection 502."""

    async def go() -> None:
        async with scene() as (url, _, _, gateway), aiohttp.ClientSession() as http:

            async def status() -> int:
                async with http.get(url) as answer:
                    assert (await answer.text()).startswith("gateway: ")
                    return answer.status

            groups = gateway.table.groups
            gateway.use(Table())
            assert await status() == 404
            gateway.use(Table(groups))
            assert await status() == 503
            gateway.use(Table(groups, pools={MAIN.pool: (refusing(),)}))
            assert await status() == 502
            counted = next(iter(gateway.counts.backends.values()))
            assert (counted.requests, counted.failed, gateway.counts.unrouted) == (2, 2, 1)

    asyncio.run(go())


def test_copies_carry_the_body_and_headers_change_both_ways() -> None:
    """Protects mirrors of requests with a body, and header filters on the way there and back."""

    async def go() -> None:
        change = HeaderChange(set=(("x-set", "new"),), remove=("x-gone",))
        rule = {"mirrors": (Mirror(COPY, 1.0, "-shadow"),), "request_headers": change}
        back = HeaderChange(add=(("x-back", "1"),), remove=("x-program",))
        async with (
            scene(**rule, response_headers=back) as (url, main, copy, gateway),
            aiohttp.ClientSession() as http,
        ):
            sent = {"X-Set": "old", "X-Gone": "1", "Host": "a.localhost"}
            async with http.post(f"{url}/big", data=b"body", headers=sent) as answer:
                assert answer.headers["X-Back"] == "1"
                assert "X-Program" not in answer.headers
            while not copy.seen:
                await asyncio.sleep(0.005)
            assert (main.seen[0][2], main.seen[0][3]["x-set"]) == (b"body", "new")
            assert "x-gone" not in main.seen[0][3]
            assert (copy.seen[0][2], copy.seen[0][3]["host"]) == (b"body", "a.localhost-shadow")
            assert [c.mirrored for c in gateway.counts.backends.values()] == [0, 1]

    asyncio.run(go())
