"""How far a count may be from its expectation before chance is no excuse."""

from __future__ import annotations

from math import exp, lgamma, log


def bounds(n: int, p: float, sure: float = 0.999) -> tuple[int, int]:
    """The counts between which a binomial one of `n` trials at `p` lies with probability `sure` at least.

    >>> bounds(5000, 0.05)
    (201, 302)
    """
    tail = (1 - sure) / 2
    chances = [_chance(n, k, p) for k in range(n + 1)]
    low, total = 0, chances[0]
    while total <= tail:
        low += 1
        total += chances[low]
    high, total = n, chances[n]
    while total <= tail:
        high -= 1
        total += chances[high]
    return low, high


def _chance(n: int, k: int, p: float) -> float:
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(p) + (n - k) * log(1 - p))
