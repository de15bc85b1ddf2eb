"""What the gateway says about objects: their status, and an Event for each field it does not obey."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.events import Recorder
from rollout_lab.clusters.embedded.controllers.runtime import Context
from rollout_lab.clusters.embedded.gateway.feed import Feed
from rollout_lab.errors import ApiError
from rollout_lab.gateway.conditions import Wanted, dated
from rollout_lab.gateway.kinds import COMPONENT, REASON, News
from rollout_lab.gateway.objects import Object, Problem

log = logging.getLogger(__name__)


class Telling:
    """Writes statuses when they differ, and each Event once for as long as its problem lasts."""

    def __init__(self, ctx: Context, feed: Feed) -> None:
        self._ctx, self._feed = ctx, feed
        self._recorders: dict[str, Recorder] = {}
        self._news = News()

    def statuses(self, wanted: Iterable[Wanted]) -> None:
        """Bring every status up to date. An object that is gone or refuses is left alone."""
        for one in wanted:
            res = self._feed.resource(one.kind)
            if res is None or not res.has("status"):
                continue
            live = self._ctx.api.find(res, one.namespace or None, one.name)
            if live is None or live["metadata"].get("deletionTimestamp"):
                continue
            had = live.get("status") or {}
            new = dated(one, had, rfc3339(self._ctx.now()))
            if new == had:
                continue
            try:
                self._ctx.write_status(res, live, new)
            except ApiError as error:
                log.debug("status of %s %s/%s not written: %s", one.kind, one.namespace, one.name, error)

    def problems(self, found: Iterable[Problem]) -> None:
        """An Event for each problem that is new."""

        def live(problem: Problem) -> Object | None:
            res = self._feed.resource(problem.kind)
            return self._ctx.api.find(res, problem.namespace or None, problem.name) if res else None

        for obj, problem in self._news.of(found, live):
            self._recorder(problem.kind).warning(dict(obj), REASON, str(problem))

    def _recorder(self, kind: str) -> Recorder:
        recorder = self._recorders.get(kind)
        if recorder is None:
            res = self._feed.resource(kind)
            assert res is not None, f"an object of kind {kind} was found"
            recorder = Recorder(self._ctx, COMPONENT, res.api_version, res.kind)
            self._recorders[kind] = recorder
        return recorder
