"""Events about Pods and the node: created once, counted up when they repeat, limited when they flood.

Here: the correlation that client-go does before it sends. Who says what is elsewhere.
# upstream: client-go tools/record/events_cache.go (aggregation by text; burst 25, then one in 5 min)
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.resources import EVENTS
from rollout_lab.errors import ApiError, NotFound

log = logging.getLogger(__name__)

KEEP = 4096
BURST = 25.0
REFILL = 1 / 300  # tokens a lab second


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class EventRecorder:
    """Writes Events as one component on one node. API loop only; never raises for the API's sake."""

    def __init__(self, api: Api, component: str, node: str = "") -> None:
        self._api, self._component, self._node = api, component, node
        self._known: OrderedDict[tuple[str, ...], tuple[str, str, int]] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def record(self, about: Mapping[str, Any], kind: str, reason: str, message: str, path: str = "") -> None:
        """An Event of type `kind` (Normal, Warning) about an object; `path` names a container field."""
        meta, now = about["metadata"], self._api.clock.now()
        if not self._allowed(meta["uid"], now):
            return
        key = (meta["uid"], kind, reason, message, path)
        try:
            if (known := self._known.get(key)) is not None:
                namespace, name, count = known
                patch = {"count": count + 1, "lastTimestamp": rfc3339(now)}
                try:
                    self._api.patch(EVENTS, namespace, name, patch, "merge")
                    self._known[key] = (namespace, name, count + 1)
                    return
                except NotFound:  # its namespace went, or it expired
                    del self._known[key]
            self._create(about, kind, reason, message, path, now, key)
        except ApiError as error:
            log.debug("event %s about %s was not taken: %s", reason, meta["name"], error)

    def _create(
        self,
        about: Mapping[str, Any],
        kind: str,
        reason: str,
        message: str,
        path: str,
        now: float,
        key: tuple[str, ...],
    ) -> None:
        meta = about["metadata"]
        namespace = meta.get("namespace") or "default"
        involved = {
            "kind": about.get("kind", "Pod"),
            "apiVersion": about.get("apiVersion", "v1"),
            "name": meta["name"],
            "uid": meta["uid"],
        }
        if meta.get("namespace"):
            involved["namespace"] = meta["namespace"]
            involved["resourceVersion"] = meta.get("resourceVersion", "")
        if path:
            involved["fieldPath"] = path
        source = {"component": self._component}
        if self._node:
            source["host"] = self._node
        name = f"{meta['name']}.{int(now * 1e9) + len(self._known):x}"
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "type": kind,
            "source": source,
            "firstTimestamp": rfc3339(now),
            "lastTimestamp": rfc3339(now),
            "count": 1,
            "reportingComponent": self._component,
            "reportingInstance": self._node,
        }
        stored = self._api.create(EVENTS, namespace, event)
        self._known[key] = (namespace, stored["metadata"]["name"], 1)
        if len(self._known) > KEEP:
            self._known.popitem(last=False)

    def _allowed(self, uid: str, now: float) -> bool:
        bucket = self._buckets.setdefault(uid, _Bucket(BURST, now))
        self._buckets.move_to_end(uid)
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.at) * REFILL)
        bucket.at = now
        if len(self._buckets) > KEEP:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
