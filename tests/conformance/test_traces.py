"""Every recorded run, played again on the embedded cluster with our engine: equal milestones.

`ROLLOUT_LAB_TRACES` names a folder with more runs of the same format. A run that needs what the
engine does not do yet fails here; it is never left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from rollout_lab.simulate.script import load
from tests.conformance.live import Run, running
from tests.conformance.milestones import differences, milestones_of

FOLDER = Path(os.environ.get("ROLLOUT_LAB_TRACES") or Path(__file__).parents[1] / "data" / "traces")
SPEED = float(os.environ.get("ROLLOUT_LAB_TRACES_SPEED") or 1)
AT_ONCE = 3
RUNS = sorted(path.name for path in FOLDER.glob("*.jsonl"))

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[list[str]]]]:
    """All runs, a few at a time, each in its own namespace of one cluster."""
    with running(tmp_path_factory.mktemp("live"), SPEED) as live, ThreadPoolExecutor(AT_ONCE) as pool:
        yield {run: pool.submit(Run(live, load(recorded(run))).play) for run in RUNS}


def recorded(run: str) -> list[str]:
    return (FOLDER / run).read_text(encoding="utf-8").splitlines()


def test_there_are_runs_to_play() -> None:
    """Protects against a folder that is empty or misspelt and a suite that then proves nothing."""
    assert RUNS, f"no *.jsonl in {FOLDER}"


@pytest.mark.parametrize("run", RUNS)
def test_the_run_has_the_milestones_of_the_recording(played: dict[str, Future[list[str]]], run: str) -> None:
    """Protects the whole: API server, controllers, Pods, engine and recorder make the peer's decisions."""
    found = differences(milestones_of(recorded(run)), milestones_of(played[run].result()))
    assert not found, found
