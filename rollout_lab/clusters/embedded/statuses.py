"""Every answer of the API server that is not an object: errors in Kubernetes' words, Status objects. Pure.

# upstream: apimachinery/pkg/api/errors/errors.go
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollout_lab.clusters.embedded.resources import Resource
from rollout_lab.errors import ApiError


def status(code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """A `Status` object of a failure."""
    out: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
    }
    if reason:
        out["reason"] = reason
    if details is not None:
        out["details"] = details
    out["code"] = code
    return out


def of_error(error: ApiError) -> dict[str, Any]:
    """The `Status` a client reads for an error."""
    kept = (
        bool(error.details)
        or error.reason in ("MethodNotAllowed", "Invalid")
        or error.message.startswith("415:")
    )
    return status(error.code, error.reason, error.message, error.details if kept else None)


def error(code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> ApiError:
    return ApiError.of(status(code, reason, message, details))


def _details(res: Resource, name: str, kind: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    if name:
        out["name"] = name
    if res.group:
        out["group"] = res.group
    if kind or res.kind:
        out["kind"] = kind or res.plural
    return out


def not_found(res: Resource, name: str) -> ApiError:
    return error(404, "NotFound", f'{res.qualified} "{name}" not found', _details(res, name))


def no_such_path() -> ApiError:
    """404 of an address below a served group that no resource has."""
    return error(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(res: Resource, name: str) -> ApiError:
    return error(409, "AlreadyExists", f'{res.qualified} "{name}" already exists', _details(res, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(res: Resource, name: str, why: str = MODIFIED) -> ApiError:
    message = f'Operation cannot be fulfilled on {res.qualified} "{name}": {why}'
    return error(409, "Conflict", message, _details(res, name))


def forbidden(res: Resource, name: str, why: str, causes: list[dict[str, Any]] | None = None) -> ApiError:
    details = _details(res, name)
    if causes:
        details["causes"] = causes
    message = (
        f'{res.qualified} "{name}" is forbidden: {why}' if name else f"{res.qualified} is forbidden: {why}"
    )
    return error(403, "Forbidden", message, details)


def bad_request(message: str) -> ApiError:
    return error(400, "BadRequest", message)


def bad_version(text: str) -> ApiError:
    """500, as upstream has it, for a resourceVersion that is no number."""
    detail = f'strconv.ParseUint: parsing "{text}": invalid syntax'
    return error(500, "", f'resourceVersion: Invalid value: "{text}": {detail}')


def expired(message: str) -> ApiError:
    return error(410, "Expired", message)


def not_acceptable(accepted: Sequence[str]) -> ApiError:
    text = "only the following media types are accepted: " + ", ".join(accepted)
    return error(406, "NotAcceptable", text)


def unsupported_media(accepted: Sequence[str]) -> ApiError:
    text = "the body of the request was in an unknown format - accepted media types include: "
    return error(415, "UnsupportedMediaType", text + ", ".join(accepted))


def method_not_allowed() -> ApiError:
    text = "the server does not allow this method on the requested resource"
    return error(405, "MethodNotAllowed", text, {})


def unauthorized() -> ApiError:
    return error(401, "Unauthorized", "Unauthorized")


def invalid(res: Resource, name: str, causes: Sequence[Any], *, kind: str = "") -> ApiError:
    """422 with one cause per broken rule; a cause is a mapping or has `reason`, `message` and `field`."""
    rows = [
        c if isinstance(c, dict) else {"reason": c.reason, "message": c.message, "field": c.field}
        for c in causes
    ]
    texts = [f"{c['field']}: {c['message']}" for c in rows]
    unique = list(dict.fromkeys(texts))
    joined = unique[0] if len(unique) == 1 else "[" + ", ".join(unique) + "]"
    kind = kind or res.kind
    shown = f"{kind}.{res.group}" if res.group else kind
    details = _details(res, name, kind)
    details["causes"] = rows
    return error(422, "Invalid", f'{shown} "{name}" is invalid: {joined}', details)


def cause(reason: str, field: str, message: str) -> dict[str, str]:
    return {"reason": reason, "message": message, "field": field}


def required(field: str, detail: str = "") -> dict[str, str]:
    return cause("FieldValueRequired", field, "Required value" + (f": {detail}" if detail else ""))


def invalid_value(field: str, shown: str, detail: str) -> dict[str, str]:
    """`shown` is the value as Kubernetes prints it (`"x"` for strings, `3` for numbers)."""
    return cause("FieldValueInvalid", field, f"Invalid value: {shown}: {detail}")


def forbidden_field(field: str, detail: str) -> dict[str, str]:
    return cause("FieldValueForbidden", field, f"Forbidden: {detail}")


def deleted(res: Resource, name: str, uid: str) -> dict[str, Any]:
    """The Status that answers a DELETE that took effect at once."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {**_details(res, name), "uid": uid},
    }


def created() -> dict[str, Any]:
    """The Status that answers a binding."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
