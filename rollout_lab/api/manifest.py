"""Manifests: text to Kubernetes objects, or errors that name file, line, field and remedy. Pure.

Reads text, never files: the shell opens files and passes their name along as `source`. Whether an
object is *right* is `api.validation` and `api.lint`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.api import fields, yamlsafe
from rollout_lab.api.fields import Json
from rollout_lab.api.yamlsafe import YamlProblem
from rollout_lab.errors import LabError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a manifest. `line` is 0 and `field` empty where that is not known."""

    source: str
    line: int
    document: int
    field: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}" if self.line else self.source
        subject = f"{self.field}: " if self.field else ""
        return f"{where}: document {self.document}: {subject}{self.wrong}; {self.remedy}"


class ManifestError(LabError):
    """A manifest that cannot be used; `problems` in the order of the text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Loaded:
    """An object with where it came from; `lines` has the line of each field path."""

    obj: Json
    source: str
    document: int
    lines: dict[str, int] = field(default_factory=dict)

    def line(self, path: str) -> int:
        """The line of the field, or of the nearest field around it that is written; 0 if unknown."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 0)


def load(text: str, source: str) -> list[Json]:
    """The objects of a YAML or JSON text of one or more documents, Lists unpacked.

    Raises ManifestError for text that is no YAML and for documents that are no Kubernetes objects
    (no mapping, or without apiVersion, kind or metadata.name).
    """
    return [loaded.obj for loaded in load_with_lines(text, source)]


def load_with_lines(text: str, source: str) -> list[Loaded]:
    """As `load`, and where each field stands."""
    found: list[Loaded] = []
    problems: list[Problem] = []
    for number, document in enumerate(_documents(text, source, found), 1):
        for path, obj in _unpacked(document.value):
            lines = _below(document.lines, path)
            loaded = Loaded(obj, source, number, lines)
            problems += _shape(loaded, document.line)
            found.append(loaded)
    if problems:
        raise ManifestError(problems)
    if not found:
        remedy = "write at least apiVersion, kind and metadata.name"
        raise ManifestError([Problem(source, 0, 1, "", "the text holds no object", remedy)])
    return found


def _documents(text: str, source: str, before: list[Loaded]) -> list[yamlsafe.Document]:
    if text.lstrip()[:1] in ("{", "["):
        try:
            return [yamlsafe.Document(json.loads(text), 1)]
        except ValueError:
            pass  # a YAML flow mapping, or JSON with a mistake the YAML reader can place
    read: list[yamlsafe.Document] = []
    try:
        for document in yamlsafe.documents(text):
            read.append(document)
    except YamlProblem as problem:
        wrong = Problem(source, problem.line, len(read) + 1, problem.field, problem.wrong, problem.remedy)
        raise ManifestError([wrong]) from None
    return read


def _unpacked(value: Any) -> list[tuple[str, Any]]:
    """(path inside the document, object): the items of a List, or the document itself."""
    if isinstance(value, list):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    if isinstance(value, dict) and fields.text(value, "kind").endswith("List") and "items" in value:
        return [(f"items[{index}]", item) for index, item in enumerate(fields.items(value, "items"))]
    return [("", value)]


def _below(lines: dict[str, int], path: str) -> dict[str, int]:
    if not path:
        return lines
    return {key[len(path) :].removeprefix("."): line for key, line in lines.items() if key.startswith(path)}


def _shape(loaded: Loaded, first_line: int) -> list[Problem]:
    obj: Any = loaded.obj

    def problem(field: str, wrong: str, remedy: str) -> Problem:
        return Problem(loaded.source, loaded.line(field) or first_line, loaded.document, field, wrong, remedy)

    if not isinstance(obj, dict):
        kind = "a list" if isinstance(obj, list) else "text"
        remedy = "begin with apiVersion: and kind:, and check that lines are written name: value"
        return [problem("", f"a manifest is an object with fields, this is {kind}", remedy)]
    found = []
    for name, example in (("apiVersion", "argoproj.io/v1alpha1"), ("kind", "Rollout")):
        if not fields.text(obj, name):
            found.append(problem(name, "is missing", f"write it, for example {name}: {example}"))
    if not fields.text(obj, "metadata", "name") and not fields.text(obj, "metadata", "generateName"):
        wrong = "is missing"
        if isinstance(fields.value(obj, "metadata", "name"), (int, float, bool)):
            wrong = "must be text, not a number or true/false"
        found.append(problem("metadata.name", wrong, "name the object, for example name: api-tester-2234"))
    return found
