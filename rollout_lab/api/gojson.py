"""JSON as Go's encoding/json writes a typed struct: the bytes that hashes are made of. Pure.

A value passes through the struct first: unknown fields are dropped, what cannot be read becomes
the zero value, quantities and times become canonical, and zero values follow Go's rules (see the
marks in `scripts/derive_pod_fields.py`).
"""

from __future__ import annotations

import json
from typing import Any

from rollout_lab.api import gofields, quantity
from rollout_lab.api.gofields import Field
from rollout_lab.api.times import parse_time, rfc3339

_ZERO = {
    gofields.STRING: '""',
    gofields.BOOL: "false",
    gofields.INT32: "0",
    gofields.INT64: "0",
    gofields.QUANTITY: '"0"',
    gofields.INT_OR_STRING: "0",
    gofields.TIME: "null",
    gofields.RAW: "null",
}
_STRUCT_LIKE = frozenset({gofields.QUANTITY, gofields.INT_OR_STRING, gofields.TIME})
_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def string(text: str) -> str:
    """A JSON string with Go's HTML escapes."""
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPES)


def raw(value: Any) -> str:
    """Any JSON value without a type: keys sorted, no spaces."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{string(k)}:{raw(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(raw, value)) + "]"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return quantity.number_text(value)
    return json.dumps(value)


def encode(value: Any, type_: str) -> str:
    """`value` as a Go value of that type (see `gofields`), marshalled."""
    if type_.startswith("[]"):
        if not isinstance(value, list):
            return "null"
        return "[" + ",".join(encode(item, type_[2:]) for item in value) + "]"
    if type_.startswith("{}"):
        return _map(value, type_[2:])
    if type_ in gofields.SCALARS:
        return _scalar(value, type_) or _ZERO[type_]
    return _struct(value, type_)


def _map(value: Any, element: str) -> str:
    if not isinstance(value, dict):
        return "null"
    written = {}
    for key, item in value.items():
        if element in gofields.SCALARS and item is not None and _scalar(item, element) is None:
            continue
        written[key] = encode(item, element)
    return "{" + ",".join(f"{string(key)}:{written[key]}" for key in sorted(written)) + "}"


def _struct(value: Any, name: str) -> str:
    given = value if isinstance(value, dict) else {}
    written = []
    for field in gofields.structs()[name]:
        text = _field(given.get(field.name), field)
        if text is not None:
            written.append(f"{string(field.name)}:{text}")
    return "{" + ",".join(written) + "}"


def _field(value: Any, field: Field) -> str | None:
    """The field's JSON, None where Go leaves it out."""
    type_ = field.type
    readable = _readable(value, type_)
    if field.pointer:
        if not readable:
            return None if field.omit_empty else "null"
        return encode(value, type_)
    text = encode(value if readable else None, type_)
    if field.omit_zero and text == _ZERO.get(type_):
        return None
    if field.omit_empty and type_ not in _STRUCT_LIKE and _empty(text, type_):
        return None
    return text


def _readable(value: Any, type_: str) -> bool:
    if value is None:
        return False
    if type_.startswith("[]"):
        return isinstance(value, list)
    if type_ in gofields.SCALARS:
        return _scalar(value, type_) is not None
    return isinstance(value, dict)


def _empty(text: str, type_: str) -> bool:
    if gofields.element(type_) is not None:
        return text in ("null", "[]", "{}")
    return type_ in gofields.SCALARS and text == _ZERO[type_]


def _scalar(value: Any, type_: str) -> str | None:
    """The scalar as JSON, None where a value of this kind cannot be read as the type."""
    match type_:
        case gofields.RAW:
            return None if value is None else raw(value)
        case gofields.BOOL:
            return json.dumps(value) if isinstance(value, bool) else None
        case gofields.STRING:
            return string(value) if isinstance(value, str) else None
        case gofields.QUANTITY:
            return _quantity(value)
        case gofields.TIME:
            return _time(value)
        case gofields.INT_OR_STRING if isinstance(value, str):
            return string(value)
        case _:
            return _integer(value)


def _integer(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _quantity(value: Any) -> str | None:
    try:
        return string(quantity.canonical(value))
    except ValueError:
        return None


def _time(value: Any) -> str | None:
    try:
        return string(rfc3339(parse_time(value))) if isinstance(value, str) else None
    except ValueError:
        return None
