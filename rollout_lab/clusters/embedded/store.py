"""The objects of the cluster and what happened to them. Pure: no asyncio, no clock, no Kubernetes rules.

One resourceVersion counts every write of the whole cluster. Every write is a `Change` in the log of its
bucket (one bucket per resource); readers of the log keep their own position, so nobody is ever skipped:
a reader that falls behind what the log still holds is told so (`Compacted`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

KEEP = 1024  # changes a bucket's log holds: a slow reader's leeway, and the memory it may cost
Key = tuple[str, str]  # namespace ("" for cluster scope), name
Object = dict[str, Any]


class Compacted(Exception):
    """The log no longer reaches back to the wanted resourceVersion."""


@dataclass(frozen=True, slots=True)
class Change:
    """One write. `object` is the state after it (for DELETED: the last state, at the deletion's `rv`)."""

    rv: int
    type: str  # ADDED, MODIFIED, DELETED
    key: Key
    object: Object
    previous: Object | None


@dataclass(slots=True)
class Bucket:
    """The objects of one resource, and the log of their changes (`dropped` entries are gone)."""

    objects: dict[Key, Object] = field(default_factory=dict)
    log: deque[Change] = field(default_factory=deque)
    dropped: int = 0
    floor: int = 0  # the highest resourceVersion that is no longer in the log
    listeners: list[Callable[[], None]] = field(default_factory=list)


class Store:
    """Objects by bucket and key under one monotonic resourceVersion.

    Objects are never changed in place; whoever reads one must not change it either.
    `on_change` is called after every write (persistence), listeners of a bucket likewise (watches).
    """

    def __init__(self, *, keep: int = KEEP, rv: int = 1) -> None:
        self.rv = rv
        self.keep = keep
        self.buckets: dict[str, Bucket] = {}
        self.on_change: list[Callable[[str, Change], None]] = []
        self.compacted = 0

    def bucket(self, name: str) -> Bucket:
        found = self.buckets.get(name)
        if found is None:
            found = self.buckets[name] = Bucket(floor=self.compacted)
        return found

    def get(self, bucket: str, key: Key) -> Object | None:
        found = self.buckets.get(bucket)
        return found.objects.get(key) if found else None

    def items(self, bucket: str, namespace: str | None = None) -> list[Object]:
        """The objects in key order; of one namespace, or of all."""
        found = self.buckets.get(bucket)
        if found is None:
            return []
        keys = found.objects if namespace is None else [k for k in found.objects if k[0] == namespace]
        return [found.objects[k] for k in sorted(keys)]

    def items_at(self, bucket: str, rv: int) -> list[tuple[Key, Object]]:
        """The objects as they were at resourceVersion `rv`, in key order. Raises Compacted."""
        found = self.bucket(bucket)
        if rv < found.floor:
            raise Compacted
        state = dict(found.objects)
        for change in reversed(found.log):
            if change.rv <= rv:
                break
            if change.previous is None:
                state.pop(change.key, None)
            else:
                state[change.key] = change.previous
        return sorted(state.items(), key=lambda entry: entry[0])

    def put(self, bucket: str, key: Key, obj: Object) -> Object:
        """Write `obj` under the next resourceVersion; the stored object (a copy with the new version)."""
        found = self.bucket(bucket)
        previous = found.objects.get(key)
        self.rv += 1
        stored = with_version(obj, self.rv)
        found.objects[key] = stored
        self._append(
            bucket, found, Change(self.rv, "MODIFIED" if previous else "ADDED", key, stored, previous)
        )
        return stored

    def remove(self, bucket: str, key: Key, last: Object | None = None) -> Object:
        """Delete; the last state as watchers see it, with the deletion's resourceVersion."""
        found = self.bucket(bucket)
        previous = found.objects.pop(key)
        self.rv += 1
        gone = with_version(last or previous, self.rv)
        self._append(bucket, found, Change(self.rv, "DELETED", key, gone, previous))
        return gone

    def restore(self, bucket: str, entries: Iterable[tuple[Key, Object]]) -> None:
        """Objects kept by an earlier process, as they were, without history."""
        found = self.bucket(bucket)
        found.objects.update(entries)
        found.floor = max(found.floor, self.rv)

    def compact(self) -> None:
        """Forget all history: every older resourceVersion is too old from now on."""
        self.compacted = self.rv
        for found in self.buckets.values():
            found.dropped += len(found.log)
            found.log.clear()
            found.floor = self.rv

    def start_of(self, bucket: str, since: int) -> int:
        """The log position of the first change after `since`. Raises Compacted."""
        found = self.bucket(bucket)
        if since < found.floor:
            raise Compacted
        position = found.dropped + len(found.log)
        for change in reversed(found.log):
            if change.rv <= since:
                break
            position -= 1
        return position

    def read(self, bucket: str, position: int) -> list[Change]:
        """The changes from a log position on. Raises Compacted when some of them are gone."""
        found = self.bucket(bucket)
        if position < found.dropped:
            raise Compacted
        skip = position - found.dropped
        length = len(found.log)
        if length - skip <= 8:  # the usual case: a reader that keeps up
            return [found.log[i] for i in range(skip, length)]
        return list(found.log)[skip:]

    def end_of(self, bucket: str) -> int:
        found = self.bucket(bucket)
        return found.dropped + len(found.log)

    def listen(self, bucket: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` after every change of the bucket; the answer undoes it."""
        listeners = self.bucket(bucket).listeners
        listeners.append(wake)

        def forget() -> None:
            if wake in listeners:
                listeners.remove(wake)

        return forget

    def _append(self, name: str, found: Bucket, change: Change) -> None:
        found.log.append(change)
        while len(found.log) > self.keep:
            found.floor = found.log.popleft().rv
            found.dropped += 1
        for callback in self.on_change:
            callback(name, change)
        for wake in tuple(found.listeners):
            wake()

    def __iter__(self) -> Iterator[tuple[str, Bucket]]:
        return iter(self.buckets.items())


def with_version(obj: Object, rv: int) -> Object:
    """A copy of `obj` with this resourceVersion; the original stays as it is."""
    return {**obj, "metadata": {**obj.get("metadata", {}), "resourceVersion": str(rv)}}
