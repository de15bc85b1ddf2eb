"""A lesson in a notebook: a lab of its own, looked at all the time, and words for what the checks say.

    from rollout_lab.course.classroom import Classroom

    lesson = Classroom("05-bluegreen-2233", lang="en")   # or: with Classroom(…) as lesson:
    lesson                                               # the picture of this moment
    lesson.run("curl http://127.0.0.1:32233/version")    # a command of the text
    lesson.check("look")                                 # passed, not yet because …, broke again because …
    lesson.watch("look")                                 # picture and chart, live, until it passed
    lesson.answer("old-pods", 2)                         # a prediction or a quiz answer
    lesson.chart()                                       # Pods over time, with what you predicted
    lesson.close()

The notebooks of the lessons are made by `course.notebook`; this is what their cells call.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import EllipsisType
from typing import Any, ClassVar, Final

from rollout_lab.course.board import same
from rollout_lab.course.cells import cell
from rollout_lab.course.folder import find_lesson, lessons_folder
from rollout_lab.course.lesson import load_lesson
from rollout_lab.course.live import follow
from rollout_lab.course.walk import Walk
from rollout_lab.errors import LabError, UsageError
from rollout_lab.lab import Lab
from rollout_lab.lab.showing import Shown
from rollout_lab.lab.timeline import LabTimeline, extra
from rollout_lab.messages import LANGUAGES, explain

Json = dict[str, Any]
OPEN: Final = 120.0  # seconds until the app has to answer; it goes on without
LOOK: Final = 0.25  # wall seconds between two looks: what happens in between is in the rows
SIGNS: Final = {"passed": "✔", "skipped": "–", "broken": "✘", "now": "…", "locked": "…"}
COLOURS: Final = {"passed": "#00734f", "broken": "#b00020"}


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """A sentence with its mark, for a prompt and for a notebook. True where all is well."""

    mark: str
    text: str
    ok: bool

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"{SIGNS[self.mark]} {self.text}"

    def _repr_html_(self) -> str:
        colour = COLOURS.get(self.mark, "#5b6470")
        return (
            f'<div style="border-left:4px solid {colour};padding:.3em .8em"><b style="color:{colour}">'
            f"{SIGNS[self.mark]}</b> {escape(self.text)}</div>"
        )


class Classroom(Shown):
    """See the module docstring. Safe to use from one notebook; a second one has a lab of its own.

    Opening a lesson that this program has open closes that one first: a cell may be run again.
    """

    _open: ClassVar[dict[Path, Classroom]] = {}

    def __init__(self, lesson: str, *, lang: str = "en", speed: float = 1.0) -> None:
        """`lesson`: number or folder. `speed`: lab seconds in a wall second. Raises UsageError, LabError."""
        if lang not in LANGUAGES:
            raise UsageError(f'there is no language "{lang}"; there are {", ".join(LANGUAGES)}')
        folder = find_lesson(lessons_folder(), lesson)
        about = load_lesson(folder, lang)
        before = self._open.pop(folder, None)
        if before is not None:
            before.close()
        self.lang = lang
        self.lab = Lab.start("embedded", speed=speed, scenario=None if about.namespace else about.scenario)
        self.lab.lang = lang
        try:
            self._walk = Walk(folder, self.lab)
            if self._walk.begin():
                self.lab.rollout().wait_for("Healthy", OPEN)
        except BaseException:
            self.lab.close()
            raise
        self._open[folder] = self
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="classroom", daemon=True)
        self._thread.start()

    def __enter__(self) -> Classroom:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def __repr__(self) -> str:
        board = self._walk.board(self.lang, look=False)
        about = board["lesson"]
        return f"<{about['number']}. {about['title']}: {board['passed']} / {board['total']}>"

    def close(self) -> None:
        """Stop cluster and engine. May be called twice."""
        self._open.pop(self._walk.folder, None)
        self._ended.set()
        self._thread.join()
        self._walk.close()
        self.lab.close()

    def _keep(self) -> None:
        while not self._ended.wait(LOOK):
            with contextlib.suppress(LabError):  # a cluster in trouble is told by what a person does next
                self._walk.look()

    def _picture(self) -> Json:
        return self._walk.picture()

    # -- what cells do ------------------------------------------------------------------------

    def run(self, commands: str) -> None:
        """Carry out command lines of the text and print what they print."""
        for line in commands.replace("\\\n", " ").splitlines():
            if line.strip():
                done = self._walk.run(line.strip())
                key = done.code if done.code.startswith("verdict.") else f"tasks.ran.{done.code or 'nothing'}"
                print(done.text or explain(self.lang, key, done.params, key))

    def check(self, task: str, *, wait: float = 0.0) -> Said:
        """What the check of a task says now, or once it passed within `wait` wall seconds."""
        self._known(task)
        if wait:
            self._walk.wait(lambda: self._walk.progress.tasks[task].done, 0.0, least=wait)
        found = self._board()[task]
        said = found["done"] if found["state"] == "passed" else found["reason"]
        fallback = cell(self.lang, found["state"])
        return Said(found["state"], said or fallback, found["state"] in ("passed", "skipped"))

    def watch(self, task: str, seconds: float = 60.0) -> None:
        """Show picture, reason and chart of a task, live, until it passed or for `seconds` of the wall.

        Ends at once where another task comes first. Stopping the cell only stops looking.
        """
        self._known(task)
        follow(
            lambda: {"text/html": self.check(task)._repr_html_() + self._repr_html_()},
            self._drawn,
            lambda: self.check(task).mark in ("passed", "skipped", "locked"),
            seconds,
        )

    def _drawn(self) -> Json:
        """The chart by MIME type; a sentence where the charts are not installed."""
        try:
            found: Json = extra("rollout_lab.observe.plots").bundle(self.chart())
        except UsageError as problem:
            return {"text/plain": str(problem)}
        return found

    def timeline(self) -> LabTimeline:
        """The rows of the lesson's run so far, with tables and charts (`lab.timeline`)."""
        return LabTimeline(self._walk.rows()).said(self.lang)

    def hint(self, task: str) -> Said:
        """One hint more."""
        self._known(task)
        self._walk.hint(task)
        hints = self._board()[task]["hints"]
        return Said("now", hints[-1] if hints else cell(self.lang, "no-hint"), ok=True)

    def solve(self, task: str) -> Said:
        """Do it for me: this task and what has to come before it."""
        self._known(task)
        self._walk.solve(task)
        return self.check(task)

    def answer(self, question: str, given: Any = ...) -> Said:
        """A prediction or a quiz answer: a number or the key of a choice; right or not once it is out."""
        found = next((q for q in self._walk.board(self.lang)["questions"] if q["id"] == question), None)
        if found is None:
            raise UsageError(f'this lesson has no question "{question}"')
        if isinstance(given, EllipsisType):
            return Said("now", cell(self.lang, "put-answer"), ok=False)
        keys = [choice["key"] for choice in found["choices"]]
        if keys and str(given) not in keys:
            raise UsageError(f'"{given}" is none of the choices: {", ".join(keys)}')
        self._walk.give(question, given)
        truth = self._walk.progress.truths.get(question)
        if truth is None:
            return Said("now", cell(self.lang, "kept"), ok=True)
        right = same(given, truth)
        shown = next((c["text"] for c in found["choices"] if c["key"] == str(truth)), str(truth))
        why = next(
            q["why"] for q in self._walk.board(self.lang, look=False)["questions"] if q["id"] == question
        )
        said = cell(self.lang, "right") if right else cell(self.lang, "wrong").format(truth=shown)
        return Said("passed" if right else "broken", f"{said} {why}".strip(), right)

    def chart(self) -> Any:
        """Pods over time, and as dashed lines what was predicted in Pods."""
        asked = (q for q in self._walk.lesson(self.lang).questions if q.kind == "predict" and not q.choices)
        given = self._walk.progress.given
        expected = {q.ask: float(given[q.id]) for q in asked if _number(given.get(q.id))}
        return self.timeline().pods_chart(expected)

    def reset(self, to: str = "") -> Said:
        """All from the start; with `to`, everything before that task is done by the lab."""
        ok = self._walk.reset(to)
        return Said("passed" if ok else "broken", repr(self), ok)

    def _board(self) -> dict[str, Json]:
        return {task["id"]: task for task in self._walk.board(self.lang)["tasks"]}

    def _known(self, task: str) -> None:
        if task not in self._walk.order:
            raise UsageError(f'this lesson has no task "{task}"; there are {", ".join(self._walk.order)}')


def _number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
