"""The past of a running lab: any moment of a rollout since its scenario was applied."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from rollout_lab.observe.moments import Moments
from rollout_lab.observe.recorder import Recorder

Json = dict[str, Any]
T = TypeVar("T")
MOST_ROWS: Final = 60_000
"""Rows taken in before the past is built anew from those the recorder still has: memory stays flat."""


class Past:
    """One rollout's moments, kept up with the recorder on each look. Safe to share between threads."""

    def __init__(self, recorder: Recorder, rollout: str) -> None:
        self._recorder = recorder
        self._rollout = rollout
        self._lock = threading.Lock()
        self._moments = Moments(addresses={})
        self._began = -1.0
        self._next = 0

    def at(self, t: float) -> Json:
        """The picture at `t` lab seconds, as `Recording.moments.at` gives it."""
        return self._look(lambda moments: moments.at(t))

    def marks(self) -> tuple[Json, ...]:
        """The moments worth a stop so far (`observe.marks.Marks`)."""
        return self._look(lambda moments: moments.marks())

    def status_yaml(self, t: float) -> str:
        """The Rollout's status at `t` as YAML."""
        return self._look(lambda moments: moments.status_yaml(t))

    def rollout(self, t: float) -> Json | None:
        """The Rollout object at `t`, as far as rows hold it."""
        return self._look(lambda moments: moments.rollout(t))

    def why(self, t: float) -> tuple[Json, ...]:
        """All reasons up to `t`, oldest first."""
        return self._look(lambda moments: moments.why(t))

    def _look(self, reading: Callable[[Moments], T]) -> T:
        with self._lock:
            self._follow()
            return reading(self._moments)

    def _follow(self) -> None:
        seen = self._recorder.observed(self._rollout)
        if seen.started != self._began or self._moments.count > MOST_ROWS:
            self._moments, self._began, self._next = Moments(), seen.started, 0
        self._moments.addresses = seen.addresses
        rows, self._next = self._recorder.rows(self._rollout, self._next)
        self._moments.extend(rows)
