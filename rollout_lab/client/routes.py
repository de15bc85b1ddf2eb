"""Copies of the objects that traffic routers read and write, of those kinds only that a Rollout asks for.

A kind is watched from the first Rollout on that names it, so a cluster without Istio or Gateway API
is never asked for them. A kind the API server does not give is told to the planner with the reason;
it is asked for again and again, and found on the day it is there. Nothing is decided or written here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from rollout_lab.api import meta
from rollout_lab.api.fields import Json
from rollout_lab.api.rollout import Rollout
from rollout_lab.client.mirror import Callback, Mirror
from rollout_lab.client.resources import Resource
from rollout_lab.errors import ApiError, LabError, NotFound
from rollout_lab.routers import table
from rollout_lab.routers.model import Kind, Ref

_GIVES_NONE = (403, 404)

MakeMirror = Callable[[Resource, Callable[[LabError], None], Callable[[], None]], Mirror]
"""(resource, called with each trouble, called after each complete list) -> a mirror, not started."""


class NotLooked(LabError):
    """A kind was asked for a moment ago and nothing is known of it yet: look again shortly."""


@dataclass(slots=True)
class _Copy:
    """One kind. `problem` is why there is none now, None where there is; `asked` once either is known."""

    mirror: Mirror
    problem: str | None = None
    asked: threading.Event = field(default_factory=threading.Event)


class Routes:
    """The copies, by kind. `changed(kind)` is called when a kind is there that was not before, or gone."""

    def __init__(self, make: MakeMirror, changed: Callable[[Kind], None]) -> None:
        self._make = make
        self._changed = changed
        self._copies: dict[Kind, _Copy] = {}
        self._callbacks: list[Callback] = []
        self._lock = threading.Lock()
        self._stopped = False

    def on_event(self, callback: Callback) -> None:
        """Call `callback(type, object)` for each change, also of kinds that are watched later."""
        self._callbacks.append(callback)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            copies = list(self._copies.values())
        for copy in copies:
            copy.mirror.stop()

    def gather(self, refs: Iterable[Ref]) -> tuple[Mapping[Ref, Json], Mapping[str, str]]:
        """The objects there are, and the kinds (``str(kind)``) that are not, with the reason.

        Raises NotLooked where a kind has just been asked for.
        """
        objects: dict[Ref, Json] = {}
        absent: dict[str, str] = {}
        wanted = tuple(refs)
        copies = {kind: self._watch(kind) for kind in dict.fromkeys(ref.kind for ref in wanted)}
        for kind, copy in copies.items():
            if not copy.asked.is_set():
                raise NotLooked(f"{kind}: not listed yet")
            if copy.problem is not None:
                absent[str(kind)] = copy.problem
        for ref in wanted:
            there = copies[ref.kind].mirror.get(ref.namespace, ref.name)
            if there is not None and str(ref.kind) not in absent:
                objects[ref] = there
        return objects, absent

    def look(self, kind: str, namespace: str, name: str) -> Json | None:
        """The copy of one object by the name of its kind; None where there is none."""
        with self._lock:
            copies = [copy for found, copy in self._copies.items() if found.name == kind]
        return next((found for copy in copies if (found := copy.mirror.get(namespace, name))), None)

    def _watch(self, kind: Kind) -> _Copy:
        with self._lock:
            known = self._copies.get(kind)
            if known is not None:
                return known
            made = self._copy(kind)
            self._copies[kind] = made
            if not self._stopped:
                made.mirror.start()
            return made

    def _copy(self, kind: Kind) -> _Copy:
        def trouble(problem: LabError) -> None:
            """A server that is away for a while has its kinds still; one that answers no has not."""
            if not isinstance(problem, ApiError) or problem.code not in _GIVES_NONE:
                return
            why = "" if isinstance(problem, NotFound) else problem.message
            if copy.problem != why:
                copy.problem = why
                copy.asked.set()
                self._changed(kind)

        def listed() -> None:
            new = copy.problem is not None or not copy.asked.is_set()
            copy.problem = None
            copy.asked.set()
            if new:
                self._changed(kind)

        mirror = self._make(resource_of(kind), trouble, listed)
        for callback in self._callbacks:
            mirror.on_event(callback)
        copy = _Copy(mirror)
        return copy


def resource_of(kind: Kind) -> Resource:
    """Where objects of that kind live.

    >>> resource_of(Kind("networking.k8s.io/v1", "Ingress", "ingresses")).path("demo")
    '/apis/networking.k8s.io/v1/namespaces/demo/ingresses'
    """
    group, _, version = kind.api_version.rpartition("/")
    return Resource(group, version, kind.plural, kind.name)


def concerned(obj: Json, rollouts: Iterable[Json]) -> Iterator[tuple[str, str]]:
    """(namespace, name) of the Rollouts whose routers read or write `obj`."""
    address = (obj.get("kind"), meta.namespace(obj), meta.name(obj))
    for raw in rollouts:
        refs = table.refs(Rollout(raw))
        if any((ref.kind.name, ref.namespace, ref.name) == address for ref in refs):
            yield meta.namespace(raw), meta.name(raw)


def using(kind: Kind, rollouts: Iterable[Json]) -> Iterator[tuple[str, str]]:
    """(namespace, name) of the Rollouts whose routers need that kind."""
    for raw in rollouts:
        if any(ref.kind == kind for ref in table.refs(Rollout(raw))):
            yield meta.namespace(raw), meta.name(raw)
