"""What the gateway says about objects of its cluster: their status, and an Event for what it does not obey.

Best effort: a write that fails is tried again when something changes, and never stops a request.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from rollout_lab.api import meta
from rollout_lab.api.times import rfc3339
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import EVENTS
from rollout_lab.clock import Clock
from rollout_lab.clusters.gateway.feed import Feed
from rollout_lab.errors import LabError, NotFound
from rollout_lab.gateway.conditions import Wanted, dated
from rollout_lab.gateway.kinds import COMPONENT, REASON, News
from rollout_lab.gateway.objects import Object, Problem

Json = dict[str, Any]


class Telling:
    """Used by one thread. `log` gets what could not be written."""

    def __init__(self, client: KubeClient, feed: Feed, clock: Clock, log: Callable[[str], None]) -> None:
        self._client, self._feed, self._clock, self._log = client, feed, clock, log
        self._news = News()
        self._serial = itertools.count(int(clock.now() * 1000) & 0xFFFFFFFF)

    def statuses(self, wanted: Iterable[Wanted]) -> bool:
        """Bring every status up to date; whether all could be written."""
        fine = True
        for one in wanted:
            res, live = (
                self._feed.resource(one.kind),
                self._feed.find(one.kind, one.namespace, one.name),
            )
            if res is None or live is None or live["metadata"].get("deletionTimestamp"):
                continue
            had = live.get("status") or {}
            new = dated(one, had, rfc3339(self._clock.now()))
            if new == had:
                continue
            body = {"metadata": {"resourceVersion": meta.resource_version(live)}, "status": new}
            try:
                self._client.patch(res, one.namespace or None, one.name, body, subresource="status")
            except NotFound:  # deleted a moment ago: the watch will say so
                continue
            except LabError as problem:
                fine = False
                self._log(f"status of {one.kind} {one.namespace}/{one.name} not written: {problem}")
        return fine

    def problems(self, found: Iterable[Problem]) -> None:
        """An Event for each problem that is new."""

        def live(problem: Problem) -> Object | None:
            return self._feed.find(problem.kind, problem.namespace, problem.name)

        for obj, problem in self._news.of(found, live):
            now = self._clock.now()
            name = f"{problem.name}.{next(self._serial):x}"
            try:
                self._client.create(EVENTS, problem.namespace or "default", event(obj, problem, name, now))
            except NotFound:
                continue
            except LabError as refused:
                self._log(f"Event about {problem.kind} {problem.namespace}/{problem.name}: {refused}")


def event(obj: Object, problem: Problem, name: str, now: float) -> Json:
    """The core/v1 Event about a field that is not obeyed; `now` in seconds since the epoch."""
    about = {
        "apiVersion": obj.get("apiVersion"),
        "kind": obj.get("kind"),
        "name": problem.name,
        "uid": obj["metadata"].get("uid"),
        "resourceVersion": obj["metadata"].get("resourceVersion"),
    }
    if problem.namespace:
        about["namespace"] = problem.namespace
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": problem.namespace or "default"},
        "involvedObject": about,
        "type": "Warning",
        "reason": REASON,
        "message": str(problem),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": "",
        "firstTimestamp": rfc3339(now),
        "lastTimestamp": rfc3339(now),
        "count": 1,
    }
