"""A live copy of one kind of object: list, watch, resume, list again when too old.

A mirror tells what changed and never decides. Its thread is the only one that changes the copy,
so callbacks come one at a time and in the order the server sent them.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import Resource
from rollout_lab.client.watch import Watch
from rollout_lab.errors import ApiError, ClusterUnavailable, Gone, LabError

JsonObject = dict[str, Any]
Callback = Callable[[str, JsonObject], None]
Key = tuple[str, str]


def jittered_backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: 0.1 s doubling to 10 s, give or take a half."""
    return float(min(10.0, 0.1 * 2.0 ** min(failures, 10)) * (0.5 + random.random()))


class Mirror:
    """Objects of `resource` in `namespace` (None: all), kept like the server's.

    Objects are shared with callers: treat them as immutable. `on_error` hears each trouble, `on_list`
    that the copy is complete (again), both on the mirror's thread.
    """

    def __init__(
        self,
        client: KubeClient,
        resource: Resource,
        namespace: str | None = None,
        label_selector: str = "",
        *,
        backoff: Callable[[int], float] = jittered_backoff,
        on_error: Callable[[LabError], None] = lambda problem: None,
        on_list: Callable[[], None] = lambda: None,
    ) -> None:
        self.resource = resource
        self._client = client
        self._namespace = namespace if resource.namespaced else None
        self._selector = label_selector
        self._backoff = backoff
        self._on_error = on_error
        self._on_list = on_list
        self._objects: dict[Key, JsonObject] = {}
        self._callbacks: list[Callback] = []
        self._lock = threading.Lock()
        self._synced = threading.Event()
        self._stop = threading.Event()
        self._watch: Watch | None = None
        self._version = ""
        self._thread = threading.Thread(target=self._run, name=f"mirror-{resource.plural}", daemon=True)

    def on_event(self, callback: Callback) -> None:
        """Call `callback(type, object)` for each ADDED, MODIFIED and DELETED, on the mirror's thread.

        Register before `start`. After a relist only what really changed is reported.
        """
        self._callbacks.append(callback)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """End the watch at once and wait for the thread."""
        self._stop.set()
        with self._lock:
            watch = self._watch
        if watch is not None:
            watch.close()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def wait_synced(self, timeout: float | None = None) -> bool:
        """Wait (wall seconds) until the first list is in; whether it is."""
        return self._synced.wait(timeout)

    @property
    def synced(self) -> bool:
        return self._synced.is_set()

    def get(self, ns: str | None, name: str) -> JsonObject | None:
        with self._lock:
            return self._objects.get((ns or "", name))

    def list(self, ns: str | None = None) -> list[JsonObject]:
        """All objects, or those of one namespace, by namespace and name."""
        with self._lock:
            return [obj for key, obj in sorted(self._objects.items()) if ns is None or key[0] == ns]

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                if not self._version:
                    self._list_all()
                if self._follow():
                    failures = 0
                    continue
            except Gone:
                self._version = ""
                if failures == 0:
                    failures = 1
                    continue
            except ApiError as problem:
                self._version = ""
                self._on_error(problem)
            except ClusterUnavailable as problem:
                self._on_error(problem)
            failures += 1
            self._stop.wait(self._backoff(failures))

    def _list_all(self) -> None:
        answer = self._client.list(self.resource, self._namespace, self._selector)
        found = {_key(obj): _with_kind(obj, self.resource) for obj in answer.get("items") or []}
        with self._lock:
            before = dict(self._objects)
        for key, obj in before.items():
            if key not in found:
                self._change("DELETED", obj)
        for key, obj in found.items():
            old = before.get(key)
            if old is None or _uid(old) != _uid(obj):
                self._change("ADDED", obj)
            elif _version(old) != _version(obj):
                self._change("MODIFIED", obj)
        self._version = _version(answer)
        self._synced.set()
        self._on_list()

    def _follow(self) -> bool:
        """Watch until the server ends it; whether anything came, so that an empty end is waited out."""
        came = False
        watch = self._client.watch(self.resource, self._namespace, self._version, self._selector)
        with self._lock:
            self._watch = watch
        try:
            if self._stop.is_set():
                watch.close()
            for kind, obj in watch:
                came = True
                if kind in ("ADDED", "MODIFIED", "DELETED"):
                    self._change(kind, _with_kind(obj, self.resource))
                self._version = _version(obj) or self._version
        finally:
            with self._lock:
                self._watch = None
        return came

    def _change(self, kind: str, obj: JsonObject) -> None:
        key = _key(obj)
        with self._lock:
            known = key in self._objects
            if kind == "DELETED":
                self._objects.pop(key, None)
            else:
                self._objects[key] = obj
        if kind == "DELETED" and not known:
            return
        if kind == "ADDED" and known:
            kind = "MODIFIED"
        for callback in self._callbacks:
            callback(kind, obj)


def _key(obj: Mapping[str, Any]) -> Key:
    meta = obj.get("metadata") or {}
    return str(meta.get("namespace") or ""), str(meta.get("name") or "")


def _uid(obj: Mapping[str, Any]) -> str:
    return str((obj.get("metadata") or {}).get("uid") or "")


def _version(obj: Mapping[str, Any]) -> str:
    return str((obj.get("metadata") or {}).get("resourceVersion") or "")


def _with_kind(obj: JsonObject, resource: Resource) -> JsonObject:
    """Items of a list carry no apiVersion and kind; the copies here always do."""
    return obj if obj.get("kind") else {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
