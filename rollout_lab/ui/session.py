"""The lab behind the page: started or attached once for the whole server, shared by all browsers.

Here the page meets `rollout_lab.lab`. What it needs of a lab is the protocol `LabLike`, so that a
test can hand in one that replays pictures (`use`). No drawing and no words.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import streamlit as st

from rollout_lab.errors import UsageError
from rollout_lab.lab import load_scenario
from rollout_lab.messages import say
from rollout_lab.observe.moments import Moments
from rollout_lab.ui.series import Series
from rollout_lab.ui.tasks import Tasks, WalkLike
from rollout_lab.ui.tidying import Tidying
from rollout_lab.ui.url import language, seat, viewer

Json = dict[str, Any]


class TrialLike(Protocol):
    """What the page asks of a trial (`lab.trial.Trial`): read from any thread."""

    @property
    def name(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def plain(self) -> bool: ...
    @property
    def stage(self) -> str: ...
    @property
    def trouble(self) -> str: ...
    def rows(self) -> Sequence[Json]: ...
    def picture(self) -> Json | None: ...


class LabLike(Protocol):
    """What the page asks of a lab. Every method may be called from any thread."""

    def picture(self, rollout: str) -> Json: ...
    def rows(self, rollout: str, since: int = 0) -> tuple[tuple[Mapping[str, Any], ...], int]: ...
    def do(self, action: str, rollout: str, **args: Any) -> Any: ...
    def play(self, scenario: str) -> str: ...
    def manifest(self, rollout: str) -> str: ...
    def apply(self, text: str) -> Any: ...
    def forecast(self, rollout: str, text: str) -> tuple[Mapping[str, Any], ...]: ...
    def try_out(self, objects: Sequence[Json], name: str, image: str, about: str) -> str: ...
    def trial(self) -> TrialLike | None: ...
    def rollouts(self) -> tuple[str, ...]: ...
    def seat(self, name: str) -> LabLike: ...
    def reset_seat(self, name: str) -> None: ...
    def free_seat(self, name: str) -> None: ...
    def walk(self, lesson: Path) -> WalkLike: ...
    def finished(self) -> frozenset[str]: ...
    def facts(self) -> Json: ...
    def close(self) -> None: ...


class Source:
    """A lab with the lines over time that its charts are drawn from, kept up to date on demand."""

    def __init__(self, lab: LabLike) -> None:
        self.lab = lab
        self._lock = threading.Lock()
        self._series: dict[str, Series] = {}
        self._next: dict[str, int] = {}
        self._moments: dict[str, Moments] = {}
        self.shown = ""
        """The rollout a person last chose on a lab page; the projector follows it."""
        self._seats: dict[str, Source] = {}
        self.tidying = Tidying(self)
        self._tasks: dict[str, Tasks] = {}

    def look(self, rollout: str) -> tuple[Json, Series]:
        """The picture of a rollout and its series now."""
        with self._lock:
            series = self._series.setdefault(rollout, Series(rollout))
            since = self._next.get(rollout, 0)
            rows, following = self.lab.rows(rollout, since)
            if following < since:  # the run was begun again: its rows count from 0
                series = self._series[rollout] = Series(rollout)
                self._moments.pop(rollout, None)
                rows, following = self.lab.rows(rollout, 0)
            series.feed(rows)
            self._moments.setdefault(rollout, Moments()).extend(rows)
            self._next[rollout] = following
            copy = series.copy()
        return self.lab.picture(rollout), copy

    def moments(self, rollout: str) -> Moments:
        """All moments of a rollout's run up to the last `look`."""
        with self._lock:
            return self._moments.setdefault(rollout, Moments())

    def open(self, scenario: str, *, look_only: bool) -> str:
        """The rollout of a lecture, applied if it is not there yet; who only looks on applies nothing.

        For them it is the one that is there, else the one shown ("" if none is). Raises LabError.
        """
        if not look_only:
            return self.lab.play(scenario)
        wanted = load_scenario(scenario).rollout
        return wanted if wanted in self.lab.rollouts() else self.shown

    def seat(self, name: str) -> Source:
        """A student's own lab on the same cluster, made the first time. Raises LabError."""
        with self._lock:
            found = self._seats.get(name)
            if found is None:
                found = self._seats[name] = Source(self.lab.seat(name))
            return found

    def seats(self) -> dict[str, Source]:
        """All seats by name, in the order they were taken."""
        return dict(self._seats)

    def free_seat(self, name: str) -> None:
        """Let others have a seat; what was applied there goes. Raises LabError."""
        self.lab.free_seat(name)
        with self._lock:
            self._seats.pop(name, None)

    def tasks(self, lesson: Path, *, look_only: bool) -> Tasks | None:
        """The tasks of a lesson's folder in this seat, begun the first time; who only looks on begins none.

        Raises LabError.
        """
        with self._lock:
            found = self._tasks.get(lesson.name)
            if found is None and not look_only:
                found = self._tasks[lesson.name] = Tasks(self.lab.walk(lesson))
            return found

    def close(self) -> None:
        for tasks in (*self._tasks.values(), *(t for s in self._seats.values() for t in s._tasks.values())):
            tasks.close()
        self.lab.close()


def _real_lab() -> LabLike:
    from rollout_lab.ui.attach import open_lab

    return open_lab()


_open: Callable[[], LabLike] = _real_lab


def use(opener: Callable[[], LabLike]) -> None:
    """Let the page open its lab with `opener`; for tests that replay pictures."""
    global _open
    _open = opener


_running = threading.Event()


def _release(lab: Source) -> None:
    _running.clear()
    lab.close()


@st.cache_resource(show_spinner=False, on_release=_release)
def host() -> Source:
    """The one lab of this server. Raises LabError when it cannot be started."""
    found = Source(_open())
    _running.set()
    return found


def running() -> bool:
    """Whether a page of this server has the lab already: a page that only looks back starts none."""
    return _running.is_set()


def source() -> Source:
    """The lab of this session: its seat's where the URL names one, else the host's.

    Raises LabError, also for a seat that cannot be: nobody is led to the host's lab by a misspelt name.
    """
    asked, name = st.query_params.get("seat", ""), seat()
    if not asked:
        return host()
    if not name:
        raise UsageError(say(language(), "page.seat.bad"))
    if viewer() and name not in host().seats():
        raise UsageError(say(language(), "page.seat.none", name=name))
    freed = host().tidying.freed(name)
    if st.session_state.setdefault(f"seat-{name}", freed) != freed:
        raise UsageError(say(language(), "page.seat.freed", name=name))
    return host().seat(name)
