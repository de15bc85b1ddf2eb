"""What `lint` says about one field: how grave, where, what is wrong, what to do.

Also the turning of a validation error into a finding, which shows the field where it really is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from rollout_lab.api import fields
from rollout_lab.api.fields import Json
from rollout_lab.api.manifest import Loaded
from rollout_lab.api.problems import FieldError, Type


class Level(StrEnum):
    """An error keeps the manifest from doing what it says; a warning is worth a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell the person. `line` is 0 where it is not known, `code` names the rule."""

    level: Level
    code: str
    source: str
    line: int
    object: str
    field: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}" if self.line else self.source
        subject = " ".join(part for part in (self.object, self.field) if part)
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{where}: {self.level}: {subject}: {self.message}{remedy}"


def name_of(obj: Json) -> str:
    """``Kind/name``."""
    return f"{fields.text(obj, 'kind')}/{fields.text(obj, 'metadata', 'name')}"


def finding(
    loaded: Loaded, field: str, message: str, remedy: str, *, code: str, level: Level = Level.WARNING
) -> Finding:
    """A finding about a field of a loaded object, with its line."""
    line = loaded.line(field) or loaded.line("kind")
    return Finding(level, code, loaded.source, line, name_of(loaded.obj), field, message, remedy)


def of_error(loaded: Loaded, error: FieldError, code: str) -> Finding:
    """The finding for a validation error; its detail is split at the first semicolon into wrong; remedy.

    A detail of one part is the remedy, and what is wrong is the value, or that there is none.
    """
    wrong, _, remedy = error.detail.partition("; ")
    if not remedy:
        shown = json.dumps(error.value, ensure_ascii=False, default=str)
        wrong = "is missing" if error.type is Type.REQUIRED else f"{shown} cannot stand here"
        remedy = error.detail
    return finding(loaded, place(error.field, loaded.obj), wrong, remedy, code=code, level=Level.ERROR)


def place(field: str, obj: Json) -> str:
    """Where a field really stands: the peer's paths leave out ``canary`` or ``blueGreen``.

    >>> place("spec.strategy.steps[0].setWeight", {"spec": {"strategy": {"canary": {}}}})
    'spec.strategy.canary.steps[0].setWeight'
    """
    start, strategy = "spec.strategy.", fields.mapping(obj, "spec", "strategy")
    if field == f"{start}strategy":
        return "spec.strategy"
    rest = field.removeprefix(start)
    if rest == field or rest.partition(".")[0] in ("canary", "blueGreen"):
        return field
    named = next((name for name in ("canary", "blueGreen") if strategy.get(name) is not None), "")
    return f"{start}{named}.{rest}" if named else field
