"""The lessons the page offers: read from their folders, named on the switch, in the order of the course.

One lesson that cannot be read (its author is at work) does not take the others away. No Streamlit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rollout_lab.course import Lesson, LessonError, by_key, lessons_folder, load_lesson
from rollout_lab.course.lesson import lesson_folders
from rollout_lab.messages import say

Json = dict[str, Any]
FIRST = "2233"
"""The lesson of a page whose URL names none: what the lab has applied."""


@dataclass(frozen=True, slots=True)
class Course:
    """The lessons by what stands in a link (`course.by_key`), and why others could not be read."""

    lessons: Mapping[str, Lesson]
    broken: tuple[str, ...] = ()

    def after(self, key: str) -> Json | None:
        """The lesson that follows, as {key, number, title}; None after the last."""
        order = list(self.lessons)
        place = order.index(key) + 1 if key in order else len(order)
        if place >= len(order):
            return None
        found = self.lessons[order[place]]
        return {"key": order[place], "number": found.number, "title": found.title}


def course(lang: str) -> Course:
    """The course in `lang`. Raises LessonError where there is no folder of lessons, or none can be read."""
    folders = tuple(lesson_folders(lessons_folder()))
    return _read(lang, tuple((folder, _changed(folder, lang)) for folder in folders))


def _changed(folder: Path, lang: str) -> int:
    path = folder / f"index.{lang}.md"
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=8)
def _read(lang: str, folders: tuple[tuple[Path, int], ...]) -> Course:
    found, broken = [], []
    for folder, _ in folders:
        try:
            found.append(load_lesson(folder, lang))
        except LessonError as problem:
            broken.append(str(problem))
    if not found:
        raise LessonError(broken[0] if broken else "there are no lessons")
    return Course(by_key(found), tuple(broken))


def label(lang: str, lesson: Lesson, finished: Collection[str]) -> str:
    """A lesson on the switch: a mark where it is done, its number, title and minutes."""
    key = "lessons.done" if lesson.folder.name in finished else "lessons.open"
    return say(lang, key, number=lesson.number, title=lesson.title, minutes=lesson.minutes)
