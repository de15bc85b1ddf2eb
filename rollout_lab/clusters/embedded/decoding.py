"""From a request's object to one the server may store: kind check, pruning, defaults, patches, validation.

The rules themselves are pure functions of `schema/` and `patching/`; here they are put in order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.patching.jsonpatch import apply_json
from rollout_lab.clusters.embedded.patching.merge import apply_merge
from rollout_lab.clusters.embedded.resources import Resource

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.customs import Customs

Object = dict[str, Any]


@dataclass(slots=True)
class Options:
    """What a write asks for besides its body. `warnings` are filled in on the way."""

    dry_run: bool = False
    validation: str = "Ignore"  # fieldValidation: Ignore, Warn or Strict
    manager: str = ""
    duplicates: tuple[str, ...] = ()  # paths of fields the body has twice
    warnings: list[str] = field(default_factory=list)


class Decoder:
    """Decodes and validates objects of built-in kinds, and of custom ones through `customs`."""

    def __init__(self, customs: Customs) -> None:
        self.customs = customs

    def decode(self, res: Resource, body: Any, options: Options, *, patch: Any = None) -> Object:
        """The object with known fields only, defaults filled in, apiVersion and kind set. Raises 400 or 422."""
        obj = self._identify(res, body)
        if not obj.get("metadata"):
            obj = {**obj, "metadata": {}}
        return obj

    def apply_patch(self, res: Resource, current: Object, patch: Any, kind: str) -> Object:
        """`current` after a patch of `kind` json, merge or strategic."""
        if kind == "json":
            return apply_json(current, patch)
        return apply_merge(current, patch)

    def validate_create(self, res: Resource, obj: Object) -> list[Any]:
        if not obj["metadata"].get("name"):
            return [statuses.required("metadata.name", "name or generateName is required")]
        return []

    def validate_update(self, res: Resource, new: Object, old: Object, subresource: str) -> list[Any]:
        return []

    def _identify(self, res: Resource, body: Any) -> Object:
        if not isinstance(body, dict):
            raise statuses.bad_request(f"the object provided is unrecognized (must be of type {res.kind})")
        version, kind = body.get("apiVersion") or res.api_version, body.get("kind") or res.kind
        if kind != res.kind:
            text = (
                f'{kind} in version "{version.rpartition("/")[2]}" cannot be handled as a {res.kind}: '
                f"converting (v1.{kind}) to (core.{res.kind}): unknown conversion"
            )
            raise statuses.bad_request(text)
        if version != res.api_version:
            text = "the API version in the data ({}) does not match the expected API version ({})"
            raise statuses.bad_request(text.format(version, res.api_version))
        return {**body, "apiVersion": version, "kind": kind}
