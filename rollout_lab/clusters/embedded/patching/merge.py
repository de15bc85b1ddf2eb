"""JSON merge patch (RFC 7386). Pure."""

from __future__ import annotations

from typing import Any

from .failures import undecodable
from .govalue import go_type


def apply_merge(obj: dict[str, Any], patch: Any) -> dict[str, Any]:
    """`obj` with `patch` merged in: null removes, maps merge, all else replaces. Inputs stay as they are.

    Raises ApiError 400 when the patch is no map.
    """
    if patch is None:
        return obj
    if not isinstance(patch, dict):
        kind = {"[]interface {}": "array", "int64": "number", "float64": "number"}.get(
            go_type(patch), go_type(patch)
        )
        raise undecodable(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    return _merge(obj, patch)


def _merge(target: Any, patch: dict[str, Any]) -> dict[str, Any]:
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = _merge(result.get(key), value)
        else:
            result[key] = value
    return result
