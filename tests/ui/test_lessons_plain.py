"""The live picture of plain Deployments as data for the drawing."""

from __future__ import annotations

import json

from rollout_lab.observe.plain import plain_picture
from rollout_lab.ui.lessons_plain import plain
from tests.ui.plain_objects import STARTED, picture, rows


def test_boxes_say_whose_they_are_and_what_chooses() -> None:
    """A Service shows the label that chooses, a ReplicaSet its Deployment; all keys fit."""
    data = plain("en", "anotherclass-221", picture(), rows(), 1)
    assert [(s["title"], s["hash"]) for s in data["services"]] == [
        ("api-tester", "blue-green-no=1"),
        ("api-tester-2", "blue-green-no=2"),
    ]
    assert [s["facts"] for s in data["sets"]] == ["api-tester-1 · 2 / 2 ready", "api-tester-2 · 2 / 2 ready"]
    keys = {s["hash"] for s in data["sets"]}
    assert {p["set"] for p in data["pods"]} == {r["set"] for r in data["routes"]} == keys
    json.dumps(data, allow_nan=False)


def test_pods_over_time_are_those_of_both_deployments() -> None:
    """Two of blue from the start, two of green on top of them from 5 s on."""
    chart = plain("en", "anotherclass-221", picture(), rows(), 1)["chart"]
    assert [(v["text"], v["now"]) for v in chart["versions"]] == [("v1.0.0", 2), ("v2.0.0", 2)]
    assert chart["versions"][1]["steps"][-1] == [5.0, 2.0, 4.0]


def test_an_empty_namespace_says_what_to_do() -> None:
    """A student who opens the lesson sees no blank page."""
    for lang in ("ko", "en"):
        data = plain(lang, "anotherclass-221", plain_picture(0.0, STARTED, {}), (), 1)
        assert data["head"]["empty"]
        assert data["summary"] == ""
