"""Watches: cursors into the store's log that survive slow readers and translate selector transitions.

Holds the only asyncio of the store side; no HTTP here (`http/streams.py` writes the events out).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from rollout_lab.clusters.embedded.selectors import Matcher
from rollout_lab.clusters.embedded.store import Change, Compacted, Store

Event = tuple[str, dict[str, Any], dict[str, Any] | None]


class Watch:
    """An async iterator of `(type, object, previous)`.

    `type` is ADDED, MODIFIED or DELETED as this watch's selector sees it: an object that leaves the
    selector is DELETED, one that enters is ADDED. Objects are shared: treat them as immutable. A reader
    that falls behind the log gets `Compacted` (list again), never a gap. `rv` is the resourceVersion up
    to which everything has been handed out.
    """

    def __init__(
        self, store: Store, bucket: str, namespace: str | None, matches: Matcher | None, since: int | None
    ) -> None:
        self._store = store
        self._bucket = bucket
        self._namespace = namespace or None
        self._matches = matches
        self._ready: deque[Event] = deque()
        self._wake = asyncio.Event()
        self.closed = False
        if since is None:
            for obj in store.items(bucket, self._namespace):
                if matches is None or matches(obj):
                    self._ready.append(("ADDED", obj, None))
            since = store.rv
            self._position = store.end_of(bucket)
        else:
            self._position = store.start_of(bucket, since)
        self.start = self.rv = since
        self._since = since
        self._forget = store.listen(bucket, self._wake.set)

    def close(self) -> None:
        """Stop: the iterator ends. Safe to call twice and from another task."""
        if not self.closed:
            self.closed = True
            self._forget()
            self._wake.set()

    def pending(self) -> list[Event]:
        """The events there are now, without waiting. Raises Compacted when some were lost."""
        out = list(self._ready)
        self._ready.clear()
        for change in self._store.read(self._bucket, self._position):
            self._position += 1
            event = self._translate(change)
            if event:
                out.append(event)
        self.rv = max(self.rv, self._store.rv)
        return out

    async def batch(self, timeout: float | None = None) -> list[Event]:
        """The next events, at least one; none after `timeout` wall seconds or when closed."""
        while not self.closed:
            self._wake.clear()
            events = self.pending()
            if events:
                return events
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return []
        return []

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events()

    async def _events(self) -> AsyncIterator[Event]:
        try:
            while events := await self.batch():
                for event in events:
                    yield event
        finally:
            self.close()

    def _translate(self, change: Change) -> Event | None:
        if change.rv <= self._since or (self._namespace and change.key[0] != self._namespace):
            return None
        if self._matches is None:
            return change.type, change.object, change.previous
        before = change.previous is not None and self._matches(change.previous)
        now = change.type != "DELETED" and self._matches(change.object)
        if now:
            return ("MODIFIED" if before else "ADDED"), change.object, change.previous
        if before:
            return "DELETED", self._as_left(change), change.previous
        return None

    @staticmethod
    def _as_left(change: Change) -> dict[str, Any]:
        """What a watcher sees of an object that left its selector: the old state at the new version."""
        if change.type == "DELETED" or change.previous is None:
            return change.object
        meta = {**change.previous["metadata"], "resourceVersion": str(change.rv)}
        return {**change.previous, "metadata": meta}


__all__ = ["Compacted", "Event", "Watch"]
