"""What is wrong with a lesson, each mistake with file and line, all of them at once.

Reads the files of one lesson and compares them; runs no lab. What a lesson must have stands here, one
function for each rule.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from rollout_lab.api.findings import Level
from rollout_lab.api.lint import lint_text
from rollout_lab.course import updates
from rollout_lab.course.blocks import Question, Task
from rollout_lab.course.checks import Checks, load_checks
from rollout_lab.course.commands import commands_in, parse
from rollout_lab.course.lesson import Lesson, LessonError, load_lesson
from rollout_lab.course.solution import load_solution
from rollout_lab.course.words import EN, KO
from rollout_lab.errors import UsageError
from rollout_lab.messages import LANGUAGES

T = TypeVar("T")
_PLACE: Final = re.compile(r"^(?P<path>[^:]+?)(?:, line (?P<line>\d+))?: (?P<message>.*)$", re.DOTALL)
_HOLE: Final = re.compile(r"\{(\w+)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake; `line` is 0 where the whole file is meant."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line or 1}: {self.message}"


def lint_lesson(folder: Path) -> list[Finding]:
    """All mistakes of a lesson, by file and line; empty where it is fit to be taught."""
    found: list[Finding] = []
    texts = {lang: _try(found, lambda lang=lang: load_lesson(folder, lang)) for lang in LANGUAGES}  # type: ignore[misc]
    checks = _try(found, lambda: load_checks(folder))
    _try(found, lambda: load_solution(folder))
    whole = {lang: lesson for lang, lesson in texts.items() if lesson is not None}
    for lang, lesson in whole.items():
        found += _text(folder / f"index.{lang}.md", lesson)
        if checks is not None:
            found += _rules(folder, folder / f"index.{lang}.md", lesson, checks)
    if len(whole) == len(LANGUAGES):
        found += _same(folder, *whole.values())
    if checks is not None and not found:
        found += _solved(folder, checks)
    found += _manifests(folder)
    return sorted(found, key=lambda f: (str(f.path), f.line))


def _try(found: list[Finding], read: Callable[[], T]) -> T | None:
    try:
        return read()
    except LessonError as problem:
        match = _PLACE.match(str(problem))
        assert match is not None, str(problem)
        found.append(Finding(Path(match["path"]), int(match["line"] or 0), match["message"]))
        return None


def _text(path: Path, lesson: Lesson) -> Iterator[Finding]:
    """Ids once, tasks with hints, commands that can be read."""
    seen: set[str] = set()
    blocks: tuple[Task | Question, ...] = (*lesson.tasks, *lesson.questions)
    for block in blocks:
        if block.id in seen:
            yield Finding(path, block.line, f"the id `{block.id}` is used twice")
        seen.add(block.id)
        if isinstance(block, Task) and not block.hints:
            yield Finding(path, block.line, f"the task `{block.id}` has no hints")
        if isinstance(block, Question) and not block.why:
            yield Finding(path, block.line, f"the question `{block.id}` does not say why (`why:`)")
    if not lesson.tasks:
        yield Finding(path, 0, "a lesson has at least one task (```task my-id)")
    for section in lesson.sections:
        for command, _ in commands_in(section.text):
            try:
                parse(command)
            except UsageError as problem:
                yield Finding(path, section.line, f"`{command}`: {problem}")


def _rules(folder: Path, path: Path, lesson: Lesson, checks: Checks) -> Iterator[Finding]:
    """Text and checks.py have the same tasks and questions, in an order that can be done."""
    order = [task.id for task in lesson.tasks]
    common = KO if lesson.lang == "ko" else EN
    for task in lesson.tasks:
        rule = checks.rules.get(task.id)
        if rule is None:
            yield Finding(path, task.line, f"the task `{task.id}` has no check in checks.py")
            continue
        if task.id not in checks.broken:
            yield Finding(path, task.line, f"the task `{task.id}` has no @checks.breaks in checks.py")
        for need in rule.needs:
            if need not in order[: order.index(task.id)]:
                yield Finding(
                    path, task.line, f"the task `{task.id}` needs `{need}`, which does not come before it"
                )
    for question in lesson.questions:
        if question.id not in checks.answers:
            yield Finding(path, question.line, f"the question `{question.id}` has no answer in checks.py")
    known = {*order, *(q.id for q in lesson.questions)}
    for id_ in (*checks.rules, *checks.answers):
        if id_ not in known:
            yield Finding(path, 0, f"checks.py knows `{id_}`, the text does not")
    yield from _sentences(folder, path, lesson, common)


def _sentences(folder: Path, path: Path, lesson: Lesson, common: Mapping[str, str]) -> Iterator[Finding]:
    used = codes(folder / "checks.py")
    for task in lesson.tasks:
        for kind, own in (("NotYet", task.not_yet), ("BrokeAgain", task.broke)):
            known = {code for _, name, code, _ in used if name == kind}
            for code in own:
                if code not in known:
                    yield Finding(path, task.line, f"no check gives the reason `{code}` of `{task.id}`")
    for kind in ("NotYet", "BrokeAgain"):
        tasks = [t.not_yet if kind == "NotYet" else t.broke for t in lesson.tasks]
        for line, name, code, params in used:
            if name != kind:
                continue
            sentences = [own[code] for own in tasks if code in own] or [
                common[c] for c in (code,) if c in common
            ]
            if not sentences:
                field = "not-yet" if kind == "NotYet" else "broke"
                yield Finding(
                    folder / "checks.py", line, f"`{code}` has no sentence: {path.name}, field {field}"
                )
            for text in sentences:
                for hole in sorted(set(_HOLE.findall(text)) - params):
                    yield Finding(folder / "checks.py", line, f"`{code}` gives no {{{hole}}} for: {text}")


Reason = tuple[int, str, str, set[str]]
"""Line, NotYet | BrokeAgain, code, parameters."""


def codes(path: Path) -> list[Reason]:
    """Each reason that a checks.py gives: those written in it, and those of the `updates` it imports."""
    if not path.exists():
        return []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = list(_reasons(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == updates.__name__:
            shared = [reason for word in node.names for reason in _shared(word.name)]
            found += [(node.lineno, kind, code, params) for _, kind, code, params in shared]
    return found


def _reasons(tree: ast.AST) -> Iterator[Reason]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            first = node.args[0] if node.args else None
            if name in ("NotYet", "BrokeAgain") and isinstance(first, ast.Constant):
                yield node.lineno, name, str(first.value), {word.arg or "" for word in node.keywords}


def _shared(name: str) -> list[Reason]:
    """The reasons of a function of `updates`, with those of the functions there that it calls."""
    tree = ast.parse(inspect.getsource(getattr(updates, name)))
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    further = [word for word in called if word != name and inspect.isfunction(getattr(updates, word, None))]
    return [*_reasons(tree), *(reason for word in further for reason in _shared(word))]


def _same(folder: Path, one: Lesson, two: Lesson) -> Iterator[Finding]:
    """Both languages ask the same in the same order, with the same commands and choices."""
    path = folder / f"index.{two.lang}.md"
    for name in ("lecture", "minutes", "scenario", "needs", "namespace", "clients"):
        if getattr(one, name) != getattr(two, name):
            yield Finding(path, 1, f"`{name}` differs from index.{one.lang}.md: {getattr(one, name)!r}")
    if len(one.explains) != len(two.explains):
        yield Finding(path, 1, f"`explains` has another length than in index.{one.lang}.md")
    if len(one.sections) != len(two.sections):
        yield Finding(path, 0, f"{len(two.sections)} sections; index.{one.lang}.md has {len(one.sections)}")
    for mine, theirs in zip(two.sections, one.sections, strict=False):
        for what, of in _SHAPES.items():
            if of(mine.text) != of(theirs.text):
                yield Finding(
                    path, mine.line, f"other {what} than in index.{one.lang}.md, line {theirs.line}"
                )
        blocks = [[_shape(p) for p in s.parts if not isinstance(p, str)] for s in (mine, theirs)]
        if blocks[0] != blocks[1]:
            yield Finding(
                path, mine.line, f"other tasks or questions than in index.{one.lang}.md, line {theirs.line}"
            )


def _rows(text: str) -> int:
    return len(re.findall(r"^\|", text, re.MULTILINE))


def _items(text: str) -> int:
    return len(re.findall(r"^(?:- |\d+\. )", text, re.MULTILINE))


def _pictures(text: str) -> list[str]:
    return re.findall(r"!\[[^]]*\]\(([^)]*)\)", text)


_SHAPES: Final[Mapping[str, Callable[[str], object]]] = {
    "commands": lambda text: list(commands_in(text)),
    "table rows": _rows,
    "list items": _items,
    "pictures": _pictures,
}


def _shape(block: Task | Question) -> object:
    if isinstance(block, Question):
        return block.kind, block.id, list(block.choices)
    return "task", block.id, len(block.hints), sorted(block.not_yet), sorted(block.broke), bool(block.done)


def _solved(folder: Path, checks: Checks) -> Iterator[Finding]:
    path = folder / "solution.yaml"
    ways = load_solution(folder)
    for id_ in checks.rules:
        if id_ not in ways:
            yield Finding(path, 0, f"no solution for the task `{id_}`")
    for id_ in ways:
        if id_ not in checks.rules:
            yield Finding(path, 0, f"a solution for `{id_}`, which is no task")


def _manifests(folder: Path) -> Iterable[Finding]:
    for path in sorted((folder / "manifests").glob("*.yaml")):
        for one in lint_text(path.read_text(encoding="utf-8"), str(path)):
            if one.level is Level.ERROR:
                yield Finding(path, one.line or 0, f"{one.field}: {one.message}")
