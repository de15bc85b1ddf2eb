"""A watch over HTTP: one JSON line an event, bookmarks, the end by timeout or because history is gone.

# upstream: apiserver/pkg/endpoints/handlers/watch.go, storage/cacher
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.http import views
from rollout_lab.clusters.embedded.http.negotiation import Form
from rollout_lab.clusters.embedded.http.queries import ListOptions
from rollout_lab.clusters.embedded.resources import Resource
from rollout_lab.clusters.embedded.watching import Compacted, Watch

BOOKMARK_SECONDS = 60.0
INITIAL_END = "k8s.io/initial-events-end"


async def serve(
    request: web.Request,
    api: Api,
    res: Resource,
    namespace: str | None,
    options: ListOptions,
    form: Form,
    headers: dict[str, str],
    closing: asyncio.Event,
) -> web.StreamResponse:
    """Answer a watch until its time is over, the client goes away or the server stops."""
    include = request.query.get("includeObject", "")
    since = None if options.version in ("", "0") or options.initial else _version(options.version)
    if options.initial is False and options.version in ("", "0"):
        since = api.store.rv
    gone: dict[str, Any] | None = None
    watch: Watch | None = None
    try:
        watch = api.watch(res, namespace, since, options.labels, options.fields)
    except Compacted:
        gone = _gone(since or 0, api)
    response = web.StreamResponse(headers={**headers, "Content-Type": _content_type(form)})
    response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        if watch is None:
            await response.write(_line("ERROR", gone))
        else:
            writer = _Writer(api, res, form, include)
            await _run(response, watch, options, writer, api, res, closing)
    except (ConnectionResetError, ConnectionError):
        return response
    finally:
        if watch is not None:
            watch.close()
    await response.write_eof()
    return response


async def _run(
    response: web.StreamResponse,
    watch: Watch,
    options: ListOptions,
    writer: _Writer,
    api: Api,
    res: Resource,
    closing: asyncio.Event,
) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + (options.timeout or random.uniform(1800, 3600))
    if options.initial:
        lines = [writer.line(kind, obj) for kind, obj, _ in watch.pending()]
        lines.append(_bookmark(res, watch.start, initial=True) if options.bookmarks else b"")
        await response.write(b"".join(lines))
    elif watch.start and options.bookmarks:
        await response.write(b"")
    marks = [loop.time() + BOOKMARK_SECONDS, end - 2, end - 1] if options.bookmarks else []
    marks = sorted(m for m in marks if m > loop.time())
    stop = asyncio.ensure_future(closing.wait())
    stop.add_done_callback(lambda _: watch.close())
    try:
        while not watch.closed:
            now = loop.time()
            due = min(marks[0], end) if marks else end
            try:
                events = await watch.batch(max(0.0, due - now))
            except Compacted:
                await response.write(_line("ERROR", _gone(watch.rv, api)))
                return
            if events:
                await response.write(b"".join(writer.line(kind, obj) for kind, obj, _ in events))
            now = loop.time()
            if now >= end or watch.closed:
                return
            if marks and now >= due and not events:
                await response.write(_bookmark(res, watch.rv))
                marks = sorted([*marks[1:], now + BOOKMARK_SECONDS] if due < end - 2 else marks[1:])
    finally:
        stop.cancel()


class _Writer:
    """Turns events into lines of the asked form; a Table's columns come once."""

    def __init__(self, api: Api, res: Resource, form: Form, include: str) -> None:
        self.line: Callable[[str, dict[str, Any]], bytes]
        self._api, self._res, self._include = api, res, include
        self._first = True
        if form.kind == "Table":
            self.line = self._table
        elif form.kind.startswith("PartialObjectMetadata"):
            self.line = lambda kind, obj: _line(kind, views.partial(obj))
        else:
            self.line = self._plain

    def _plain(self, kind: str, obj: dict[str, Any]) -> bytes:
        return _line(kind, self._api.shown(self._res, obj))

    def _table(self, kind: str, obj: dict[str, Any]) -> bytes:
        shown = self._api.shown(self._res, obj)
        meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        made = views.table(self._api, self._res, [shown], meta, self._include, columns=self._first)
        self._first = False
        return _line(kind, made)


def _line(kind: str, obj: Any) -> bytes:
    return orjson.dumps({"type": kind, "object": obj}) + b"\n"


def _bookmark(res: Resource, version: int, *, initial: bool = False) -> bytes:
    meta: dict[str, Any] = {"resourceVersion": str(version)}
    if initial:
        meta["annotations"] = {INITIAL_END: "true"}
    return _line("BOOKMARK", {"kind": res.kind, "apiVersion": res.api_version, "metadata": meta})


def _gone(since: int, api: Api) -> dict[str, Any]:
    text = f"too old resource version: {since} ({api.store.compacted or api.store.rv})"
    return statuses.status(410, "Expired", text)


def _version(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise statuses.bad_version(text) from None


def _content_type(form: Form) -> str:
    return form.content_type
