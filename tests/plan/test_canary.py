"""Canary without a router, rule by rule, in virtual time."""

from __future__ import annotations

import pytest

from tests.plan.rollouts import canary, codes, deployed, emitted, selectors, sizes, until, update

PAUSED = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]


def test_without_steps_it_rolls_through() -> None:
    """Protects a canary without steps: a rolling update within surge and unavailable."""
    world = deployed(canary(None))
    update(world)
    until(world, "Healthy", "")
    assert world.run_until(lambda m: m.stable == "2" and m.phase == "Healthy")
    assert sizes(world) == {"1": 0, "2": 4}
    assert world.rollout.status.current_step_index is None
    assert world.rollout.status.current_step_hash == "5ffbfbbd64"


@pytest.mark.parametrize("duration", [30, "30", "30s", "0.5m"])
def test_a_timed_pause_ends_by_itself(duration: int | str) -> None:
    """Protects durations in all their forms, and the wake-up that ends the pause."""
    world = deployed(canary([{"setWeight": 25}, {"pause": {"duration": duration}}]))
    update(world)
    until(world, "Paused", "CanaryPauseStep")
    paused = world.now
    assert world.run_until(lambda m: m.step == 2)
    assert 27 <= world.now - paused <= 32
    assert "pause.timed" in codes(world) and "pause.indefinite" not in codes(world)


def test_a_pause_without_an_end_waits_for_a_person() -> None:
    """Protects against promotion by itself."""
    world = deployed(canary(PAUSED))
    update(world)
    until(world, "Paused")
    world.run(10_000)
    assert (world.moment.step, sizes(world)) == (1, {"1": 3, "2": 1})
    assert world.moment.phase == "Paused"


def test_promote_moves_one_pause_on() -> None:
    """Protects promote: it ends this pause, not the next."""
    world = deployed(canary(PAUSED))
    update(world)
    until(world, "Paused")
    world.act("promote")
    assert world.run_until(lambda m: m.phase == "Paused" and m.step == 3)
    assert sizes(world) == {"1": 2, "2": 2}


def test_promote_full_goes_to_the_end() -> None:
    """Protects promote --full: no step and no pause any more, then the flag is gone."""
    world = deployed(canary(PAUSED))
    update(world)
    until(world, "Paused")
    world.act("promote full")
    assert world.run_until(lambda m: m.stable == "2" and m.phase == "Healthy")
    assert (world.moment.step, sizes(world)) == (4, {"1": 0, "2": 4})
    assert not world.rollout.status.promote_full
    assert "Full promotion requested" in str(world.rows)


def test_an_abort_drains_the_canary_and_stays_degraded() -> None:
    """Protects abort: stable is whole again, the step index is 0, nothing restarts by itself."""
    world = deployed(canary(PAUSED))
    update(world)
    until(world, "Paused")
    world.act("abort")
    until(world, "Degraded")
    world.run(60)
    assert (world.moment.step, sizes(world)) == (0, {"1": 4, "2": 0})
    assert world.moment.phase == "Degraded"
    assert world.rollout.status.aborted_at
    assert world.rollout.status.raw["duration"]["completionStatus"] == "Aborted"


def test_a_new_version_after_an_abort_starts_anew() -> None:
    """Protects that an abort does not stick to the next version."""
    world = deployed(canary(PAUSED))
    update(world)
    until(world, "Paused")
    world.act("abort")
    until(world, "Degraded")
    update(world, "3")
    until(world, "Paused", "CanaryPauseStep")
    assert (world.moment.step, world.moment.abort) == (1, False)


def test_changed_steps_reset_the_update() -> None:
    """Protects the step hash: editing the steps half-way begins at the first one."""
    world = deployed(canary(PAUSED))
    update(world)
    until(world, "Paused")
    steps = [{"setWeight": 50}, {"pause": {}}]
    world.store.patch("Rollout", "demo", {"spec": {"strategy": {"canary": {"steps": steps}}}})
    assert world.run_until(lambda m: m.phase == "Paused" and dict(m.sizes)["2"] == 2)
    assert world.moment.step == 1


def test_a_paused_spec_holds_sizes_and_steps() -> None:
    """Protects spec.paused in the middle of a step."""
    world = deployed(canary(PAUSED))
    update(world)
    until(world, "Paused")
    world.act("pause")
    world.act("promote")
    world.run(1)
    world.act("pause")
    until(world, "Paused", "manually paused")
    before = sizes(world)
    world.run(300)
    assert sizes(world) == before
    world.act("resume")
    assert world.run_until(lambda m: m.phase == "Paused" and m.step == 3)


def test_scaling_half_way_keeps_the_share() -> None:
    """Protects kubectl scale during a pause: sizes follow, the step stays."""
    world = deployed(canary(PAUSED))
    update(world)
    until(world, "Paused")
    world.act("scale 8")
    world.run(30)
    assert sizes(world) == {"1": 6, "2": 2}
    assert (world.moment.step, world.moment.phase) == (1, "Paused")
    world.act("scale 4")
    world.run(30)
    assert sizes(world) == {"1": 3, "2": 1}


def test_two_services_follow_stable_and_canary() -> None:
    """Protects stableService and canaryService: never pointed at a version without Pods."""
    world = deployed(canary(PAUSED, stableService="stable", canaryService="canary"))
    assert selectors(world) == {"stable": "1", "canary": "1"}
    update(world)
    world.run(0.5)
    assert selectors(world) == {"stable": "1", "canary": "1"}
    until(world, "Paused")
    assert selectors(world) == {"stable": "1", "canary": "2"}
    world.act("abort")
    until(world, "Degraded")
    world.run(10)
    assert selectors(world) == {"stable": "1", "canary": "1"}
    world.act("retry")
    until(world, "Paused", "CanaryPauseStep")
    world.act("promote full")
    assert world.run_until(lambda m: m.stable == "2" and m.phase == "Healthy")
    assert selectors(world) == {"stable": "2", "canary": "2"}


@pytest.mark.parametrize(("window", "skips"), [(None, False), (1, True), (2, True)])
def test_a_rollback_within_the_window_skips_the_steps(window: int | None, skips: bool) -> None:
    """Protects rollbackWindow: how far back goes without steps."""
    spec = {} if window is None else {"rollbackWindow": {"revisions": window}}
    world = deployed(canary(PAUSED, spec=spec))
    world.run(5)
    update(world)
    until(world, "Paused")
    world.act("promote full")
    assert world.run_until(lambda m: m.stable == "2" and m.phase == "Healthy")
    world.run(5)
    world.act("undo")
    if skips:
        assert world.run_until(lambda m: m.stable == "1" and m.phase == "Healthy")
        assert "RolloutPaused" not in emitted(world)[emitted(world).index("RolloutCompleted") + 8 :]
    else:
        until(world, "Paused", "CanaryPauseStep")
        assert world.moment.stable == "2"


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas"),
    [("25%", "25%", 4), (1, 0, 3), (0, 1, 5), ("50%", 0, 2), (2, 2, 6), (0, "100%", 3)],
)
def test_surge_and_unavailable_are_never_overstepped(
    surge: int | str, unavailable: int | str, replicas: int
) -> None:
    """Protects the two promises of maxSurge and maxUnavailable at every moment of an update."""
    steps = [{"setWeight": w} for w in (10, 35, 60, 90)]
    world = deployed(canary(steps, replicas, maxSurge=surge, maxUnavailable=unavailable))
    assert world.rollout.canary is not None
    most, fewest = world.rollout.canary.room(replicas)
    update(world)
    assert world.run_until(lambda m: m.stable == "2" and m.phase == "Healthy")
    size: dict[str, int] = {}
    available: dict[str, int] = {}
    started = False
    for row in world.rows:
        started = started or row.get("action") == "set image 2"
        if row.get("kind") == "ReplicaSet":
            size[row["name"]] = row["replicas"]
            available[row["name"]] = min(row["status"]["availableReplicas"], row["replicas"])
            if started:
                assert sum(size.values()) <= replicas + most, row
                assert sum(available.values()) >= replicas - fewest, row
