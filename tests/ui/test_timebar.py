"""The slider: stops in words, where one stands, and what a replay begins with."""

from __future__ import annotations

from typing import Any

from rollout_lab.ui.payload import payload
from rollout_lab.ui.series import Series, axis_end, window
from rollout_lab.ui.timebar import KEPT, timebar
from tests.ui import examples

Json = dict[str, Any]
NAME = "api-tester-2233"


def bar(t: float | None, lang: str = "en", **more: Any) -> Json:
    return timebar(lang, more.get("marks", examples.marks(NAME)), 49.0, t, 3, 60.0)


def test_stops_are_told_in_words_and_close_ones_are_one() -> None:
    """Two marks in the same moment are one press of the arrow key; a warning is no stop."""
    stops = bar(None)["stops"]
    assert [s["t"] for s in stops] == [0.4, 3.0, 11.0, 12.5, 14.2]
    assert [s["text"] for s in stops] == [
        "apply",
        "Healthy",
        "set image 2.0.0 · New ReplicaSet",
        f"{NAME}-preview → v2.0.0",
        "step 2 of 4: pause",
    ]
    assert [s["act"] for s in stops] == [True, False, True, False, False]


def test_where_one_looks_is_said() -> None:
    """The time, the last thing that happened, and that it is the past."""
    assert bar(12.0, "ko")["said"].startswith("0:12 · set image 2.0.0 · 새 ReplicaSet")
    assert bar(0.0)["said"].startswith("0:00 — the past")
    assert bar(None)["what"] == "step 2 of 4: pause"


def test_a_replay_begins_just_before_the_last_update() -> None:
    """A lecturer presses play after the update, not to see an hour of nothing."""
    assert bar(None)["again"] == 10.0
    assert bar(None, marks=[])["again"] == 0.0


def test_a_long_run_sends_a_bounded_number_of_stops() -> None:
    """An hour of updates must not make each refresh heavier."""
    many = [{"t": float(t), "kind": "action", "text": "promote"} for t in range(1000)]
    stops = bar(None, marks=many)["stops"]
    assert len(stops) == KEPT
    assert stops[-1]["t"] == 999.0


def test_the_axis_of_a_moment_is_that_of_its_update() -> None:
    """Looking back an hour shows the update that ran then, not a sliver at the edge."""
    updates = [0.4, 100.0, 3000.0]
    assert window(3600.0, updates)[0] == 2980.0
    start, end = window(3600.0, updates, 120.0)
    assert (start, end >= 2980.0) == (80.0, True)
    assert window(50.0, updates[:1]) == (0.0, axis_end(50.0))


def looked_back(t: float) -> Json:
    now = examples.canary_waiting()
    series = Series("api-tester-2234")
    series.feed(examples.rows("api-tester-2234", canary=True))
    past = {**now, "t": t, "answers": []}
    return payload("en", now, series, tick=1, ack=0, session="s", past=past, time=bar(t))


def test_the_charts_go_on_to_the_present_with_a_cursor_at_the_past() -> None:
    """The moment is seen in its place; what came after stays visible behind a veil."""
    chart = looked_back(20.0)["chart"]
    assert (chart["t"], chart["cursor"]) == (62.0, 20.0)


def test_answers_of_the_past_are_counts_never_made_up_lines() -> None:
    """Rows hold how many answered with which version, not the answers themselves."""
    shown = looked_back(20.0)["answers"]
    assert max(a["t"] for a in shown) <= 20.0
    assert {a["text"] for a in shown} >= {"v1.0.0 × 4", "v2.0.0 × 2"}
    assert not any("App Version" in a["text"] for a in shown)
