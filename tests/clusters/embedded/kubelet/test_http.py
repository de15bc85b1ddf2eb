"""The Pods' HTTP server: what it reads, refuses, keeps and lets end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from rollout_lab.clusters.embedded.kubelet.apps.app import Answer, Request
from rollout_lab.clusters.embedded.kubelet.apps.http import MAX_BODY, MAX_HEAD, BadRequest, HttpServer, parse
from tests.clusters.embedded.kubelet.bench import read_answer


class Echo:
    """Answers with the path; paths below /slow come 0.2 s later."""

    crash_after: float | None = None
    stop_delay = 0.0

    def start(self) -> None: ...

    def answer(self, request: Request) -> Answer:
        delay = 0.2 if request.path.startswith("/slow") else 0.0
        return Answer(200, request.path + request.body.decode(), delay=delay)


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[tuple[HttpServer, asyncio.Server, int]]:
    http = HttpServer(Echo())
    listener = await asyncio.get_running_loop().create_server(http.protocol, "127.0.0.1", 0)
    try:
        yield http, listener, listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        http.cut()


def get(path: str, *headers: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/{version}", "Host: x", *headers, "", ""]).encode()


def test_a_request_is_taken_apart() -> None:
    """Protects the parser: method, path, query, headers, body, and what is left for the next."""
    raw = b"POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nX-Y:  z \r\n\r\nabcGET"
    found = parse(raw)
    assert found is not None
    request, used, keep = found
    assert (request.method, request.path, request.query, request.body) == ("POST", "/a b", "x=1", b"abc")
    assert request.headers["x-y"] == "z"
    assert (raw[used:], keep) == (b"GET", True)
    assert parse(raw[:-4]) is None
    assert parse(b"GET / HTTP/1.1\r\nHost: x\r\n") is None


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbroken header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"GET /" + b"a" * MAX_HEAD, 431),
    ],
)
def test_bad_requests_are_refused(raw: bytes, status: int) -> None:
    """Protects the limits: what is malformed or too large gets its status and the connection ends."""
    with pytest.raises(BadRequest) as refused:
        parse(raw)
    assert refused.value.status == status

    async def scene() -> None:
        async with server() as (_, _, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(raw)
            assert (await read_answer(reader))[0] == status
            assert await reader.read() == b""
            writer.close()

    asyncio.run(scene())


def test_keep_alive_and_pipelining_keep_the_order() -> None:
    """Protects clients that reuse a connection: answers come in the order of the requests."""

    async def scene() -> None:
        async with server() as (_, _, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(get("/slow/1") + get("/2") + get("/3"))
            assert [(await read_answer(reader))[1] for _ in range(3)] == ["/slow/1", "/2", "/3"]
            writer.write(get("/4", "Connection: close"))
            assert (await reader.read()).endswith(b"Connection: close\r\n\r\n/4")
            writer.close()

    asyncio.run(scene())


def test_http_1_0_and_head() -> None:
    """Protects old clients: 1.0 ends after one answer, HEAD has no body."""

    async def scene() -> None:
        async with server() as (_, _, port):
            for raw, ending in (
                (get("/x", version="1.0"), b"close\r\n\r\n/x"),
                (get("/x", "Connection: close").replace(b"GET", b"HEAD"), b"close\r\n\r\n"),
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(raw)
                assert (await reader.read()).endswith(ending)
                writer.close()

    asyncio.run(scene())


def test_a_client_that_stops_sending_gets_its_answer() -> None:
    """Protects half-closed connections: `nc` and some proxies end their side first."""

    async def scene() -> None:
        async with server() as (http, _, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(get("/slow"))
            writer.write_eof()
            assert (await reader.read()).endswith(b"/slow")
            assert not http.connections
            writer.close()

    asyncio.run(scene())


def test_draining_answers_what_runs_and_closes_what_idles() -> None:
    """Protects the end of a Pod: running requests end, idle connections close, clients are told to leave."""

    async def scene() -> None:
        async with server() as (http, listener, port):
            busy, busy_writer = await asyncio.open_connection("127.0.0.1", port)
            idle, idle_writer = await asyncio.open_connection("127.0.0.1", port)
            idle_writer.write(get("/1"))
            assert (await read_answer(idle))[1] == "/1"
            http.start_closing()
            busy_writer.write(get("/slow"))
            await asyncio.sleep(0.05)
            listener.close()
            assert await http.drain(5)
            assert b"Connection: close" in await busy.read()
            assert await idle.read() == b""
            for writer in (busy_writer, idle_writer):
                writer.close()

    asyncio.run(scene())


def test_what_does_not_end_in_time_is_cut() -> None:
    """Protects the grace period: after it the program is gone, whoever still waits."""

    async def scene() -> None:
        async with server() as (http, listener, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(get("/slow"))
            await asyncio.sleep(0.05)
            listener.close()
            assert not await http.drain(0.01)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(scene())
