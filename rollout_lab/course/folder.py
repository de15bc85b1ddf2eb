"""Where the lessons are: a folder somebody names, the checkout, or what was packed with the program."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from rollout_lab import packed
from rollout_lab.course.lesson import LessonError, lesson_folders

VARIABLE: Final = "ROLLOUT_LAB_LESSONS"
"""Names another folder of lessons, as a teacher has who writes his own."""


def lessons_folder() -> Path:
    """The folder of the lessons. Raises LessonError where none is found.

    It is ``lessons/`` of the checkout, or what a wheel carries (`packed`).
    """
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else packed.place("lessons")
    if folder.is_dir():
        return folder
    raise LessonError(f"the lessons are missing: expected them in {folder}; {VARIABLE} names another folder")


def find_lesson(root: Path, wanted: str) -> Path:
    """The folder of a lesson by number (``5``, ``05``), slug or folder name. Raises LessonError."""
    folders = lesson_folders(root)
    number = f"{int(wanted):02}" if re.fullmatch(r"\d{1,2}", wanted) else ""
    for folder in folders:
        head, _, slug = folder.name.partition("-")
        if wanted in (folder.name, slug) or head == number:
            return folder
    known = ", ".join(f.name for f in folders) or "none"
    raise LessonError(f'there is no lesson "{wanted}"; there are {known}')
