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


Step = SetWeight | Pause | Unsupported


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
    return Unsupported(next((kind for kind in KINDS if fields.value(raw, kind) is not None), ""))


def weight_at(steps: Sequence[Step], index: int | None) -> int:
    """The last weight set at or before step `index`: 0 if none, 100 past the end or without steps.

    >>> weight_at((SetWeight(33), Pause(), SetWeight(66)), 1), weight_at((SetWeight(33),), 1)
    (33, 100)

    # upstream: utils/replicaset/canary.go::GetCurrentSetWeight
    """
    at = index or 0
    if at >= len(steps):
        return 100
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
        case Unsupported(kind):
            return {kind: {}}
