"""The projector's few words, on pictures: the step and what it waits for, the shares, the reason."""

from __future__ import annotations

import pytest

from rollout_lab.ui.pages.projector import look_back
from rollout_lab.ui.payload import plain
from rollout_lab.ui.stage import because, headline, shown, stage
from tests.ui import examples


def test_a_canary_tells_weight_step_and_what_it_waits_for() -> None:
    """The three things a class has to read from the back row."""
    told = headline("ko", examples.canary_waiting())
    assert told["title"] == "Canary 33 %"
    assert told["step"] == "2 / 4 단계 · Promote를 기다립니다"


def test_blue_green_counts_its_phases() -> None:
    """A strategy without steps has phases to count."""
    assert headline("en", examples.blue_green_waiting())["step"] == "step 4 of 6 · waiting for promote"


def test_a_timed_pause_counts_down() -> None:
    """What ends by itself says when."""
    picture = examples.canary_waiting()
    picture["phases"][1] |= {"key": "pauseFor", "params": {"seconds": 120.0, "endsAt": picture["t"] + 83}}
    assert headline("en", picture)["step"].endswith("goes on in 1:23")


def test_nothing_applied_yet_is_no_error() -> None:
    """The projector may be opened first."""
    picture = {**examples.canary_waiting(), "rollout": None, "services": [], "replicaSets": [], "pods": []}
    picture |= {"routes": [], "phases": [], "why": []}
    assert headline("en", picture)["step"] == ""


def test_the_reason_comes_with_the_numbers_behind_the_pods() -> None:
    """33 % of 2 is no whole Pod: the formula of the sizes stands below the reason of the wait."""
    told = because("en", examples.canary_waiting())
    assert told["text"].startswith("Step 2 waits")
    assert told["formula"].startswith("33 % of 2 is 0.66 → 1 canary and 2 stable")


def test_pods_are_told_by_state_and_no_hash_is_shown() -> None:
    """Names and hashes are for the lab page."""
    found = shown("en", examples.canary_waiting())
    assert {pod["label"] for pod in found["pods"]} == {"ready"}
    assert [s["hash"] for s in found["services"]] == [""]


@pytest.mark.parametrize(("buttons", "keys"), [(True, ["promote", "abort"]), (False, [])])
def test_a_viewer_gets_no_actions(buttons: bool, keys: list[str]) -> None:
    """The drawing has nothing to press where nothing may be done."""
    picture = examples.blue_green_waiting()
    data = plain(stage("ko", picture, tick=1, ack=0, session="a", buttons=buttons))
    assert [a["key"] for a in data["actions"]] == keys
    assert [bar["key"] for bar in data["bars"]] == ["api-tester-2233-active", "api-tester-2233-preview"]


@pytest.mark.parametrize(
    ("past", "where", "wanted"),
    [
        (None, "earlier", 9.0),
        (9.0, "earlier", 4.0),
        (0.5, "earlier", 0.5),
        (4.0, "later", 9.0),
        (9.0, "later", None),
        (4.0, "live", None),
        (None, "later", None),
    ],
)
def test_arrows_stop_at_the_moments_of_the_run(past: float | None, where: str, wanted: float | None) -> None:
    """Left and right go from stop to stop, and past the last one it is live again."""
    assert look_back(past, where, [0.5, 4.0, 9.0]) == wanted
