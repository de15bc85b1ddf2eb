"""Lines over time from recorded rows: counts, routing, marks, and a drawing that stands still."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rollout_lab.ui.charts import charts
from rollout_lab.ui.series import Series, stacked, window
from tests.ui import examples

TRACES = Path(__file__).parent.parent / "data" / "traces"


def recorded(run: str, name: str) -> Series:
    series = Series(name)
    lines = (TRACES / f"{run}.jsonl").read_text(encoding="utf-8").splitlines()
    series.feed(json.loads(line) for line in lines)
    return series


def test_pods_of_a_recorded_canary() -> None:
    """The peer's own run of lecture 2234: 2, then 3 Pods while it lasts, and 2 of the new one at the end."""
    series = recorded("canary-course", "api-tester-2234")
    totals = [sum(counts.values()) for _, counts in series.pods]
    assert max(totals) == 3
    (old, new) = (series.pods[1][1], series.pods[-1][1])
    assert list(old.values()) == [2]
    assert list(new.values()) == [2]
    assert old.keys() != new.keys()
    assert [m.text for m in series.marks] == ["apply", "set image 2.0.0", "promote"]


def test_services_of_a_recorded_blue_green() -> None:
    """preview switches before active does, and each to a hash."""
    series = recorded("bluegreen-manual", "api-tester-2233")
    lines = {name: [hash_ for _, hash_ in line if hash_] for name, line in series.led.items()}
    assert all(len(set(line)) == 2 for line in lines.values())
    when = {name: line[-1][0] for name, line in series.led.items()}
    (active,) = (n for n in when if n.endswith("active"))
    (preview,) = (n for n in when if n.endswith("preview"))
    assert when[preview] < when[active]


def test_rows_come_in_parts_and_give_the_same_lines() -> None:
    """The page asks for what is new; in one piece or in many, the lines are equal."""
    rows = examples.rows("api-tester-2234", True)
    whole, parts = Series("api-tester-2234"), Series("api-tester-2234")
    whole.feed(rows)
    for row in rows:
        parts.feed([row])
    assert whole == parts


def test_pods_of_another_rollout_are_not_counted() -> None:
    """Two lectures share a namespace."""
    series = Series("api-tester-2233")
    series.feed(examples.rows("api-tester-2234", True))
    assert series.pods == []


def test_a_copy_does_not_follow() -> None:
    """A reader on another thread keeps what it got."""
    series = Series("api-tester-2233")
    rows = examples.rows("api-tester-2233", False)
    series.feed(rows[:4])
    copy = series.copy()
    series.feed(rows[4:])
    assert len(copy.pods) < len(series.pods)
    assert copy.led != series.led


def test_the_stack_has_no_gaps() -> None:
    """Each layer begins where the one below ends, at every moment."""
    pods = [(0.0, {"a": 2}), (5.0, {"a": 2, "b": 1}), (9.0, {"a": 1, "b": 2}), (12.0, {"b": 2})]
    layers = stacked(pods, ["a", "b"])
    assert layers["a"] == [[0.0, 0.0, 2.0], [9.0, 0.0, 1.0], [12.0, 0.0, 0.0]]
    assert layers["b"] == [[0.0, 2.0, 2.0], [5.0, 2.0, 3.0], [9.0, 1.0, 3.0], [12.0, 0.0, 2.0]]


@pytest.mark.parametrize("t", [10.0, 100.0, 700.0, 4000.0])
def test_the_time_axis_stands_still_for_a_while(t: float) -> None:
    """A domain that grew with each refresh would redraw everything each time."""
    ends = {window(t + i / 2, [])[1] for i in range(8)}
    assert len(ends) <= 2
    start, end = window(t, [])
    assert start <= t <= end


def test_a_long_run_shows_the_last_update() -> None:
    """After an hour the last three minutes matter, not the first fifty."""
    start, end = window(3600.0, [0.5, 3500.0])
    assert start == 3480.0
    assert end >= 3600.0


def test_lanes_say_which_version_each_service_led_to() -> None:
    """Selectors are exact; without a hash in the selector the answers tell."""
    series = Series("api-tester-2233")
    series.feed(examples.rows("api-tester-2233", False))
    found = charts("en", examples.blue_green_waiting(), series)
    preview = found["lanes"][1]["segments"]
    assert [s["parts"][0]["text"] for s in preview] == ["v1.0.0", "v2.0.0"]
    series = Series("api-tester-2234")
    series.feed(examples.rows("api-tester-2234", True))
    (lane,) = charts("en", examples.canary_waiting(), series)["lanes"]
    assert lane["split"] == "68 : 32"
    assert [round(part["share"], 2) for part in lane["segments"][-1]["parts"]] == [0.67, 0.33]


def test_labels_of_layers_stand_in_their_layer() -> None:
    """Direct labels instead of a legend: each at the middle of its own band."""
    series = Series("api-tester-2234")
    series.feed(examples.rows("api-tester-2234", True))
    chart = charts("en", examples.canary_waiting(), series)["chart"]
    assert [(v["text"], v["middle"]) for v in chart["versions"]] == [("v1.0.0", 1.0), ("v2.0.0", 2.5)]
    assert [m["text"] for m in chart["marks"]] == ["apply", "set image 2.0.0"]


def test_many_pods_do_not_make_many_ticks() -> None:
    """500 Pods are an accident, and the axis stays readable in one."""
    series = Series("x")
    for i in range(500):
        label = {"rollouts-pod-template-hash": examples.V1}
        series.feed([{"type": "ADDED", "kind": "Pod", "t": 1.0 + i, "name": f"x-a-{i}", "labels": label}])
    chart = charts("en", examples.canary_waiting(), series)["chart"]
    assert len(chart["ticks"]) <= 7
