"""Events of the built-in controllers: what one looks like, counting repeats, and when one is too old.

# upstream: client-go/tools/record
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.objects import Key, Object, key_of, meta, seconds_of
from rollout_lab.clusters.embedded.controllers.runtime import Context, Controller
from rollout_lab.clusters.embedded.resources import EVENTS
from rollout_lab.errors import ApiError, NotFound

log = logging.getLogger(__name__)

NORMAL, WARNING = "Normal", "Warning"
LIFETIME = 3600.0  # lab seconds an Event stays after it was last seen
_REMEMBERED = 4096


def event_for(
    obj: Object,
    reference: Mapping[str, str],
    kind: str,
    reason: str,
    message: str,
    component: str,
    now: float,
) -> Object:
    """An Event about `obj`; `reference` names its apiVersion and kind, `now` is seconds since the epoch."""
    namespace, name = key_of(obj)
    about: Object = {**reference, "name": name, "uid": meta(obj).get("uid")}
    if namespace:
        about["namespace"] = namespace
    about["resourceVersion"] = meta(obj).get("resourceVersion")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{int(now * 1e9):x}", "namespace": namespace or "default"},
        "involvedObject": about,
        "type": kind,
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "reportingComponent": component,
        "reportingInstance": "",
        "firstTimestamp": rfc3339(now),
        "lastTimestamp": rfc3339(now),
        "count": 1,
    }


def seen_again(event: Object, now: float) -> Object:
    """The merge patch for an Event that happened once more."""
    return {"count": int(event.get("count") or 1) + 1, "lastTimestamp": rfc3339(now)}


def expires_at(event: Mapping[str, Any]) -> float:
    """When an Event is to be deleted, in seconds since the epoch."""
    series = event.get("series") or {}
    times = (
        event.get("lastTimestamp"),
        event.get("eventTime"),
        series.get("lastObservedTime"),
        meta(event).get("creationTimestamp"),
    )
    return max(seconds_of(t) for t in times) + LIFETIME


class Recorder:
    """Writes Events of one component; the same message about the same object counts up instead."""

    def __init__(self, ctx: Context, component: str, api_version: str, kind: str) -> None:
        self._ctx = ctx
        self._component = component
        self._reference = {"apiVersion": api_version, "kind": kind}
        self._seen: dict[tuple[str, str, str, str], Key] = {}
        self._last = 0

    def normal(self, obj: Object, reason: str, message: str) -> None:
        self._write(obj, NORMAL, reason, message)

    def warning(self, obj: Object, reason: str, message: str) -> None:
        self._write(obj, WARNING, reason, message)

    def _write(self, obj: Object, kind: str, reason: str, message: str) -> None:
        """Best effort, as in Kubernetes: an Event that cannot be written never stops the work."""
        try:
            self._record(obj, kind, reason, message)
        except ApiError as error:
            log.debug("event %s about %s/%s not written: %s", reason, *key_of(obj), error)

    def _record(self, obj: Object, kind: str, reason: str, message: str) -> None:
        api, now = self._ctx.api, self._ctx.now()
        same = (str(meta(obj).get("uid")), kind, reason, message)
        known = self._seen.get(same)
        if known is not None:
            try:
                earlier = api.get(EVENTS, *known)
                api.patch(EVENTS, *known, seen_again(earlier, now), "merge")
                return
            except NotFound:
                del self._seen[same]
        self._last = max(self._last + 1, int(now * 1e9))  # names stay unique within one clock tick
        event = event_for(obj, self._reference, kind, reason, message, self._component, now)
        event["metadata"]["name"] = f"{key_of(obj)[1]}.{self._last:x}"
        self._seen[same] = key_of(api.create(EVENTS, event["metadata"]["namespace"], event))
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]


class EventExpiry:
    """Deletes Events an hour after they were last seen."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.controller = Controller("event expiry", ctx, self._reconcile, workers=1)
        self.controller.on(EVENTS, lambda obj, _: [key_of(obj)])

    async def _reconcile(self, key: Key) -> float | None:
        event = self._ctx.cache(EVENTS).get(*key)
        if event is None:
            return None
        left = expires_at(event) - self._ctx.now()
        if left > 0:
            return left
        self._ctx.delete(EVENTS, event)
        return None
