"""How many Pods each ReplicaSet should have next: the arithmetic of an update without a router.

Plain numbers in, plain numbers out. Nothing here knows Kubernetes objects, the status or time;
the planner asks, and the page shows a `Breakdown` as the formula with its numbers.

Words: *new* is the ReplicaSet of the present template, *stable* the last one fully promoted (None
when there is none yet or it is the new one), *old* all others. N is `spec.replicas`; up to
N + surge Pods may be asked for, and at least N - unavailable shall stay available.

# upstream: utils/replicaset/canary.go::CalculateReplicaCountsForBasicCanary
# upstream: rollout/canary.go::scaleDownOldReplicaSetsForCanary
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

ALL = 100
"""The weight that means every request, without a router."""


@dataclass(frozen=True, slots=True)
class Size:
    """A ReplicaSet in numbers: Pods asked for (`spec`) and Pods available (`status`)."""

    replicas: int
    available: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Pods of the canary (or preview) and of the stable side."""

    canary: int
    stable: int

    @property
    def total(self) -> int:
        return self.canary + self.stable


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One answer with the numbers it was made of.

    `counts` is the next size of new and stable, `target` where the step wants them in the end.
    `room` is how many Pods may be added, `spare` how many available ones may go; `spare` is None
    where nothing is taken away before the old ReplicaSets are empty. `draining` names the side
    that shrinks ("canary" or "stable"), ``""`` where none may shrink now.
    """

    counts: Counts
    target: Counts
    replicas: int
    weight: int
    surge: int
    unavailable: int
    room: int
    spare: int | None
    draining: str

    @property
    def max_total(self) -> int:
        """The most Pods that may be asked for."""
        return self.replicas + self.surge

    @property
    def min_available(self) -> int:
        """The fewest Pods that shall stay available."""
        return self.replicas - self.unavailable


def weight_in_force(
    set_weight: int,
    *,
    abort: bool = False,
    promote_full: bool = False,
    has_stable: bool = True,
    maximum: int = ALL,
) -> int:
    """The weight to size by: everything when promoting in full or without another stable, 0 when aborted.

    >>> weight_in_force(33), weight_in_force(33, abort=True), weight_in_force(33, promote_full=True)
    (33, 0, 100)
    """
    if promote_full or not has_stable:
        return maximum
    return 0 if abort else set_weight


def target_counts(replicas: int, weight: int, surge: int) -> Counts:
    """The pair of sizes whose share of canary Pods comes nearest to `weight` percent.

    Whole Pods rarely hit a percentage, so one Pod more than N is also tried where surge allows.
    Neither side is left without Pods for a weight of 1 to 99, except one replica without surge.

    >>> target_counts(2, 33, 1), target_counts(2, 66, 1), target_counts(10, 33, 3)
    (Counts(canary=1, stable=2), Counts(canary=2, stable=1), Counts(canary=3, stable=7))
    >>> target_counts(2, 33, 0), target_counts(1, 5, 1), target_counts(1, 5, 0)
    (Counts(canary=1, stable=1), Counts(canary=1, stable=1), Counts(canary=0, stable=1))
    """
    if replicas == 0:
        return Counts(0, 0)
    up, down = -(-replicas * weight // ALL), replicas * weight // ALL
    may_be_zero = weight in (0, ALL) or (replicas == 1 and surge == 0)
    may_round_down = down > 0 or may_be_zero
    pairs = []
    if up < replicas or may_be_zero:
        pairs.append((up, replicas))
    if may_round_down and not _is_half(replicas, weight):
        pairs.append((down, replicas))
    if surge > 0:
        pairs.append((up, replicas + 1))
        if may_round_down and not _is_half(replicas + 1, weight):
            pairs.append((down, replicas + 1))
    # Without surge no pair may be left (2 replicas at 75 %): then the peer keeps everything stable.
    canary, total = min(pairs, key=lambda pair: abs(pair[0] * 100 / pair[1] - weight), default=(0, replicas))
    return Counts(canary, total - canary)


def _is_half(replicas: int, weight: int) -> bool:
    """Whether the wanted share lies exactly between two whole Pods; the upper one is taken then."""
    return math.modf(replicas * (weight / 100))[0] == 0.5


def canary_counts(
    replicas: int,
    weight: int,
    surge: int,
    unavailable: int,
    new: Size | None,
    stable: Size | None,
    old: Sequence[Size] = (),
) -> Counts:
    """The next sizes of new and stable; see `explain` for how they come about.

    >>> canary_counts(2, 33, 1, 0, Size(0), Size(2, 2))
    Counts(canary=1, stable=2)
    >>> canary_counts(12, 60, 2, 2, Size(8, 4), Size(7, 3))
    Counts(canary=8, stable=6)
    """
    return explain(replicas, weight, surge, unavailable, new, stable, old).counts


def explain(
    replicas: int,
    weight: int,
    surge: int,
    unavailable: int,
    new: Size | None,
    stable: Size | None,
    old: Sequence[Size] = (),
) -> Breakdown:
    """The next sizes with every number on the way.

    First up: room = N + surge - all Pods asked for; stable gets what it lacks, new the rest.
    Then down, unless an old ReplicaSet still has Pods: what is available beyond N - unavailable
    may be taken from the side that shrinks. Last, what exceeds N + surge is trimmed.

    >>> explain(6, 99, 0, 2, Size(8, 5), Size(6, 0)).counts
    Counts(canary=5, stable=1)
    """
    target = target_counts(replicas, weight, surge) if stable is not None else Counts(replicas, 0)
    now = Counts(new.replicas if new else 0, stable.replicas if stable else 0)
    room = replicas + surge - now.total - sum(size.replicas for size in old)
    counts = _scaled_up(now, target, room, new is not None, stable is not None)
    min_available = replicas - unavailable
    spare: int | None = None
    draining = ""
    if not any(size.replicas for size in old):
        increasing = target.canary >= now.canary
        spare = _at_hand(new, not increasing) + _at_hand(stable, increasing) - min_available
        if spare > 0 and not increasing:
            draining = "canary"
            canary = max(target.canary, now.canary - spare)
            canary, left = _trimmed(new, stable, canary, counts.stable, replicas + surge, min_available)
            counts = Counts(canary, left)
        elif spare > 0 and stable is not None:
            draining = "stable"
            kept = max(target.stable, now.stable - spare) if now.stable > target.stable else counts.stable
            kept, left = _trimmed(stable, new, kept, counts.canary, replicas + surge, min_available)
            counts = Counts(left, kept)
    return Breakdown(counts, target, replicas, weight, surge, unavailable, room, spare, draining)


def _scaled_up(now: Counts, target: Counts, room: int, has_new: bool, has_stable: bool) -> Counts:
    """What the room allows: stable first, so that aborting is served before advancing."""
    canary, stable = now.canary, now.stable
    if has_stable and room > 0 and stable < target.stable:
        stable = min(target.stable, stable + room)
        room -= stable - now.stable
    if has_new and room > 0 and canary < target.canary:
        canary = min(target.canary, canary + room)
    return Counts(canary, stable)


def _at_hand(size: Size | None, draining: bool) -> int:
    """The Pods of a side that count as available when deciding how many may go.

    Of the side that shrinks all count, so that Pods that never become ready cannot block it.
    Pods beyond what is asked for are going anyway and count on neither side.
    """
    if size is None:
        return 0
    return size.replicas if draining or size.replicas < size.available else size.available


def _trimmed(
    drained: Size | None, other: Size | None, drained_to: int, other_to: int, most: int, min_available: int
) -> tuple[int, int]:
    """(drained, other) brought under `most` Pods.

    The excess is taken from the other side, given back as far as that cost needed availability,
    and what is then still too much is taken from the drained side.
    """
    if other is None:
        return drained_to, other_to
    other_to -= max(0, drained_to + other_to - most)
    available = min(other.available, other_to) + (min(drained.available, drained_to) if drained else 0)
    lost = max(0, other.available - other_to)
    other_to += min(lost, max(0, min_available - available))
    return drained_to - max(0, drained_to + other_to - most), other_to


@dataclass(frozen=True, slots=True)
class OldCounts:
    """Sizes of the old ReplicaSets, in the order given: without the Pods that are not available
    (`cleaned`), and after taking away what may go (`final`)."""

    cleaned: tuple[int, ...]
    final: tuple[int, ...]


def old_counts(replicas: int, unavailable: int, available: int, old: Sequence[Size]) -> OldCounts:
    """The next sizes of the old ReplicaSets of a canary, `old` given newest revision first.

    `available` is the sum over all ReplicaSets, new and stable included. Pods that are not
    available go at once; then as many more as leave N - unavailable available.

    >>> old_counts(4, 1, 5, [Size(2, 2), Size(3, 1)])
    OldCounts(cleaned=(2, 1), final=(0, 1))
    """
    cleaned = tuple(min(size.replicas, size.available) for size in old)
    may_go = max(0, available - (replicas - unavailable))
    final = []
    for size in cleaned:
        gone = min(size, may_go)
        may_go -= gone
        final.append(size - gone)
    return OldCounts(cleaned, tuple(final))


def blue_green_counts(
    replicas: int,
    preview_replicas: int | None,
    *,
    active_elsewhere: bool,
    promote_full: bool = False,
    past_preview: bool = False,
) -> Counts:
    """Sizes of the new (as canary) and stable ReplicaSet of a blue-green update.

    New has `preview_replicas` Pods while another ReplicaSet is active and the preview is not over:
    `past_preview` says that the checkpoint is set and nothing is paused.

    >>> blue_green_counts(5, 2, active_elsewhere=True), blue_green_counts(5, 2, active_elsewhere=False)
    (Counts(canary=2, stable=5), Counts(canary=5, stable=5))

    # upstream: rollout/replicaset.go, utils/replicaset/replicaset.go::NewRSNewReplicas
    """
    previewing = active_elsewhere and not promote_full and not past_preview
    if previewing and preview_replicas is not None:
        return Counts(preview_replicas, replicas)
    return Counts(replicas, replicas)
