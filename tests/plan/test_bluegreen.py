"""Blue-green, rule by rule, in virtual time."""

from __future__ import annotations

import pytest

from tests.plan.rollouts import blue_green, codes, deployed, emitted, selectors, sizes, until, update


def test_without_pause_it_switches_once_all_pods_are_available() -> None:
    """Protects the default: autoPromotionEnabled, and old Pods that stay 30 seconds."""
    world = deployed(blue_green())
    update(world)
    world.run(2.0)
    assert selectors(world) == {"active": "1", "preview": "2"}
    until(world, "Healthy")
    assert selectors(world) == {"active": "2", "preview": "2"}
    switched = world.now
    assert sizes(world) == {"1": 2, "2": 2}
    assert world.run_until(lambda m: dict(m.sizes)["1"] == 0)
    assert 27 <= world.now - switched <= 32
    assert "RolloutPaused" not in emitted(world)


def test_auto_promotion_seconds_pause_and_then_switch() -> None:
    """Protects autoPromotionSeconds: the wait starts with the pause, and says when it ends."""
    world = deployed(blue_green(autoPromotionSeconds=20))
    update(world)
    until(world, "Paused", "BlueGreenPause")
    paused = world.now
    assert {"pause.autopromote"} <= codes(world) and "pause.bluegreen" not in codes(world)
    until(world, "Healthy")
    assert 18 <= world.now - paused <= 22
    assert "manualPauseStartedAt" not in str(world.rollout.status.raw["duration"])


def test_auto_promotion_seconds_can_be_cut_short() -> None:
    """Protects promote during a timed pause."""
    world = deployed(blue_green(autoPromotionSeconds=3600))
    update(world)
    until(world, "Paused")
    world.act("promote")
    world.run(1.0)
    assert selectors(world)["active"] == "2"


def test_it_never_promotes_itself_when_auto_promotion_is_off() -> None:
    """Protects the manual pause for as long as nobody acts; autoPromotionSeconds is ignored."""
    world = deployed(blue_green(autoPromotionEnabled=False, autoPromotionSeconds=5))
    update(world)
    until(world, "Paused")
    world.run(4000)
    assert selectors(world) == {"active": "1", "preview": "2"}
    assert world.moment.phase == "Paused"
    assert world.rollout.status.raw["duration"]["manualPauseStartedAt"]


def test_a_small_preview_grows_before_the_switch() -> None:
    """Protects previewReplicaCount: few Pods to look at, all of them before anybody is sent there."""
    world = deployed(blue_green(5, previewReplicaCount=1, autoPromotionEnabled=False))
    update(world)
    until(world, "Paused", "BlueGreenPause")
    assert sizes(world) == {"1": 5, "2": 1}
    world.act("promote")
    world.run(1.0)
    assert (sizes(world)["2"], selectors(world)["active"]) == (5, "1")
    until(world, "Healthy")
    assert selectors(world)["active"] == "2"
    assert not world.rollout.status.scale_up_preview_check_point


def test_promote_full_skips_the_pause() -> None:
    """Protects promote --full from a pause and with a small preview."""
    world = deployed(blue_green(3, previewReplicaCount=1, autoPromotionEnabled=False))
    update(world)
    until(world, "Paused")
    world.act("promote full")
    until(world, "Healthy")
    assert (sizes(world)["2"], selectors(world)["active"]) == (3, "2")
    assert not world.rollout.status.promote_full
    assert world.rollout.status.raw["duration"]["completionStatus"] == "FastPromoted"


@pytest.mark.parametrize(("delay", "left"), [(None, 0), (0, 2), (120, 0)])
def test_after_an_abort_the_preview_goes_when_its_delay_says(delay: int | None, left: int) -> None:
    """Protects abortScaleDownDelaySeconds: 30 by default, 0 keeps the preview."""
    extra = {} if delay is None else {"abortScaleDownDelaySeconds": delay}
    world = deployed(blue_green(autoPromotionEnabled=False, **extra))
    update(world)
    until(world, "Paused")
    world.act("abort")
    until(world, "Degraded")
    world.run(20)
    assert sizes(world) == {"1": 2, "2": 2}
    world.run(130)
    assert sizes(world) == {"1": 2, "2": left}
    assert selectors(world)["active"] == "1"
    assert world.moment.message == "RolloutAborted: Rollout aborted update to revision 2"


def test_undo_to_pods_that_are_still_up_skips_the_pause() -> None:
    """Protects the fast way back: within the scale-down delay nobody is asked."""
    world = deployed(blue_green(autoPromotionEnabled=False, scaleDownDelaySeconds=600))
    update(world)
    until(world, "Paused")
    world.act("promote")
    until(world, "Healthy")
    world.run(5)
    world.act("undo")
    until(world, "Healthy")
    assert selectors(world)["active"] == "1"
    assert emitted(world).count("RolloutPaused") == 1
    assert world.rollout.status.raw["duration"]["completionStatus"] == "RolledBack"


def test_only_so_many_old_versions_wait_out_their_delay() -> None:
    """Protects scaleDownDelayRevisionLimit: beyond it the oldest goes at once."""
    world = deployed(blue_green(scaleDownDelaySeconds=3600, scaleDownDelayRevisionLimit=1))
    for version in ("2", "3"):
        update(world, version)
        until(world, "Healthy")
        world.run(2)
    assert sizes(world) == {"1": 0, "2": 2, "3": 2}


def test_back_to_stable_half_way_needs_no_switch() -> None:
    """Protects undo while the preview waits: the active Service never moves."""
    world = deployed(blue_green(autoPromotionEnabled=False))
    update(world)
    until(world, "Paused")
    world.act("undo")
    until(world, "Healthy")
    assert selectors(world) == {"active": "1", "preview": "1"}
    assert world.rollout.status.raw["duration"]["completionStatus"] == "FastRolledBack"
    world.run(60)
    assert sizes(world) == {"1": 2, "2": 0}


def test_a_third_version_takes_the_preview_over() -> None:
    """Protects an update during an update: the middle version goes, active stays."""
    world = deployed(blue_green(autoPromotionEnabled=False, scaleDownDelaySeconds=5))
    update(world)
    until(world, "Paused")
    update(world, "3")
    world.run(1.0)
    assert selectors(world) == {"active": "1", "preview": "3"}
    until(world, "Paused", "BlueGreenPause")
    world.run(20)
    assert sizes(world) == {"1": 2, "2": 0, "3": 2}


def test_scaling_during_the_pause_resizes_both_sides() -> None:
    """Protects kubectl scale while the preview waits: sizes only, the pause stays."""
    world = deployed(blue_green(autoPromotionEnabled=False))
    update(world)
    until(world, "Paused")
    world.act("scale 4")
    world.run(10)
    assert sizes(world) == {"1": 4, "2": 4}
    assert (selectors(world)["active"], world.moment.pauses) == ("1", ("BlueGreenPause",))
    world.act("promote")
    until(world, "Healthy")
    assert selectors(world)["active"] == "2"


def test_a_paused_spec_holds_the_services() -> None:
    """Protects spec.paused: Pods come, but no Service moves until it is taken back."""
    world = deployed(blue_green())
    world.act("pause")
    until(world, "Paused", "manually paused")
    update(world)
    world.run(30)
    assert selectors(world) == {"active": "1", "preview": "1"}
    assert world.moment.message == "manually paused"
    world.act("resume")
    until(world, "Healthy")
    assert selectors(world) == {"active": "2", "preview": "2"}


def test_without_a_preview_service_only_active_moves() -> None:
    """Protects the optional previewService."""
    obj = blue_green()
    del obj["spec"]["strategy"]["blueGreen"]["previewService"]
    world = deployed(obj)
    update(world)
    until(world, "Healthy", "")
    assert world.run_until(lambda m: m.stable == "2" and m.phase == "Healthy")
    assert selectors(world) == {"active": "2"}
