"""Where a student's progress is kept between programs: one file for each lesson in a lab's folder.

The page and the terminal share it. What is in it is `progress`; the key that seals `evidence` is here too.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rollout_lab.course.progress import Mark
from rollout_lab.lab.installed import state_folder

PREFIX: Final = "lesson-"


def store_in(kept: Path, lesson: Path) -> Path:
    """The file for the lesson of a folder ``NN-slug``.

    >>> store_in(Path("lab"), Path("lessons/05-bluegreen-2233")).name
    'lesson-05-bluegreen-2233.json'
    """
    return kept / f"{PREFIX}{lesson.name}.json"


def sealing_key() -> bytes:
    """The key that seals evidence of this user's labs, made once; only the user can read it."""
    path = state_folder() / "evidence.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()


def done_in(kept: Path) -> Iterator[str]:
    """The folder names of the lessons all of whose tasks are passed or skipped."""
    for path in kept.glob(f"{PREFIX}*.json"):
        with contextlib.suppress(OSError, ValueError, AttributeError, TypeError, KeyError):
            tasks = json.loads(path.read_text(encoding="utf-8"))["tasks"].values()
            if tasks and all(task["mark"] in (Mark.PASSED, Mark.SKIPPED) for task in tasks):
                yield path.stem.removeprefix(PREFIX)
