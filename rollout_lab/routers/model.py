"""What every router speaks: the objects it looks at, the traffic wanted, the objects it wants. Pure values.

A router is anything with the shape of `Router`. It is asked in every pass and has no memory: what it
did before stands in the objects it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rollout_lab.api import fields, meta
from rollout_lab.api.fields import Json
from rollout_lab.api.problems import FieldError, invalid
from rollout_lab.api.rollout import Rollout
from rollout_lab.api.routing import PLUGINS, Routing

ROUTING_PATH = "spec.strategy.canary.trafficRouting"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object as the API server names it. `remedy` says how a server learns it."""

    api_version: str
    name: str
    plural: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.api_version})"


@dataclass(frozen=True, slots=True)
class Ref:
    """One object by its address."""

    kind: Kind
    namespace: str
    name: str

    @property
    def about(self) -> str:
        """``Ingress/demo``."""
        return f"{self.kind.name}/{self.name}"


Objects = Mapping[Ref, Json]
"""The objects there are; one that is missing is simply not in it."""


class RouteKind(StrEnum):
    """What a step may add to the weights."""

    HEADER = "header"
    MIRROR = "mirror"


@dataclass(frozen=True, slots=True)
class Route:
    """A route that a step sets: requests with these headers to the canary, or copies of requests to it.

    Without a match the step takes the route of that name away.
    """

    kind: RouteKind
    raw: Json

    @property
    def name(self) -> str:
        return fields.text(self.raw, "name")

    @property
    def match(self) -> list[Json]:
        return fields.objects(self.raw, "match")

    @property
    def percentage(self) -> int | None:
        """Of the mirrored requests, in percent; None is all."""
        return fields.integer(self.raw, "percentage")


@dataclass(frozen=True, slots=True)
class Traffic:
    """What requests should do now. `weight` is the canary's part of `maximum`; stable has the rest.

    `routes` are to be set (or, without a match, taken away); `clear` takes every managed route away.
    `canary_ready` says whether the canary has a Pod that could take a request.
    """

    rollout: Rollout
    weight: int
    maximum: int = 100
    stable_service: str = ""
    canary_service: str = ""
    stable_hash: str = ""
    canary_hash: str = ""
    canary_ready: bool = True
    routes: tuple[Route, ...] = ()
    clear: bool = False

    @property
    def rest(self) -> int:
        """What stable gets."""
        return self.maximum - self.weight

    @property
    def routing(self) -> Routing:
        found = self.rollout.routing
        assert found is not None, "a router is only asked where trafficRouting is written"
        return found


@dataclass(frozen=True, slots=True)
class Change:
    """One object as it should be, and the Event (reason, message) that belongs to writing it."""

    ref: Ref
    body: Json
    reason: str
    message: str


class Router(Protocol):
    """A way to route by weight.

    `name` is a field of `trafficRouting` or, where `plugin` is true, a key of `trafficRouting.plugins`.
    """

    @property
    def name(self) -> str: ...

    @property
    def plugin(self) -> bool: ...

    def refs(self, rollout: Rollout) -> tuple[Ref, ...]:
        """Every object it reads or writes for this Rollout, whether it is there or not."""
        ...

    def problems(self, rollout: Rollout, objects: Objects) -> Iterable[FieldError]:
        """Why it cannot route: an object is missing or does not fit. Empty means `changes` will work."""
        ...

    def changes(self, traffic: Traffic, objects: Objects) -> Iterable[Change]:
        """The objects as they should be, in the order to write them; equal ones are left out later."""
        ...


def settings(rollout: Rollout, router: Router) -> Json:
    """The part of the spec that is this router's."""
    raw = rollout.routing.raw if rollout.routing is not None else {}
    path = (PLUGINS, router.name) if router.plugin else (router.name,)
    return fields.mapping(raw, *path)


def path_of(router: Router, *below: str) -> str:
    """The path of a field of the router's settings, for errors."""
    own = f"{PLUGINS}[{router.name}]" if router.plugin else router.name
    return ".".join((ROUTING_PATH, own, *below))


def missing(path: str, ref: Ref) -> FieldError:
    """A named object is not there."""
    what = f'{ref.kind.name} "{ref.name}" not found in namespace {ref.namespace}'
    return invalid(path, ref.name, f"{what}; create it, or correct the name")


def somebody_elses(path: str, ref: Ref, body: Json, rollout: Rollout) -> FieldError | None:
    """An object of the name this router would use belongs to something else."""
    if meta.is_controlled_by(body, rollout.raw):
        return None
    owner = meta.controller_of(body) or {}
    who = f"{owner.get('kind')} {owner.get('name')}" if owner else "nobody"
    detail = f'{ref.kind.name} "{ref.name}" is there already and belongs to {who}; delete or rename it'
    return invalid(path, ref.name, detail)


def covers(there: object, wanted: object) -> bool:
    """Whether `there` says all of `wanted`: the server may have filled in more fields.

    >>> covers({"a": 1, "b": [{"c": 2, "d": 3}]}, {"b": [{"c": 2}]}), covers([1, 2], [1])
    (True, False)
    """
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(covers(there.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(there, list)
            and len(there) == len(wanted)
            and all(covers(a, b) for a, b in zip(there, wanted, strict=True))
        )
    return bool(there == wanted)


def with_annotations(body: Json, annotations: Mapping[str, str | None]) -> Json:
    """A copy of `body` with these annotations; None takes one away."""
    about = fields.mapping(body, "metadata")
    found = {**meta.annotations(body), **{k: v for k, v in annotations.items() if v is not None}}
    kept = {k: v for k, v in found.items() if annotations.get(k, "") is not None}
    return {**body, "metadata": {**about, "annotations": kept}}


def with_labels(body: Json, labels: Mapping[str, str | None]) -> Json:
    """A copy of `body` with these labels; None takes one away, and an empty map of labels with it."""
    about = fields.mapping(body, "metadata")
    found = {**meta.labels(body), **labels}
    kept = {k: v for k, v in found.items() if v is not None}
    if kept == meta.labels(body):
        return body
    rest = {k: v for k, v in about.items() if k != "labels"}
    return {**body, "metadata": {**rest, **({"labels": kept} if kept else {})}}


def with_spec(body: Json, **spec: object) -> Json:
    """A copy of `body` with these fields of its spec."""
    return {**body, "spec": {**fields.mapping(body, "spec"), **spec}}
