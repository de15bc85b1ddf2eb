"""Events: posted by one thread, in the order they were decided, so that passes never wait for them.

A repeat of an Event raises its count. Which ones are posted at all is `plan.events`.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable

from rollout_lab.api import meta, names
from rollout_lab.api.fields import Json
from rollout_lab.api.times import rfc3339
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import EVENTS
from rollout_lab.clock import Clock
from rollout_lab.errors import LabError, NotFound
from rollout_lab.plan.actions import Emit
from rollout_lab.plan.events import Budget

_KEPT = 4096  # posted Events remembered, so that a repeat finds the first


class Poster:
    """Posts Events about Rollouts. A failed post is logged and dropped, as Events are only news."""

    def __init__(self, client: KubeClient, clock: Clock, log: Callable[[str], None]) -> None:
        self._client = client
        self._clock = clock
        self._log = log
        self._todo: queue.SimpleQueue[tuple[Json, Emit] | None] = queue.SimpleQueue()
        self._budgets: dict[str, Budget] = {}
        self._posted: dict[tuple[str, str, str, str], tuple[str, int]] = {}
        self._serial = itertools.count(int(clock.now() * 1000) & 0xFFFFFFFF)
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def post(self, rollout: Json, event: Emit) -> None:
        self._todo.put((rollout, event))

    def stop(self, timeout: float = 2.0) -> None:
        """Post what is still there, then end."""
        self._todo.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while (item := self._todo.get()) is not None:
            rollout, event = item
            try:
                self._send(rollout, event)
            except LabError as problem:
                self._log(f"{meta.key(rollout)} event {event.reason} not posted: {problem}")

    def _send(self, rollout: Json, event: Emit) -> None:
        now = self._clock.now()
        allowed, self._budgets[meta.uid(rollout)] = self._budgets.get(meta.uid(rollout), Budget()).spend(now)
        if not allowed:
            return
        key = (meta.uid(rollout), event.type, event.reason, event.message)
        known = self._posted.get(key)
        if known is not None:
            name, count = known
            body = {"count": count + 1, "lastTimestamp": rfc3339(now)}
            try:
                self._client.patch(EVENTS, meta.namespace(rollout), name, body)
                self._posted[key] = (name, count + 1)
                return
            except NotFound:
                del self._posted[key]
        name = f"{meta.name(rollout)}.{next(self._serial):x}"
        self._client.create(EVENTS, meta.namespace(rollout), event_object(rollout, event, name, now))
        if len(self._posted) >= _KEPT:
            self._posted.pop(next(iter(self._posted)))
        self._posted[key] = (name, 1)


def event_object(rollout: Json, event: Emit, name: str, now: float) -> Json:
    """The core/v1 Event about a Rollout."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": meta.namespace(rollout)},
        "involvedObject": {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "namespace": meta.namespace(rollout),
            "name": meta.name(rollout),
            "uid": meta.uid(rollout),
            "resourceVersion": meta.resource_version(rollout),
        },
        "reason": event.reason,
        "message": event.message,
        "type": event.type,
        "source": {"component": names.EVENT_SOURCE},
        "reportingComponent": names.EVENT_SOURCE,
        "reportingInstance": "",
        "firstTimestamp": rfc3339(now),
        "lastTimestamp": rfc3339(now),
        "count": 1,
    }
