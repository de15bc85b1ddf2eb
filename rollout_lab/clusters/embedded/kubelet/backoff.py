"""How long to wait before a container is started, or an image pulled, again. Pure.

# upstream: client-go util/flowcontrol/backoff.go; kubelet: 10 s doubling to 5 min, forgotten after 10 min
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 10.0
LONGEST = 300.0
FORGET = 2 * LONGEST


@dataclass(slots=True)
class Backoff:
    """The waits of one container: none, 10, 20, 40 … 300 lab seconds.

    The first failure is answered at once; a run that lasted more than 10 minutes starts over.
    """

    seconds: float = 0.0
    _updated: float = 0.0

    def next(self, now: float) -> float:
        """The wait that the failure at `now` earns, in lab seconds."""
        if self.seconds and now - self._updated > FORGET:
            self.seconds = 0.0
        wait = self.seconds
        self.seconds = min(LONGEST, self.seconds * 2) if self.seconds else FIRST
        self._updated = now + wait
        return wait


@dataclass(slots=True)
class PullBackoff:
    """The waits between pulls of one image: 10, 20, 40 … 300 lab seconds."""

    seconds: float = 0.0

    def next(self) -> float:
        self.seconds = min(LONGEST, self.seconds * 2) if self.seconds else FIRST
        return self.seconds


def go_duration(seconds: float) -> str:
    """Whole seconds as Go prints them: 10s, 1m20s, 5m0s."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
