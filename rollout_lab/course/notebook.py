"""A lesson as a Jupyter notebook, made from the same text as page and terminal. Pure but for `main`.

`notebook(lesson)` gives nbformat 4.5 as JSON: prose as Markdown cells, commands, checks, predictions and
questions as cells that call `course.classroom`. The same lesson always gives the same bytes, with ids from
what a cell is, and without outputs. ``make notebooks`` writes them beside the lessons.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from rollout_lab.course.blocks import Kind, Question, Task
from rollout_lab.course.cells import cell
from rollout_lab.course.commands import commands_in
from rollout_lab.course.folder import lessons_folder
from rollout_lab.course.lesson import Lesson, load_lessons
from rollout_lab.messages import LANGUAGES

Json = dict[str, Any]
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```\n?", re.DOTALL | re.MULTILINE)


def file_name(lang: str) -> str:
    """``notebook.ipynb`` is Korean, as the course is; the others name their language."""
    return "notebook.ipynb" if lang == "ko" else f"notebook.{lang}.ipynb"


def notebook(lesson: Lesson) -> Json:
    """The notebook of a lesson in its language."""
    return {
        "cells": list(_with_ids(_cells(lesson))),
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def text(lesson: Lesson) -> str:
    """The file of a lesson's notebook."""
    return json.dumps(notebook(lesson), ensure_ascii=False, indent=1) + "\n"


def _with_ids(cells: Iterator[tuple[str, str]]) -> Iterator[Json]:
    """(kind, source) as cells of nbformat, with an id of what stands in it and how often it did."""
    seen: dict[str, int] = {}
    for kind, source in cells:
        seen[source] = seen.get(source, 0) + 1
        name = hashlib.sha256(f"{kind} {seen[source]} {source}".encode()).hexdigest()[:12]
        made: Json = {
            "cell_type": kind,
            "id": name,
            "metadata": {},
            "source": source.splitlines(keepends=True),
        }
        if kind == "code":
            made |= {"execution_count": None, "outputs": []}
        yield made


def _cells(lesson: Lesson) -> Iterator[tuple[str, str]]:
    lang = lesson.lang
    yield "markdown", f"# {lesson.number}. {lesson.title}\n\n{lesson.intro.strip()}"
    yield "markdown", cell(lang, "open")
    name = f"{lesson.number:02}-{lesson.slug}"
    yield (
        "code",
        "from rollout_lab.course.classroom import Classroom\n\n"
        f'lesson = Classroom("{name}", lang="{lang}", speed=1)  # speed: {cell(lang, "speed")}\n'
        "lesson",
    )
    for section in lesson.sections:
        title = f"## {section.title}\n\n"
        for part in section.parts:
            if isinstance(part, str):
                for kind, source in _prose(part, lang):
                    yield kind, (title + source if kind == "markdown" else source)
                    title = "" if kind == "markdown" else title
            else:
                if title:
                    yield "markdown", title.strip()
                    title = ""
                yield from _task(part, lesson) if isinstance(part, Task) else _question(part, lang)
    yield from _end(lesson)


def _prose(prose: str, lang: str) -> Iterator[tuple[str, str]]:
    """Markdown, with each fence of commands as a cell that runs them; what they print stays to be read."""
    at = 0
    for match in _FENCE.finditer(prose):
        found = [command for command, _ in commands_in(match[0])] if match[1] != "output" else []
        if not found and match[1] != "output":
            continue
        before = prose[at : match.start()].strip()
        if before:
            yield "markdown", before
        if found:
            yield "code", _run(found)
        else:
            yield "markdown", f"{cell(lang, 'prints')}\n\n```text\n{match[2].strip()}\n```"
        at = match.end()
    rest = prose[at:].strip()
    if rest:
        yield "markdown", rest


def _run(commands: Sequence[str]) -> str:
    """Commands as they are typed, with no character taken for Python's."""
    lines = "\n".join(commands)
    return f'lesson.run(r"""{lines}""")' if '"""' not in lines else f"lesson.run({lines!r})"


def _task(task: Task, lesson: Lesson) -> Iterator[tuple[str, str]]:
    lang = lesson.lang
    yield "markdown", f"**{cell(lang, 'task')}** {task.do}"
    source = f'lesson.check("{task.id}")'
    source += f'  # {cell(lang, "hints")}: lesson.hint("{task.id}"), lesson.solve("{task.id}")'
    yield "code", source
    yield "code", f'lesson.watch("{task.id}")  # {cell(lang, "watch")}'


def _question(question: Question, lang: str) -> Iterator[tuple[str, str]]:
    head = cell(lang, "predict" if question.kind is Kind.PREDICT else "quiz")
    lines = [f"**{head}** {question.ask}"]
    if question.choices:
        lines += ["", cell(lang, "choices"), ""]
        lines += [f'- `"{key}"`: {words}' for key, words in question.choices.items()]
    yield "markdown", "\n".join(lines)
    unit = f"  # {question.unit}" if question.unit else ""
    yield "code", f'lesson.answer("{question.id}", ...){unit}'


def _end(lesson: Lesson) -> Iterator[tuple[str, str]]:
    lang = lesson.lang
    yield "markdown", cell(lang, "chart")
    yield "code", "lesson.chart()"
    yield "markdown", cell(lang, "close")
    yield "code", "lesson.close()"
    yield "markdown", f"## {cell(lang, 'exercise')}\n\n{cell(lang, 'exercise-text')}"
    yield (
        "code",
        "from rollout_lab import Lab\n\n"
        f'with Lab.start("embedded", speed=10, scenario="{lesson.scenario}") as lab:\n'
        "    rollout = lab.rollout()\n"
        '    rollout.wait_for("Healthy")\n'
        '    rollout.set_image("2.0.0")\n'
        '    rollout.wait_for("Paused")\n'
        "    print(rollout.promote())\n"
        '    rollout.wait_for("Healthy")\n'
        f'    timeline = lab.timeline().said("{lang}")\n'
        "timeline",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the notebooks of all lessons that differ from what is there; prints their paths."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="of the lessons; default: the project's")
    root = parser.parse_args(arguments).folder or lessons_folder()
    for lang in LANGUAGES:
        for lesson in load_lessons(root, lang):
            path, wanted = lesson.folder / file_name(lang), text(lesson)
            if not path.exists() or path.read_text(encoding="utf-8") != wanted:
                path.write_text(wanted, encoding="utf-8")
                print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
