"""Single values of built-in kinds: canonical form, zero values and the type errors in Go's words.

Helper of `decode`; knows one value at a time, no objects.
"""

from __future__ import annotations

import base64
import re
from enum import StrEnum
from typing import Any

from . import quantity
from .builtin import Field, Scalar, Shape, Struct
from .times import decode_time


class DecodeError(ValueError):
    """A body or patch result cannot be read into the Go struct; the text is Go's."""


class Dialect(StrEnum):
    """Which Go decoder speaks: the JSON one, or the one from generic maps (strategic merge patch)."""

    JSON = "json"
    MAP = "map"


ZERO: dict[Scalar, Any] = {
    Scalar.STRING: "",
    Scalar.BOOL: False,
    Scalar.INT32: 0,
    Scalar.INT64: 0,
    Scalar.DOUBLE: 0,
    Scalar.BYTES: None,
    Scalar.QUANTITY: "0",
    Scalar.INT_OR_STRING: 0,
    Scalar.TIME: None,
    Scalar.MICRO_TIME: None,
    Scalar.RAW: None,
    Scalar.SCHEMA: None,
    Scalar.STRINGS: None,
}
# Go structs with their own JSON form: omitempty never applies to them.
NEVER_EMPTY = frozenset({Scalar.QUANTITY, Scalar.INT_OR_STRING, Scalar.TIME, Scalar.MICRO_TIME})
_LIMITS = {Scalar.INT32: 1 << 31, Scalar.INT64: 1 << 63}

# Fields whose Go type is a named string; error texts show that name.
_NAMED = {
    "Container.imagePullPolicy": "v1.PullPolicy",
    "Container.terminationMessagePolicy": "v1.TerminationMessagePolicy",
    "ContainerPort.protocol": "v1.Protocol",
    "DaemonSetUpdateStrategy.type": "v1.DaemonSetUpdateStrategyType",
    "DeploymentStrategy.type": "v1.DeploymentStrategyType",
    "HTTPGetAction.scheme": "v1.URIScheme",
    "NamespaceStatus.phase": "v1.NamespacePhase",
    "ObjectMeta.uid": "types.UID",
    "OwnerReference.uid": "types.UID",
    "PodSpec.dnsPolicy": "v1.DNSPolicy",
    "PodSpec.restartPolicy": "v1.RestartPolicy",
    "PodStatus.phase": "v1.PodPhase",
    "Secret.type": "v1.SecretType",
    "ServicePort.protocol": "v1.Protocol",
    "ServiceSpec.externalTrafficPolicy": "v1.ServiceExternalTrafficPolicy",
    "ServiceSpec.sessionAffinity": "v1.ServiceAffinity",
    "ServiceSpec.type": "v1.ServiceType",
}


def decode(value: Any, field: Field, kind: Scalar, where: str, dialect: Dialect) -> Any:
    """The canonical form of `value`; `where` is Go's ``Struct.path``. Raises DecodeError."""
    if value is None:
        return ZERO[kind]
    match kind:
        case Scalar.STRING if isinstance(value, str):
            return value
        case Scalar.BOOL if isinstance(value, bool):
            return value
        case Scalar.INT32 | Scalar.INT64 if isinstance(value, int) and not isinstance(value, bool):
            if -_LIMITS[kind] <= value < _LIMITS[kind]:
                return value
        case Scalar.INT32 | Scalar.INT64 if isinstance(value, float) and dialect is Dialect.MAP:
            return int(value)
        case Scalar.DOUBLE if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        case Scalar.RAW:
            return value
        case Scalar.INT_OR_STRING:
            return _int_or_string(value)
        case Scalar.QUANTITY:
            return _quantity(value)
        case Scalar.TIME | Scalar.MICRO_TIME:
            return _time(value, micro=kind is Scalar.MICRO_TIME)
        case Scalar.BYTES if isinstance(value, str):
            return _bytes(value)
        case Scalar.STRINGS if isinstance(value, list):
            return [decode(item, field, Scalar.STRING, where, dialect) for item in value]
        case _:
            pass
    if dialect is Dialect.MAP:
        raise DecodeError(f"cannot convert {map_type(value)} to {_type_name(field, kind, where)}")
    raise _cannot_unmarshal(value, where, _type_name(field, kind, where), number=kind in _LIMITS)


def wrong_shape(dialect: Dialect, value: Any, where: str, field: Field) -> DecodeError:
    """A list or map was wanted."""
    if dialect is Dialect.MAP:
        shape = "slice" if field.shape is Shape.LIST else "map"
        return DecodeError(f"cannot restore {shape} from {map_kind(value)}")
    kind = field.type.go_type if isinstance(field.type, Struct) else _element_name(field, where)
    return _cannot_unmarshal(value, where, f"[]{kind}" if field.shape is Shape.LIST else f"map[string]{kind}")


def wrong_struct(dialect: Dialect, value: Any, where: str, kind: Struct) -> DecodeError:
    """A struct was wanted."""
    if dialect is Dialect.MAP:
        return DecodeError(f"cannot restore struct from: {map_type(value)}")
    return _cannot_unmarshal(value, where, kind.go_type)


def map_kind(value: Any) -> str:
    """Go's reflect.Kind of a value of a generic map."""
    if isinstance(value, dict):
        return "map"
    if isinstance(value, list):
        return "slice"
    return map_type(value)


def map_type(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int():
            return "int64"
        case float():
            return "float64"
        case str():
            return "string"
        case list():
            return "[]interface {}"
        case _:
            return "map[string]interface {}"


def json_type(value: Any) -> str:
    """What Go's JSON errors call the type of `value`."""
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _cannot_unmarshal(value: Any, where: str, wanted: str, *, number: bool = False) -> DecodeError:
    shown = json_type(value)
    if number and shown == "number":
        shown = f"number {value!r}"
    return DecodeError(f"json: cannot unmarshal {shown} into Go struct field {where} of type {wanted}")


def _type_name(field: Field, kind: Scalar, where: str) -> str:
    if field.shape is not Shape.ONE:
        return _element_name(field, where)
    return _NAMED.get(f"{where.split('.', 1)[0]}.{field.name}", str(kind))


def _element_name(field: Field, where: str) -> str:
    if field.type is Scalar.BYTES:
        return "[]uint8"
    return "string" if isinstance(field.type, Struct) else str(field.type)


def _int_or_string(value: Any) -> int | str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and -(1 << 31) <= value < (1 << 31):
        return value
    shown = json_type(value)
    if shown == "number":
        shown = f"number {value!r}"
    raise DecodeError(f"json: cannot unmarshal {shown} into Go value of type int32")


def _quantity(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise DecodeError(quantity.BAD_FORMAT)
    try:
        return quantity.canonical(value.strip() if isinstance(value, str) else repr(value))
    except ValueError as error:
        raise DecodeError(str(error)) from error


def _time(value: Any, *, micro: bool) -> str:
    if not isinstance(value, str):
        raise DecodeError(f"json: cannot unmarshal {json_type(value)} into Go value of type string")
    try:
        return decode_time(value, micro=micro)
    except ValueError as error:
        raise DecodeError(str(error)) from error


def _bytes(text: str) -> str | None:
    """Base64 checked as Go checks it; the canonical text."""
    clean = re.sub(r"[\r\n]", "", text)
    good = re.match(r"(?:[A-Za-z0-9+/]{4})*", clean)
    end = good.end() if good else 0
    rest = clean[end:]
    if not re.fullmatch(r"(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", rest):
        bad = re.match(r"[A-Za-z0-9+/]*", rest)
        offset = bad.end() if bad else 0
        if offset == len(rest):
            offset = 0
        raise DecodeError(f"illegal base64 data at input byte {end + offset}")
    return base64.b64encode(base64.b64decode(clean)).decode()
