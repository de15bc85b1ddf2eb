"""JSON patch (RFC 6902) with the answers Kubernetes gives; the operations are the jsonpatch package's."""

from __future__ import annotations

from typing import Any

import jsonpatch
from jsonpointer import JsonPointerException

from rollout_lab.errors import ApiError

from .failures import rejected, undecodable
from .govalue import go_type

MAX_OPERATIONS = 10_000


def apply_json(obj: dict[str, Any], ops: Any) -> dict[str, Any]:
    """`obj` after the operations `ops`; `obj` stays as it is.

    Raises ApiError 400 when `ops` is no list of operations, 413 for more than 10 000, and 422 when an
    operation cannot be carried out or a ``test`` fails.
    # upstream: apiserver/pkg/endpoints/handlers/patch.go::applyJSPatch
    """
    if not isinstance(ops, list):
        kind = {"map[string]interface {}": "object", "int64": "number", "float64": "number"}.get(
            go_type(ops), go_type(ops)
        )
        raise undecodable(f"json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp")
    if len(ops) > MAX_OPERATIONS:
        raise ApiError(
            413,
            "RequestEntityTooLarge",
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(ops)}",
        )
    try:
        result = jsonpatch.apply_patch(obj, ops)
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, KeyError, AttributeError) as error:
        raise rejected() from error
    if not isinstance(result, dict):
        raise rejected()
    return result
