"""One stored object, several API versions: how each shows it. Pure.

Events are kept as core/v1 and also served as events.k8s.io/v1, where other names stand for the same fields.
# upstream: pkg/apis/events/v1/conversion.go
"""

from __future__ import annotations

from typing import Any

from rollout_lab.clusters.embedded.resources import EVENTS, EVENTS_V1, Resource

Object = dict[str, Any]

_EVENT = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "source": "deprecatedSource",
}
_BACK = {new: old for old, new in _EVENT.items()}
_OPTIONAL = ("reportingController", "reportingInstance", "note", "action")


def named(res: Resource) -> Resource:
    """The resource whose name a refusal shows."""
    return EVENTS if res is EVENTS_V1 else res


def stored(res: Resource, obj: Object) -> Object:
    """The form an object is kept in."""
    if res is not EVENTS_V1:
        return obj
    made = {_BACK.get(k, k): v for k, v in obj.items()}
    made.setdefault("reportingComponent", "")
    made.setdefault("reportingInstance", "")
    for key in ("firstTimestamp", "lastTimestamp"):
        made.setdefault(key, None)
    made.setdefault("source", {})
    return {**made, "apiVersion": EVENTS.api_version}


def shown(res: Resource, obj: Object) -> Object:
    """A kept object as a resource of another version shows it."""
    if res is not EVENTS_V1 or obj.get("apiVersion") == EVENTS_V1.api_version:
        return obj
    made = {_EVENT.get(k, k): v for k, v in obj.items()}
    for key in _OPTIONAL:
        if made.get(key) == "":
            del made[key]
    return {**made, "apiVersion": EVENTS_V1.api_version}
