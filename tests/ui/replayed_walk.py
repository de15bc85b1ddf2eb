"""A student's way through a real lesson over replayed pictures: real text and checks, no cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rollout_lab.course import Lesson, Seen, board, load_checks, load_lesson
from rollout_lab.course import progress as steps
from rollout_lab.course.shell import Ran
from rollout_lab.errors import LabError

Json = dict[str, Any]


class ReplayedWalk:
    """`tasks.WalkLike`. `asked` lists what reached it; `solve` does nothing but note it."""

    def __init__(self, folder: Path, picture: Callable[[], Json]) -> None:
        self.checks = load_checks(folder)
        self.folder = folder
        self.picture = picture
        order = [task.id for task in load_lesson(folder, "ko").tasks]
        self.progress = steps.begin(self.checks, order)
        self.asked: list[tuple[str, ...]] = []

    def lesson(self, lang: str) -> Lesson:
        return load_lesson(self.folder, lang)

    def begin(self) -> str:
        return ""

    def seen(self) -> Seen:
        picture = self.picture()
        return replace(Seen(), t=picture["t"], picture=picture)

    def rows(self) -> Sequence[Json]:
        return ()

    def look(self) -> None:
        self.progress = steps.advance(self.checks, self.progress, self.seen())

    def board(self, lang: str, *, look: bool = True) -> Json:
        return board(self.lesson(lang), self.checks, self.progress)

    def hint(self, task: str) -> None:
        self.progress = steps.hint(self.progress, task)

    def skip(self, task: str) -> None:
        self.progress = steps.skip(self.progress, task)

    def give(self, question: str, answer: Any) -> None:
        self.progress = steps.give(self.progress, question, answer)

    def solve(self, task: str = "") -> bool:
        self.asked.append(("solve", task))
        raise LabError("a replay can solve nothing")

    def reset(self, to: str = "") -> bool:
        self.asked.append(("reset", to))
        self.progress = steps.begin(self.checks, list(self.progress.tasks))
        return True

    def run(self, line: str) -> Ran:
        self.asked.append(("run", line))
        return Ran(True, f"ran {line}")

    def evidence(self, student: str) -> str:
        return f"evidence of {student}"

    def places(self) -> Mapping[str, str]:
        return {}

    def close(self) -> None:
        pass
