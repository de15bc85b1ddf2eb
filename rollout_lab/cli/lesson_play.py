"""`lesson start`: a lesson from top to bottom in one terminal, with a prompt for its commands.

Text is printed up to the next task; lines typed meanwhile are commands, hints or answers; the lesson
goes on by itself once the check has passed.
"""

from __future__ import annotations

import contextlib
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from rollout_lab.cli.lesson import plain, task_line
from rollout_lab.cli.words import tell
from rollout_lab.course import Lesson, Walk, find_lesson, lessons_folder, load_lesson
from rollout_lab.course.blocks import Kind, Question, Task
from rollout_lab.course.keeping import store_in
from rollout_lab.errors import LabError
from rollout_lab.messages import explain

if TYPE_CHECKING:
    from rich.console import Console

POLL: Final = 0.25  # wall seconds between two looks while nobody types
LEAVE: Final = ("quit", "exit", "q")


class Left(Exception):
    """The student went away."""


class Interrupted(Exception):
    """The student ended the command that runs."""


def play_lesson(wanted: str, speed: float, cluster: str, lang: str) -> int:
    """Run a lesson on a lab of its own until its end or ``quit``. Exit code 1 where it was left early."""
    from rollout_lab.cli.signals import stop_like_ctrl_c
    from rollout_lab.lab import Lab

    folder = find_lesson(lessons_folder(), wanted)
    about = load_lesson(folder, lang)
    stop_like_ctrl_c()
    click.secho(tell(lang, "lesson.lab"), dim=True)
    with Lab.start(cluster, speed=speed, scenario=None if about.namespace else about.scenario) as lab:
        walk = Walk(folder, lab, store=store_in(lab.folder, folder))
        walk.begin()
        try:
            Terminal(walk, about).run()
        except (Left, KeyboardInterrupt):
            click.echo(tell(lang, "lesson.left"))
            return 1
        finally:
            walk.close()
    return 0


def show_text(to: Console, text: str) -> None:
    """Markdown in lines that fit; soft wrapping, right for lines of a run, would cut off what follows."""
    from rich.markdown import Markdown

    to.print(Markdown(text), width=min(to.width, 100), soft_wrap=False)
    to.print()


class Terminal:
    """One student at one terminal. Only the main thread looks and prints; another one reads lines."""

    def __init__(self, walk: Walk, lesson: Lesson) -> None:
        from rollout_lab.cli.printing import console

        self.walk, self.lesson, self.lang = walk, lesson, lesson.lang
        self._console = console()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._told: dict[str, str] = {}
        threading.Thread(target=self._read, name="keyboard", daemon=True).start()

    def run(self) -> None:
        """The whole lesson."""
        self._markdown(f"# {self.lesson.number}. {self.lesson.title}\n\n{self.lesson.intro}")
        click.secho(tell(self.lang, "lesson.help"), dim=True)
        for section in self.lesson.sections:
            self._markdown(f"## {section.title}")
            for part in section.parts:
                if isinstance(part, str):
                    self._markdown(part)
                elif isinstance(part, Task):
                    self._task(part)
                else:
                    self._question(part)
        click.secho(tell(self.lang, "lesson.finished"), fg="green", bold=True)

    def _markdown(self, text: str) -> None:
        show_text(self._console, text)

    # -- a task ----------------------------------------------------------------------------------

    def _task(self, task: Task) -> None:
        while not self._tell(task.id):
            try:
                line = self._lines.get(timeout=POLL)
            except queue.Empty:
                continue
            if line is None:
                raise Left
            self._obey(line.strip(), task)

    def _tell(self, id_: str) -> bool:
        """Look, say what is new of any task so far; whether this one is done."""
        board = self.walk.board(self.lang)
        for task in board["tasks"]:
            now = f"{task['state']} {task['code']}"
            shown = task["id"] == id_ or task["id"] in self._told
            if shown and self._told.get(task["id"], "") != now:
                self._told[task["id"]] = now
                click.echo(task_line(board, task))
        found = next(task for task in board["tasks"] if task["id"] == id_)
        if found["state"] in ("passed", "skipped"):
            self._predictions(board)
            return True
        return False

    def _predictions(self, board: dict[str, Any]) -> None:
        """What became of a prediction, once."""
        for question in board["questions"]:
            known = question["kind"] == Kind.PREDICT and question["right"] is not None
            if known and self._told.get(question["id"]) != "told":
                self._told[question["id"]] = "told"
                self._judge(question)

    def _judge(self, question: dict[str, Any]) -> None:
        key = "lesson.right" if question["right"] else "lesson.wrong"
        texts = {choice["key"]: choice["text"] for choice in question["choices"]}
        given, truth = (texts.get(str(question[k]), question[k]) for k in ("given", "truth"))
        colour = "green" if question["right"] else "yellow"
        click.secho(tell(self.lang, key, given=given, truth=truth), fg=colour)
        click.echo(f"  {plain(question['why'])}")

    # -- a question --------------------------------------------------------------------------------

    def _question(self, question: Question) -> None:
        click.secho(f"? {plain(question.ask)}", fg="magenta", bold=True)
        keys = list(question.choices)
        for number, key in enumerate(keys, start=1):
            click.echo(f"  {number}) {question.choices[key]}")
        click.secho(tell(self.lang, "lesson.answer"), dim=True)
        line = self._lines.get()
        if line is None:
            raise Left
        line = line.strip()
        if line in LEAVE:
            raise Left
        if not line:
            return
        picked = keys[int(line) - 1] if keys and line.isdigit() and 0 < int(line) <= len(keys) else line
        self.walk.give(question.id, picked)
        if question.kind is Kind.PREDICT:
            return
        board = self.walk.board(self.lang)
        found = next(one for one in board["questions"] if one["id"] == question.id)
        if found["right"] is not None:
            self._judge(found)

    # -- a line ------------------------------------------------------------------------------------

    def _obey(self, line: str, task: Task) -> None:
        """Do what was typed: help with the task, or a command of the lesson."""
        try:
            if line in LEAVE:
                raise Left
            if line in ("", "status", "?"):
                self._told.pop(task.id, None)
            elif line == "hint":
                self.walk.hint(task.id)
                hints = self.walk.board(self.lang, look=False)["tasks"]
                shown = next(one for one in hints if one["id"] == task.id)["hints"]
                click.secho(f"  {plain(shown[-1])}" if shown else "", fg="cyan")
            elif line == "skip":
                self.walk.skip(task.id)
            elif line == "solve":
                self.walk.solve(task.id)
            else:
                click.echo(run_command(self.walk, line, self.lang))
        except Interrupted:
            click.echo(tell(self.lang, "lesson.interrupted"))
        except LabError as problem:
            click.secho(f"{problem}", fg="red")

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        self._lines.put(None)


def run_command(walk: Walk, line: str, lang: str) -> str:
    """Carry out one typed command on the lesson's lab; what it prints."""
    with _only_the_command():
        ran = walk.run(line)
    if ran.code.startswith("verdict."):
        return explain(lang, ran.code, ran.params, ran.code)
    told = tell(lang, f"lesson.{ran.code}", **ran.params) if ran.code else ""
    return "\n".join(part for part in (ran.text, told) if part)


@contextlib.contextmanager
def _only_the_command() -> Iterator[None]:
    """Ctrl-C ends the command that runs, and not the lesson."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
