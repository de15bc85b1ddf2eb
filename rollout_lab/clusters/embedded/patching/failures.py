"""How the API server refuses a patch: the status codes and texts, as recorded from a real one."""

from __future__ import annotations

from rollout_lab.errors import ApiError, Invalid


def undecodable(detail: str) -> ApiError:
    """400: the patch itself is no JSON of the right shape."""
    return ApiError(400, "BadRequest", f"error decoding patch: {detail}")


def rejected() -> ApiError:
    """422 without details: a JSON patch operation that cannot be carried out, or a failed test."""
    return Invalid(422, "Invalid", "the server rejected our request due to an error in our request")


def bad_directive(message: str) -> ApiError:
    """400: a strategic-merge directive in a place or form it may not have."""
    return ApiError(400, "BadRequest", message)


def internal(message: str) -> ApiError:
    """500 without a reason: the real server has no better answer for these either."""
    return ApiError(500, "", message)


def unusable_result(shown: str, detail: str) -> ApiError:
    """422: the patch applied, but the result is no object of the kind. `shown` is the patch or the result."""
    value = (
        '"' + shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    )
    message = f"Invalid value: {value}: {detail}"
    causes = [{"reason": "FieldValueInvalid", "message": message, "field": "patch"}]
    return Invalid(422, "Invalid", f' "" is invalid: patch: {message}', {"causes": causes})
