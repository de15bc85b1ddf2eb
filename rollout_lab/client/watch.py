"""One open watch: lines of a response as events, and a way to end it from another thread.

Resuming, relisting and caching live in `mirror`.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import urllib3

from rollout_lab.errors import ApiError, ClusterUnavailable

WatchEvent = tuple[str, dict[str, Any]]


class Watch:
    """Iterates ``(type, object)`` until the server ends the stream or `close` is called."""

    def __init__(self, response: urllib3.BaseHTTPResponse, server: str) -> None:
        self._response = response
        self._server = server
        self._closed = threading.Event()

    def close(self) -> None:
        """End the watch now, from any thread; a read that waits returns at once."""
        self._closed.set()
        # Closing would wait for the lock of the reading thread; shutting the socket down wakes it.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._response.shutdown()

    def __iter__(self) -> Iterator[WatchEvent]:
        try:
            for line in self._lines():
                event = json.loads(line)
                kind, obj = str(event["type"]), event["object"]
                if kind == "ERROR":
                    raise ApiError.of(obj)
                yield kind, obj
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as problem:
            if not self._closed.is_set():
                raise ClusterUnavailable(
                    f"the watch on {self._server} broke ({type(problem).__name__})"
                ) from None
        finally:
            with contextlib.suppress(OSError, ValueError, urllib3.exceptions.HTTPError):
                self._response.close()

    def _lines(self) -> Iterator[bytes]:
        """Whole lines as they come; a chunk may hold several, or a part of one."""
        rest = b""
        for chunk in self._response.stream(65536):
            if self._closed.is_set():
                return
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                if line.strip():
                    yield line
        if rest.strip():
            yield rest
