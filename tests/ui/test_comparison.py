"""Runs side by side as data: the figures in words, colours, what users reached; and the runs that ship."""

from __future__ import annotations

import pytest

from rollout_lab.api.validation import validate
from rollout_lab.lab.forecast import predict
from rollout_lab.ui import runs
from rollout_lab.ui.comparison import comparison, lane, worded
from rollout_lab.ui.payload import plain
from rollout_lab.ui.recipe import Kind, Recipe, objects


def test_the_four_strategies_differ_where_the_lecture_says_so() -> None:
    """Only Recreate is down, and only blue/green doubles the Pods."""
    data = plain(comparison("en", [runs.recording(key) for key in runs.SETS["strategies"]]))
    told = {row["key"].partition(" ")[2]: {f["key"]: f for f in row["figures"]} for row in data["runs"]}
    assert [name for name, figures in told.items() if figures["downtime"]["bad"]] == ["recreate"]
    assert told["blueGreen" if "blueGreen" in told else "bluegreen"]["extraPods"]["value"] == "+4"
    assert told["recreate"]["extraPods"]["best"]


def test_maxsurge_costs_pods_and_keeps_capacity() -> None:
    """The question of the lecture: what does 25 % buy?"""
    data = comparison("en", [runs.recording(key) for key in runs.SETS["surge"]])
    rows = {row["key"]: [cell["value"] for cell in row["cells"]] for row in data["table"]["rows"]}
    assert rows["extraPods"] == ["+0", "+1"]
    assert rows["minAvailable"] == ["3", "4"]


@pytest.mark.parametrize("name", runs.PEER)
def test_each_recorded_run_can_be_compared_with_our_own(name: str) -> None:
    """What ships is whole, and our engine takes the same run to its end."""
    ours, peer = runs.recording(f"ours-{name}"), runs.recording(f"peer-{name}")
    assert ours.predicted
    assert not peer.predicted
    one, two = ours.figures(), peer.figures()
    assert (one["maxPods"], one["version"]) == (two["maxPods"], two["version"])
    names = [runs.title("ko", f"{who}-{name}") for who in ("ours", "peer")]
    plain(comparison("ko", [ours, peer], names))


def test_nobody_to_answer_is_shown_as_a_gap() -> None:
    """An empty list of endpoints is downtime, not a version."""
    series = [{"t": 0.0, "endpoints": {"1.0.0": 2}}, {"t": 1.0, "endpoints": {}}]
    assert [segment["parts"] for segment in lane(series, {"1.0.0": 0})][1] == []


def test_an_update_that_never_ends_has_no_time() -> None:
    """A figure that does not exist is not invented."""
    figures = {"duration": 12.0, "finished": False, "usersOnNewAfter": None, "failed": 0, "requests": 0}
    assert worded("en", "duration", figures) == "not done"
    assert worded("en", "usersOnNewAfter", figures) == "never"
    assert worded("en", "failed", figures) == "–"


@pytest.mark.parametrize("kind", [Kind.CANARY, Kind.BLUE_GREEN, Kind.ROUTED])
@pytest.mark.parametrize("pause", [0, 20])
@pytest.mark.parametrize("size", [0, 100])
def test_every_position_of_the_sliders_is_a_valid_manifest(kind: Kind, pause: int, size: int) -> None:
    """A slider must not lead to a manifest the engine refuses."""
    recipe = Recipe(
        kind, replicas=1, surge=size, steps=((0, pause), (100, pause)), auto=bool(size), pause=pause, delay=0
    )
    rollout = objects(recipe, "x")[-1]
    placed = {**rollout, "metadata": {**rollout["metadata"], "namespace": "x"}}
    assert validate(placed) == []


def test_runs_that_should_be_equal_have_no_winner() -> None:
    """Our prediction is no better than the peer because a person promoted a second sooner."""
    both = [runs.recording(key) for key in runs.SETS["peer"]]
    data = comparison("en", both, judge=False)
    assert not any(cell["best"] for row in data["table"]["rows"] for cell in row["cells"])
    assert any(cell["best"] for row in comparison("en", both)["table"]["rows"] for cell in row["cells"])


def test_behind_a_router_users_reach_what_it_was_told() -> None:
    """One canary Pod of five may have ten of a hundred requests; the band says so, not the Pods."""
    recipe = Recipe(Kind.ROUTED, replicas=5, steps=((10, 5), (40, 5)), delay=5)
    run = predict(objects(recipe, "x"), ["set image 2.0.0"], name="x")
    shares = [
        {part["key"]: part["share"] for part in one["parts"]}
        for one in comparison("en", [run])["runs"][0]["lane"]
    ]
    assert shares == [
        {"1.0.0": 1.0},
        {"1.0.0": 0.9, "2.0.0": 0.1},
        {"1.0.0": 0.6, "2.0.0": 0.4},
        {"2.0.0": 1.0},
    ]
