"""Services that no Rollout names any more go back to what they were. Pure.

# upstream: service/service.go::syncService
"""

from __future__ import annotations

from collections.abc import Iterable

from rollout_lab.api import fields, meta, names
from rollout_lab.api.fields import Json
from rollout_lab.api.rollout import Rollout


def release_patch(service: Json, rollouts: Iterable[Json]) -> Json | None:
    """The merge patch that takes hash and mark off a Service nobody needs them on; None: leave it.

    Only Services that carry our mark are touched.
    """
    if names.MANAGED_BY_ANNOTATION not in meta.annotations(service):
        return None
    name = meta.name(service)
    if any(name in Rollout(rollout).services.values() for rollout in rollouts):
        return None
    patch: Json = {"metadata": {"annotations": {names.MANAGED_BY_ANNOTATION: None}}}
    if names.ROLLOUT_HASH_LABEL in fields.strings(service, "spec", "selector"):
        patch["spec"] = {"selector": {names.ROLLOUT_HASH_LABEL: None}}
    return patch
