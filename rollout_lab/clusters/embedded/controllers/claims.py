"""Who belongs to whom: which objects a controller adopts and which it lets go. Pure.

# upstream: pkg/controller/controller_ref_manager.go::ClaimObject
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    controller_of,
    controller_reference,
    is_terminating,
    labels_of,
    matches,
    meta,
    owners_of,
    spec,
    uid_of,
)


@dataclass(frozen=True, slots=True)
class Claims:
    """`mine` belong to the owner already; `adopt` should, `release` should no more."""

    mine: tuple[Object, ...]
    adopt: tuple[Object, ...]
    release: tuple[Object, ...]


def claims(owner: Object, candidates: Iterable[Object]) -> Claims:
    """Sort the candidates of the owner's namespace by the owner's `spec.selector`.

    An object with another controller is never touched; an owner on its way out adopts nothing and lets
    nothing go; an object on its way out is not adopted.
    """
    selector = spec(owner).get("selector")
    mine: list[Object] = []
    adopt: list[Object] = []
    release: list[Object] = []
    for obj in candidates:
        controller, wanted = controller_of(obj), matches(selector, labels_of(obj))
        if controller is not None:
            if controller.get("uid") != uid_of(owner):
                continue
            if wanted:
                mine.append(obj)
            elif not is_terminating(owner):
                release.append(obj)
        elif wanted and not is_terminating(owner) and not is_terminating(obj):
            adopt.append(obj)
    return Claims(tuple(mine), tuple(adopt), tuple(release))


def adopting(owner: Object, obj: Object, api_version: str, kind: str) -> Object:
    """The merge patch that makes `owner` the controller of `obj`."""
    references = [o for o in owners_of(obj) if o.get("uid") != uid_of(owner)]
    return _owners_patch(obj, [*references, controller_reference(owner, api_version, kind)])


def releasing(owner: Object, obj: Object) -> Object:
    """The merge patch that takes `owner` out of the owners of `obj`."""
    references = [o for o in owners_of(obj) if o.get("uid") != uid_of(owner)]
    return _owners_patch(obj, references)


def _owners_patch(obj: Object, references: list[Object]) -> Object:
    """Valid for exactly the state that was read: a list is replaced as a whole."""
    version = meta(obj).get("resourceVersion")
    return {"metadata": {"ownerReferences": references or None, "resourceVersion": version}}
