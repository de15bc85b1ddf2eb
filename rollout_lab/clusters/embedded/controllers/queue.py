"""A queue of keys for one controller: each key waits at most once, and is never worked on twice at a time.

Delays are lab seconds (the rules of Kubernetes run on lab time), back-off after failures is wall time
(it protects the machine). What is done with a key is not decided here.

# upstream: client-go/util/workqueue
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from rollout_lab.clock import Clock

K = TypeVar("K", bound=Hashable)

FIRST_RETRY = 0.005  # wall seconds; doubles with every failure of the key
LONGEST_RETRY = 10.0
SHORTEST_SLEEP = 0.002  # wall seconds between two looks at a clock that is not there yet
VIRTUAL_SLEEP = 0.02  # the same for a clock that does not follow the wall (tests, simulation)


class WorkQueue(Generic[K]):
    """Keys in order of arrival. `get` and `done` frame the work on a key.

    A key added while it is worked on comes back after `done`: no change is ever missed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order: deque[K] = deque()
        self._waiting: set[K] = set()
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._timers: dict[K, tuple[float, asyncio.TimerHandle]] = {}
        self._retries: dict[K, asyncio.TimerHandle] = {}
        self._failures: dict[K, int] = {}
        self._ready: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def add(self, key: K) -> None:
        """Work on `key` as soon as possible."""
        if self._closed or key in self._waiting:
            return
        if key in self._working:
            self._again.add(key)
            return
        self._waiting.add(key)
        self._order.append(key)
        self._wake()

    def add_after(self, key: K, lab_seconds: float) -> None:
        """Work on `key` when `lab_seconds` have passed; of several delays the earliest counts."""
        if lab_seconds <= 0:
            self.add(key)
            return
        due = self._clock.now() + lab_seconds
        earlier = self._timers.get(key)
        if self._closed or (earlier and earlier[0] <= due):
            return
        if earlier:
            earlier[1].cancel()
        self._timers[key] = (due, self._later(key, due))

    def add_limited(self, key: K) -> None:
        """Work on `key` again after a failure, later with every failure in a row."""
        if self._closed or key in self._retries:
            return
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(FIRST_RETRY * 2 ** min(failures, 20), LONGEST_RETRY)
        self._retries[key] = asyncio.get_running_loop().call_later(delay, self._retry, key)

    def forget(self, key: K) -> None:
        """The work on `key` succeeded: its next failure is a first one."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The next key; `done` must follow."""
        while not self._order:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._ready.append(waiter)
            await waiter
        key = self._order.popleft()
        self._waiting.discard(key)
        self._working.add(key)
        return key

    def done(self, key: K) -> None:
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """No more keys: timers are cancelled, later additions ignored."""
        self._closed = True
        for _, handle in self._timers.values():
            handle.cancel()
        for handle in self._retries.values():
            handle.cancel()
        self._timers.clear()
        self._retries.clear()

    @property
    def idle(self) -> bool:
        """Whether nothing waits, is being worked on or is to be tried again (delays may still be running)."""
        return not (self._order or self._working or self._again or self._retries)

    def _wake(self) -> None:
        while self._ready:
            waiter = self._ready.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _later(self, key: K, due: float) -> asyncio.TimerHandle:
        left = due - self._clock.now()
        wait = self._clock.real_seconds(left)
        wait = max(wait, SHORTEST_SLEEP) if wait > 0 or left <= 0 else VIRTUAL_SLEEP
        return asyncio.get_running_loop().call_later(wait, self._due, key, due)

    def _due(self, key: K, due: float) -> None:
        if self._clock.now() < due:
            self._timers[key] = (due, self._later(key, due))
            return
        self._timers.pop(key, None)
        self.add(key)

    def _retry(self, key: K) -> None:
        self._retries.pop(key, None)
        self.add(key)
