"""Has the copy of the cluster caught up with our own writes? A pass on older objects would undo them.

# upstream: rollout/controller.go (a Rollout older than the last own write is looked at again in 100 ms)
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rollout_lab.api import meta
from rollout_lab.api.fields import Json

Key = tuple[str, str, str]
"""(kind, namespace, name)."""

_GONE = ""
MOST_LOOKS = 60
"""Looks in vain after which a write is given up: its object was deleted before the copy showed it."""


class Freshness:
    """Remembers the version each own write led to, until the copy shows it."""

    def __init__(self) -> None:
        self._expected: dict[Key, str] = {}
        self._asked: dict[Key, int] = {}
        self._lock = threading.Lock()

    def wrote(self, obj: Json) -> None:
        """The answer to one of our writes."""
        with self._lock:
            self._expected[_key(obj)] = meta.resource_version(obj)

    def deleted(self, obj: Json) -> None:
        with self._lock:
            self._expected[_key(obj)] = _GONE

    def stale(self, namespace: str, look: Callable[[str, str], Json | None]) -> str:
        """Name of an object of `namespace` whose copy is older than our own write, ``""`` if none.

        `look(kind, name)` reads the copy.
        """
        with self._lock:
            waiting = [(key, version) for key, version in self._expected.items() if key[1] == namespace]
        for key, version in waiting:
            kind, _, name = key
            self._asked[key] = self._asked.get(key, 0) + 1
            if not _caught_up(look(kind, name), version) and self._asked[key] < MOST_LOOKS:
                return f"{kind}/{name}"
            with self._lock:
                self._asked.pop(key, None)
                if self._expected.get(key) == version:
                    del self._expected[key]
        return ""

    def forget(self, kind: str, namespace: str, name: str) -> None:
        """Somebody else deleted it: nothing to wait for."""
        with self._lock:
            self._expected.pop((kind, namespace, name), None)


def _caught_up(copy: Json | None, version: str) -> bool:
    if version == _GONE:
        return copy is None or meta.being_deleted(copy)
    if copy is None:
        return False
    have = meta.resource_version(copy)
    if have.isdigit() and version.isdigit():
        return int(have) >= int(version)
    return have == version


def _key(obj: Json) -> Key:
    return str(obj.get("kind")), meta.namespace(obj), meta.name(obj)
