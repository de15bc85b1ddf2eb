"""One lesson: front matter and sections of ``lessons/NN-slug/index.<lang>.md``. Reads files, nothing else.

The file opens with YAML between two lines ``---``; its fields are those of `FIELDS`. What follows
is Markdown: text before the first ``## `` heading is the introduction, each ``## `` heading opens
a section. A heading inside a code fence is code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rollout_lab.errors import LabError

FIELDS: Mapping[str, type] = {"title": str, "lecture": str, "minutes": int, "scenario": str}
"""Field of the front matter -> its type; all are required."""
_FOLDER = re.compile(r"(\d{2})-([a-z0-9]+(?:-[a-z0-9]+)*)")


class LessonError(LabError):
    """A lesson that cannot be read; the message names file, field and line where known."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a lesson: its heading without ``## `` and its Markdown."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson in one language. `number` and `slug` come from the folder ``NN-slug``."""

    number: int
    slug: str
    lang: str
    title: str
    lecture: str
    minutes: int
    scenario: str
    intro: str
    sections: tuple[Section, ...]


def load_lessons(root: Path, lang: str) -> list[Lesson]:
    """All lessons below `root` in `lang`, by number. Raises LessonError at the first that cannot be read."""
    if not root.is_dir():
        raise LessonError(f"{root}: no such folder; lessons are in folders like 05-blue-green")
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith((".", "_")))
    return [load_lesson(folder, lang) for folder in folders]


def load_lesson(folder: Path, lang: str) -> Lesson:
    """The lesson of one folder ``NN-slug``. Raises LessonError."""
    match = _FOLDER.fullmatch(folder.name)
    if match is None:
        raise LessonError(f"{folder}: a lesson's folder is called NN-slug, like 05-blue-green")
    path = folder / f"index.{lang}.md"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LessonError(f"{path}: no such file; every lesson has it in each language") from None
    except UnicodeDecodeError as problem:
        raise LessonError(f"{path}: not UTF-8 (byte {problem.start}); save it as UTF-8") from None
    front, body = _split(path, text)
    fields = _fields(path, front)
    intro, sections = _sections(body)
    return Lesson(int(match[1]), match[2], lang, intro=intro, sections=sections, **fields)


def _split(path: Path, text: str) -> tuple[str, str]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        raise LessonError(f"{path}, line 1: the file must open with front matter between two lines ---")
    for i, line in enumerate(lines[1:], start=1):
        if line.strip() == "---":
            return "\n".join(lines[1:i]), "\n".join(lines[i + 1 :])
    raise LessonError(f"{path}, line 1: the front matter has no closing line ---")


def _fields(path: Path, front: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(front)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f", line {mark.line + 2}" if mark is not None else ""
        raise LessonError(f"{path}{where}: the front matter is not YAML") from None
    if not isinstance(found, dict):
        raise LessonError(f"{path}, line 2: the front matter must be fields like `title: …`")
    for name, kind in FIELDS.items():
        if name not in found:
            raise LessonError(f"{path}: the field `{name}` is missing")
        value = found[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            hint = ' (write it in quotes: "2233")' if kind is str else ""
            raise LessonError(f"{path}: the field `{name}` must be {_WORDS[kind]}, not {value!r}{hint}")
    unknown = sorted(str(name) for name in found if name not in FIELDS)
    if unknown:
        raise LessonError(f"{path}: unknown field `{unknown[0]}`; there are {', '.join(FIELDS)}")
    return {name: found[name] for name in FIELDS}


_WORDS: Mapping[type, str] = {str: "text", int: "a whole number"}


def _sections(body: str) -> tuple[str, tuple[Section, ...]]:
    parts: list[tuple[str, list[str]]] = [("", [])]
    fence = ""
    for line in body.splitlines():
        mark = line.lstrip()[:3]
        if fence:
            fence = "" if mark == fence else fence
        elif mark in ("```", "~~~"):
            fence = mark
        elif line.startswith("## "):
            parts.append((line[3:].strip(), []))
            continue
        parts[-1][1].append(line)
    intro, *rest = (("\n".join(lines).strip(), title) for title, lines in parts)
    return intro[0], tuple(Section(title, text) for text, title in rest)
