"""Strategic merge patch: a merge patch that knows which lists merge, by which key, and in which order.

Lives here: the merge of maps and lists and the directives ``$patch``, ``$retainKeys``,
``$setElementOrder/…`` and ``$deleteFromPrimitiveList/…``. Element order is in `ordering`. Pure: inputs stay.
# upstream: apimachinery/pkg/util/strategicpatch/patch.go
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..schema.builtin import Field, Shape, Struct
from . import ordering
from .failures import bad_directive, internal, undecodable
from .govalue import go_print, go_type

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
SET_ORDER = "$setElementOrder/"
DELETE_PRIMITIVES = "$deleteFromPrimitiveList/"


def apply_strategic(obj: dict[str, Any], patch: Any, schema: Struct) -> dict[str, Any]:
    """`obj`, an object of the built-in kind `schema` describes, with `patch` merged in.

    Raises ApiError 400 (no map, bad directive) or 500 (no merge key, unknown directive), as the real server
    does. Fields the schema does not know are taken over; decoding drops them afterwards.
    """
    if patch is None:
        return obj
    if not isinstance(patch, dict):
        kind = {"[]interface {}": "array", "int64": "number", "float64": "number"}.get(
            go_type(patch), go_type(patch)
        )
        raise undecodable(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    return _merge_map(obj, patch, schema)


def _merge_map(original: dict[str, Any], patch: dict[str, Any], schema: Struct | None) -> dict[str, Any]:
    directive = patch.get(DIRECTIVE)
    if DIRECTIVE in patch:
        if directive == "replace":
            return _without({k: v for k, v in patch.items() if k != DIRECTIVE})
        if directive == "delete":
            return {}
        raise internal(f"unknown patch type: {go_print(directive)} in map: {go_print(patch)}")
    result = dict(original)
    todo = dict(patch)
    if RETAIN_KEYS in todo:
        _retain(result, todo, todo.pop(RETAIN_KEYS))
    for key in [k for k in todo if k.startswith(SET_ORDER)]:
        _merge_ordered(result, todo, key, schema)
    for key, value in todo.items():
        _merge_field(result, key, value, schema)
    return result


def _merge_field(result: dict[str, Any], key: str, value: Any, schema: Struct | None) -> None:
    deleting = key.startswith(DELETE_PRIMITIVES)
    if deleting:
        key = key.removeprefix(DELETE_PRIMITIVES)
        if not isinstance(value, list):
            raise bad_directive("invalid patch format of primitive list")
    if value is None:
        result.pop(key, None)
        return
    current = result.get(key)
    if current is None or go_type(current) != go_type(value):
        if not deleting:
            kept = _strip(value)
            result[key] = kept
            if kept is _GONE:
                del result[key]
        return
    field = _field(schema, key)
    if isinstance(value, dict):
        if field is not None and field.replaces:
            result[key] = value
        else:
            result[key] = _merge_map(current, value, _struct(field))
    elif isinstance(value, list):
        result[key] = _merge_list(current, value, field, deleting)
    else:
        result[key] = value


def _merge_ordered(
    result: dict[str, Any], todo: dict[str, Any], directive: str, schema: Struct | None
) -> None:
    """Apply one ``$setElementOrder/field`` with the field's own patch, and take both out of `todo`."""
    order = todo.pop(directive)
    if not isinstance(order, list):
        raise bad_directive("invalid patch format of setElementOrder list")
    key = directive.removeprefix(SET_ORDER)
    has_original, has_patch = isinstance(result.get(key), list), isinstance(todo.get(key), list)
    original, patch = result.get(key) or [], todo.get(key) or []
    field = _field(schema, key)
    merge_key = field.merge_key if field is not None else ""
    ordering.check(patch, order, merge_key)
    if has_patch:
        merged = _merge_list(original, patch, field, False) if has_original else _without_list(patch)
        del todo[key]
    elif has_original and key not in todo:
        merged = original
    else:
        return
    if not has_original and not has_patch:
        return
    result[key] = ordering.arrange(merged, order, original, merge_key)


def _merge_list(original: list[Any], patch: list[Any], field: Field | None, deleting: bool) -> list[Any]:
    if deleting:
        return [item for item in original if item not in patch]
    if field is None or not field.merges:
        return _without_list(patch)
    if not original and not patch:
        return original
    if not any(isinstance(item, dict) for item in [*original, *patch]):
        merged = _unique([*original, *patch])
        return ordering.arrange(merged, patch, original, "")
    if not field.merge_key:
        raise internal(f"cannot merge lists without merge key for {field.name}")
    original, patch = _special_elements(original, patch, field.merge_key)
    merged = _merge_by_key(original, patch, field)
    return ordering.arrange(merged, patch, original, field.merge_key)


def _special_elements(
    original: list[Any], patch: list[Any], merge_key: str
) -> tuple[list[Any], list[dict[str, Any]]]:
    """Carry out the elements that are directives; what remains of original and patch."""
    plain: list[dict[str, Any]] = []
    replace = False
    for item in patch:
        if not isinstance(item, dict):
            raise internal(f"list element types are not identical: {go_print(patch)}")
        match item.get(DIRECTIVE, _GONE):
            case "delete":
                _require_key(item, merge_key)
                original = [o for o in original if not _same(o, item, merge_key)]
            case "replace":
                replace = True
            case "merge":
                raise internal("merging lists cannot yet be specified in the patch")
            case other if other is not _GONE:
                raise internal(f"unknown patch type: {go_print(other)} in map: {go_print(item)}")
            case _:
                plain.append(item)
    return ([], _without_list(plain)) if replace else (original, plain)


def _merge_by_key(original: list[Any], patch: list[dict[str, Any]], field: Field) -> list[Any]:
    merged = list(original)
    for item in patch:
        _require_key(item, field.merge_key)
        for index, present in enumerate(merged):
            if _same(present, item, field.merge_key):
                merged[index] = _merge_map(present, item, _struct(field))
                break
        else:
            merged.append(_without(item))
    return merged


def _retain(result: dict[str, Any], patch: dict[str, Any], keys: Any) -> None:
    """``$retainKeys``: every key that is set must be listed; keys of the original that are not go."""
    if not isinstance(keys, list):
        raise bad_directive("invalid patch format of retainKeys")
    for key, value in patch.items():
        if value is None or key.startswith((SET_ORDER, DELETE_PRIMITIVES)):
            continue  # what the patch takes away need not be kept
        if key not in keys:
            raise bad_directive("invalid patch format of retainKeys")
    for key in [k for k in result if k not in keys]:
        del result[key]


def _require_key(item: dict[str, Any], merge_key: str) -> None:
    if merge_key not in item:
        raise internal(f"map: {go_print(item)} does not contain declared merge key: {merge_key}")


def _same(left: Any, right: Any, merge_key: str) -> bool:
    return isinstance(left, dict) and merge_key in left and bool(left[merge_key] == right[merge_key])


def _field(schema: Struct | None, key: str) -> Field | None:
    return schema.fields.get(key) if schema is not None else None


def _struct(field: Field | None) -> Struct | None:
    """The struct of the values below `field`; None below a map (labels), where nothing merges specially."""
    if field is None or field.shape is Shape.MAP or not isinstance(field.type, Struct):
        return None
    return field.type


def _unique(items: Iterable[Any]) -> list[Any]:
    out: list[Any] = []
    for item in items:
        if item not in out:
            out.append(item)
    return out


class _Gone:
    """Marks a value that was nothing but a directive."""


_GONE = _Gone()


def _strip(value: Any) -> Any:
    """`value` of a patch taken over where the original has nothing: directives and nulls go."""
    if isinstance(value, dict):
        return _GONE if DIRECTIVE in value and value[DIRECTIVE] != "replace" else _without(value)
    return _without_list(value) if isinstance(value, list) else value


def _without(item: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in item.items():
        if key in (DIRECTIVE, RETAIN_KEYS) or key.startswith((SET_ORDER, DELETE_PRIMITIVES)) or value is None:
            continue
        kept = _strip(value)
        if kept is not _GONE:
            out[key] = kept
    return out


def _without_list(items: list[Any]) -> list[Any]:
    return [kept for kept in map(_strip, items) if kept is not _GONE]
