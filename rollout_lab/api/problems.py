"""One problem of a manifest: which field, what is wrong, what would be right.

Only the value and its text live here. The types are the API server's own (`causes[].reason`), so
that a person reads the same words from kubectl, the condition and the page.

# upstream: k8s.io/apimachinery pkg/util/validation/field
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Type(StrEnum):
    """What kind of problem it is."""

    INVALID = "FieldValueInvalid"
    REQUIRED = "FieldValueRequired"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    DUPLICATE = "FieldValueDuplicate"
    NOT_FOUND = "FieldValueNotFound"
    TYPE_INVALID = "FieldValueTypeInvalid"
    INTERNAL = "InternalError"


_LEADS = {
    Type.INVALID: "Invalid value",
    Type.REQUIRED: "Required value",
    Type.NOT_SUPPORTED: "Unsupported value",
    Type.FORBIDDEN: "Forbidden",
    Type.DUPLICATE: "Duplicate value",
    Type.NOT_FOUND: "Not found",
    Type.TYPE_INVALID: "Invalid value",
    Type.INTERNAL: "Internal error",
}
_WITHOUT_VALUE = frozenset({Type.REQUIRED, Type.FORBIDDEN, Type.INTERNAL})


@dataclass(frozen=True, slots=True)
class FieldError:
    """`field` is the path as the peer reports it; `detail` says what is wrong and, mostly after a
    semicolon, what would be right."""

    type: Type
    field: str
    detail: str
    value: Any = None

    def __str__(self) -> str:
        lead = f"{self.field}: {_LEADS[self.type]}"
        if self.type not in _WITHOUT_VALUE:
            lead += f": {json.dumps(self.value, ensure_ascii=False, default=str)}"
        return f"{lead}: {self.detail}" if self.detail else lead


def invalid(field: str, value: Any, detail: str) -> FieldError:
    return FieldError(Type.INVALID, field, detail, value)


def required(field: str, detail: str) -> FieldError:
    return FieldError(Type.REQUIRED, field, detail)


def forbidden(field: str, detail: str) -> FieldError:
    return FieldError(Type.FORBIDDEN, field, detail)


def duplicate(field: str, value: Any, detail: str = "") -> FieldError:
    return FieldError(Type.DUPLICATE, field, detail, value)


def not_found(field: str, value: Any, detail: str) -> FieldError:
    return FieldError(Type.NOT_FOUND, field, detail, value)


def not_supported(field: str, value: Any, allowed: list[str]) -> FieldError:
    listed = ", ".join(f'"{name}"' for name in allowed)
    return FieldError(Type.NOT_SUPPORTED, field, f"supported values: {listed}", value)


def internal(field: str, detail: str) -> FieldError:
    return FieldError(Type.INTERNAL, field, detail)
