"""The course: lessons as text and rules, and a student's way through one.

A lesson is a folder ``lessons/NN-slug``: ``index.ko.md`` and ``index.en.md`` (`lesson`, `blocks`),
``checks.py`` (`checks`, on what `looking` saw as `seen`), ``solution.yaml`` (`solution`, `solving`) and
``manifests/``. `progress` is the pure rule from one look to the next, `board` gives tasks, reasons, hints
and questions as JSON in one language, `walk` does it all on a lab. `lint` tells an author what is wrong.
Pages, buttons and clusters must not be here.
"""

from __future__ import annotations

from rollout_lab.course.board import board
from rollout_lab.course.checks import Checks, load_checks
from rollout_lab.course.folder import find_lesson, lessons_folder
from rollout_lab.course.lesson import Lesson, LessonError, Section, by_key, load_lesson, load_lessons
from rollout_lab.course.outcomes import BrokeAgain, NotYet, Passed
from rollout_lab.course.progress import Mark, Progress
from rollout_lab.course.seen import Seen
from rollout_lab.course.walk import Walk

__all__ = [
    "BrokeAgain",
    "Checks",
    "Lesson",
    "LessonError",
    "Mark",
    "NotYet",
    "Passed",
    "Progress",
    "Section",
    "Seen",
    "Walk",
    "board",
    "by_key",
    "find_lesson",
    "lessons_folder",
    "load_checks",
    "load_lesson",
    "load_lessons",
]
