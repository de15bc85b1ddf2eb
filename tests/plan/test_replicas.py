"""What holds for every size of every update: never too many, never too few, and always arriving."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollout_lab.plan.replicas import (
    Counts,
    Size,
    blue_green_counts,
    canary_counts,
    explain,
    old_counts,
    target_counts,
    weight_in_force,
)

replicas = st.integers(0, 60)
weights = st.integers(0, 100)
small = st.integers(0, 8)


@st.composite
def sizes(draw: st.DrawFn) -> Size:
    asked = draw(st.integers(0, 60))
    return Size(asked, draw(st.integers(0, asked)))


@given(replicas, weights, small)
def test_a_target_has_n_pods_or_one_more_and_leaves_no_side_empty(n: int, weight: int, surge: int) -> None:
    target = target_counts(n, weight, surge)
    assert target.total in ({n, n + 1} if surge and n else {n})
    assert min(target.canary, target.stable) >= 0
    if surge and n and 0 < weight < 100:
        assert target.canary >= 1 and target.stable >= 1


@given(st.integers(1, 60), small)
def test_the_ends_of_the_scale_are_exact(n: int, surge: int) -> None:
    assert target_counts(n, 0, surge) == Counts(0, n)
    assert target_counts(n, 100, surge) == Counts(n, 0)


@given(replicas, st.tuples(weights, weights), small)
def test_more_weight_never_asks_for_a_smaller_share(n: int, pair: tuple[int, int], surge: int) -> None:
    low, high = (target_counts(n, w, surge) for w in sorted(pair))
    if surge and n:
        assert low.canary / low.total <= high.canary / high.total


@given(replicas, weights, small, small, sizes(), sizes())
def test_a_pass_never_takes_availability_below_the_minimum(
    n: int, weight: int, surge: int, unavailable: int, new: Size, stable: Size
) -> None:
    """The promise of maxUnavailable; Pods that are not available are the first to go."""
    unavailable = min(unavailable, n)
    counts = canary_counts(n, weight, surge, unavailable, new, stable)
    before = new.available + stable.available
    after = min(new.available, counts.canary) + min(stable.available, counts.stable)
    assert after >= min(before, n - unavailable)


@given(replicas, weights, small, small, sizes(), sizes(), st.lists(sizes(), max_size=3))
def test_a_pass_never_asks_for_more_pods_than_surge_allows(
    n: int, weight: int, surge: int, unavailable: int, new: Size, stable: Size, old: list[Size]
) -> None:
    counts = canary_counts(n, weight, surge, min(unavailable, n), new, stable, old)
    before = new.replicas + stable.replicas + sum(s.replicas for s in old)
    assert counts.total + sum(s.replicas for s in old) <= max(before, n + surge)
    assert min(counts.canary, counts.stable) >= 0


@given(replicas, weights, small, small, sizes(), sizes(), st.lists(sizes(), min_size=1, max_size=3))
def test_nothing_shrinks_while_an_old_replica_set_has_pods(
    n: int, weight: int, surge: int, unavailable: int, new: Size, stable: Size, old: list[Size]
) -> None:
    if any(size.replicas for size in old):
        counts = canary_counts(n, weight, surge, min(unavailable, n), new, stable, old)
        assert counts.canary >= new.replicas and counts.stable >= stable.replicas


@given(st.integers(1, 40), weights, st.integers(0, 5), st.integers(0, 5), st.integers(0, 40))
def test_an_update_whose_pods_become_available_arrives_at_its_target(
    n: int, weight: int, surge: int, unavailable: int, canary: int
) -> None:
    if surge == 0 and unavailable == 0:
        unavailable = 1
    unavailable = min(unavailable, n)
    new, stable = Size(min(canary, n), min(canary, n)), Size(n, n)
    target = target_counts(n, weight, surge)
    for _ in range(4 * n + 8):
        counts = canary_counts(n, weight, surge, unavailable, new, stable)
        new, stable = Size(counts.canary, counts.canary), Size(counts.stable, counts.stable)
    assert counts == target


@given(replicas, small, st.lists(sizes(), max_size=4), st.integers(0, 60))
def test_old_replica_sets_shrink_and_keep_the_minimum(
    n: int, unavailable: int, old: list[Size], others: int
) -> None:
    unavailable = min(unavailable, n)
    available = others + sum(size.available for size in old)
    found = old_counts(n, unavailable, available, old)
    for size, cleaned, final in zip(old, found.cleaned, found.final, strict=True):
        assert 0 <= final <= cleaned <= size.replicas
    assert others + sum(found.final) >= min(available, n - unavailable)


def test_without_a_stable_set_everything_goes_to_the_new_one() -> None:
    """First deploy: no step is walked, whatever the weight says."""
    weight = weight_in_force(33, has_stable=False)
    assert canary_counts(4, weight, 1, 1, Size(0), None) == Counts(4, 0)


def test_a_missing_new_set_is_not_sized() -> None:
    assert canary_counts(4, 50, 1, 1, None, Size(4, 4)).canary == 0


def test_the_breakdown_tells_the_numbers_of_the_course() -> None:
    """Lecture 2234: 33 % of 2 replicas is 1 canary beside 2 stable, because surge adds one Pod."""
    found = explain(2, 33, 1, 0, Size(0), Size(2, 2))
    assert (found.target, found.room, found.max_total, found.min_available) == (Counts(1, 2), 1, 3, 2)
    assert found.draining == ""


def test_the_breakdown_names_the_side_that_shrinks() -> None:
    assert explain(4, 100, 1, 1, Size(4, 4), Size(4, 4)).draining == "stable"
    assert explain(4, 0, 1, 1, Size(2, 2), Size(4, 4)).draining == "canary"


def test_preview_size_ends_with_the_preview() -> None:
    assert blue_green_counts(5, 2, active_elsewhere=True, promote_full=True).canary == 5
    assert blue_green_counts(5, 2, active_elsewhere=True, past_preview=True).canary == 5
    assert blue_green_counts(5, 0, active_elsewhere=True).canary == 0
    assert blue_green_counts(5, None, active_elsewhere=True).canary == 5
