"""The rules of CustomResourceDefinition objects: names, versions, structural schemas, columns.

# upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go,
# pkg/apiserver/schema/validation.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import causes, names, openapi
from .causes import Cause, Raw
from .meta_rules import IMMUTABLE
from .structural import compile_schema

Object = dict[str, Any]

_SCHEMA_FIELD = "spec.validation.openAPIV3Schema"
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_VERSION_KEYS = (
    *("Name", "Served", "Storage", "Deprecated", "DeprecationWarning", "Schema", "Subresources"),
    *("AdditionalPrinterColumns", "SelectableFields"),
)


def check(crd: Object) -> list[Cause]:
    """The mistakes of a (defaulted) CRD, apart from its general metadata."""
    spec = crd.get("spec") or {}
    found: list[Cause] = []
    given, group = spec.get("names") or {}, spec.get("group") or ""
    wanted = f"{given.get('plural') or ''}.{group}"
    if crd["metadata"].get("name") != wanted:
        detail = 'must be spec.names.plural+"."+spec.group'
        found.append(causes.invalid("metadata.name", crd["metadata"].get("name") or "", detail))
    if not group:
        found.append(causes.required("spec.group"))
    else:
        found += [causes.invalid("spec.group", group, text) for text in names.dns_subdomain(group)]
        if not names.dns_subdomain(group) and "." not in group:
            found.append(causes.invalid("spec.group", group, "should be a domain with at least one dot"))
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        if spec.get("scope"):
            allowed = ("Cluster", "Namespaced")
            found.append(causes.not_supported("spec.scope", spec["scope"], allowed))
        else:
            found.append(causes.required("spec.scope"))
    versions = spec.get("versions") or []
    found += _versions(versions)
    found += _names(given)
    if spec.get("preserveUnknownFields"):
        detail = "must be false in order to use defaults in the schema"
        found.append(causes.invalid("spec.preserveUnknownFields", True, detail))
    if not (crd.get("status") or {}).get("storedVersions"):
        detail = "must have at least one stored version"
        found.append(causes.invalid("status.storedVersions", None, detail))
    return found


def check_update(new: Object, old: Object) -> list[Cause]:
    """What of a CRD may not change once it is established."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    found: list[Cause] = []
    if _established(old):
        for key in ("scope",):
            if spec.get(key) != before.get(key):
                found.append(causes.invalid(f"spec.{key}", spec.get(key), IMMUTABLE))
        kind = (spec.get("names") or {}).get("kind")
        if kind != (before.get("names") or {}).get("kind"):
            found.append(causes.invalid("spec.names.kind", kind, IMMUTABLE))
    if spec.get("group") != before.get("group"):
        found.append(causes.invalid("spec.group", spec.get("group"), IMMUTABLE))
    plural = (spec.get("names") or {}).get("plural")
    if plural != (before.get("names") or {}).get("plural"):
        found.append(causes.invalid("spec.names.plural", plural, IMMUTABLE))
    return found


def _established(crd: Object) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or []
    return any(c.get("type") == "Established" and c.get("status") == "True" for c in conditions)


def _names(given: Object) -> list[Cause]:
    found: list[Cause] = []
    for key, lower in (("plural", False), ("singular", False), ("kind", True), ("listKind", True)):
        value, field = given.get(key) or "", f"spec.names.{key}"
        if not value and key in ("plural", "kind"):
            found.append(causes.required(field))
        elif value:
            texts = names.dns_1035_label(value.lower() if lower else value)
            found += [causes.invalid(field, value, text) for text in texts]
    if given.get("kind") and given.get("kind") == given.get("listKind"):
        detail = "kind and listKind may not be the same"
        found.append(causes.invalid("spec.names.listKind", given["listKind"], detail))
    for index, name in enumerate(given.get("shortNames") or []):
        texts = names.dns_1035_label(name)
        found += [causes.invalid(f"spec.names.shortNames[{index}]", name, text) for text in texts]
    return found


def _versions(versions: list[Object]) -> list[Cause]:
    found: list[Cause] = []
    if sum(bool(v.get("storage")) for v in versions) != 1:
        shown = "[" + ",".join(_version_text(v) for v in versions) + "]"
        detail = "must have exactly one version marked as storage version"
        found.append(causes.invalid("spec.versions", Raw(shown), detail))
    seen: set[str] = set()
    single = len(versions) == 1
    for index, version in enumerate(versions):
        field, name = f"spec.versions[{index}]", version.get("name") or ""
        if name in seen:
            detail = "must contain unique version names"
            found.append(causes.invalid("spec.versions", name, detail))
        seen.add(name)
        found += [causes.invalid(f"{field}.name", name, text) for text in names.dns_1035_label(name)]
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        where = _SCHEMA_FIELD if single else f"{field}.schema.openAPIV3Schema"
        if schema is None:
            found.append(causes.required(f"{field}.schema.openAPIV3Schema"))
        else:
            found += list(_root(schema, where))
        columns = "spec.additionalPrinterColumns" if single else f"{field}.additionalPrinterColumns"
        for number, column in enumerate(version.get("additionalPrinterColumns") or []):
            found += _column(column, f"{columns}[{number}]")
    return found


def _version_text(version: Object) -> str:
    """A version as the server prints its internal struct; a single version's details have moved elsewhere."""
    values = {
        "Name": version.get("name") or "",
        "Served": bool(version.get("served")),
        "Storage": bool(version.get("storage")),
        "Deprecated": bool(version.get("deprecated")),
    }
    return causes.shown({key: values.get(key) for key in _VERSION_KEYS})


def _column(column: Object, field: str) -> list[Cause]:
    found: list[Cause] = []
    if not column.get("name"):
        found.append(causes.required(f"{field}.name"))
    kind, path = column.get("type") or "", column.get("jsonPath") or ""
    if not kind:
        found.append(causes.required(f"{field}.type", f"must be one of {','.join(_COLUMN_TYPES)}"))
    elif kind not in _COLUMN_TYPES:
        detail = f"must be one of {','.join(_COLUMN_TYPES)}"
        found.append(causes.invalid(f"{field}.type", kind, detail))
    if not path:
        found.append(causes.required(f"{field}.JSONPath"))
    elif not path.startswith("."):
        detail = "must be a simple json path starting with ."
        found.append(causes.invalid(f"{field}.JSONPath", path, detail))
    return found


def _root(schema: Object, field: str) -> Iterator[Cause]:
    kind = schema.get("type")
    if kind != "object":
        if kind:
            yield causes.invalid(f"{field}.type", kind, "must be object at the root")
        else:
            yield causes.required(f"{field}.type", "must not be empty at the root")
    meta = (schema.get("properties") or {}).get("metadata") or {}
    if set(meta.get("properties") or {}) - {"name", "generateName"}:
        detail = (
            "must not specify anything other than name and generateName, but metadata is implicitly specified"
        )
        yield causes.forbidden(f"{field}.properties[metadata]", detail)
    yield from _structural(schema, field, "")


def _structural(schema: Object, field: str, level: str) -> Iterator[Cause]:
    """The structural rules of one schema and everything below it; `level` is the kind of place it is in."""
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if level and not schema.get("type") and not free:
        yield causes.required(f"{field}.type", f"must not be empty for specified {level}")
    kind, items = schema.get("type"), schema.get("items")
    if kind == "array" and items is None:
        yield causes.required(f"{field}.items", "must be specified")
    yield from _default(schema, field)
    yield from _list_type(schema, field)
    if schema.get("pattern") and not _compiles(schema["pattern"]):
        yield causes.invalid(f"{field}.pattern", schema["pattern"], "must be a valid regular expression")
    for name, below in sorted((schema.get("properties") or {}).items()):
        yield from _structural(below, f"{field}.properties[{name}]", "object fields")
    if isinstance(additional := schema.get("additionalProperties"), dict):
        yield from _structural(additional, f"{field}.additionalProperties", "object fields")
    if isinstance(items, dict):
        yield from _structural(items, f"{field}.items", "array items")


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern.replace(r"\z", r"\Z"))
    except re.error:
        return bool(re.search(r"\\[pPzQC]", pattern))
    return True


def _default(schema: Object, field: str) -> Iterator[Cause]:
    default = schema.get("default")
    if default is None:
        return
    for cause in openapi.check(default, compile_schema(schema), ""):
        where = f"{field}.default"
        inner = cause.field if cause.field not in ("", openapi.NO_FIELD) else ""
        yield Cause(cause.reason, cause.message, f"{where}.{inner}" if inner else where)


def _list_type(schema: Object, field: str) -> Iterator[Cause]:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or []
    if kind is not None and schema.get("type") != "array":
        detail = "must be array if x-kubernetes-list-type is specified"
        yield (
            causes.invalid(f"{field}.type", schema["type"], detail)
            if schema.get("type")
            else causes.required(f"{field}.type", detail)
        )
    if kind is not None and kind not in ("atomic", "map", "set"):
        yield causes.not_supported(f"{field}.x-kubernetes-list-type", kind, ("atomic", "map", "set"))
    if keys and kind != "map":
        detail = "must be map if x-kubernetes-list-map-keys is non-empty"
        where = f"{field}.x-kubernetes-list-type"
        yield causes.invalid(where, kind, detail) if kind else causes.required(where, detail)
    if kind == "map" and not keys:
        detail = "must not be empty if x-kubernetes-list-type is map"
        yield causes.required(f"{field}.x-kubernetes-list-map-keys", detail)
