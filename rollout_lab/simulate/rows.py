"""Objects reduced to the rows of a recorded run (``tests/data/traces/README.md``). Pure."""

from __future__ import annotations

from typing import Any

from rollout_lab.api import fields, meta, names
from rollout_lab.api.fields import Json


def row(t: float, type_: str, obj: Json) -> Json | None:
    """What a recording holds of this change; None for kinds it does not hold. `t` in seconds."""
    kind = fields.text(obj, "kind")
    common: Json = {"t": round(t, 2), "type": type_, "kind": kind, "name": meta.name(obj)}
    match kind:
        case "Rollout" | "Deployment":
            return common | {
                "kind": names.KIND,  # a Deployment is played in a Rollout's place
                "annotations": _ours(obj),
                "generation": meta.generation(obj),
                "image": _image(obj),
                "paused": fields.flag(obj, "spec", "paused"),
                "replicas": fields.integer(obj, "spec", "replicas"),
                "restartAt": fields.text(obj, "spec", "restartAt") or None,
                "status": fields.mapping(obj, "status"),
            }
        case "ReplicaSet":
            counts = ("availableReplicas", "readyReplicas", "replicas")
            return common | {
                "annotations": _ours(obj),
                "image": _image(obj),
                "labels": meta.labels(obj),
                "replicas": fields.integer(obj, "spec", "replicas"),
                "status": {key: fields.integer(obj, "status", key) or 0 for key in counts},
            }
        case "Service":
            return common | {"annotations": _ours(obj), "selector": fields.strings(obj, "spec", "selector")}
        case "Pod":
            ready = meta.condition(meta.conditions(obj), "Ready")
            deleting = {"deleting": True} if meta.being_deleted(obj) else {}
            return common | {
                "labels": meta.labels(obj),
                "phase": fields.text(obj, "status", "phase"),
                "ready": None if ready is None else ready.get("status"),
                **deleting,
            }
        case "Event":
            return common | {
                "about": "Rollout",
                "name": fields.text(obj, "involvedObject", "name"),
                "reason": fields.text(obj, "reason"),
                "message": fields.text(obj, "message"),
                "type": fields.text(obj, "type"),
            }
    return None


def _ours(obj: Json) -> Json:
    keep = (names.SCALE_DOWN_DEADLINE_ANNOTATION,)
    return {k: v for k, v in meta.annotations(obj).items() if "argoproj.io/" in k or k in keep}


def _image(obj: Json) -> str:
    containers = fields.objects(obj, "spec", "template", "spec", "containers")
    return fields.text(containers[0], "image") if containers else ""


def tag(image: Any) -> str:
    """The version part of an image: what follows the last colon."""
    return str(image).rsplit(":", 1)[-1] if image else ""
