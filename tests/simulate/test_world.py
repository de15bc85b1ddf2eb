"""The recorded runs, played by the planner in virtual time: same decisions, whole or after crashes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from rollout_lab.simulate.script import Script, load
from rollout_lab.simulate.world import World
from tests.conformance.milestones import Milestones, milestones_of

TRACES = Path(__file__).parents[1] / "data" / "traces"
RUNS = sorted(path.stem for path in TRACES.glob("*.jsonl"))


@cache
def recorded(run: str) -> tuple[str, ...]:
    return tuple((TRACES / f"{run}.jsonl").read_text(encoding="utf-8").splitlines())


@cache
def script(run: str) -> Script:
    return load(recorded(run))


def played(world: World, run: str) -> Milestones:
    return milestones_of([json.dumps(row) for row in world.play(script(run))])


@pytest.mark.parametrize("run", RUNS)
def test_a_recorded_run_gives_equal_milestones(run: str) -> None:
    """Protects every decision of the peer in the recorded runs, Events and final status included."""
    assert len(RUNS) >= 6
    assert played(World(), run) == milestones_of(recorded(run))


def end_state(world: World) -> dict[str, object]:
    """What must not depend on crashes: versions, sizes, selectors, status without times."""
    status = world.rollout.status.raw
    kept = ("phase", "message", "stableRS", "currentPodHash", "currentStepIndex", "pauseConditions", "abort")
    return {
        "status": {key: status.get(key) for key in kept if key != "pauseConditions"},
        "pauses": [c.reason for c in world.rollout.status.pause_conditions],
        "conditions": sorted((c["type"], c["status"], c["reason"]) for c in world.rollout.status.conditions),
        "moment": world.moment,
        "revisions": sorted(
            (rs["metadata"]["name"], rs["metadata"]["annotations"]["rollout.argoproj.io/revision"])
            for rs in world.store.of_kind("ReplicaSet")
        ),
    }


def step_sequence(found: Milestones) -> list[tuple[str, int]]:
    """(version, step index) in order, repeats left out: a step that was skipped would be missing."""
    sequence: list[tuple[str, int]] = []
    for version, _, index, _, _ in found["steps"]:
        if index is not None and (not sequence or sequence[-1] != (version, index)):
            sequence.append((version, index))
    return sequence


@cache
def undisturbed(run: str) -> tuple[int, dict[str, object], Milestones]:
    world = World()
    found = played(world, run)
    return world.writes, end_state(world), found


@pytest.mark.parametrize("run", RUNS)
def test_a_crash_after_any_one_write_changes_nothing(run: str) -> None:
    """Protects against lost steps, self-made promotions and half-done switches when the engine is killed."""
    writes, end, found = undisturbed(run)
    for fatal in range(1, writes + 1):
        world = World(survives=lambda write, fatal=fatal: write != fatal)
        again = played(world, run)
        assert end_state(world) == end, f"killed after write {fatal} of {writes}"
        assert step_sequence(again) == step_sequence(found), f"killed after write {fatal} of {writes}"
        assert again["services"] == found["services"], f"killed after write {fatal} of {writes}"


@pytest.mark.parametrize("run", RUNS)
def test_an_engine_that_dies_after_every_write_gets_there_too(run: str) -> None:
    """Protects the claim that any pass may be the first one: no pass relies on the one before."""
    _, end, found = undisturbed(run)
    world = World(survives=lambda write: False)
    again = played(world, run)
    assert end_state(world) == end
    assert step_sequence(again) == step_sequence(found)
