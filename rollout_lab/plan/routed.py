"""How many Pods and which weight with a traffic router: the arithmetic, in plain numbers. Pure.

With a router the weight does not follow the number of Pods, so the two are reckoned apart: the canary
gets the Pods its weight needs, stable keeps all of its own (or, with `dynamicStableScale`, what its
weight needs), and a weight is only sent where there are Pods to carry it.

N is `spec.replicas`, M the weight that means every request.

# upstream: utils/replicaset/canary.go::CalculateReplicaCountsForTrafficRoutedCanary
# upstream: rollout/trafficrouting.go
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollout_lab.plan.replicas import Counts


@dataclass(frozen=True, slots=True)
class Scale:
    """What sizes are reckoned from. `configured` is (canary, stable) of the weights last sent, or None."""

    replicas: int
    maximum: int = 100
    min_pods: int = 0
    dynamic: bool = False
    configured: tuple[int, int] | None = None

    def pods(self, weight: int) -> int:
        """The Pods that a weight needs, rounded up.

        >>> Scale(10).pods(5), Scale(10).pods(25), Scale(4, maximum=1000).pods(250)
        (1, 3, 1)
        """
        return -(-self.replicas * weight // self.maximum)

    def carried(self, pods: int) -> int:
        """The weight that so many Pods carry, rounded down; all of it from N Pods on.

        >>> Scale(10).carried(3), Scale(3).carried(1), Scale(10).carried(12)
        (30, 33, 100)
        """
        return min(self.maximum, self.maximum * pods // self.replicas) if self.replicas else 0

    def enough(self, pods: int, weight: int) -> bool:
        """Whether so many Pods may carry the weight: part of a Pod is forgiven, but one there must be.

        >>> Scale(10).enough(9, 95), Scale(10).enough(8, 95), Scale(10).enough(0, 5)
        (True, False, False)
        """
        least = 1 if weight and self.replicas else 0
        return pods >= max(least, self.replicas * weight // self.maximum)

    def at_least(self, pods: int) -> int:
        """Raised to `minPodsPerReplicaSet`, which itself is at most N; none stays none."""
        return max(pods, min(self.min_pods, self.replicas)) if pods else 0


def counts(scale: Scale, weight: int, fixed: int | None = None, *, held: int = 0) -> Counts:
    """The sizes of canary and stable that a weight asks for; `fixed` is the canary's if a step names it.

    `held` is the weight the canary was last sent: its Pods go only when the requests are elsewhere. So
    do those of a stable side that shrinks.

    >>> counts(Scale(10), 5), counts(Scale(10), 5, 4), counts(Scale(10), 0, held=50)
    (Counts(canary=1, stable=10), Counts(canary=4, stable=10), Counts(canary=5, stable=10))
    >>> counts(Scale(10, dynamic=True, configured=(20, 80)), 50)
    Counts(canary=5, stable=8)
    """
    if fixed is None:
        canary = scale.at_least(max(scale.pods(weight), scale.pods(held)))
    else:
        canary = max(fixed, 1) if held else fixed
    if not scale.dynamic:
        return Counts(canary, scale.replicas)
    stable = scale.pods(scale.maximum - weight)
    if scale.configured is not None:
        stable = max(stable, scale.pods(scale.configured[1]))
    return Counts(canary, scale.at_least(stable))


def walk_back(scale: Scale, weights: Iterable[int], stable: int, canary: int | None) -> int:
    """The weight to go to on an abort where stable has shrunk: down the steps again, one at a time.

    `weights` are those of the setWeight steps, `stable` and `canary` the available Pods (None where the
    canary's Pods wait out a delay and do not count). The answer is the largest step whose Pods are fewer
    than what stable still lacks or the canary still has, else 0; never more than was sent last.

    >>> walk_back(Scale(10, configured=(80, 20)), [20, 50, 80], 2, 8)
    50
    >>> walk_back(Scale(10, configured=(20, 80)), [20, 50, 80], 8, 2)
    0
    """
    open_ = max(scale.replicas - stable, canary or 0)
    steps = sorted({w for w in weights if scale.pods(w) < open_}, reverse=True)
    wanted = steps[0] if steps else 0
    return wanted if scale.configured is None else min(wanted, scale.configured[0])
