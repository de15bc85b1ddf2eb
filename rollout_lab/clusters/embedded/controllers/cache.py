"""What the controllers know of the cluster: one cache per resource, kept by a watch, shared by all.

A cache also takes what a controller has just written (`put`, `refresh`), so a decision never rests on
a state older than the controller's own last write. Which objects matter is not decided here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.controllers.objects import Key, Object, key_of, uid_of, version_of
from rollout_lab.clusters.embedded.resources import Resource
from rollout_lab.clusters.embedded.watching import Compacted, Watch

log = logging.getLogger(__name__)
Handler = Callable[[str, Object, Object | None], None]  # (type, object, the object before)


class Cache:
    """The objects of one resource. Handlers hear of every change, one change per turn of the event loop."""

    def __init__(self, api: Api, res: Resource) -> None:
        self.api = api
        self.res = res
        self.handlers: list[Handler] = []
        self._objects: dict[Key, Object] = {}
        self._namespaces: dict[str, dict[str, Object]] = {}
        self._gone: set[str] = set()  # uids deleted by us whose DELETED event is still to come
        self._watch: Watch | None = None

    def get(self, namespace: str, name: str) -> Object | None:
        return self._objects.get((namespace, name))

    def all(self, namespace: str | None = None) -> list[Object]:
        """The objects, of one namespace or of all, in no particular order."""
        if namespace is None:
            return list(self._objects.values())
        return list(self._namespaces.get(namespace, {}).values())

    def open(self) -> None:
        """List now and watch from there; handlers hear ADDED for each object (and what changed meanwhile)."""
        items, rv = self.api.list(self.res)
        before = dict(self._objects)
        for obj in items:
            old = before.pop(key_of(obj), None)
            self._event("MODIFIED" if old else "ADDED", obj, old)
        for old in before.values():
            self._event("DELETED", old, old)
        self._watch = self.api.watch(self.res, since=rv)

    async def run(self) -> None:
        """Follow the watch that `open` began until `close`."""
        while self._watch is not None:
            watch = self._watch
            try:
                async for kind, obj, previous in watch:
                    self._event(kind, obj, previous)
                    await asyncio.sleep(0)  # let the controllers see this change before the next one
                if watch is self._watch:
                    return
            except Compacted:
                log.info("history of %s is gone: listing again", self.res.qualified)
                self.open()

    def close(self) -> None:
        if self._watch is not None:
            watch, self._watch = self._watch, None
            watch.close()

    def put(self, obj: Object) -> None:
        """Know a state we have just written."""
        known = self._objects.get(key_of(obj))
        if known is None or version_of(known) <= version_of(obj):
            self._store(obj)

    def refresh(self, obj: Object) -> None:
        """Know what became of an object we have just deleted or changed in a way that may delete it."""
        live = self.api.find(self.res, *key_of(obj))
        if live is not None and uid_of(live) == uid_of(obj):
            self._store(live)
        else:
            self._gone.add(uid_of(obj))
            self._remove(obj)

    def _event(self, kind: str, obj: Object, previous: Object | None) -> None:
        if kind == "DELETED":
            self._gone.discard(uid_of(obj))
            self._remove(obj)
        elif uid_of(obj) not in self._gone:
            self.put(obj)
        for handler in self.handlers:
            handler(kind, obj, previous)

    def _store(self, obj: Object) -> None:
        key = key_of(obj)
        self._objects[key] = obj
        self._namespaces.setdefault(key[0], {})[key[1]] = obj

    def _remove(self, obj: Object) -> None:
        key = key_of(obj)
        known = self._objects.get(key)
        if known is not None and uid_of(known) == uid_of(obj):
            del self._objects[key]
            del self._namespaces[key[0]][key[1]]


class Caches:
    """One cache per resource, made on first use."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._by_bucket: dict[str, Cache] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._started = False

    def of(self, res: Resource) -> Cache:
        found = self._by_bucket.get(res.bucket)
        if found is None:
            found = self._by_bucket[res.bucket] = Cache(self.api, res)
        return found

    def has(self, res: Resource) -> bool:
        return res.bucket in self._by_bucket

    def open(self) -> None:
        """Fill every cache and follow it; caches asked for later need `follow`."""
        for cache in list(self._by_bucket.values()):
            self.follow(cache)

    def follow(self, cache: Cache) -> None:
        """Fill one cache and keep it up to date from now on."""
        bucket = cache.res.bucket
        if bucket not in self._tasks:
            cache.open()
            self._tasks[bucket] = asyncio.create_task(cache.run(), name=f"cache {bucket}")

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        return list(self._tasks.values())

    def close(self) -> None:
        for cache in self._by_bucket.values():
            cache.close()
        for task in self._tasks.values():
            task.cancel()
