"""The engine killed with SIGKILL again and again during both lectures: same end, no step skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollout_lab.simulate.script import Moment, load
from tests.conformance.live import Live, Run, running
from tests.conformance.milestones import Milestones, milestones_of

TRACES = Path(__file__).parents[1] / "data" / "traces"

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


class Killer:
    """Kills the engine at each new moment of a run that `chooses` names, and starts it again."""

    def __init__(self, live: Live, every: int) -> None:
        self.live = live
        self.every = every
        self.moments = 0

    def __call__(self, moment: Moment) -> None:
        self.moments += 1
        if self.moments % self.every == 0:
            self.live.engine.kill()
            self.live.engine.start()


def steps_taken(found: Milestones) -> list[tuple[str, int]]:
    """(version, step) in order: a step that was skipped would be missing."""
    sequence = [(version, index) for version, _, index, _, _ in found["steps"] if index is not None]
    return [item for n, item in enumerate(sequence) if n == 0 or sequence[n - 1] != item]


@pytest.mark.parametrize(
    ("lecture", "every"),
    [("bluegreen-manual", 1), ("canary-course", 1), ("bluegreen-manual", 3), ("canary-course", 2)],
)
def test_a_killed_engine_changes_nothing_but_the_time(tmp_path: Path, lecture: str, every: int) -> None:
    """Protects a lecture on a laptop that crashes: nothing lost, nothing promoted by itself."""
    recorded = (TRACES / f"{lecture}.jsonl").read_text(encoding="utf-8").splitlines()
    with running(tmp_path, speed=6.0) as live:
        run = Run(live, load(recorded), Killer(live, every), patience=600.0)
        ours = milestones_of(run.play())
        assert live.engine.kills >= 5
    wanted = milestones_of(recorded)
    assert ours["final"] == wanted["final"]
    assert ours["services"] == wanted["services"]
    assert ours["replicaSetSizes"] == wanted["replicaSetSizes"]
    assert steps_taken(ours) == steps_taken(wanted)
