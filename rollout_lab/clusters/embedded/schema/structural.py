"""A CRD version's openAPIV3Schema, compiled once: pruning of unknown fields and defaulting.

Lives here: the node tree and the two passes that change an object. Checking is in `openapi` and `listtypes`.
# upstream: apiextensions-apiserver/pkg/apiserver/schema/{structural,pruning,defaulting}
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .defaults import copied

ROOT_FIELDS = frozenset({"apiVersion", "kind", "metadata"})


class _Missing:
    """Stands for "no default"."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@dataclass(slots=True)
class Rule:
    """One ``x-kubernetes-validations`` entry."""

    rule: str
    message: str
    reason: str
    field_path: str


@dataclass(slots=True, eq=False)
class Node:
    """One schema. `types` is empty where any type goes; `items`/`additional` are None where not given."""

    types: tuple[str, ...] = ()
    nullable: bool = False
    properties: dict[str, Node] = field(default_factory=dict)
    additional: Node | None = None
    additional_allowed: bool = False
    items: Node | None = None
    required: tuple[str, ...] = ()
    default: Any = MISSING
    enum: tuple[Any, ...] = ()
    format: str = ""
    pattern: re.Pattern[str] | None = None
    pattern_text: str = ""
    limits: dict[str, Any] = field(default_factory=dict)
    all_of: tuple[Node, ...] = ()
    any_of: tuple[Node, ...] = ()
    one_of: tuple[Node, ...] = ()
    never: Node | None = None
    preserve: bool = False
    embedded: bool = False
    int_or_string: bool = False
    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    has_defaults: bool = False
    has_rules: bool = False
    has_lists: bool = False


_LIMITS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
)


def compile_schema(schema: dict[str, Any]) -> Node:
    """The node tree of a JSON schema as it stands in a CRD. Unknown keywords are ignored, never an error."""
    kind = schema.get("type")
    additional = schema.get("additionalProperties")
    node = Node(
        types=(kind,) if isinstance(kind, str) and kind else (),
        nullable=bool(schema.get("nullable")),
        properties={k: compile_schema(v) for k, v in (schema.get("properties") or {}).items()},
        additional=compile_schema(additional) if isinstance(additional, dict) else None,
        additional_allowed=additional is not None and additional is not False,
        items=compile_schema(schema["items"]) if isinstance(schema.get("items"), dict) else None,
        required=tuple(schema.get("required") or ()),
        default=schema["default"] if schema.get("default") is not None else MISSING,
        enum=tuple(schema.get("enum") or ()),
        format=schema.get("format") or "",
        limits={k: schema[k] for k in _LIMITS if schema.get(k) is not None},
        all_of=_several(schema, "allOf"),
        any_of=_several(schema, "anyOf"),
        one_of=_several(schema, "oneOf"),
        never=compile_schema(schema["not"]) if isinstance(schema.get("not"), dict) else None,
        preserve=bool(schema.get("x-kubernetes-preserve-unknown-fields")),
        embedded=bool(schema.get("x-kubernetes-embedded-resource")),
        int_or_string=bool(schema.get("x-kubernetes-int-or-string")),
        list_type=schema.get("x-kubernetes-list-type") or "",
        list_keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
        rules=tuple(_rule(r) for r in schema.get("x-kubernetes-validations") or ()),
    )
    if schema.get("pattern"):
        node.pattern_text, node.pattern = schema["pattern"], go_pattern(schema["pattern"])
    if node.int_or_string:
        node.types = ("integer", "string")
    below = [*node.properties.values(), *(n for n in (node.additional, node.items) if n is not None)]
    node.has_defaults = any(n.has_defaults or n.default is not MISSING for n in below)
    node.has_rules = bool(node.rules) or any(n.has_rules for n in below)
    node.has_lists = node.list_type in ("set", "map") or any(n.has_lists for n in below)
    return node


def _several(schema: dict[str, Any], key: str) -> tuple[Node, ...]:
    return tuple(compile_schema(s) for s in schema.get(key) or ())


def _rule(entry: dict[str, Any]) -> Rule:
    return Rule(
        rule=str(entry.get("rule") or "").strip(),
        message=str(entry.get("message") or ""),
        reason=str(entry.get("reason") or "FieldValueInvalid"),
        field_path=str(entry.get("fieldPath") or ""),
    )


@lru_cache(maxsize=512)
def go_pattern(text: str) -> re.Pattern[str] | None:
    """A Go regular expression as a Python one, or None where Python has no equal (then it never fails)."""
    try:
        return re.compile(text.replace(r"\z", r"\Z"))
    except re.error:
        return None


def prune(value: Any, node: Node, *, root: bool = True) -> tuple[Any, list[str]]:
    """`value` without the fields the schema does not have, and their paths, sorted.

    apiVersion, kind and metadata of the root and of embedded resources stay. Nothing is pruned below
    ``x-kubernetes-preserve-unknown-fields``, except where its properties are specified again.
    """
    unknown: list[str] = []
    made = _prune(value, node, "", unknown, root)
    return made, sorted(unknown)


def _prune(value: Any, node: Node | None, path: str, unknown: list[str], resource: bool = False) -> Any:
    if isinstance(value, list):
        below = node.items if node is not None else None
        if node is not None and below is None and node.preserve:
            return value
        return [_prune(item, below, f"{path}[{i}]", unknown) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    resource = resource or (node is not None and node.embedded)
    made: dict[str, Any] = {}
    for key, child in value.items():
        here = f"{path}.{key}" if path else key
        if resource and key in ROOT_FIELDS:
            made[key] = child
        elif node is not None and key in node.properties:
            made[key] = _prune(child, node.properties[key], here, unknown)
        elif node is not None and (node.additional_allowed or node.preserve):
            made[key] = _prune(child, node.additional, here, unknown) if node.additional else child
        else:
            unknown.append(here)
    return made


def fill_defaults(value: Any, node: Node) -> Any:
    """`value` with defaults filled in and nulls dropped where null may not be; a new value where it
    changed.
    """
    if isinstance(value, dict):
        return _fill_map(value, node)
    if isinstance(value, list) and node.items is not None:
        below = node.items
        replaced = [copied(below.default) if _null_with_default(v, below) else v for v in value]
        return [fill_defaults(v, below) if isinstance(v, (dict, list)) else v for v in replaced]
    return value


def _fill_map(value: dict[str, Any], node: Node) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, child in value.items():
        below = node.properties.get(key, node.additional)
        if below is not None and child is None and not below.nullable:
            if below.default is MISSING:
                continue
            child = copied(below.default)
        if below is not None and isinstance(child, (dict, list)):
            child = fill_defaults(child, below)
        made[key] = child
    if node.has_defaults:
        for key, below in node.properties.items():
            if below.default is not MISSING and key not in made:
                made[key] = fill_defaults(copied(below.default), below)
    return made


def _null_with_default(value: Any, node: Node) -> bool:
    return value is None and not node.nullable and node.default is not MISSING
