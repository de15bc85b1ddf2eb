"""Which Events are posted at all: the budget of the peer's event recorder, as a value. Pure.

The recorder lets a burst of 25 Events about one object through and then one each five minutes;
clients see that, so a run with many sizes ends with fewer Events than decisions.

# upstream: client-go tools/record/events_cache.go::EventSourceObjectSpamFilter
"""

from __future__ import annotations

from dataclasses import dataclass

BURST = 25
SECONDS_PER_EVENT = 300.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Events that may still be posted about one object, as of `at` (seconds since the epoch)."""

    left: float = float(BURST)
    at: float = 0.0

    def spend(self, now: float) -> tuple[bool, Budget]:
        """Whether one more Event may be posted now, and the budget after it.

        >>> Budget(left=1.5, at=10.0).spend(10.0)
        (True, Budget(left=0.5, at=10.0))
        >>> Budget(left=0.5, at=10.0).spend(10.0)
        (False, Budget(left=0.5, at=10.0))
        """
        gained = max(0.0, now - self.at) / SECONDS_PER_EVENT if self.at else 0.0
        left = min(float(BURST), self.left + gained)
        return (True, Budget(left - 1.0, now)) if left >= 1.0 else (False, Budget(left, now))
