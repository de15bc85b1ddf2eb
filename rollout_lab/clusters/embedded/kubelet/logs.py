"""The log of a container: a ring of lines, and reading it as ``kubectl logs`` does.

Lines come from the data plane's thread, readers live on the API loop. Finding the container of a
request is the kubelet's business.
# upstream: Kubernetes API reference, "read log of the specified Pod"
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from rollout_lab.api.times import rfc3339_micro

KEEP = 400
Line = tuple[int, float, str]  # (number, lab seconds, text)


class LogRing:
    """The last `KEEP` lines of one run of a container. `write` and `end` may be called from any thread."""

    __slots__ = ("_ended", "_lines", "_lock", "_loop", "_next", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """`loop` is the loop that readers run on."""
        self._loop = loop
        self._lines: deque[Line] = deque(maxlen=KEEP)
        self._lock = threading.Lock()
        self._next = 0
        self._waiting: set[asyncio.Event] = set()
        self._ended = False

    def write(self, at: float, text: str) -> None:
        with self._lock:
            for part in text.splitlines() or [""]:
                self._lines.append((self._next, at, part))
                self._next += 1
        self._notify()

    def end(self) -> None:
        """No line will follow: readers that follow it finish."""
        self._ended = True
        self._notify()

    def _notify(self) -> None:
        if self._waiting and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()

    def lines(self) -> list[Line]:
        """What there is now, oldest first."""
        with self._lock:
            return list(self._lines)

    async def follow(self, after: int) -> AsyncIterator[Line]:
        """Lines numbered from `after` on, as they come, until the container has ended."""
        wake = asyncio.Event()
        self._waiting.add(wake)
        try:
            while True:
                wake.clear()
                ended = self._ended
                for line in self.lines():
                    if line[0] >= after:
                        after = line[0] + 1
                        yield line
                if ended:
                    return
                await wake.wait()
        finally:
            self._waiting.discard(wake)


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The query of a log request; None means "not asked for"."""

    follow: bool = False
    previous: bool = False
    tail_lines: int | None = None
    since_seconds: float | None = None
    since_time: float | None = None
    timestamps: bool = False
    limit_bytes: int | None = None


@dataclass(slots=True)
class LogReader:
    """An async iterator of encoded lines, over a ring and, if wished, what follows."""

    ring: LogRing
    options: LogOptions
    now: float
    _left: int | None = field(default=None, init=False)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._left = self.options.limit_bytes
        since = self.options.since_time
        if self.options.since_seconds is not None:
            since = self.now - self.options.since_seconds
        kept = [line for line in self.ring.lines() if since is None or line[1] >= since]
        if self.options.tail_lines is not None:
            kept = kept[max(0, len(kept) - self.options.tail_lines) :]
        last = max((number for number, _, _ in self.ring.lines()), default=-1)
        for line in kept:
            if (chunk := self._encode(line)) is None:
                return
            yield chunk
        if not self.options.follow:
            return
        async for line in self.ring.follow(last + 1):
            if (chunk := self._encode(line)) is None:
                return
            yield chunk

    def _encode(self, line: Line) -> bytes | None:
        _, at, text = line
        stamp = f"{rfc3339_micro(at)} " if self.options.timestamps else ""
        chunk = f"{stamp}{text}\n".encode()
        if self._left is not None:
            if self._left <= 0:
                return None
            chunk = chunk[: self._left]
            self._left -= len(chunk)
        return chunk
