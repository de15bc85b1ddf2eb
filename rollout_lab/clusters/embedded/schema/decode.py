"""Typed decoding of built-in kinds: what Go would hold after reading a body, and write back.

Lives here: `prune` drops what the Go struct has no field for, tells the paths, brings values into the form
the server answers with (zero values, quantities, times) and refuses wrong types in Go's words. Must not live
here: defaults and validation.
# upstream: encoding/json, sigs.k8s.io/json, apimachinery/pkg/runtime/converter.go
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rollout_lab.errors import ApiError

from . import scalars
from .builtin import Field, Scalar, Shape, Struct, json_schema_props
from .scalars import DecodeError, Dialect

__all__ = ["DecodeError", "Dialect", "cannot_handle", "prune", "strict_text", "unknown_texts"]


def prune(
    obj: dict[str, Any], schema: Struct, dialect: Dialect = Dialect.JSON
) -> tuple[dict[str, Any], list[str]]:
    """`obj` as the server would write it back after reading it into `schema`, and the paths it did not know.

    Drops unknown fields, nulls and omitted zero values; writes the zero values Go always writes, such
    as ``status: {}`` or the replicas of a ReplicaSet status. Doing it twice changes nothing. Paths look like
    ``spec.template.spec.containers[0].bogus``. `dialect` chooses the error texts: `Dialect.JSON` for bodies,
    JSON and merge patches, `Dialect.MAP` for the result of a strategic merge patch. Raises DecodeError.
    """
    unknown: list[str] = []
    return _Walk(dialect, unknown).struct(obj, schema, "", ""), unknown


def unknown_texts(unknown: Iterable[str]) -> list[str]:
    """The texts of warnings and strict errors: ``unknown field "spec.bogus"``."""
    return [f'unknown field "{path}"' for path in unknown]


def strict_text(problems: Iterable[str]) -> str:
    """``strict decoding error: unknown field "a", …`` of `unknown_texts` and what `wire` found twice."""
    listed = list(problems)
    yaml = [text for text in listed if text.startswith("line ")]
    parts = ["\n  ".join(["yaml: unmarshal errors:", *yaml])] if yaml else []
    return "strict decoding error: " + ", ".join(parts + [text for text in listed if text not in yaml])


def cannot_handle(kind: str, version: str, wanted: str, detail: str) -> ApiError:
    """400 for a body that does not decode; the URL asks for the kind `wanted`, `detail` tells why not."""
    message = f'{kind} in version "{version}" cannot be handled as a {wanted}: {detail}'
    return ApiError(400, "BadRequest", message)


class _Walk:
    """One decoding; holds the dialect and collects unknown paths."""

    __slots__ = ("dialect", "unknown")

    def __init__(self, dialect: Dialect, unknown: list[str]) -> None:
        self.dialect = dialect
        self.unknown = unknown

    def struct(self, value: Any, schema: Struct, path: str, go_path: str) -> dict[str, Any]:
        """`path` has list indexes and map keys; `go_path` is what Go's type errors show, without them."""
        given: dict[str, Any] = {}
        for key, child in value.items():
            field = schema.fields.get(key)
            here = f"{path}.{key}" if path else key
            if field is None:
                self.unknown.append(here)
            elif child is not None:
                go_here = f"{go_path}.{key}" if go_path else key
                given[key] = self.field(child, field, schema, here, go_here)
        return dict(_written(given, schema))

    def field(self, value: Any, field: Field, parent: Struct, path: str, go_path: str) -> Any:
        where = f"{parent.go_name}.{go_path}"
        match field.shape:
            case Shape.LIST if field.type is not Scalar.STRINGS or not isinstance(value, str):
                if not isinstance(value, list):
                    raise scalars.wrong_shape(self.dialect, value, where, field)
                return [
                    self.one(item, field, where, f"{path}[{index}]", go_path)
                    for index, item in enumerate(value)
                ]
            case Shape.MAP:
                if not isinstance(value, dict):
                    raise scalars.wrong_shape(self.dialect, value, where, field)
                return {
                    key: self.one(item, field, where, f"{path}.{key}", go_path) for key, item in value.items()
                }
            case _:
                return self.one(value, field, where, path, go_path)

    def one(self, value: Any, field: Field, where: str, path: str, go_path: str) -> Any:
        kind = field.type
        if isinstance(kind, Struct):
            if value is None:
                value = {}
            if not isinstance(value, dict):
                raise scalars.wrong_struct(self.dialect, value, where, kind)
            return self.struct(value, kind, path, go_path)
        if kind is Scalar.SCHEMA:
            return self.schema_or_other(value, path, go_path)
        return scalars.decode(value, field, kind, where, self.dialect)

    def schema_or_other(self, value: Any, path: str, go_path: str) -> Any:
        """A JSONSchemaProps, or the list, boolean or strings that may stand in its place."""
        if isinstance(value, dict):
            return self.struct(value, json_schema_props(), path, go_path)
        if isinstance(value, list):
            return [self.schema_or_other(v, f"{path}[{i}]", go_path) for i, v in enumerate(value)]
        return value


def _written(given: dict[str, Any], schema: Struct) -> Iterator[tuple[str, Any]]:
    """The fields Go writes, in its order, of a struct whose present fields are `given`."""
    for name, field in schema.fields.items():
        if name not in given:
            if field.pointer or field.shape is not Shape.ONE:
                if not field.omitempty:
                    yield name, None
            elif isinstance(field.type, Struct):
                yield name, dict(_written({}, field.type))
            else:
                zero = scalars.ZERO[field.type]
                if not field.omitempty or (field.type in scalars.NEVER_EMPTY and not field.omitzero):
                    yield name, zero
            continue
        value = given[name]
        if field.omitempty and not field.pointer and _empty(value, field):
            continue
        yield name, value


def _empty(value: Any, field: Field) -> bool:
    if field.shape is not Shape.ONE:
        return not value
    if isinstance(field.type, Struct):
        return False
    if field.type in scalars.NEVER_EMPTY:
        return value is None and field.omitzero
    return bool(value == scalars.ZERO[field.type] or (field.type is Scalar.BYTES and not value))
