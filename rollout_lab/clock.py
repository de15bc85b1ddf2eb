"""The one place that reads the time of the machine.

Lab time may run faster than the wall: a `Clock` with factor 20 lets a 2-minute pause take
6 seconds. Engine, cluster and page are processes of one machine and share a clock by passing
its `spec` ("20@1795000000.0") along: the factor, and the wall time at which lab time and wall
time were equal. Everything that decides gets `now` as a value; only shells hold a clock.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol


class Clock(Protocol):
    """Seconds since the epoch in lab time, and waits measured in lab seconds."""

    def now(self) -> float: ...

    def real_seconds(self, lab_seconds: float) -> float:
        """How many wall seconds a wait of `lab_seconds` takes (for asyncio and select)."""
        ...

    def wait(self, event: threading.Event, lab_seconds: float) -> bool:
        """Wait until `event` is set or `lab_seconds` passed; whether it was set."""
        ...


@dataclass(frozen=True)
class ScaledClock:
    """Wall time, `factor` times as fast since wall second `origin`."""

    factor: float = 1.0
    origin: float = 0.0

    def now(self) -> float:
        return self.origin + (time.time() - self.origin) * self.factor

    def real_seconds(self, lab_seconds: float) -> float:
        return max(0.0, lab_seconds) / self.factor

    def wait(self, event: threading.Event, lab_seconds: float) -> bool:
        return event.wait(self.real_seconds(lab_seconds))

    @property
    def spec(self) -> str:
        """The clock in words another process understands: ``FACTOR@ORIGIN``."""
        return f"{self.factor:g}@{self.origin!r}"

    @staticmethod
    def start(factor: float = 1.0) -> ScaledClock:
        """A clock that leaves wall time now, `factor` times as fast (> 0)."""
        if not factor > 0:
            raise ValueError(f"speed must be more than 0, not {factor:g}")
        return ScaledClock(factor, time.time())

    @staticmethod
    def parse(spec: str) -> ScaledClock:
        """The clock a `spec` names; a bare factor starts now. Raises ValueError."""
        factor, _, origin = spec.partition("@")
        return ScaledClock(float(factor), float(origin)) if origin else ScaledClock.start(float(factor))


@dataclass
class FakeClock:
    """Virtual time for tests and simulation: it moves when told to, and nothing sleeps."""

    at: float = 1_700_000_000.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def now(self) -> float:
        return self.at

    def advance(self, lab_seconds: float) -> None:
        with self._lock:
            self.at += lab_seconds

    def real_seconds(self, lab_seconds: float) -> float:
        return 0.0

    def wait(self, event: threading.Event, lab_seconds: float) -> bool:
        if not event.is_set():
            self.advance(lab_seconds)
        return event.is_set()
