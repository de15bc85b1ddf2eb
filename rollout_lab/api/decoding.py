"""Does a manifest have the shape of its kind: values of the right type, fields that exist. Pure.

Walks the object along the Go structs of `api.gofields`. A wrong type stops the peer's typed clients
and, on a cluster, the CRD's schema; an unknown field is dropped by the API server without a word,
which is why `unknown_fields` exists.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollout_lab.api import gofields, quantity
from rollout_lab.api.problems import FieldError, Type
from rollout_lab.api.times import parse_time

_EXPECTED = {
    gofields.STRING: "text",
    gofields.BOOL: "true or false",
    gofields.INT32: "a whole number",
    gofields.INT64: "a whole number",
    gofields.QUANTITY: "a quantity such as 100m, 0.5, 200Mi or 1Gi",
    gofields.INT_OR_STRING: "a whole number or text",
    gofields.TIME: "a time such as 2026-01-31T09:00:00Z",
}
_RANGES = {gofields.INT32: 2**31, gofields.INT64: 2**63, gofields.INT_OR_STRING: 2**31}


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field its kind does not have; `suggestion` is the nearest one it has, or ``""``."""

    field: str
    suggestion: str


def type_errors(value: Any, type_: str, path: str = "") -> list[FieldError]:
    """Every value below `value` that cannot be read as `type_` (see `gofields`)."""
    return list(_type_errors(value, type_, path))


def unknown_fields(value: Any, type_: str, path: str = "") -> list[UnknownField]:
    """Every field below `value` that its struct does not have."""
    return list(_unknown(value, type_, path))


def _children(value: Any, type_: str, path: str) -> Iterator[tuple[Any, str, str]]:
    """(value, type, path) of what lies directly below; nothing below scalars and unreadable values."""
    element = gofields.element(type_)
    if element is not None and isinstance(value, list) and type_.startswith("[]"):
        for index, item in enumerate(value):
            yield item, element, f"{path}[{index}]"
    elif element is not None and isinstance(value, Mapping) and type_.startswith("{}"):
        for key, item in value.items():
            yield item, element, f"{path}.{key}"
    elif element is None and type_ not in gofields.SCALARS and isinstance(value, Mapping):
        for field in gofields.structs()[type_]:
            if field.name in value:
                yield value[field.name], field.type, f"{path}.{field.name}".lstrip(".")


def _type_errors(value: Any, type_: str, path: str) -> Iterator[FieldError]:
    if value is None:
        return
    expected = _expected(value, type_)
    if expected is not None:
        yield FieldError(Type.TYPE_INVALID, path, _remedy(value, expected), value)
        return
    for below in _children(value, type_, path):
        yield from _type_errors(*below)


def _expected(value: Any, type_: str) -> str | None:
    """In words what was expected, None where the value has the type."""
    if type_.startswith("[]"):
        return None if isinstance(value, list) else "a list"
    if type_ == gofields.RAW:
        return None
    if type_ not in gofields.SCALARS:
        return None if isinstance(value, Mapping) else "an object with fields"
    return None if _is(value, type_) else _EXPECTED[type_]


def _is(value: Any, type_: str) -> bool:
    match type_:
        case gofields.BOOL:
            return isinstance(value, bool)
        case gofields.STRING:
            return isinstance(value, str)
        case gofields.QUANTITY:
            return _readable(quantity.canonical, value)
        case gofields.TIME:
            return isinstance(value, str) and _readable(parse_time, value)
        case gofields.INT_OR_STRING if isinstance(value, str):
            return True
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    limit = _RANGES[type_]
    return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _readable(reader: Any, value: Any) -> bool:
    try:
        reader(value)
    except ValueError:
        return False
    return True


def _remedy(value: Any, expected: str) -> str:
    detail = f"this field holds {expected}, not {_kind(value)}"
    if expected == "text" and not isinstance(value, (dict, list)):
        return f'{detail}; put it in quotes: "{_plain(value)}"'
    if isinstance(value, str) and expected == "a whole number":
        return f"{detail}; write the number without quotes" if value.strip("-").isdigit() else detail
    return detail


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return f"the number {value:g}" if isinstance(value, float) else f"the number {value}"
        case str():
            return f'the text "{value}"'
        case list():
            return "a list"
        case _:
            return "an object"


def _unknown(value: Any, type_: str, path: str) -> Iterator[UnknownField]:
    if gofields.element(type_) is None and type_ not in gofields.SCALARS and isinstance(value, Mapping):
        known = [field.name for field in gofields.structs()[type_]]
        for name in value:
            if name not in known:
                yield UnknownField(f"{path}.{name}".lstrip("."), suggestion(str(name), known))
    for below in _children(value, type_, path):
        yield from _unknown(*below)


def suggestion(name: str, known: list[str]) -> str:
    """The one of `known` a person most likely meant by `name`, ``""`` where none is near.

    >>> suggestion("setweight", ["setWeight", "pause"]), suggestion("colour", ["setWeight"])
    ('setWeight', '')
    """
    by_lower = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.72)
    return by_lower[near[0]] if near else ""
