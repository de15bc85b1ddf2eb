"""The gateway's second listener: a few texts by path, for probes and for whoever asks what it does.

On the loop of its proxy, so that a probe that is answered tells that requests are answered too.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

Answer = Callable[[str], tuple[int, str, str]]
"""Path -> status, content type and text."""


def pages(answer: Answer) -> web.Server:
    """A protocol factory for a listener that answers every GET by `answer`."""

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="only GET\n")
        status, kind, text = answer(request.rel_url.path)
        return web.Response(status=status, text=text, content_type=kind)

    return web.Server(handle, access_log=None)
