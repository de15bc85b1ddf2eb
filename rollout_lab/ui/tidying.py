"""The host's work on seats: a lecture begun anew or a seat set free, beside the page, one thing per seat.

Taking away waits until Pods are gone, which is too long for a page to stand still. No words, no drawing.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from rollout_lab.errors import LabError

if TYPE_CHECKING:
    from rollout_lab.ui.session import Source

RESET: Final = "reset"
FREE: Final = "free"
WORKS: Final = (RESET, FREE)


class Tidying:
    """What is being done to the seats of a host, and what went wrong with it. Safe between threads."""

    def __init__(self, host: Source) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._running: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._freed: Counter[str] = Counter()

    def freed(self, name: str) -> int:
        """How often a seat was set free: a page that was open before must not take it again by itself."""
        return self._freed[name]

    def state(self, name: str) -> tuple[str, str]:
        """What runs for a seat (one of `WORKS`, ``""`` for nothing), and what failed the last time."""
        with self._lock:
            return self._running.get(name, ""), self._failed.get(name, "")

    def begin(self, work: str, name: str) -> None:
        """Begin one of `WORKS`, unless something runs for that seat or nobody sits there."""
        with self._lock:
            if work not in WORKS or name in self._running or name not in self._host.seats():
                return
            self._running[name] = work
            self._failed.pop(name, None)
        threading.Thread(target=self._do, args=(work, name), name=f"{work} {name}", daemon=True).start()

    def _do(self, work: str, name: str) -> None:
        told = ""
        try:
            if work == RESET:
                self._host.lab.reset_seat(name)
            else:
                self._freed[name] += 1
                self._host.free_seat(name)
        except LabError as problem:
            told = str(problem)
        with self._lock:
            self._running.pop(name, None)
            if told:
                self._failed[name] = told
