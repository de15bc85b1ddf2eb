"""The errors of the project, one tree. Every message names what is wrong and the remedy.

LabError                     anything a person is told, never a traceback
├── ApiError                 the API server said no: code, reason, message, details
│   ├── NotFound             404
│   ├── Conflict             409 Conflict: read again, decide again
│   ├── AlreadyExists        409 AlreadyExists
│   ├── Gone                 410: list again
│   └── Invalid              422: details.causes name the fields
├── InvalidRollout           a Rollout with mistakes: a list of field errors
├── ManifestError            a file that cannot be read as manifests (in `api.manifest`)
├── ClusterUnavailable       no API server answers (exit code 3)
└── UsageError               the person asked for something that cannot be (exit code 2)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class LabError(Exception):
    """Base of everything a person is told. `exit_code` is what the terminal returns for it."""

    exit_code = 1


class ApiError(LabError):
    """An answer of an API server other than success.

    `code` is the HTTP status, `reason` the Kubernetes reason (``NotFound``), `details` the
    ``Status.details`` object as it came. Never holds a header, so never a token.
    """

    def __init__(
        self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details: dict[str, Any] = dict(details or {})

    @staticmethod
    def of(status: Mapping[str, Any], code: int = 500) -> ApiError:
        """The fitting subclass for a Kubernetes ``Status`` object."""
        code = int(status.get("code") or code)
        reason = str(status.get("reason") or "")
        kind: type[ApiError] = ApiError
        if code == 404:
            kind = NotFound
        elif code == 409:
            kind = AlreadyExists if reason == "AlreadyExists" else Conflict
        elif code == 410:
            kind = Gone
        elif code == 422:
            kind = Invalid
        return kind(code, reason, str(status.get("message") or f"HTTP {code}"), status.get("details"))


class NotFound(ApiError):
    """404: the object or the resource is not there."""


class Conflict(ApiError):
    """409: the object changed since it was read."""


class AlreadyExists(ApiError):
    """409: an object of that name is there already."""


class Gone(ApiError):
    """410: the resourceVersion is too old; list again."""


class Invalid(ApiError):
    """422: the object breaks a rule; ``details["causes"]`` names each field."""


class InvalidRollout(LabError):
    """A Rollout manifest with mistakes; `errors` are `api.validation.FieldError` values."""

    def __init__(self, name: str, errors: Sequence[object]) -> None:
        lines = "\n".join(f"  - {e}" for e in errors)
        super().__init__(f'The Rollout "{name}" is invalid:\n{lines}')
        self.errors = list(errors)


class ClusterUnavailable(LabError):
    """No API server answers at the address of the kubeconfig."""

    exit_code = 3


class UsageError(LabError):
    """The request itself cannot be met: an unknown scenario, a missing file, a bad option."""

    exit_code = 2
