"""The pipeline of custom objects, compiled once per CRD version: prune, default, validate.

Lives here: `CustomSchema`, the one thing the API server needs per served version. CRD objects themselves are
checked in `crd_object`.
# upstream: apiextensions-apiserver/pkg/registry/customresource/{strategy,validator}.go
"""

from __future__ import annotations

from typing import Any

from ..patching.govalue import go_print, go_type
from . import causes, cel, listtypes, openapi, structural
from .builtin import object_meta
from .causes import Cause
from .decode import prune as prune_builtin
from .structural import MISSING, Node, compile_schema
from .wire import go_numbers

Object = dict[str, Any]

_BLOCKING = frozenset(
    {
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)
_NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


class CustomSchema:
    """What one version of a CRD says about its objects. Make it with `compile_version`; it never changes."""

    __slots__ = ("kind", "node", "scale", "unsupported_rules")

    def __init__(self, schema: Object | None, *, kind: str = "", scale: Object | None = None) -> None:
        """`schema` is an openAPIV3Schema (None keeps everything), `scale` is ``subresources.scale``."""
        self.node: Node = compile_schema(schema or {"x-kubernetes-preserve-unknown-fields": True})
        self.kind = kind
        self.scale = scale or {}
        self.unsupported_rules = tuple(cel.unsupported(self.node))

    def prune(self, obj: Object) -> tuple[Object, list[str]]:
        """`obj` without unknown fields (metadata included) and their paths, sorted.

        Raises decode.DecodeError when metadata does not decode (labels that are no strings).
        """
        made, unknown = structural.prune(go_numbers(obj), self.node)
        meta, lost = _metadata(made.get("metadata"))
        if meta is not None:
            made["metadata"] = meta
        return made, sorted([*unknown, *(f"metadata.{path}" for path in lost)])

    def default(self, obj: Object) -> Object:
        """`obj` with the schema's defaults; also to be used on what is read from the store."""
        made: Object = structural.fill_defaults(obj, self.node)
        if "metadata" in obj:
            made["metadata"] = obj["metadata"]
        return made

    def validate(self, obj: Object) -> list[Cause]:
        """The mistakes of a new object, apart from its metadata."""
        return self._validate(obj, MISSING)

    def validate_update(self, new: Object, old: Object) -> list[Cause]:
        """The mistakes of `new` as a successor of `old`; unchanged mistakes of `old` are forgiven."""
        return self._validate(new, old)

    def _validate(self, obj: Object, old: Any) -> list[Cause]:
        found: list[Cause] = []
        if self.kind and obj.get("kind") != self.kind:
            found.append(causes.invalid("kind", obj.get("kind", ""), f"must be {self.kind}"))
        found += openapi.check(_without_meta(obj), self.node, "", _without_meta(old))
        found += self._scale(obj)
        found += listtypes.check(obj, self.node, "")
        if self.node.has_rules:
            if any(cause.reason in _BLOCKING for cause in found):
                found.append(causes.invalid(openapi.NO_FIELD, None, _NOT_CHECKED))
            else:
                found += cel.check(obj, old, self.node, "")
        return found

    def _scale(self, obj: Object) -> list[Cause]:
        """# upstream: apiextensions-apiserver/pkg/registry/customresource/validator.go::ValidateScaleSpec"""
        found: list[Cause] = []
        for key in ("specReplicasPath", "statusReplicasPath"):
            path = self.scale.get(key)
            if path:
                found += _replicas(obj, path)
        selector = self.scale.get("labelSelectorPath")
        if selector:
            value, problem = _at(obj, selector, "string")
            if problem:
                found.append(causes.invalid(selector, value, problem))
        return found


def compile_version(crd: Object, version: str) -> CustomSchema:
    """The schema of one version of a CRD object. Raises KeyError when the CRD has no such version."""
    spec = crd["spec"]
    for entry in spec.get("versions") or []:
        if entry.get("name") == version:
            return CustomSchema(
                (entry.get("schema") or {}).get("openAPIV3Schema"),
                kind=spec["names"]["kind"],
                scale=(entry.get("subresources") or {}).get("scale"),
            )
    raise KeyError(version)


def _metadata(meta: Any) -> tuple[Object | None, list[str]]:
    return prune_builtin(meta, object_meta()) if isinstance(meta, dict) else (None, [])


def _without_meta(obj: Any) -> Any:
    if not isinstance(obj, dict) or "metadata" not in obj:
        return obj
    return {key: value for key, value in obj.items() if key != "metadata"}


def _replicas(obj: Object, path: str) -> list[Cause]:
    value, problem = _at(obj, path, "int64")
    if problem:
        return [causes.invalid(path, 0, problem)]
    if value is not None and value < 0:
        return [causes.invalid(path, value, "should be a non-negative integer")]
    if value is not None and value > 2147483647:
        return [causes.invalid(path, value, "should be less than or equal to 2147483647")]
    return []


def _at(obj: Object, path: str, wanted: str) -> tuple[Any, str]:
    """The value at a dotted path, or the accessor's complaint about what is there instead."""
    current: Any = obj
    for part in path.lstrip(".").split("."):
        if not isinstance(current, dict):
            shown = (
                f"{go_print(current)} is of the type {go_type(current)}, expected map[string]interface{{}}"
            )
            return "" if wanted == "string" else 0, f"{path} accessor error: {shown}"
        if part not in current:
            return None, ""
        current = current[part]
    if go_type(current) != wanted:
        shown = f"{go_print(current)} is of the type {go_type(current)}, expected {wanted}"
        return "" if wanted == "string" else 0, f"{path} accessor error: {shown}"
    return current, ""
