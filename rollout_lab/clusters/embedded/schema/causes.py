"""One broken rule of a field, in the API server's words: reason, message and field.

Only the texts live here; the rules are in `validate` and `openapi`.
# upstream: apimachinery/pkg/util/validation/field/errors.go
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..patching.govalue import go_float


@dataclass(frozen=True, slots=True)
class Cause:
    """An entry of ``Status.details.causes``, ready to be written into a 422 answer."""

    reason: str
    message: str
    field: str

    def as_dict(self) -> dict[str, str]:
        return {"reason": self.reason, "message": self.message, "field": self.field}


def required(field: str, detail: str = "") -> Cause:
    return Cause("FieldValueRequired", _with("Required value", detail), field)


def invalid(field: str, value: Any, detail: str) -> Cause:
    """`value` is plain JSON, or `Raw` where the server prints its internal Go struct."""
    return Cause("FieldValueInvalid", _with(f"Invalid value: {shown(value)}", detail), field)


def type_invalid(field: str, value: Any, detail: str) -> Cause:
    return Cause("FieldValueTypeInvalid", _with(f"Invalid value: {shown(value)}", detail), field)


def forbidden(field: str, detail: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {detail}", field)


def duplicate(field: str, value: Any) -> Cause:
    return Cause("FieldValueDuplicate", f"Duplicate value: {shown(value)}", field)


def too_long(field: str, limit: int) -> Cause:
    return Cause("FieldValueTooLong", f"Too long: may not be more than {limit} bytes", field)


def too_many(field: str, count: int, limit: int) -> Cause:
    items = "items" if limit != 1 else "item"
    return Cause("FieldValueTooMany", f"Too many: {count}: must have at most {limit} {items}", field)


def not_supported(field: str, value: Any, supported: Iterable[Any]) -> Cause:
    """The supported values appear in the order given; the server sorts them for built-in kinds."""
    values = ", ".join(f'"{v}"' if isinstance(v, str) else f'"{shown(v)}"' for v in supported)
    detail = f"supported values: {values}"
    return Cause("FieldValueNotSupported", _with(f"Unsupported value: {shown(value)}", detail), field)


class Raw(str):
    """A value already in the form the server prints, such as the JSON of an internal Go struct."""

    __slots__ = ()


def shown(value: Any) -> str:
    """`value` the way field errors print it: strings quoted, everything else as Go's JSON."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, float):
        return go_float(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _with(text: str, detail: str) -> str:
    return f"{text}: {detail}" if detail else text
