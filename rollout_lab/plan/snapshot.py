"""What one pass of the engine looks at: objects as they are, and the time. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollout_lab.api.fields import Json
from rollout_lab.routers.model import Ref


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything `planner.plan` may know.

    `now` is in seconds since the epoch. `replica_sets` are those the Rollout owns, `services` those
    of its namespace that it names (by name; a missing one is simply not there), `pods` those of its
    ReplicaSets (needed only while a restart is asked for). `routes` are the objects its routers read or
    write, `absent` the kinds (``str(kind)``) of them that the API server does not give, and why.
    """

    now: float
    rollout: Json
    replica_sets: tuple[Json, ...] = ()
    services: Mapping[str, Json] = field(default_factory=dict)
    pods: tuple[Json, ...] = ()
    routes: Mapping[Ref, Json] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.rollout.get("metadata"), Mapping):
            raise ValueError("a snapshot needs the Rollout it is about")
