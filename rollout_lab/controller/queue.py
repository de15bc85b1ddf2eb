"""Keys waiting for a pass: each at most once, some later, failed ones ever later.

One key is never with two workers at a time. What a key means and what a pass does is not known here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from rollout_lab.clock import Clock

Key = TypeVar("Key", bound=Hashable)

FIRST_BACKOFF = 0.005
LONGEST_BACKOFF = 10.0


def backoff(failures: int) -> float:
    """Wall seconds to wait after so many failures of one key in a row."""
    return float(min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(failures - 1, 12)))


class WorkQueue(Generic[Key]):
    """A de-duplicating queue with delays; times are lab seconds of `clock`.

    A pass may ask that the next one of its key does not come at once: changes come in bursts.
    """

    def __init__(self, clock: Clock, jitter: Callable[[], float] = lambda: 1.0) -> None:
        self._clock = clock
        self._jitter = jitter
        self._waiting: dict[Key, float] = {}
        self._running: set[Key] = set()
        self._again: dict[Key, float] = {}
        self._free_at: dict[Key, float] = {}
        self._failures: dict[Key, int] = {}
        self._changed = threading.Condition()
        self._closed = False

    def add(self, key: Key, lab_seconds: float = 0.0) -> None:
        """Ask for a pass in so many lab seconds; an earlier one already asked for stays."""
        due = self._clock.now() + max(0.0, lab_seconds)
        with self._changed:
            if key in self._running:
                self._again[key] = min(due, self._again.get(key, due))
                return
            self._put(key, due)

    def add_wall(self, key: Key, wall_seconds: float) -> None:
        """As `add`, in wall seconds: for waits that have nothing to do with lab time."""
        self.add(key, wall_seconds * self._speed())

    def get(self) -> Key | None:
        """Wait for a key that is due and take it; None once the queue is closed."""
        with self._changed:
            while not self._closed:
                now = self._clock.now()
                due = [(at, key) for key, at in self._waiting.items()]
                if due:
                    at, key = min(due, key=lambda item: item[0])
                    if at <= now:
                        del self._waiting[key]
                        self._running.add(key)
                        return key
                    self._changed.wait(max(0.0005, self._clock.real_seconds(at - now)))
                else:
                    self._changed.wait()
        return None

    def done(self, key: Key, *, failed: bool = False, gap: float = 0.0) -> None:
        """The pass of a key is over; the next one comes `gap` wall seconds from now or later.

        A failed one comes again after a back-off.
        """
        with self._changed:
            self._running.discard(key)
            now = self._clock.now()
            self._free_at[key] = now + gap * self._speed()
            again = self._again.pop(key, None)
            if failed:
                failures = self._failures[key] = self._failures.get(key, 0) + 1
                wait = backoff(failures) * self._jitter() * self._speed()
                again = now + wait if again is None else max(again, now + wait)
            else:
                self._failures.pop(key, None)
            if again is not None:
                self._put(key, again)

    def forget(self, key: Key) -> None:
        """The object of a key is gone."""
        with self._changed:
            for known in (self._waiting, self._again, self._free_at, self._failures):
                known.pop(key, None)

    def close(self) -> None:
        """Wake all workers for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._waiting) + len(self._running)

    def _put(self, key: Key, due: float) -> None:
        due = max(due, self._free_at.get(key, due))
        if key not in self._waiting or due < self._waiting[key]:
            self._waiting[key] = due
            self._changed.notify()

    def _speed(self) -> float:
        real = self._clock.real_seconds(1.0)
        return 1.0 / real if real > 0 else 1.0
