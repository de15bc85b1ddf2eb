"""Recorded runs as tables: the numbers behind every chart."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollout_lab.observe import frames

TRACES = Path(__file__).parents[1] / "data" / "traces"
BLUE_GREEN = frames.read_run(TRACES / "bluegreen-manual.jsonl")
CANARY = frames.read_run(TRACES / "canary-course.jsonl")


def at(table, t: float) -> dict[str, tuple[int, int]]:  # type: ignore[no-untyped-def]
    """(pods, ready) of each version at `t`."""
    last = table[table["t"] <= t].groupby("version").last()
    return {v: (int(r["pods"]), int(r["ready"])) for v, r in last.iterrows()}


def test_blue_green_doubles_the_pods_while_it_waits() -> None:
    """Two old and two new Pods at the pause, two new ones at the end."""
    table = frames.pods_over_time(BLUE_GREEN)
    assert at(table, 9.0) == {"1.0.0": (2, 2), "2.0.0": (2, 2)}
    assert at(table, 99.0) == {"1.0.0": (0, 0), "2.0.0": (2, 2)}


def test_the_canary_has_three_pods_in_the_middle() -> None:
    """33 % of 2 is 1 of 3 Pods, 66 % is 2 of 3."""
    table = frames.pods_over_time(CANARY)
    assert at(table, 9.0) == {"1.0.0": (2, 2), "2.0.0": (1, 1)}
    assert at(table, 15.0) == {"1.0.0": (1, 1), "2.0.0": (2, 2)}
    assert table["pods"].max() == 2 and (table["ready"] <= table["pods"]).all()


def test_lanes_switch_when_the_selector_does() -> None:
    """preview moves at the update, active only at the promotion."""
    table = frames.lanes(BLUE_GREEN)
    active = table[table["service"] == "api-tester-active"]
    preview = table[table["service"] == "api-tester-preview"]
    assert list(active["version"]) == ["", "1.0.0", "2.0.0"]
    assert list(preview["version"]) == ["", "1.0.0", "2.0.0"]
    assert preview["start"].iloc[-1] < 9.82 < active["start"].iloc[-1]
    assert (table["end"] >= table["start"]).all() and active["end"].max() == pytest.approx(17.15)


def test_a_share_says_its_sample() -> None:
    """103 of 322 answers are 32 % give or take 5; one answer says next to nothing."""
    rows = [
        {
            "kind": "Probe",
            "type": "PROBE",
            "name": "s",
            "t": 0,
            "until": 9,
            "versions": {"1": 219, "2": 103},
            "failed": 0,
        }
    ]
    table = frames.shares(rows).set_index("version")
    assert table.loc["2", "share"] == pytest.approx(0.32, abs=0.001)
    assert table.loc["2", "high"] - table.loc["2", "share"] == pytest.approx(0.051, abs=0.001)
    assert frames.half_width(1.0, 2) > 0.5 and frames.half_width(0.5, 0) == 1.0


def test_tables_of_nothing_have_their_columns_and_types() -> None:
    """The first tick of a chart has no rows; its axes must not change their kind later."""
    for table in (frames.pods_over_time([]), frames.lanes([]), frames.shares([]), frames.events([])):
        assert table.empty and len(table.columns) >= 4
    assert str(frames.pods_over_time([])["t"].dtype) == "float64"


def test_events_and_actions_are_one_story() -> None:
    """What people did and what the engine told, in order."""
    table = frames.events(BLUE_GREEN)
    assert list(table[table["what"] == "action"]["text"]) == ["apply", "set image 2.0.0", "promote"]
    assert table["t"].is_monotonic_increasing


def test_the_pods_of_a_deployment_are_told_apart_too() -> None:
    """Lessons on plain Deployments have the same chart, by the Deployment's own hash."""
    labels = {"pod-template-hash": "abc"}
    rows = [
        {
            "t": 1.0,
            "kind": "ReplicaSet",
            "name": "web-abc",
            "labels": labels,
            "image": "1pro/api-tester:1.0.0",
        },
        {"t": 2.0, "kind": "Pod", "type": "ADDED", "name": "web-abc-x", "labels": labels, "ready": "True"},
    ]
    assert frames.pods_over_time(rows).to_dict("records") == [
        {"t": 2.0, "version": "1.0.0", "pods": 1, "ready": 1}
    ]
