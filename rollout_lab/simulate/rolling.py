"""How a plain Deployment replaces its Pods: the numbers of RollingUpdate and Recreate. Pure.

For the comparison with a Rollout only. A test holds these numbers equal to those of the embedded
cluster's Deployment controller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Size:
    """One ReplicaSet: Pods it is to have, and how many are available."""

    wanted: int
    available: int


@dataclass(frozen=True, slots=True)
class Room:
    """What the strategy allows, in Pods: `replicas` wanted, `surge` more, `unavailable` fewer."""

    replicas: int
    surge: int
    unavailable: int

    @property
    def most(self) -> int:
        return self.replicas + self.surge

    @property
    def least(self) -> int:
        return self.replicas - self.unavailable


def grown(room: Room, new: Size, old: Sequence[Size]) -> int:
    """The size the new ReplicaSet may have now.

    # upstream: pkg/controller/deployment/util/deployment_util.go::NewRSNewReplicas
    """
    free = room.most - new.wanted - sum(one.wanted for one in old)
    more = min(free, room.replicas - new.wanted) if free > 0 else 0
    return min(new.wanted + more, room.replicas)


def shrunk(room: Room, new: Size, old: Sequence[Size]) -> list[int]:
    """The sizes of the old ReplicaSets (oldest first): unhealthy Pods go first, then what can be spared.

    # upstream: pkg/controller/deployment/rolling.go::reconcileOldReplicaSets
    """
    same = [one.wanted for one in old]
    budget = sum(same) + new.wanted - room.least - (new.wanted - new.available)
    if not sum(same) or budget <= 0:
        return same
    left: list[Size] = []
    for one in old:
        unhealthy = one.wanted - one.available
        if unhealthy < 0 and budget > 0:
            return same  # its status lags behind: nothing is known to be spare
        cut = min(budget, unhealthy)
        budget -= cut
        left.append(replace(one, wanted=one.wanted - cut))
    spare = sum(one.available for one in old) + new.available - room.least
    sizes = []
    for one in left:
        cut = max(0, min(spare, one.wanted))
        spare -= cut
        sizes.append(one.wanted - cut)
    return sizes
