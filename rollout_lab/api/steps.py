"""The steps of a canary as a union: what one entry of `spec.strategy.canary.steps` asks for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rollout_lab.api import fields
from rollout_lab.api.duration import pause_seconds

KINDS: Final = (
    "setWeight",
    "pause",
    "setCanaryScale",
    "analysis",
    "experiment",
    "setHeaderRoute",
    "setMirrorRoute",
    "plugin",
)
"""Every kind of step the peer knows, in the order it looks for them."""


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Send `weight` percent to the canary."""

    weight: int

    @property
    def kind(self) -> str:
        return "setWeight"


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait `duration` seconds; None waits until a person promotes."""

    duration: float | None = None

    @property
    def kind(self) -> str:
        return "pause"


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A step this engine cannot take: `kind` is its field name, ``""`` for a step that names none."""

    kind: str


@dataclass(frozen=True, slots=True)
class SetCanaryScale:
    """Size the canary apart from its weight: by another weight, by a number of Pods, or (neither) by
    its weight again."""

    weight: int | None = None
    replicas: int | None = None

    @property
    def kind(self) -> str:
        return "setCanaryScale"


@dataclass(frozen=True, slots=True)
class SetRoute:
    """Set (or, without a match, take away) a route by header or a mirror; `field` is the step's field."""

    field: str
    name: str
    match: bool = True

    @property
    def kind(self) -> str:
        return self.field


Step = SetWeight | Pause | SetCanaryScale | SetRoute | Unsupported

ROUTE_FIELDS: Final[Mapping[str, str]] = {"setHeaderRoute": "header", "setMirrorRoute": "mirror"}


def parse(raw: object) -> Step:
    """The step one entry describes. Never fails: what cannot be read is `Unsupported`.

    >>> parse({"setWeight": 33}), parse({"pause": {}}), parse({"pause": {"duration": "2m"}})
    (SetWeight(weight=33), Pause(duration=None), Pause(duration=120.0))
    """
    weight = fields.integer(raw, "setWeight")
    if weight is not None:
        return SetWeight(weight)
    if isinstance(fields.value(raw, "pause"), Mapping):
        return Pause(pause_seconds(fields.value(raw, "pause", "duration")))
    if isinstance(fields.value(raw, "setCanaryScale"), Mapping):
        return _canary_scale(fields.mapping(raw, "setCanaryScale"))
    for field in ROUTE_FIELDS:
        if isinstance(fields.value(raw, field), Mapping):
            return SetRoute(field, fields.text(raw, field, "name"), bool(fields.items(raw, field, "match")))
    return Unsupported(next((kind for kind in KINDS if fields.value(raw, kind) is not None), ""))


def _canary_scale(raw: Mapping[str, Any]) -> SetCanaryScale:
    if fields.flag(raw, "matchTrafficWeight"):
        return SetCanaryScale()
    return SetCanaryScale(fields.integer(raw, "weight"), fields.integer(raw, "replicas"))


def canary_scale_at(raw_steps: Sequence[Any], index: int | None) -> SetCanaryScale | None:
    """The canary scale in force at step `index`: the nearest one at or before it, unless that goes back
    to the weight; None past the end.

    >>> canary_scale_at([{"setCanaryScale": {"replicas": 3}}, {"setWeight": 10}], 1)
    SetCanaryScale(weight=None, replicas=3)

    # upstream: utils/replicaset/canary.go::UseSetCanaryScale
    """
    at = index or 0
    if at >= len(raw_steps):
        return None
    for raw in reversed(raw_steps[: at + 1]):
        if isinstance(fields.value(raw, "setCanaryScale"), Mapping):
            found = _canary_scale(fields.mapping(raw, "setCanaryScale"))
            return found if found != SetCanaryScale() else None
    return None


def routes_of(raw_canary: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every route that the steps of a canary set, as (``header`` or ``mirror``, as written)."""
    return [found for raw in fields.items(raw_canary, "steps") for found in routes_at(raw)]


def routes_at(raw_step: object) -> list[tuple[str, dict[str, Any]]]:
    """The routes one step sets; it may set one of each beside whatever else it does."""
    return [
        (kind, fields.mapping(raw_step, field))
        for field, kind in ROUTE_FIELDS.items()
        if isinstance(fields.value(raw_step, field), Mapping)
    ]


def weight_at(steps: Sequence[Step], index: int | None, maximum: int = 100) -> int:
    """The last weight set at or before step `index`: 0 if none, all past the end or without steps.

    >>> weight_at((SetWeight(33), Pause(), SetWeight(66)), 1), weight_at((SetWeight(33),), 1)
    (33, 100)

    # upstream: utils/replicaset/canary.go::GetCurrentSetWeight
    """
    at = index or 0
    if at >= len(steps):
        return maximum
    weights = [step.weight for step in steps[: at + 1] if isinstance(step, SetWeight)]
    return weights[-1] if weights else 0


def text(step: Step) -> Mapping[str, Any]:
    """The step as the manifest would write it, for showing."""
    match step:
        case SetWeight(weight):
            return {"setWeight": weight}
        case Pause(None):
            return {"pause": {}}
        case Pause(duration):
            return {"pause": {"duration": f"{duration:g}s"}}
        case SetCanaryScale(weight, replicas):
            scale = {"weight": weight, "replicas": replicas}
            given = {key: value for key, value in scale.items() if value is not None}
            return {"setCanaryScale": given or {"matchTrafficWeight": True}}
        case SetRoute(field, name):
            return {field: {"name": name}}
        case Unsupported(kind):
            return {kind: {}}
