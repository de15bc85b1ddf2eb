"""What a lesson asks of a student, as it stands in the text: tasks, predictions and quiz questions. Pure.

A fence whose first word is ``task``, ``predict`` or ``quiz``, followed by the id, holds YAML:

    ```task promote                        ```quiz old-pods
    do: Press **Promote**.                 ask: How many v1 Pods are left right after?
    hints: [first hint, next hint]         choices: {none: "0", all: "2"}   # without: a number
    not-yet: {still-old: "…{version}…"}    why: Said after the answer.
    broke: {gone: "…"}                     ```
    done: Said when it passed.
    ```

Everything here is in one language. What is the same in all (needs, check, solution, right answer) is
in ``checks.py`` and ``solution.yaml``; the reason codes below ``not-yet`` and ``broke`` are theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import yaml

ID: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


class Kind(StrEnum):
    """When a question is asked: before something happens, or at the end."""

    PREDICT = "predict"
    QUIZ = "quiz"


class BlockError(ValueError):
    """A block that cannot be read; `line` counts from the line of its fence (0)."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Task:
    """A task in one language. `not_yet` and `broke`: reason code -> sentence with ``{params}``."""

    id: str
    do: str
    hints: tuple[str, ...] = ()
    done: str = ""
    not_yet: Mapping[str, str] = field(default_factory=dict)
    broke: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """A question in one language. `choices`: key -> text, empty where a number is asked for; `unit` of it."""

    id: str
    kind: Kind
    ask: str
    choices: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    unit: str = ""
    line: int = 0


Block = Task | Question
WORDS: Final = ("task", *Kind)
_TASK: Final = ("do", "hints", "done", "not-yet", "broke")
_QUESTION: Final = ("ask", "choices", "why", "unit")


def is_block(info: str) -> bool:
    """Whether the words after the backticks open a block of ours.

    >>> is_block("task promote"), is_block("yaml"), is_block("")
    (True, False, False)
    """
    return info.split(" ")[0] in WORDS


def parse(info: str, body: str, line: int) -> Block:
    """The block of one fence, `line` being that of its opening. Raises BlockError."""
    word, _, id_ = info.partition(" ")
    id_ = id_.strip()
    if not ID.fullmatch(id_):
        raise BlockError(0, f"`{word}` needs an id after it, small letters and dashes: ```{word} my-id")
    found = _yaml(body)
    if word == "task":
        _known(found, _TASK, word)
        return Task(
            id_,
            _text(found, "do", required=True),
            _texts(found, "hints"),
            _text(found, "done"),
            _map(found, "not-yet"),
            _map(found, "broke"),
            line,
        )
    _known(found, _QUESTION, word)
    ask = _text(found, "ask", required=True)
    return Question(
        id_, Kind(word), ask, _map(found, "choices"), _text(found, "why"), _text(found, "unit"), line
    )


def _yaml(body: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(body)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        raise BlockError(
            mark.line + 1 if mark else 0, "the block is not YAML; put the text in quotes"
        ) from None
    if not isinstance(found, dict):
        raise BlockError(1, "the block must be fields like `do: …`")
    return found


def _known(found: Mapping[str, Any], allowed: tuple[str, ...], word: str) -> None:
    for name in found:
        if name not in allowed:
            raise BlockError(0, f"unknown field `{name}` of a {word}; there are {', '.join(allowed)}")


def _text(found: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    value = found.get(name, "")
    if not isinstance(value, str) or (required and not value.strip()):
        raise BlockError(0, f"the field `{name}` must be text" + ("" if name in found else "; it is missing"))
    return value.strip()


def _texts(found: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = found.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BlockError(0, f"the field `{name}` must be a list of texts")
    return tuple(value)


def _map(found: Mapping[str, Any], name: str) -> dict[str, str]:
    value = found.get(name) or {}
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise BlockError(0, f'the field `{name}` must be like {{key: "text"}}')
    return {str(k): v for k, v in value.items()}
