"""One lesson on one lab behind the page: looked at by itself while somebody reads it, helped on request.

No Streamlit, no words. A `Tasks` is shared by all browsers of a seat; what takes time (a solution, a
reset, a command) is done on a thread of its own, so that no page waits for it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from rollout_lab.course import Lesson, Seen
from rollout_lab.course.shell import Ran
from rollout_lab.errors import LabError

Json = dict[str, Any]
PERIOD: Final = 0.4
"""Wall seconds between two looks."""
IDLE: Final = 20.0
"""Wall seconds after which nobody is taken to read the lesson any more."""


class WalkLike(Protocol):
    """What the page asks of a lesson's walk (`course.Walk`). Methods may be called from any thread."""

    def lesson(self, lang: str) -> Lesson: ...
    def begin(self) -> str: ...
    def look(self) -> Any: ...
    def seen(self) -> Seen: ...
    def picture(self) -> Json: ...
    def rows(self) -> Sequence[Json]: ...
    def board(self, lang: str, *, look: bool = True) -> Json: ...
    def hint(self, task: str) -> None: ...
    def skip(self, task: str) -> None: ...
    def give(self, question: str, answer: Any) -> None: ...
    def solve(self, task: str = "") -> bool: ...
    def reset(self, to: str = "") -> bool: ...
    def run(self, line: str) -> Ran: ...
    def places(self) -> Mapping[str, str]: ...
    def evidence(self, student: str) -> str: ...
    def close(self) -> None: ...


class Tasks:
    """See the module docstring."""

    def __init__(self, walk: WalkLike) -> None:
        self.walk = walk
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._asked = 0.0
        self._thread: threading.Thread | None = None
        self._job: threading.Thread | None = None
        self._busy: Json | None = None
        self._trouble: Json | None = None
        self._ran: dict[str, Json] = {}
        self.places: Mapping[str, str] = {}
        """Words of the text -> what they are in this seat; known once somebody has looked."""

    def board(self, lang: str) -> Json:
        """`course.board` as of the last look, and what the lab is doing for the student.

        ``busy``: null or {what ("solve" | "reset" | "run"), of (task, or place of the command)};
        ``trouble``: null or {code ("failed" | "stuck"), text}; ``ran``: {place: {ok, text, code, params}}.
        """
        self._asked = time.monotonic()
        self._follow()
        with self._lock:
            about: Json = {"busy": self._busy, "trouble": self._trouble, "ran": dict(self._ran)}
        return {**self.walk.board(lang, look=False), **about}

    def picture(self) -> tuple[Json, Sequence[Json]]:
        """What the last look saw, and the rows so far; keeps looking. Raises LabError."""
        self._asked = time.monotonic()
        self._follow()
        return self.walk.picture(), self.walk.rows()

    def hear(self, what: str, args: Mapping[str, Any]) -> None:
        """Do what a student asked for; what the lesson does not have is not heard."""
        with contextlib.suppress(LabError):
            self._hear(what, {str(k): v for k, v in args.items()})

    def _hear(self, what: str, args: Json) -> None:
        of = str(args.get("of", ""))
        if self._busy is not None and (what in ("solve", "reset", "run") or self._busy["what"] == "reset"):
            return
        match what:
            case "hint":
                self.walk.hint(of)
            case "skip":
                self.walk.skip(of)
            case "give" if isinstance(args.get("answer"), str | int | float):
                self.walk.give(of, args["answer"])
            case "solve":
                self._start(what, of, lambda: self.walk.solve(of))
            case "reset":
                self._start(what, of, lambda: self._reset(of))
            case "run":
                self._start(what, of, lambda: self._run(of, list(args["commands"])))
            case "calm":
                with self._lock:
                    self._trouble = None
            case _:
                return

    def close(self) -> None:
        """Stop looking. A solution under way ends by itself."""
        self._stop.set()
        for thread in (self._thread, self._job):
            if thread is not None:
                thread.join(2.0)
        self.walk.close()

    # -- work that takes time ---------------------------------------------------------------------

    def _start(self, what: str, of: str, work: Callable[[], bool]) -> None:
        with self._lock:
            if self._busy is not None:
                return
            self._busy, self._trouble = {"what": what, "of": of}, None
            self._job = threading.Thread(target=self._work, args=(work,), name=f"lesson-{what}", daemon=True)
        self._job.start()

    def _work(self, work: Callable[[], bool]) -> None:
        trouble: Json | None = None
        try:
            if not work():
                trouble = {"code": "stuck", "text": ""}
        except LabError as problem:
            trouble = {"code": "failed", "text": str(problem)}
        with self._lock:
            self._busy, self._trouble = None, trouble

    def _reset(self, to: str) -> bool:
        with self._lock:
            self._ran.clear()
        return self.walk.reset(to)

    def _run(self, place: str, commands: list[str]) -> bool:
        """All commands of one place in the text, in order, until one fails."""
        said: list[str] = []
        ran = Ran(True)
        for command in commands:
            ran = self.walk.run(command)
            said += [ran.text] if ran.text else []
            if not ran.ok:
                break
        with self._lock:
            self._ran[place] = {"ok": ran.ok, "text": "\n".join(said), "code": ran.code, "params": ran.params}
        return True

    # -- looking ----------------------------------------------------------------------------------

    def _follow(self) -> None:
        with self._lock:
            if self._stop.is_set() or (self._thread is not None and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._look, name="lesson-look", daemon=True)
            self._thread.start()

    def _look(self) -> None:
        begun = False
        while not self._stop.is_set() and time.monotonic() - self._asked < IDLE:
            with contextlib.suppress(LabError):  # the page tells of a lab in trouble by itself
                if not begun:
                    self.walk.begin()
                    begun = True
                self.walk.look()
                self.places = self.places or self.walk.places()
            self._stop.wait(PERIOD)
