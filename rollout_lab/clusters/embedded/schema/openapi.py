"""Checking a custom object against its compiled schema, with the texts of the real server.

Lives here: types, bounds, patterns, enums, required fields and the combinations. Uniqueness of lists is in
`listtypes`, rules between old and new in `cel`.
# upstream: kube-openapi/pkg/validation/validate,
# apiextensions-apiserver/pkg/apiserver/validation/validation.go
"""

from __future__ import annotations

import math
from typing import Any

from ..patching.govalue import go_float
from . import causes, formats
from .causes import Cause
from .structural import MISSING, Node

NO_FIELD = "<nil>"


def check(value: Any, node: Node, path: str, old: Any = MISSING) -> list[Cause]:
    """The broken rules of `value` at `path`. Where `old` has the same value, its mistakes are forgiven.

    # upstream: ratcheting validation, apiextensions-apiserver/pkg/apiserver/validation/ratcheting.go
    """
    if old is not MISSING and old == value and type(old) is type(value):
        return []
    if value is None and node.nullable:
        return []
    wrong = _type(value, node, path)
    if wrong is not None:
        return [wrong]
    found: list[Cause] = []
    match value:
        case str():
            found += _string(value, node, path)
        case bool() | None:
            pass
        case int() | float():
            found += _number(value, node, path)
        case list():
            found += _list(value, node, path, old)
        case dict():
            found += _map(value, node, path, old)
    if node.enum and value not in node.enum:
        found.append(causes.not_supported(path or NO_FIELD, value, node.enum))
    return found + _combinations(value, node, path)


def type_name(value: Any) -> str:
    """What the server calls the JSON type of `value`."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _type(value: Any, node: Node, path: str) -> Cause | None:
    if not node.types:
        return None
    name = type_name(value)
    if name in node.types or (name == "integer" and "number" in node.types):
        return None
    if name == "number" and "integer" in node.types and math.isfinite(value) and value == math.floor(value):
        return None
    wanted = ",".join(node.types)
    detail = f'{path} in body must be of type {wanted}: "{name}"'
    return causes.type_invalid(path or NO_FIELD, name, detail)


def _string(value: str, node: Node, path: str) -> list[Cause]:
    limits, found = node.limits, []
    if "maxLength" in limits and len(value) > limits["maxLength"]:
        found.append(causes.too_long(path, limits["maxLength"]))
    if "minLength" in limits and len(value) < limits["minLength"]:
        detail = f"{path} in body should be at least {limits['minLength']} chars long"
        found.append(causes.invalid(path, value, detail))
    if node.pattern is not None and not node.pattern.search(value):
        found.append(causes.invalid(path, value, f"{path} in body should match '{node.pattern_text}'"))
    if node.format and not formats.holds(node.format, value):
        detail = f"{path} in body must be of type {node.format}: {causes.shown(value)}"
        found.append(causes.type_invalid(path, value, detail))
    return found


def _number(value: int | float, node: Node, path: str) -> list[Cause]:
    limits, found = node.limits, []

    def bad(detail: str) -> None:
        found.append(causes.invalid(path, value, f"{path} in body should be {detail}"))

    if (low := limits.get("minimum")) is not None:
        if limits.get("exclusiveMinimum") and value <= low:
            bad(f"greater than {_plain(low)}")
        elif not limits.get("exclusiveMinimum") and value < low:
            bad(f"greater than or equal to {_plain(low)}")
    if (high := limits.get("maximum")) is not None:
        if limits.get("exclusiveMaximum") and value >= high:
            bad(f"less than {_plain(high)}")
        elif not limits.get("exclusiveMaximum") and value > high:
            bad(f"less than or equal to {_plain(high)}")
    if (step := limits.get("multipleOf")) and not (value / step).is_integer():
        bad(f"a multiple of {_plain(step)}")
    return found


def _plain(number: Any) -> str:
    return go_float(float(number)) if isinstance(number, float) else str(number)


def _list(value: list[Any], node: Node, path: str, old: Any) -> list[Cause]:
    limits, found = node.limits, []
    if "minItems" in limits and len(value) < limits["minItems"]:
        detail = f"{path} in body should have at least {limits['minItems']} items"
        found.append(causes.invalid(path, len(value), detail))
    if "maxItems" in limits and len(value) > limits["maxItems"]:
        found.append(causes.too_many(path, len(value), limits["maxItems"]))
    if limits.get("uniqueItems") and any(v in value[:i] for i, v in enumerate(value)):
        found.append(causes.invalid(path, value, f"{path} in body shouldn't contain duplicates"))
    if node.items is not None:
        before = correlated(node, old)
        for index, item in enumerate(value):
            found += check(item, node.items, f"{path}[{index}]", before(item))
    return found


def correlated(node: Node, old: Any) -> Any:
    """A function from a list item to its counterpart in the old list, by map keys; else MISSING."""
    if node.list_type != "map" or not isinstance(old, list):
        return lambda item: MISSING
    known = {_key(o, node): o for o in old if isinstance(o, dict)}
    return lambda item: known.get(_key(item, node), MISSING) if isinstance(item, dict) else MISSING


def _key(item: dict[str, Any], node: Node) -> tuple[str, ...]:
    return tuple(causes.shown(item.get(k)) for k in node.list_keys)


def _map(value: dict[str, Any], node: Node, path: str, old: Any) -> list[Cause]:
    limits, found = node.limits, []
    if "minProperties" in limits and len(value) < limits["minProperties"]:
        detail = f"{path} in body should have at least {limits['minProperties']} properties"
        found.append(causes.invalid(path, len(value), detail))
    if "maxProperties" in limits and len(value) > limits["maxProperties"]:
        found.append(causes.too_many(path, len(value), limits["maxProperties"]))
    needed = (*node.required, "apiVersion", "kind") if node.embedded else node.required
    for key in dict.fromkeys(needed):
        if key not in value:
            found.append(causes.required(f"{path}.{key}" if path else key))
    before = old if isinstance(old, dict) else {}
    for key, child in value.items():
        below = node.properties.get(key, node.additional)
        if below is not None:
            here = f"{path}.{key}" if path else key
            found += check(child, below, here, before.get(key, MISSING))
    return found


def _fewest(tried: list[list[Cause]]) -> list[Cause]:
    """The alternative that came closest."""
    return sorted(tried, key=lambda causes_of_one: len(causes_of_one))[0]


def _combinations(value: Any, node: Node, path: str) -> list[Cause]:
    found: list[Cause] = []

    def bad(text: str) -> None:
        found.append(causes.invalid(NO_FIELD, "", f'"{path}" must {text}'))

    if node.any_of:
        tried: list[list[Cause]] = [check(value, n, path) for n in node.any_of]
        if all(tried):
            bad("validate at least one schema (anyOf)")
            found += _fewest(tried)
    if node.one_of:
        tried = [check(value, n, path) for n in node.one_of]
        good = sum(not t for t in tried)
        if good == 0:
            bad("validate one and only one schema (oneOf). Found none valid")
            found += _fewest(tried)
        elif good > 1:
            bad(f"validate one and only one schema (oneOf). Found {good} valid alternatives")
    if node.all_of:
        tried = [check(value, n, path) for n in node.all_of]
        if failed := [c for t in tried for c in t]:
            bad("validate all the schemas (allOf)" + (". None validated" if all(tried) else ""))
            found += failed
    if node.never is not None and not check(value, node.never, path):
        bad("not validate the schema (not)")
    return found
