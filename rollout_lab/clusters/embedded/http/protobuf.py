"""Kubernetes' protobuf bodies to plain objects. Bodies only: answers stay JSON, which every client accepts.

Driven by a table of all messages and fields (`data/protobuf-fields.json.gz`, recorded from the published
`generated.proto` and `types.go` files of Kubernetes 1.34, with notes on the irregular ones).
# upstream: apimachinery/pkg/runtime/serializer/protobuf/protobuf.go; protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

import base64
import gzip
import struct
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any

import orjson

from rollout_lab.api.times import rfc3339, rfc3339_micro

Object = dict[str, Any]
Fields = dict[str, dict[str, Any]]

MAGIC = b"k8s\0"
_META = "k8s.io.apimachinery.pkg.apis.meta.v1."
_RAW = ("k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1", "k8s.io.apimachinery.pkg.runtime.RawExtension")
_SCHEMA = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1."


class Malformed(ValueError):
    """The bytes are no message of the kind; the text is what the API server says."""


@cache
def _table() -> dict[str, Fields]:
    data = resources.files(__package__) / "data" / "protobuf-fields.json.gz"
    messages: dict[str, Fields] = orjson.loads(gzip.decompress(data.read_bytes()))["messages"]
    return messages


def decode(body: bytes) -> Object:
    """The object of a request body (with its 4-byte prefix). Raises Malformed."""
    if not body.startswith(MAGIC):
        text = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        raise Malformed(text)
    if len(body) == len(MAGIC):
        raise Malformed("empty body")
    try:
        return _decode(body)
    except Malformed:
        raise
    except (TypeError, AttributeError, KeyError, ValueError, OverflowError, struct.error) as error:
        raise Malformed(f"proto: wrong wireType or value: {error}") from None


def _decode(body: bytes) -> Object:
    envelope = dict(_wire(body[len(MAGIC) :]))
    kind = {number: value.decode() for number, value in _wire(envelope.get(1, b""))}
    api_version, name = kind.get(1, ""), kind.get(2, "")
    message = message_name(api_version, name)
    if message is None:
        raise Malformed(f'no kind "{name}" is registered for version "{api_version}"')
    return {"apiVersion": api_version, "kind": name, **_message(envelope.get(2, b""), message)}


def message_name(api_version: str, kind: str) -> str | None:
    """The message of a kind, or None when the table has none."""
    group, _, version = api_version.rpartition("/")
    table = _table()
    for candidate in (
        f"k8s.io.api.{group.partition('.')[0] or 'core'}.{version}.{kind}",
        f"{_SCHEMA}{kind}" if group == "apiextensions.k8s.io" else "",
        f"{_META}{kind}" if kind.endswith("Options") else "",
    ):
        if candidate in table:
            return candidate
    return None


def _wire(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a message as (number, value): integers, 8 bytes or bytes."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, form = tag >> 3, tag & 7
        if form == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if form == 2:
            size, at = _varint(data, at)
        elif form in (1, 5):
            size = 8 if form == 1 else 4
        else:
            raise Malformed(f"proto: illegal wireType {form}")
        if at + size > end:
            raise Malformed("unexpected EOF")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data):
            raise Malformed("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise Malformed("proto: integer overflow")


def _message(data: bytes, name: str) -> Object:
    """A message as the object Go would write for it."""
    fields = _table()[name]
    out: Object = {}
    for number, raw in _wire(data):
        field = fields.get(str(number))
        if field is None:
            continue
        key: str = field.get("json") or field["name"]
        if "map" in field:
            entry = dict(_wire(raw))
            value = _value(entry[2], field["type"]) if 2 in entry else _zero(field["type"])
            out.setdefault(key, {})[entry.get(1, b"").decode()] = value
            continue
        value = _value(raw, field["type"])
        if field.get("inline"):
            out.update(value or {})
        elif field.get("repeated"):
            out.setdefault(key, []).append(value)
        elif not (field.get("omitempty") and not field.get("pointer") and _is_zero(value)):
            out[key] = value
    return out


def _is_zero(value: Any) -> bool:
    return value is None or value is False or (not isinstance(value, (dict, list)) and value in (0, ""))


def _zero(kind: str) -> Any:
    return {"string": "", "bytes": "", "bool": False}.get(kind, {} if kind in _table() else 0)


def _value(raw: Any, kind: str) -> Any:
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(raw)
    return _message(raw, kind)


def _signed(raw: int) -> int:
    return raw - (1 << 64) if raw >= 1 << 63 else raw


def _time(raw: bytes, text: Callable[[float], str] = rfc3339) -> str | None:
    found = dict(_wire(raw))
    if not found:
        return None
    return text(_signed(found.get(1, 0)) + found.get(2, 0) / 1e9)


def _first(raw: bytes) -> Any:
    return dict(_wire(raw)).get(1)


def _json(raw: bytes) -> Any:
    found = _first(raw)
    return orjson.loads(found) if found else None


def _int_or_string(raw: bytes) -> int | str:
    found = dict(_wire(raw))
    if found.get(1, 0) == 1:
        text: str = found.get(3, b"").decode()
        return text
    return _signed(found.get(2, 0))


def _schema_or(raw: bytes) -> Any:
    """JSONSchemaPropsOrArray: the schema, or the list of schemas."""
    rows = list(_wire(raw))
    several = [_message(v, _SCHEMA + "JSONSchemaProps") for n, v in rows if n == 2]
    one = [_message(v, _SCHEMA + "JSONSchemaProps") for n, v in rows if n == 1]
    return several if several else one[0] if one else None


def _schema_or_bool(raw: bytes) -> Any:
    found = dict(_wire(raw))
    return _message(found[2], _SCHEMA + "JSONSchemaProps") if 2 in found else bool(found.get(1))


def _schema_or_strings(raw: bytes) -> Any:
    rows = list(_wire(raw))
    texts = [v.decode() for n, v in rows if n == 2]
    return texts or _message(dict(rows).get(1, b""), _SCHEMA + "JSONSchemaProps")


def _texts(raw: bytes) -> list[str]:
    return [v.decode() for _, v in _wire(raw)]


_SPECIAL: dict[str, Callable[[Any], Any]] = {
    "string": lambda raw: raw.decode(),
    "bytes": lambda raw: base64.b64encode(raw).decode(),
    "bool": bool,
    "int32": _signed,
    "int64": _signed,
    "double": lambda raw: struct.unpack("<d", raw)[0],
    _META + "Time": _time,
    _META + "MicroTime": lambda raw: _time(raw, rfc3339_micro),
    _META + "Duration": lambda raw: f"{(_first(raw) or 0) / 1e9:g}s",
    "k8s.io.apimachinery.pkg.api.resource.Quantity": lambda raw: (_first(raw) or b"0").decode(),
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    _SCHEMA + "JSON": _json,
    _SCHEMA + "JSONSchemaPropsOrArray": _schema_or,
    _SCHEMA + "JSONSchemaPropsOrBool": _schema_or_bool,
    _SCHEMA + "JSONSchemaPropsOrStringArray": _schema_or_strings,
    "k8s.io.api.authorization.v1.ExtraValue": _texts,
    "k8s.io.api.authentication.v1.ExtraValue": _texts,
    _META + "Verbs": _texts,
    **dict.fromkeys(_RAW, _json),
}
