"""A small HTTP/1.1 server: one `asyncio.Protocol` per connection, one app behind it.

Here: parsing with limits, keep-alive, pipelining in order, delayed answers, an end that drops no
request. Runs on the data plane's loop. What is answered is the app's business.
# upstream: RFC 9112 (message syntax), RFC 9110 section 7.6.1 (Connection)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

from rollout_lab.clusters.embedded.kubelet.apps.app import Answer, App, Request

MAX_HEAD = 16 * 1024
MAX_BODY = 64 * 1024


class BadRequest(Exception):
    """A request that cannot be read; answered with `status`, then the connection closes."""

    def __init__(self, status: int) -> None:
        super().__init__(HTTPStatus(status).phrase)
        self.status = status


class HttpServer:
    """The connections of one container. `closing` makes every answer say ``Connection: close``."""

    __slots__ = ("_idle", "app", "closing", "connections", "on_answer")

    def __init__(self, app: App, on_answer: Callable[[Request, Answer], None] | None = None) -> None:
        """`on_answer` is told every request with its answer (the access log)."""
        self.app = app
        self.on_answer = on_answer
        self.closing = False
        self.connections: set[Connection] = set()
        self._idle: asyncio.Event | None = None

    def protocol(self) -> Connection:
        """The factory for `create_server`."""
        return Connection(self)

    def start_closing(self) -> None:
        """From now on each answer asks its client to connect anew. Data plane only."""
        self.closing = True

    async def drain(self, timeout: float) -> bool:
        """Close idle connections, let running requests end; whether all ended in `timeout` wall seconds.

        The listeners must be closed before. What is left after the timeout is cut.
        """
        self.closing = True
        self._idle = asyncio.Event()
        for connection in list(self.connections):
            connection.close_when_idle()
        self.forget(None)
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
            return True
        except TimeoutError:
            self.cut()
            return False

    def cut(self) -> None:
        """Drop every connection at once, as a killed process does."""
        for connection in list(self.connections):
            if connection.transport is not None:
                connection.transport.abort()

    def forget(self, connection: Connection | None) -> None:
        if connection is not None:
            self.connections.discard(connection)
        if self._idle is not None and not self.connections:
            self._idle.set()


class Connection(asyncio.Protocol):
    """One client connection."""

    __slots__ = ("_buffer", "_busy", "_ended", "_server", "transport")

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._buffer = b""
        self._busy = False
        self._ended = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._server.forget(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > MAX_HEAD + MAX_BODY and self.transport is not None:
            self.transport.pause_reading()  # until the running request is answered
        self._next()

    def eof_received(self) -> bool:
        self._ended = True
        return self._busy  # a client that has only stopped sending still gets its answer

    def close_when_idle(self) -> None:
        if not self._busy and self.transport is not None:
            self.transport.close()

    def _next(self) -> None:
        if self._busy or self.transport is None or self.transport.is_closing():
            return
        try:
            parsed = parse(self._buffer)
        except BadRequest as error:
            self._send(Answer(error.status, f"{error}\n"), "GET", keep=False)
            return
        if parsed is None:
            return
        request, used, keep = parsed
        self._buffer = self._buffer[used:]
        self._busy = True
        answer = self._server.app.answer(request)
        if answer.delay > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(answer.delay, self._finish, request, answer, keep)
        else:
            self._finish(request, answer, keep)

    def _finish(self, request: Request, answer: Answer, keep: bool) -> None:
        self._busy = False
        if self.transport is None or self.transport.is_closing():
            return
        if self._server.on_answer is not None:
            self._server.on_answer(request, answer)
        self._send(answer, request.method, keep=keep and not (self._ended or self._server.closing))
        if self._buffer and not self.transport.is_closing():
            self.transport.resume_reading()
            asyncio.get_running_loop().call_soon(self._next)

    def _send(self, answer: Answer, method: str, *, keep: bool) -> None:
        assert self.transport is not None
        body = answer.body.encode()
        head = (
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
            f"Content-Type: {answer.content_type}\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        )
        self.transport.write(head.encode() + (b"" if method == "HEAD" else body))
        if not keep:
            self.transport.close()


def parse(buffer: bytes) -> tuple[Request, int, bool] | None:
    """The first request in `buffer`, the bytes it used and whether the connection may stay.

    None while it is incomplete. Raises BadRequest for what is malformed, too large (431, 413) or
    sent in chunks (411: no program here takes uploads).
    """
    end = buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
    if end < 0:
        if len(buffer) >= MAX_HEAD:
            raise BadRequest(431)
        return None
    lines = buffer[:end].decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[0].isalpha():
        raise BadRequest(400)
    method, target, version = parts
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(400)
        headers[name.lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise BadRequest(411)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest(400)
    size = int(length)
    if size > MAX_BODY:
        raise BadRequest(413)
    used = end + 4 + size
    if len(buffer) < used:
        return None
    path, _, query = target.partition("?")
    wish = headers.get("connection", "").lower()
    keep = "close" not in wish if version == "HTTP/1.1" else "keep-alive" in wish
    body = buffer[end + 4 : used]
    return Request(method, unquote(path), query, headers, body), used, keep
