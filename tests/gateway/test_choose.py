"""Choosing by weight: exact over evenly spread numbers, whatever the weights are."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rollout_lab.gateway.choose import by_weight, choose, endpoint
from rollout_lab.gateway.table import Backend, Group, Host, Mirror, Request, Rule, Source, Table
from tests.gateway.worlds import grid

WEIGHTS = st.lists(st.integers(0, 60), min_size=1, max_size=6)


def backends(weights: list[int]) -> tuple[Backend, ...]:
    return tuple(Backend("demo", f"s{n}", "80", w) for n, w in enumerate(weights))


@given(WEIGHTS)
def test_every_backend_gets_exactly_its_weight(weights: list[int]) -> None:
    """Protects the split: over as many even numbers as the weights sum to, each gets its own; 0 gets none."""
    found, total = backends(weights), sum(weights)
    draw = grid(max(total, 1))
    chosen = [by_weight(found, draw) for _ in range(total)]
    if sum(w > 0 for w in weights) == 1:
        assert all(c is not None and c.weight for c in chosen)
        return
    assert [chosen.count(b) for b in found] == weights


@given(WEIGHTS, st.floats(0, 1, exclude_max=True))
def test_a_weight_of_zero_is_never_chosen(weights: list[int], number: float) -> None:
    """Protects an aborted canary: no number of chance reaches it; without any weight nothing is chosen."""
    chosen = by_weight(backends(weights), lambda: number)
    assert (chosen is None) == (sum(weights) == 0)
    assert chosen is None or chosen.weight > 0


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True), st.data())
def test_an_endpoint_is_always_one_that_was_not_tried(n: int, number: float, data: st.DataObject) -> None:
    """Protects the second try: never the endpoint that just refused, and None when all did."""
    backend = Backend("demo", "s", "80")
    there = tuple((f"10.0.0.{k}", 8080) for k in range(n))
    tried = data.draw(st.lists(st.sampled_from(there)))
    chosen = endpoint(Table(pools={backend.pool: there}), backend, tried, lambda: number)
    assert chosen in set(there) - set(tried) if set(tried) != set(there) else chosen is None


@given(st.integers(0, 100))
def test_a_mirror_takes_its_share(percent: int) -> None:
    """Protects mirrorPercentage: exact over even numbers, and the answer's backend never changes."""
    main, copy = backends([1, 1])
    rule = Rule(
        Source("x", "demo", "x"), backends=(main,), mirrors=(Mirror(copy, float(Fraction(percent, 100))),)
    )
    table, draw = Table((Group("x", ((Host(), (rule,)),)),)), grid(100)
    found = [choose(table, Request("GET", "h", "/"), draw) for _ in range(100)]
    assert sum(len(d.mirrors) for d in found) == percent
    assert {d.backend for d in found} == {main}
