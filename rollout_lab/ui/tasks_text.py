"""A lesson's Markdown as HTML pieces for the drawing of the notes, and the commands in it. Pure.

Only what an author wrote goes in; HTML in it is shown as text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from markdown_it import MarkdownIt

from rollout_lab.course import Lesson
from rollout_lab.course.blocks import Question, Task
from rollout_lab.course.commands import commands_in

Json = dict[str, Any]
Places = Mapping[str, str]
"""Words of the text -> what stands for them in a student's own seat (namespace, ports)."""

_CLOSED = re.compile(r"(?<=[^\w\s*])(\*{1,2})(?=[가-힣])")
"""An emphasis that ends in a punctuation mark, with a Korean particle right after it: by the rules of
CommonMark it would not end there. A space of no width before the stars lets it."""


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def html(text: str) -> str:
    """Markdown as HTML; a number and its percent sign stay on one line."""
    return str(_markdown().render(_unbroken(text)))


def inline(text: str) -> str:
    """One line of Markdown as HTML without a paragraph around it."""
    return str(_markdown().renderInline(_unbroken(text)))


def _unbroken(text: str) -> str:
    return _CLOSED.sub("\u200b\\1", text.replace(" %", "\u00a0%"))


def placed(text: str, places: Places) -> str:
    """`text` with the words of a seat.

    >>> placed("curl http://127.0.0.1:32233/version", {"32233": "30511"})
    'curl http://127.0.0.1:30511/version'
    """
    for word, own in places.items():
        text = text.replace(word, own)
    return text


def text_of(lesson: Lesson, places: Places) -> Json:
    """The lesson as it stands: ``key`` (changes with it), ``intro`` and ``sections`` of ``parts``.

    A part is {kind "text", html} | {kind "code", text, place, run (whether the page may run it), output
    (whether it is what a command prints)} | {kind "task" | "question", id}.
    """
    sections = [
        {
            "title": inline(section.title),
            "parts": [
                part
                for number, found in enumerate(section.parts)
                for part in _parts(found, f"{place}.{number}", places)
            ],
        }
        for place, section in enumerate(lesson.sections)
    ]
    body = {"intro": html(placed(lesson.intro, places)), "sections": sections}
    key = hashlib.sha256(json.dumps([lesson.lang, lesson.slug, body]).encode()).hexdigest()[:12]
    return {"key": key, **body}


def _parts(found: str | Task | Question, place: str, places: Places) -> Iterator[Json]:
    if isinstance(found, Task):
        yield {"kind": "task", "id": found.id}
    elif isinstance(found, Question):
        yield {"kind": "question", "id": found.id}
    else:
        yield from _pieces(placed(found, places), place)


def _pieces(text: str, place: str) -> Iterator[Json]:
    """Text and code fences in turn; only fences at the margin are pieces of their own."""
    lines = text.splitlines()
    start = 0
    fences = [t for t in _markdown().parse(text) if t.type == "fence" and t.level == 0 and t.map]
    for number, token in enumerate(fences):
        first, last = token.map or [0, 0]
        before = "\n".join(lines[start:first]).strip()
        if before:
            yield {"kind": "text", "html": html(before)}
        yield {
            "kind": "code",
            "text": token.content.rstrip("\n"),
            "place": f"{place}.{number}",
            "run": bool(_commands(token.info, token.content)),
            "output": token.info.strip() == "output",
        }
        start = last
    rest = "\n".join(lines[start:]).strip()
    if rest:
        yield {"kind": "text", "html": html(rest)}


def commands_at(text: Json, place: str) -> list[str]:
    """The commands of one place of `text_of`; empty where there are none."""
    for section in text["sections"]:
        for part in section["parts"]:
            if part.get("place") == place and part["run"]:
                return _commands("", part["text"])
    return []


def _commands(info: str, code: str) -> list[str]:
    if info.strip() == "output":
        return []
    return [command for command, _ in commands_in(f"```\n{code.rstrip()}\n```\n")]
