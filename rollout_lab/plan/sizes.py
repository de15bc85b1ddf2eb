"""The size each ReplicaSet should have now: `replicas` or `routed`, asked with a pass's objects. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollout_lab.api.rollout import Canary
from rollout_lab.api.status import Weights
from rollout_lab.api.steps import SetCanaryScale, SetWeight, canary_scale_at, weight_at
from rollout_lab.plan import replicas
from rollout_lab.plan import routed as numbers
from rollout_lab.plan.replicasets import ReplicaSet
from rollout_lab.plan.work import Work, abort_delay


def preview_size(work: Work) -> int:
    """Pods of the new version of a blue-green update: all, or previewReplicaCount while it is preview.

    # upstream: utils/replicaset/replicaset.go::NewRSNewReplicas
    """
    rollout, new, blue_green = work.rollout, work.sets.new, work.rollout.blue_green
    if blue_green is None:
        return rollout.replicas
    serving = work.sets.by_hash(work.status.active_selector)
    elsewhere = serving is not None and new is not None and serving.name != new.name
    unpaused = not rollout.paused and not work.status.pause_conditions
    counts = replicas.blue_green_counts(
        rollout.replicas,
        blue_green.preview_replica_count,
        active_elsewhere=elsewhere,
        promote_full=work.status.promote_full,
        past_preview=work.status.scale_up_preview_check_point and unpaused,
    )
    return counts.canary


def weight(work: Work) -> int:
    """The share of the new version that the canary asks for now, of `maximum` (percent without a router)."""
    routing = work.rollout.routing
    maximum = routing.maximum if routing is not None else replicas.ALL
    return replicas.weight_in_force(
        weight_at(work.rollout.steps, work.status.current_step_index, maximum),
        abort=work.aborted,
        promote_full=work.status.promote_full,
        has_stable=work.sets.rolling,
        maximum=maximum,
    )


def canary(work: Work) -> replicas.Breakdown:
    """The next sizes of new and stable of a canary, with the numbers of the formula."""
    rollout, sets = work.rollout, work.sets
    assert rollout.canary is not None
    surge, unavailable = rollout.canary.room(rollout.replicas)
    return replicas.explain(
        rollout.replicas,
        weight(work),
        surge,
        unavailable,
        _size(sets.new),
        _size(sets.stable) if sets.rolling else None,
        [found for rs in sets.old if (found := _size(rs)) is not None],
    )


def old(work: Work, old_newest_first: list[ReplicaSet]) -> replicas.OldCounts:
    """The next sizes of a canary's old ReplicaSets."""
    rollout = work.rollout
    assert rollout.canary is not None
    _, unavailable = rollout.canary.room(rollout.replicas)
    available = sum(rs.available for rs in work.sets.all)
    sizes = [replicas.Size(rs.size, rs.available) for rs in old_newest_first]
    return replicas.old_counts(rollout.replicas, unavailable, available, sizes)


def _size(rs: ReplicaSet | None) -> replicas.Size | None:
    return None if rs is None else replicas.Size(rs.size, rs.available)


# --- with a router -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Routed:
    """Where the sizes go with a router, and the weight they are for; `fixed` where a step names the size."""

    counts: replicas.Counts
    weight: int
    fixed: int | None = None


def scale(work: Work) -> numbers.Scale:
    """What routed sizes and weights are reckoned from, the weights last sent among it."""
    strategy = _routed(work)
    assert strategy.routing is not None
    sent = work.status.weights
    return numbers.Scale(
        work.rollout.replicas,
        strategy.routing.maximum,
        strategy.min_pods,
        strategy.dynamic_stable_scale,
        None if sent is None else (sent.canary.weight, sent.stable.weight),
    )


def routed(work: Work, *, held: bool = False) -> Routed:
    """The sizes of new and stable that the step asks for, with a router.

    `held`: the sizes they may have now, which is more where requests still go, or were sent in this pass.

    # upstream: utils/replicaset/canary.go::CalculateReplicaCountsForTrafficRoutedCanary
    """
    asked, base = weight(work), scale(work)
    fixed: int | None = None
    found = _canary_scale(work)
    if found is not None and found.replicas is not None:
        fixed = found.replicas
        asked = asked if fixed else 0  # without a Pod it gets no request, so stable carries all
    elif found is not None and found.weight is not None:
        asked = found.weight
    elif work.aborted and base.dynamic:
        asked = weight_on_the_way_back(work)
    now = held_weight(work) if held else 0
    told = Weights.of({"weights": work.weights}) if held else None
    if told is not None and base.configured is not None:
        canary, stable = base.configured
        back = base.maximum if weighted_elsewhere(work) else told.stable.weight
        base = replace(base, configured=(canary, max(stable, back)))
    return Routed(numbers.counts(base, asked, fixed, held=now), asked, fixed)


def held_weight(work: Work) -> int:
    """The weight the wanted version was last sent; 0 where that was another version, or it is stable."""
    sent, new = work.status.weights, work.sets.new
    if sent is None or new is None or sent.canary.hash != new.hash or not work.sets.rolling:
        return 0
    return sent.canary.weight


def weighted_elsewhere(work: Work) -> bool:
    """Whether the routers still send requests to a version that is neither wanted nor stable.

    They go back to stable first: its Service must not lead to other Pods before, and a stable side that
    has shrunk must be whole again.
    """
    sent, new = work.status.weights, work.sets.new
    if sent is None or not sent.canary.weight or new is None:
        return False
    return sent.canary.hash not in ("", new.hash) and work.sets.rolling


def weight_on_the_way_back(work: Work) -> int:
    """The weight an abort goes to next: 0 where stable is whole, else down the steps as stable grows.

    # upstream: rollout/trafficrouting.go::calculateDesiredWeightOnAbortOrStableRollback
    """
    strategy, stable, new = _routed(work), work.sets.stable, work.sets.new
    if not strategy.dynamic_stable_scale or stable is None:
        return 0
    counted = new is not None and work.sets.rolling and not strategy.abort_scale_down_delay_set
    canary = new.available if counted and new is not None else None
    weights = [step.weight for step in strategy.steps if isinstance(step, SetWeight)]
    return numbers.walk_back(scale(work), weights, stable.available, canary)


def _routed(work: Work) -> Canary:
    strategy = work.rollout.canary
    assert strategy is not None and strategy.routing is not None
    return strategy


def _canary_scale(work: Work) -> SetCanaryScale | None:
    """The setCanaryScale in force. An abort ends it, unless the canary's Pods are to stay for good."""
    if work.status.promote_full or not work.sets.rolling:
        return None
    if work.aborted and abort_delay(work) is not None:
        return None
    return canary_scale_at(_routed(work).raw_steps or [], work.status.current_step_index)
