"""The Go structs behind the built-in kinds: field names, types, pointers, omitempty, patch strategies.

Lives here: the compiled form of ``data/builtin.json.gz`` (made by ``scripts/make_schema_data.py``) and the
OpenAPI v3 documents as they are served. Must not live here: what to do with an object (see `decode`,
`defaults`, `validate`).
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any


class Scalar(StrEnum):
    """The types a field can have besides a struct; each has its own JSON form and Go name."""

    STRING = "string"
    BOOL = "bool"
    INT32 = "int32"
    INT64 = "int64"
    DOUBLE = "float64"
    BYTES = "[]byte"
    QUANTITY = "resource.Quantity"
    INT_OR_STRING = "intstr.IntOrString"
    TIME = "v1.Time"
    MICRO_TIME = "v1.MicroTime"
    RAW = "any"
    SCHEMA = "v1.JSONSchemaProps"
    STRINGS = "[]string"


class Shape(StrEnum):
    ONE = "one"
    LIST = "list"
    MAP = "map"


@dataclass(slots=True, eq=False)
class Struct:
    """One Go struct. `go_name` is what Go's error texts call it, such as ``DeploymentSpec``."""

    name: str
    fields: dict[str, Field] = field(default_factory=dict)

    @property
    def go_name(self) -> str:
        return self.name.rsplit(".", 1)[1]

    @property
    def go_type(self) -> str:
        """The name with its package, such as ``v1.DeploymentSpec``."""
        return ".".join(self.name.rsplit(".", 2)[1:])


@dataclass(slots=True, eq=False)
class Field:
    """One field. `omitempty` and `pointer` decide whether Go writes a zero value; the rest is OpenAPI's."""

    name: str
    type: Scalar | Struct
    shape: Shape = Shape.ONE
    pointer: bool = False
    omitempty: bool = False
    omitzero: bool = False
    required: bool = False
    enum: tuple[str, ...] = ()
    strategy: tuple[str, ...] = ()
    merge_key: str = ""
    list_type: str = ""
    list_keys: tuple[str, ...] = ()

    @property
    def merges(self) -> bool:
        return "merge" in self.strategy

    @property
    def retains_keys(self) -> bool:
        return "retainKeys" in self.strategy

    @property
    def replaces(self) -> bool:
        return "replace" in self.strategy


_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
_SCALARS = {
    "string": Scalar.STRING,
    "bool": Scalar.BOOL,
    "int32": Scalar.INT32,
    "int64": Scalar.INT64,
    "double": Scalar.DOUBLE,
    "bytes": Scalar.BYTES,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": Scalar.QUANTITY,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": Scalar.INT_OR_STRING,
    f"{_META}.Time": Scalar.TIME,
    f"{_META}.MicroTime": Scalar.MICRO_TIME,
    f"{_META}.FieldsV1": Scalar.RAW,
    f"{_META}.Verbs": Scalar.STRINGS,
    "io.k8s.apimachinery.pkg.runtime.RawExtension": Scalar.RAW,
    "io.k8s.api.authentication.v1.ExtraValue": Scalar.STRINGS,
    "io.k8s.api.authorization.v1.ExtraValue": Scalar.STRINGS,
    f"{_APIEXTENSIONS}.JSON": Scalar.RAW,
    f"{_APIEXTENSIONS}.JSONSchemaPropsOrArray": Scalar.SCHEMA,
    f"{_APIEXTENSIONS}.JSONSchemaPropsOrBool": Scalar.SCHEMA,
    f"{_APIEXTENSIONS}.JSONSchemaPropsOrStringArray": Scalar.SCHEMA,
}


def package_json(name: str) -> Any:
    """A file of ``data/``, made by ``scripts/make_schema_data.py``."""
    data = resources.files(__package__).joinpath("data", name).read_bytes()
    return json.loads(gzip.decompress(data))


@cache
def _table() -> tuple[dict[str, str], dict[str, Any]]:
    table = package_json("builtin.json.gz")
    return table["kinds"], table["types"]


@cache
def struct(name: str) -> Struct:
    """The struct of that OpenAPI name. Structs may contain themselves (JSONSchemaProps)."""
    made: dict[str, Struct] = {}
    return _struct(name, made)


def _struct(name: str, made: dict[str, Struct]) -> Struct:
    if name in made:
        return made[name]
    result = made[name] = Struct(name)
    for key, entry in _table()[1][name].items():
        result.fields[key] = _field(key, entry, made)
    return result


def _field(name: str, entry: dict[str, Any], made: dict[str, Struct]) -> Field:
    kind = _SCALARS.get(entry["t"])
    return Field(
        name=name,
        type=kind if kind is not None else _struct(entry["t"], made),
        shape=Shape.MAP if "m" in entry else Shape.LIST if "l" in entry else Shape.ONE,
        pointer="p" in entry,
        omitempty="o" in entry,
        omitzero=name == "creationTimestamp" and "o" in entry,
        required="q" in entry,
        enum=tuple(entry.get("e", ())),
        strategy=tuple(s for s in entry.get("s", "").split(",") if s),
        merge_key=entry.get("k", ""),
        list_type=entry.get("lt", ""),
        list_keys=tuple(entry.get("lk", ())),
    )


@cache
def schema_for(group: str, version: str, kind: str) -> Struct | None:
    """The struct of a built-in kind (``schema_for("apps", "v1", "Deployment")``), or None."""
    name = _table()[0].get(f"{group}/{version}/{kind}")
    return struct(name) if name else None


def schema_of(obj: dict[str, Any]) -> Struct | None:
    """`schema_for` of the object's own apiVersion and kind."""
    group, _, version = str(obj.get("apiVersion", "")).rpartition("/")
    return schema_for(group, version, str(obj.get("kind", "")))


@cache
def object_meta() -> Struct:
    return struct(f"{_META}.ObjectMeta")


@cache
def json_schema_props() -> Struct:
    return struct(f"{_APIEXTENSIONS}.JSONSchemaProps")


@cache
def openapi_v3() -> dict[str, Any]:
    """The OpenAPI v3 documents by path (``apis/apps/v1``), without descriptions, as recorded."""
    documents: dict[str, Any] = package_json("openapi-v3.json.gz")
    return documents
