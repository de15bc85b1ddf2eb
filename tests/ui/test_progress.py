"""Head line, strip, countdowns and shares: what the rollout waits for, and how sure a share is."""

from __future__ import annotations

import pytest

from rollout_lab.ui.progress import head, interval, phases, timers, weights
from tests.ui import examples


def test_the_strip_says_what_ends_the_current_phase() -> None:
    """One glance: where it is, since when, what comes."""
    shown = phases("ko", examples.blue_green_waiting())
    assert [p["state"] for p in shown] == ["done", "done", "done", "now", "todo", "todo"]
    assert shown[3]["text"] == "Promote 대기"
    assert shown[3]["note"] == "기한 없음 · 0:41째"
    assert shown[5]["note"] == "30초 뒤"


def test_a_canarys_strip_shows_its_steps_as_written() -> None:
    """The learner finds the manifest's own words under the phase."""
    shown = phases("en", examples.canary_waiting())
    assert [p["code"] for p in shown] == ["setWeight 33", "pause", "setWeight 66", "pause 2m", "100 %"]


def test_a_timed_pause_counts_down() -> None:
    """The bar's length and its number are the same time."""
    picture = examples.canary_waiting()
    picture["rollout"]["pauseEndsAt"] = picture["t"] + 90
    picture["phases"][3] |= {"state": "now", "t": 32.0}
    picture["phases"][3]["params"] = {"seconds": 120.0, "endsAt": picture["t"] + 90}
    (timer,) = timers("en", picture)
    assert (timer["left"], timer["total"]) == (90.0, 120.0)
    assert phases("en", picture)[3]["note"] == "1:30 left"


def test_the_scale_down_delay_counts_down_and_never_below_zero() -> None:
    """A clock that ran past the deadline shows 0:00, not a negative time."""
    picture = examples.blue_green_waiting()
    picture["rollout"]["scaleDownAt"] = picture["t"] - 5
    (timer,) = timers("ko", picture)
    assert (timer["key"], timer["left"], timer["total"]) == ("scaleDownAt", 0.0, 30.0)


def test_the_progress_deadline_runs_down_quietly() -> None:
    """Its end is bad news, so its bar has another tone than the ones people wait for."""
    picture = examples.canary_waiting()
    picture["rollout"] |= {"deadlineAt": picture["t"] + 540, "deadlineSeconds": 600}
    (timer,) = timers("en", picture)
    assert (timer["left"], timer["total"], timer["tone"]) == (540.0, 600.0, "bad")


def test_nothing_applied_is_a_state_too() -> None:
    """Before the first object the page stands, and says what is missing."""
    picture = {"rollout": None, "phases": [], "replicaSets": [], "services": [], "t": 0.0}
    assert head("ko", picture)["name"] == "아직 Rollout이 없습니다"
    assert timers("ko", picture) == []
    assert weights("ko", picture) == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("CanaryPauseStep", "pause 단계에서 기다립니다"),
        ("more replicas need to be updated", "새 버전 Pod를 더 만들어야 합니다"),
        ("InvalidSpec: spec.replicas: must be 0 or more", "고칠 곳: spec.replicas: must be 0 or more"),
        ("something of tomorrow", "something of tomorrow"),
        ("", ""),
    ],
)
def test_the_engines_message_in_the_readers_language(message: str, said: str) -> None:
    """Known messages are translated, unknown ones are shown and not lost."""
    picture = examples.canary_waiting()
    picture["rollout"]["message"] = message
    assert head("ko", picture)["message"] == said


def test_wanted_pods_and_measured_share_stand_side_by_side() -> None:
    """33 % asked for, 1 of 3 Pods, 32 % of 322 answers with its error."""
    asked, pods, measured = weights("en", examples.canary_waiting())
    assert asked["value"] == "33 %"
    assert pods["value"] == "33.3 % (1 / 3)"
    assert measured["value"] == "32 % ± 5 (n = 322)"
    assert measured["low"] < 0.32 < measured["high"]


def test_no_answers_are_no_share() -> None:
    """0 of 0 is not 0 %."""
    picture = examples.canary_waiting()
    picture["services"][0]["window"]["n"] = 0
    assert weights("en", picture)[2]["share"] is None
    assert weights("en", picture)[2]["value"] == "no requests yet"


def test_the_interval_is_wilsons() -> None:
    """Values worked out by hand: 10 of 10 is not certainty, 5 of 10 is 24 % to 76 %."""
    low, high = interval(1.0, 10)
    assert (round(low, 3), high) == (0.722, 1.0)
    low, high = interval(0.5, 10)
    assert (round(low, 3), round(high, 3)) == (0.237, 0.763)
    assert interval(0.5, 1000)[1] - interval(0.5, 1000)[0] < 0.07
