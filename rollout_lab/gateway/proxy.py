"""The gateway's socket side: takes a request, asks `choose`, hands it on and brings the answer back.

Nothing is decided here but what to do when an endpoint does not answer: a connection that is refused is
tried at another endpoint; one that breaks before an answer too, where the method may be repeated and
nothing of a body was sent. Runs on one event loop; `use` is called there.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from rollout_lab.gateway.choose import Decision, choose, endpoint
from rollout_lab.gateway.counts import Count, Counts
from rollout_lab.gateway.forwarding import IDEMPOTENT, Headers, changed, forwarded, passed_on
from rollout_lab.gateway.table import Backend, Endpoint, Mirror, Request, Table

Reach = Callable[[Endpoint], Endpoint | None]
"""Where an endpoint really answers on this machine; None where nothing does."""

CONNECT, ANSWER = 5.0, 60.0  # wall seconds for a connection, and between two pieces of an answer
AT_ONCE = 64 * 1024  # bytes: an answer up to this size is read before it is sent on
COPIED = 1024 * 1024  # bytes: a request with a larger body, or one of unknown size, is not mirrored
KEEP = 3600.0  # wall seconds a client's connection may idle: it must not meet one that just closes
MIRROR_END = 1.0  # wall seconds copies under way may take when the gateway stops
_WORDS = {
    404: "no route takes this request",
    500: "the route's backend cannot be used",
    501: "the route asks for what this gateway does not do",
    502: "no endpoint of the backend took the request",
    503: "the backend has no ready endpoint",
    504: "the backend did not answer in time",
}


class Gateway:
    """One gateway. `server` is the protocol factory of its listener. Make it on the loop it runs on."""

    def __init__(self, *, reach: Reach | None = None, seed: int | None = None) -> None:
        """`seed` makes every choice repeatable; without one it is of the system's randomness."""
        self.table = Table()
        self.counts = Counts()
        self._draw = random.Random(seed).random if seed is not None else random.SystemRandom().random
        self._reach = reach or (lambda found: found)
        self.server = web.Server(self._handle, access_log=None, keepalive_timeout=KEEP)
        self._kept = _session(force_close=False)
        self._fresh = _session(force_close=True)
        self._copies: set[asyncio.Task[None]] = set()

    def use(self, table: Table) -> None:
        """Decide by `table` from the next request on; those under way end as they began."""
        self.table = table

    async def stop(self) -> None:
        """End what is under way and close every connection. The listener must be closed before."""
        if self._copies:
            await asyncio.wait(self._copies, timeout=MIRROR_END)
        for task in list(self._copies):
            task.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)
        await self.server.shutdown(MIRROR_END)
        await self._kept.close()
        await self._fresh.close()

    # -- one request ------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        table = self.table
        decision = choose(table, _request(request), self._draw)
        if decision.rule is None or decision.backend is None:
            self.counts.unrouted += decision.rule is None
            return _said(decision.status)
        rule, backend = decision.rule, decision.backend
        count = self.counts.of(rule.source, backend)
        count.requests += 1
        if backend.error:
            count.failed += 1
            return _said(backend.error)
        headers = _outgoing(request)
        body: Any = request.content if request.body_exists else None
        if decision.mirrors and _copyable(request):
            body = await request.read() if request.body_exists else None
            self._mirror(decision, request, headers, body)
        headers = changed(headers, (rule.request_headers, backend.request_headers))
        try:
            answer = await self._ask(table, backend, request, headers, body)
        except TimeoutError:
            count.failed += 1
            return _said(504)
        if isinstance(answer, int):
            count.failed += 1
            return _said(answer)
        count.failed += answer.status >= 500
        return await self._answer(request, decision, answer, count)

    async def _ask(
        self, table: Table, backend: Backend, request: web.BaseRequest, headers: Headers, body: Any
    ) -> aiohttp.ClientResponse | int:
        """The first answer of an endpoint, or the status to say where none answers.

        A method that may not be repeated gets a connection of its own: a kept one may just be closing.
        """
        repeatable = request.method in IDEMPOTENT and not isinstance(body, asyncio.StreamReader)
        repeatable = repeatable and not isinstance(body, aiohttp.StreamReader)
        session = self._kept if repeatable else self._fresh
        tried: list[Endpoint] = []
        while True:
            newest = self.table if backend.pool in self.table.pools else table
            target = endpoint(newest, backend, tried, self._draw)
            if target is None:
                return 502 if tried else 503
            tried.append(target)
            if len(tried) > 1:
                self.counts.retried += 1
            actual = self._reach(target)
            if actual is None:
                continue
            url = URL(f"http://{actual[0]}:{actual[1]}{request.rel_url.raw_path_qs}", encoded=True)
            try:
                return await session.request(
                    request.method, url, headers=headers, data=body, allow_redirects=False
                )
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, ConnectionError):
                if not repeatable:
                    return 502

    async def _answer(
        self, request: web.BaseRequest, decision: Decision, answer: aiohttp.ClientResponse, count: Count
    ) -> web.StreamResponse:
        """Send an answer on: small ones in one piece, others as they come."""
        assert decision.rule is not None and decision.backend is not None
        changes = (decision.backend.response_headers, decision.rule.response_headers)
        headers = changed(passed_on(answer.headers.items()), changes)
        async with answer:
            size = answer.content_length
            plain = request.method != "HEAD" and answer.status not in (204, 304)
            if plain and size is not None and size <= AT_ONCE:
                with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                    body = await answer.read()
                    kept = [(n, v) for n, v in headers if n.lower() != "content-length"]
                    return web.Response(status=answer.status, reason=answer.reason, body=body, headers=kept)
                count.failed += answer.status < 500
                return _said(502)
            return await self._stream(request, answer, headers, count)

    async def _stream(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, headers: Headers, count: Count
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
        await response.prepare(request)
        try:
            async for piece in answer.content.iter_any():
                await response.write(piece)
        except (aiohttp.ClientError, TimeoutError):
            count.failed += answer.status < 500  # the client must see that the rest is missing
            if request.transport is not None:
                request.transport.abort()
            return response
        await response.write_eof()
        return response

    # -- copies -----------------------------------------------------------------------------------

    def _mirror(self, decision: Decision, request: web.BaseRequest, headers: Headers, body: Any) -> None:
        assert decision.rule is not None
        for mirror in decision.mirrors:
            self.counts.of(decision.rule.source, mirror.backend).mirrored += 1
            task = asyncio.get_running_loop().create_task(
                self._copy(mirror, request.method, request.rel_url.raw_path_qs, headers, body)
            )
            self._copies.add(task)
            task.add_done_callback(self._copies.discard)

    async def _copy(self, mirror: Mirror, method: str, path: str, headers: Headers, body: Any) -> None:
        """Send one copy and throw the answer away; nobody waits for it."""
        tried: list[Endpoint] = []
        if mirror.host_suffix:
            headers = [(n, v + mirror.host_suffix if n.lower() == "host" else v) for n, v in headers]
        while (target := endpoint(self.table, mirror.backend, tried, self._draw)) is not None:
            tried.append(target)
            actual = self._reach(target)
            if actual is None:
                continue
            url = URL(f"http://{actual[0]}:{actual[1]}{path}", encoded=True)
            try:
                async with self._kept.request(
                    method, url, headers=headers, data=body, allow_redirects=False
                ) as answer:
                    await answer.read()
                return
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, ConnectionError, TimeoutError):
                return


def _session(*, force_close: bool) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, use_dns_cache=False, force_close=force_close)
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=ANSWER),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )


def _request(request: web.BaseRequest) -> Request:
    """The part of a request that decides; several headers of one name count as one with commas."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    host = headers.get("host", "").lower()
    if not host.endswith("]"):
        head, colon, port = host.rpartition(":")
        host = head if colon and port.isdigit() else host
    url = request.rel_url
    return Request(request.method, host.rstrip("."), url.path, url.raw_query_string, headers)


def _outgoing(request: web.BaseRequest) -> Headers:
    headers = passed_on(request.headers.items())
    return forwarded(headers, request.remote or "", request.headers.get("Host", ""))


def _copyable(request: web.BaseRequest) -> bool:
    return not request.body_exists or (
        request.content_length is not None and request.content_length <= COPIED
    )


def _said(status: int) -> web.Response:
    """The gateway's own answer; it names itself, so that nobody takes it for the program's."""
    text = f"gateway: {_WORDS.get(status, 'the request cannot be passed on')}\n"
    return web.Response(status=status, text=text)
