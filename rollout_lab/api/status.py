"""Typed view over `status` of a Rollout: what the engine and the person agreed on so far. Pure.

Written by the controller (and, for a few fields, by promote, abort and retry); see `plan` for when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rollout_lab.api import fields, meta
from rollout_lab.api.fields import Json


@dataclass(frozen=True, slots=True)
class PauseCondition:
    """Why the controller waits, and since when (RFC 3339)."""

    reason: str
    start_time: str


@dataclass(frozen=True, slots=True)
class Destination:
    """One side of the weights: its part, and the Service and version it goes to (``""`` where unknown)."""

    weight: int
    service: str
    hash: str


@dataclass(frozen=True, slots=True)
class Weights:
    """`status.canary.weights`: what the routers were last told."""

    canary: Destination
    stable: Destination

    @staticmethod
    def of(raw: Json) -> Weights | None:
        """The weights of a `status.canary`; None where no router was told anything yet."""
        if not fields.mapping(raw, "weights"):
            return None
        return Weights(_destination(raw, "canary"), _destination(raw, "stable"))

    @property
    def whole(self) -> int:
        """What both sides are together: every request."""
        return self.canary.weight + self.stable.weight

    def part(self, hash_: str) -> int:
        """The weight that goes to a version: of the side it is, or of both once it is promoted."""
        return sum(side.weight for side in (self.canary, self.stable) if side.hash in ("", hash_))


def _destination(raw: Json, side: str) -> Destination:
    found = fields.mapping(raw, "weights", side)
    weight = fields.integer(found, "weight") or 0
    return Destination(weight, fields.text(found, "serviceName"), fields.text(found, "podTemplateHash"))


@dataclass(frozen=True, slots=True)
class Status:
    """`status` of a Rollout; every property has a value where the field is absent."""

    raw: Json

    @property
    def observed_generation(self) -> str:
        """The generation last acted on, a *string* of the number."""
        return fields.text(self.raw, "observedGeneration")

    @property
    def current_pod_hash(self) -> str:
        return fields.text(self.raw, "currentPodHash")

    @property
    def stable_rs(self) -> str:
        """The hash last fully promoted, ``""`` before the first."""
        return fields.text(self.raw, "stableRS")

    @property
    def current_step_hash(self) -> str:
        return fields.text(self.raw, "currentStepHash")

    @property
    def current_step_index(self) -> int | None:
        return fields.integer(self.raw, "currentStepIndex")

    @property
    def pause_conditions(self) -> tuple[PauseCondition, ...]:
        return tuple(
            PauseCondition(fields.text(c, "reason"), fields.text(c, "startTime"))
            for c in fields.objects(self.raw, "pauseConditions")
        )

    @property
    def controller_pause(self) -> bool:
        return fields.flag(self.raw, "controllerPause") or False

    @property
    def abort(self) -> bool:
        return fields.flag(self.raw, "abort") or False

    @property
    def aborted_at(self) -> str:
        return fields.text(self.raw, "abortedAt")

    @property
    def promote_full(self) -> bool:
        return fields.flag(self.raw, "promoteFull") or False

    @property
    def collision_count(self) -> int | None:
        return fields.integer(self.raw, "collisionCount")

    @property
    def restarted_at(self) -> str:
        return fields.text(self.raw, "restartedAt")

    @property
    def phase(self) -> str:
        return fields.text(self.raw, "phase")

    @property
    def message(self) -> str:
        return fields.text(self.raw, "message")

    @property
    def replicas(self) -> int:
        return fields.integer(self.raw, "replicas") or 0

    @property
    def updated_replicas(self) -> int:
        return fields.integer(self.raw, "updatedReplicas") or 0

    @property
    def ready_replicas(self) -> int:
        return fields.integer(self.raw, "readyReplicas") or 0

    @property
    def available_replicas(self) -> int:
        return fields.integer(self.raw, "availableReplicas") or 0

    @property
    def active_selector(self) -> str:
        return fields.text(self.raw, "blueGreen", "activeSelector")

    @property
    def preview_selector(self) -> str:
        return fields.text(self.raw, "blueGreen", "previewSelector")

    @property
    def scale_up_preview_check_point(self) -> bool:
        return fields.flag(self.raw, "blueGreen", "scaleUpPreviewCheckPoint") or False

    @property
    def weights(self) -> Weights | None:
        """What the routers were last told; None without a router."""
        return Weights.of(fields.mapping(self.raw, "canary"))

    @property
    def stable_ping_pong(self) -> str:
        """Which of the two Services is stable, ``ping`` or ``pong``; ``""`` before the first promotion."""
        return fields.text(self.raw, "canary", "stablePingPong")

    @property
    def conditions(self) -> list[Json]:
        return fields.objects(self.raw, "conditions")

    def condition(self, type_: str) -> dict[str, Any] | None:
        return meta.condition(self.conditions, type_)
