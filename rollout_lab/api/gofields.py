"""The Go structs behind a manifest: which fields, in which order, of which type.

Loaded once, when first asked for, from the two data files beside this module: `pod_fields.json`
(made by `scripts/derive_pod_fields.py`, whose docstring gives the notation) and
`rollout_fields.json` (the Rollout's own structs, in the same notation). Only the tables live here;
`api.gojson` writes with them and `api.decoding` checks with them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

STRING, BOOL, INT32, INT64 = "string", "bool", "int32", "int64"
QUANTITY, INT_OR_STRING, TIME, RAW = "quantity", "intOrString", "time", "raw"
SCALARS = frozenset({STRING, BOOL, INT32, INT64, QUANTITY, INT_OR_STRING, TIME, RAW})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct; `type` is a scalar, ``[]T``, ``{}T`` or the name of a struct."""

    name: str
    type: str
    omit_empty: bool
    pointer: bool
    omit_zero: bool


@cache
def structs() -> Mapping[str, tuple[Field, ...]]:
    """Every struct by name, its fields in marshalling order."""
    found: dict[str, tuple[Field, ...]] = {}
    for file in ("pod_fields.json", "rollout_fields.json"):
        text = resources.files("rollout_lab.api").joinpath("data", file).read_text(encoding="utf-8")
        for name, lines in json.loads(text).items():
            found[name] = tuple(map(_field, lines))
    return found


def _field(line: str) -> Field:
    marked, _, type_ = line.partition(" ")
    name = marked.rstrip("?*0")
    marks = marked[len(name) :]
    return Field(name, type_, "?" in marks, "*" in marks, "0" in marks)


@cache
def field(struct: str, name: str) -> Field | None:
    """That field of that struct, or None."""
    return next((f for f in structs()[struct] if f.name == name), None)


def element(type_: str) -> str | None:
    """The T of ``[]T`` or ``{}T``, None for anything else."""
    return type_[2:] if type_[:2] in ("[]", "{}") else None
