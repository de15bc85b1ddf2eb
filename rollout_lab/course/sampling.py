"""Asks the gateway for a lesson, a new connection each time, and counts the answers by version.

As many requests as a share needs come quickly, then one now and then: a class full of labs must not be
a flood. What a share means is `samples`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rollout_lab.course.samples import Asker, Sample
from rollout_lab.observe.probe import TIMEOUT, ask, version_in

ENOUGH: Final = 1000  # answers of one sample after which the pace is slow
QUICK: Final = 0.003  # wall seconds between two requests before that, for the sake of NodePorts (`burst`)
SLOW: Final = 0.5  # … and after it
SETTLE: Final = 0.3  # wall seconds after a change in which no answer counts: the gateway learns of it


class _Counts:
    """What one asker was answered. Guarded by the lock of `Sampling`."""

    def __init__(self) -> None:
        self.versions: Counter[str] = Counter()
        self.failed = 0
        self.ever = False

    def sample(self) -> Sample:
        return Sample(dict(self.versions), self.failed)


class Sampling:
    """One thread for each asker until closed. `address`: where the gateway is now, ``""`` for nowhere."""

    def __init__(self, askers: Sequence[Asker], address: Callable[[], str]) -> None:
        self._address = address
        self.found = ""  # where the gateway was when it was last looked for
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._key: object = None
        self._from = 0.0  # requests that began before this moment (monotonic) belong to no sample
        self._counts = {one.name: _Counts() for one in askers}
        self._threads = [
            threading.Thread(target=self._run, args=(one,), name=f"asker-{one.name}", daemon=True)
            for one in askers
        ]
        for thread in self._threads:
            thread.start()

    def samples(self) -> Mapping[str, Sample]:
        """What each was answered so far, by the asker's name."""
        with self._lock:
            return {name: counts.sample() for name, counts in self._counts.items()}

    def follow(self, key: object) -> None:
        """Begin new samples where `key`, what requests are shared out by, is another than before."""
        with self._lock:
            if key == self._key:
                return
            self._key = key
            self._from = time.monotonic() + SETTLE
            for counts in self._counts.values():
                counts.versions = Counter()

    def restart(self) -> None:
        """Forget everything."""
        with self._lock:
            self._key = None
            for name in self._counts:
                self._counts[name] = _Counts()

    def close(self) -> None:
        """Stop asking and wait for the threads."""
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT + 1)

    def _run(self, asker: Asker) -> None:
        headers = {"Host": asker.host, **asker.headers}
        address = ""
        while not self._stop.is_set():
            address = address or self._address()
            self.found = address
            began = time.monotonic()
            pace = SLOW
            if address:
                response = ask(address, asker.path, headers=headers)
                pace = self._take(asker.name, began, response.ok, response.text)
                address = address if response.ok else ""
            self._stop.wait(pace)

    def _take(self, name: str, began: float, ok: bool, text: str) -> float:
        """Count an answer; the wall seconds until the next request."""
        with self._lock:
            counts = self._counts[name]
            if ok:
                counts.ever = True
                if began >= self._from:
                    counts.versions[version_in(text.splitlines()[0] if text else "") or "?"] += 1
            else:
                counts.failed += counts.ever
            return QUICK if ok and counts.versions.total() < ENOUGH else SLOW
