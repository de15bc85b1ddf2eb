"""The runs of this session's own lab, as recordings to replay and to compare. No words, no drawing."""

from __future__ import annotations

from typing import Final

from rollout_lab.errors import LabError
from rollout_lab.observe.replay import Recording
from rollout_lab.ui.session import running, source

PREFIX: Final = "live-"
"""Before a rollout's name in a key: its run in this lab."""


def present() -> tuple[str, ...]:
    """Keys of the rollouts of this session's lab, where it runs already: looking back starts none."""
    if not running():
        return ()
    try:
        return tuple(PREFIX + name for name in source().lab.rollouts())
    except LabError:
        return ()


def name_in(key: str) -> str:
    """The rollout of a key."""
    return key.removeprefix(PREFIX)


def recording(key: str) -> Recording:
    """The run of a rollout up to now; it does not grow. Raises LabError where there is none."""
    name = name_in(key)
    rows = source().lab.rows(name)[0]
    if not rows:
        raise LabError(f"nothing was recorded of {name} yet")
    return Recording(rows, name=name)
