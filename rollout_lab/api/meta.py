"""What all objects share: names, labels, annotations, owners, conditions. Reading only, except the
helpers that return a changed copy. Pure.
"""

# The future import of this name is left out: `annotations` is a function here.

from collections.abc import Iterable, Mapping
from typing import Any

from rollout_lab.api import fields, names
from rollout_lab.api.fields import Json


def name(obj: Mapping[str, Any]) -> str:
    return fields.text(obj, "metadata", "name")


def namespace(obj: Mapping[str, Any]) -> str:
    return fields.text(obj, "metadata", "namespace")


def uid(obj: Mapping[str, Any]) -> str:
    return fields.text(obj, "metadata", "uid")


def generation(obj: Mapping[str, Any]) -> int:
    return fields.integer(obj, "metadata", "generation") or 0


def resource_version(obj: Mapping[str, Any]) -> str:
    return fields.text(obj, "metadata", "resourceVersion")


def labels(obj: Mapping[str, Any]) -> dict[str, str]:
    return fields.strings(obj, "metadata", "labels")


def annotations(obj: Mapping[str, Any]) -> dict[str, str]:
    return fields.strings(obj, "metadata", "annotations")


def being_deleted(obj: Mapping[str, Any]) -> bool:
    return fields.value(obj, "metadata", "deletionTimestamp") is not None


def key(obj: Mapping[str, Any]) -> str:
    """``namespace/name``."""
    return f"{namespace(obj)}/{name(obj)}"


def owner_reference(owner: Mapping[str, Any]) -> Json:
    """The controlling owner reference that objects of `owner` carry."""
    return {
        "apiVersion": fields.text(owner, "apiVersion") or names.API_VERSION,
        "kind": fields.text(owner, "kind") or names.KIND,
        "name": name(owner),
        "uid": uid(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Mapping[str, Any]) -> Json | None:
    """The owner reference marked as controller, or None."""
    for reference in fields.objects(obj, "metadata", "ownerReferences"):
        if reference.get("controller") is True:
            return reference
    return None


def is_controlled_by(obj: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    reference = controller_of(obj)
    return reference is not None and reference.get("uid") == uid(owner)


def pod_hash(obj: Mapping[str, Any]) -> str:
    """The value of the pod-template-hash label of a ReplicaSet or Pod, ``""`` if it has none."""
    return labels(obj).get(names.ROLLOUT_HASH_LABEL, "")


def revision(obj: Mapping[str, Any]) -> int:
    """The revision annotation of a Rollout or ReplicaSet; 0 if there is none that can be read."""
    written = annotations(obj).get(names.REVISION_ANNOTATION, "")
    return int(written) if written.isascii() and written.isdigit() else 0


def conditions(obj: Mapping[str, Any]) -> list[Json]:
    return fields.objects(obj, "status", "conditions")


def condition(found: Iterable[Mapping[str, Any]], type_: str) -> Json | None:
    """The condition of that type in a list of conditions, or None."""
    return next((dict(c) for c in found if c.get("type") == type_), None)
