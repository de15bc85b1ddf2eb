"""The shell all controllers share: workers on a queue, writes through the API, Events. No rules in here.

A controller is a function from a key to an optional delay; whatever it raises is logged, and the key is
tried again with back-off. One key never stops the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from rollout_lab.clock import Clock
from rollout_lab.clusters.embedded.api import Api, Preconditions
from rollout_lab.clusters.embedded.controllers.cache import Cache, Caches
from rollout_lab.clusters.embedded.controllers.objects import Key, Object, key_of, meta, uid_of
from rollout_lab.clusters.embedded.controllers.queue import WorkQueue
from rollout_lab.clusters.embedded.resources import Resource
from rollout_lab.errors import ApiError, Conflict, NotFound

log = logging.getLogger(__name__)
Reconcile = Callable[[Key], Awaitable[float | None]]


class Context:
    """What a controller works with: caches to read, methods to write, the clock."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.clock: Clock = api.clock
        self.caches = Caches(api)

    def now(self) -> float:
        return self.clock.now()

    def cache(self, res: Resource) -> Cache:
        return self.caches.of(res)

    def create(self, res: Resource, ns: str, body: Object) -> Object:
        made = self.api.create(res, ns, body)
        self._know(res, made)
        return made

    def update(self, res: Resource, obj: Object, *, subresource: str = "") -> Object:
        """PUT; raises Conflict when somebody else wrote since `obj` was read."""
        ns, name = key_of(obj)
        made = self.api.update(res, ns, name, obj, subresource=subresource)
        self._know(res, made)
        return made

    def merge(self, res: Resource, obj: Object, patch: Object, *, subresource: str = "") -> Object:
        """Merge-patch the very object that was read (its uid is part of the patch)."""
        ns, name = key_of(obj)
        metadata = {**patch.get("metadata", {}), "uid": uid_of(obj)}
        made = self.api.patch(
            res, ns, name, {**patch, "metadata": metadata}, "merge", subresource=subresource
        )
        if self.caches.has(res):
            self.cache(res).refresh(made)
        return made

    def delete(self, res: Resource, obj: Object, *, propagation: str | None = None, **more: Any) -> None:
        """DELETE the very object that was read; being gone already is fine."""
        ns, name = key_of(obj)
        wanted = Preconditions(uid=uid_of(obj))
        try:
            self.api.delete(res, ns, name, propagation=propagation, preconditions=wanted, **more)
        except NotFound:
            return
        finally:
            if self.caches.has(res):
                self.cache(res).refresh(obj)

    def write_status(self, res: Resource, obj: Object, status: Object) -> Object:
        """Replace `status`, also when somebody changed the rest of the object meanwhile."""
        ns, name = key_of(obj)
        while True:
            try:
                return self.update(res, {**obj, "status": status}, subresource="status")
            except Conflict:
                live = self.api.get(res, ns, name)
                if uid_of(live) != uid_of(obj) or meta(live) == meta(obj):
                    raise
                obj = live

    def _know(self, res: Resource, obj: Object) -> None:
        if self.caches.has(res):
            self.cache(res).put(obj)


class Controller:
    """One controller: a queue of keys and the workers that reconcile them."""

    def __init__(self, name: str, ctx: Context, reconcile: Reconcile, *, workers: int = 2) -> None:
        self.name = name
        self.ctx = ctx
        self.queue: WorkQueue[Key] = WorkQueue(ctx.clock)
        self._reconcile = reconcile
        self._workers = workers

    def on(self, res: Resource, keys: Callable[[Object, Object | None], list[Key]]) -> None:
        """Reconcile the keys that `keys(object, object before)` names whenever a `res` changes."""

        def handler(kind: str, obj: Object, previous: Object | None) -> None:
            for key in keys(obj, None if kind == "DELETED" else previous):
                self.queue.add(key)

        self.ctx.cache(res).handlers.append(handler)

    def start(self) -> list[asyncio.Task[None]]:
        names = (f"{self.name} {n}" for n in range(self._workers))
        return [asyncio.create_task(self._work(), name=name) for name in names]

    def close(self) -> None:
        self.queue.close()

    async def _work(self) -> None:
        while True:
            key = await self.queue.get()
            try:
                delay = await self._reconcile(key)
            except (Conflict, NotFound) as error:
                log.debug("%s %s/%s: %s", self.name, *key, error)
                self.queue.add_limited(key)
            except ApiError as error:
                log.warning("%s %s/%s: %s", self.name, *key, error)
                self.queue.add_limited(key)
            except Exception:
                log.exception("%s %s/%s: trying again", self.name, *key)
                self.queue.add_limited(key)
            else:
                self.queue.forget(key)
                if delay is not None:
                    self.queue.add_after(key, delay)
            finally:
                self.queue.done(key)
