"""One lesson: front matter, sections and tasks of ``lessons/NN-slug/index.<lang>.md``. Only reads files.

The file opens with YAML between two lines ``---``; its fields are those of `FIELDS` and `OPTIONAL`.
What follows is Markdown: text before the first ``## `` heading is the introduction, each ``## ``
heading opens a section. A heading inside a code fence is code. Fences of tasks, predictions and
quiz questions (`blocks`) are taken out of the text and stand in a section's `parts` in their place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rollout_lab.course.blocks import Block, BlockError, Question, Task, is_block, parse
from rollout_lab.errors import LabError

FIELDS: Mapping[str, type] = {"title": str, "lecture": str, "minutes": int, "scenario": str}
"""Field of the front matter -> its type; all are required."""
OPTIONAL: Mapping[str, type] = {"needs": list, "explains": list, "namespace": str, "clients": str}
"""Fields that may be left out: lists of text, `needs` being words of `NEEDS`; the namespace of a lesson
that works on plain objects there and not on the scenario's Rollout; and the Service (name or role) which
clients with and without a lasting connection ask for as long as the lesson is looked at."""
NEEDS = ("engine", "engine-control", "nodeport", "deployments", "gateway")
"""What a cluster must have: an engine for Rollouts, one this lab may stop, NodePorts on this machine, and a
gateway before the Services that answers on this machine."""
_FOLDER = re.compile(r"(\d{2})-([a-z0-9]+(?:-[a-z0-9]+)*)")


class LessonError(LabError):
    """A lesson that cannot be read; the message names file, field and line where known."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a lesson: its heading without ``## ``, its Markdown without blocks, and all in order."""

    title: str
    text: str
    parts: tuple[str | Block, ...] = ()
    line: int = 0


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
    needs: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    namespace: str = ""
    clients: str = ""
    folder: Path = Path()

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks in the order of the text."""
        return tuple(p for s in self.sections for p in s.parts if isinstance(p, Task))

    @property
    def questions(self) -> tuple[Question, ...]:
        """Predictions and quiz questions in the order of the text."""
        return tuple(p for s in self.sections for p in s.parts if isinstance(p, Question))


def by_key(lessons: Sequence[Lesson]) -> dict[str, Lesson]:
    """Lessons by what stands in a link: the lecture's number for its first lesson, else the lesson's own."""
    found: dict[str, Lesson] = {}
    for lesson in lessons:
        key = lesson.lecture if lesson.lecture not in found else f"{lesson.number:02}"
        found[key] = lesson
    return found


def lesson_folders(root: Path) -> list[Path]:
    """The folders of all lessons below `root`, by number. Raises LessonError where there is no `root`."""
    if not root.is_dir():
        raise LessonError(f"{root}: no such folder; lessons are in folders like 05-blue-green")
    return sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith((".", "_")))


def load_lessons(root: Path, lang: str) -> list[Lesson]:
    """All lessons below `root` in `lang`, by number. Raises LessonError at the first that cannot be read."""
    return [load_lesson(folder, lang) for folder in lesson_folders(root)]


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
    front, body, first = _split(path, text)
    fields = _fields(path, front)
    intro, *sections = _sections(path, body, first)
    if any(not isinstance(part, str) for part in intro.parts):
        raise LessonError(f"{path}, line {first}: tasks and questions belong below a `## ` heading")
    return Lesson(
        int(match[1]), match[2], lang, intro=intro.text, sections=tuple(sections), folder=folder, **fields
    )


def _split(path: Path, text: str) -> tuple[str, list[str], int]:
    """Front matter, the lines after it, and the number of their first."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        raise LessonError(f"{path}, line 1: the file must open with front matter between two lines ---")
    for i, line in enumerate(lines[1:], start=1):
        if line.strip() == "---":
            return "\n".join(lines[1:i]), lines[i + 1 :], i + 2
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
    known = {**FIELDS, **OPTIONAL}
    unknown = sorted(str(name) for name in found if name not in known)
    for name, kind in known.items():
        if name not in found:
            if name in FIELDS:
                raise LessonError(f"{path}: the field `{name}` is missing")
            continue
        value = found[name]
        texts = kind is not list or (isinstance(value, list) and all(isinstance(v, str) for v in value))
        if not isinstance(value, kind) or isinstance(value, bool) or not texts:
            hint = ' (write it in quotes: "2233")' if kind is str else ""
            raise LessonError(f"{path}: the field `{name}` must be {_WORDS[kind]}, not {value!r}{hint}")
    if unknown:
        raise LessonError(f"{path}: unknown field `{unknown[0]}`; there are {', '.join(known)}")
    lists = {name: tuple(found.get(name) or ()) for name in ("needs", "explains")}
    strange = [need for need in lists["needs"] if need not in NEEDS]
    if strange:
        raise LessonError(f"{path}: `needs` does not know {strange[0]!r}; there are {', '.join(NEEDS)}")
    words = {name: found.get(name, "") for name in ("namespace", "clients")}
    return {name: found[name] for name in FIELDS} | lists | words


_WORDS: Mapping[type, str] = {str: "text", int: "a whole number", list: "a list of texts"}


class _Writer:
    """Collects one section: plain lines until a block, then the block."""

    def __init__(self, title: str, line: int) -> None:
        self.title, self.line = title, line
        self._parts: list[str | Block] = []
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        self._lines.append(line)

    def block(self, found: Block) -> None:
        self._flush()
        self._parts.append(found)

    def _flush(self) -> None:
        text = "\n".join(self._lines).strip("\n")
        if text.strip():
            self._parts.append(text.strip())
        self._lines = []

    def section(self) -> Section:
        self._flush()
        text = "\n\n".join(part for part in self._parts if isinstance(part, str))
        return Section(self.title, text, tuple(self._parts), self.line)


def _sections(path: Path, lines: Sequence[str], first: int) -> list[Section]:
    """The introduction (with an empty title) and the sections; `first` is the number of the first line."""
    writers = [_Writer("", first)]
    fence, info, opened, inside = "", "", 0, list[str]()
    for number, line in enumerate(lines, start=first):
        mark = line.lstrip()[:3]
        if fence:
            closes = mark == fence and not line.strip().strip(fence[0])
            if not is_block(info):
                writers[-1].add(line)
            elif not closes:
                inside.append(line)
            else:
                writers[-1].block(_block(path, info, "\n".join(inside), opened))
            fence = "" if closes else fence
        elif mark in ("```", "~~~"):
            fence, info, opened, inside = mark, line.strip().lstrip("`~").strip(), number, []
            if not is_block(info):
                writers[-1].add(line)
        elif line.startswith("## "):
            writers.append(_Writer(line[3:].strip(), number))
        else:
            writers[-1].add(line)
    if fence:
        raise LessonError(f"{path}, line {opened}: this fence is never closed")
    return [writer.section() for writer in writers]


def _block(path: Path, info: str, body: str, line: int) -> Block:
    try:
        return parse(info, body, line)
    except BlockError as problem:
        raise LessonError(f"{path}, line {line + problem.line}: {problem}") from None
