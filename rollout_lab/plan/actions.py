"""What a plan asks for: one dataclass per write. Nothing here sends or decides.

The order of a plan's actions matters: each may be the last one carried out before a crash, and
the next pass goes on from whatever stands in the cluster then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollout_lab.api.fields import Json
from rollout_lab.plan.why import Why
from rollout_lab.routers.model import Ref


@dataclass(frozen=True, slots=True)
class CreateReplicaSet:
    """Create this ReplicaSet (size 0, so a repeat after a crash does no harm)."""

    body: Json

    @property
    def name(self) -> str:
        return str(self.body["metadata"]["name"])


@dataclass(frozen=True, slots=True)
class ScaleReplicaSet:
    """Set size and annotations (None removes one) in one write."""

    name: str
    replicas: int
    annotations: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnnotateReplicaSet:
    """Set annotations (None removes one) and, where given, minReadySeconds."""

    name: str
    annotations: Mapping[str, str | None]
    min_ready_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteReplicaSet:
    name: str


@dataclass(frozen=True, slots=True)
class PatchService:
    """Point the Service at one version; `managed_by` also marks it as ours."""

    name: str
    hash: str
    managed_by: str | None = None


@dataclass(frozen=True, slots=True)
class WriteRoute:
    """Make a router's object be `body`; `before` is what it was read as, None where it is to be created."""

    ref: Ref
    body: Json
    before: Json | None


@dataclass(frozen=True, slots=True)
class EvictPod:
    name: str


@dataclass(frozen=True, slots=True)
class UpdateRollout:
    """Change the Rollout itself: annotations, and `replicas` where it was not written."""

    annotations: Mapping[str, str] = field(default_factory=dict)
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class PatchStatus:
    """A JSON merge patch of `status`."""

    patch: Json


@dataclass(frozen=True, slots=True)
class Emit:
    """An Event about the Rollout; `type` is Normal or Warning."""

    reason: str
    message: str
    type: str = "Normal"


Write = (
    CreateReplicaSet
    | ScaleReplicaSet
    | AnnotateReplicaSet
    | DeleteReplicaSet
    | PatchService
    | WriteRoute
    | EvictPod
    | UpdateRollout
    | PatchStatus
)
Action = Write | Emit


@dataclass(frozen=True, slots=True)
class Plan:
    """One pass: what to write, in this order; the status after it; when to look again; and why.

    `requeue_after` is in lab seconds, None where only a change needs another pass.
    """

    actions: tuple[Action, ...]
    status: Json
    requeue_after: float | None
    why: tuple[Why, ...]

    @property
    def writes(self) -> tuple[Write, ...]:
        return tuple(a for a in self.actions if not isinstance(a, Emit))
