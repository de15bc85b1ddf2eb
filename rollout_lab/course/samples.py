"""Whom a lesson asks the gateway as, what they were answered, and how far chance may carry a share. Pure.

A traffic router shares out requests and not Pods, so a lesson that teaches it has to measure requests.
Asking is `sampling`; here are the words of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, lgamma, log

SURE = 0.9999
"""How seldom chance may tell a student that something is wrong when nothing is."""


@dataclass(frozen=True, slots=True)
class Asker:
    """One kind of user of a lesson: the host they ask the gateway for, their headers, and their path."""

    name: str
    host: str
    headers: Mapping[str, str] = field(default_factory=dict)
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Sample:
    """Answers to one asker: `versions` since routes or Pods last changed, `failed` since the first answer."""

    versions: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0

    @property
    def n(self) -> int:
        return sum(self.versions.values())

    def of(self, version: str) -> int:
        """How many answers were of that version."""
        return self.versions.get(version, 0)

    def percent(self, version: str) -> float:
        """The share of a version, in percent to a tenth; 0 before the first answer."""
        return round(100 * self.of(version) / self.n, 1) if self.n else 0.0

    def fits(self, version: str, percent: float) -> bool:
        """Whether the version's count is one that `percent` explains (`band`)."""
        low, high = band(self.n, percent / 100)
        return low <= self.of(version) <= high


def band(n: int, share: float, sure: float = SURE) -> tuple[int, int]:
    """The counts between which a binomial one of `n` trials at `share` lies with probability `sure` at least.

    >>> band(1000, 0.05), band(1000, 0.0), band(10, 1.0)
    ((25, 79), (0, 0), (10, 10))
    """
    if share <= 0 or share >= 1:
        whole = n if share >= 1 else 0
        return whole, whole
    tail = (1 - sure) / 2
    low, total = 0, _chance(n, 0, share)
    while total <= tail:
        low += 1
        total += _chance(n, low, share)
    high, total = n, _chance(n, n, share)
    while total <= tail:
        high -= 1
        total += _chance(n, high, share)
    return low, high


def _chance(n: int, k: int, p: float) -> float:
    """Of exactly `k` among `n`."""
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(p) + (n - k) * log(1 - p))
