"""The picture of plain Deployments: who leads where, in which colour, and what in a selector chooses."""

from __future__ import annotations

import json

from rollout_lab.observe.plain import plain_picture
from tests.ui.plain_objects import STARTED, answers, by_hand, picture, rows, selected


def test_services_lead_to_their_own_pods_and_no_others() -> None:
    """The picture draws an arrow only where an EndpointSlice leads."""
    led = {(r["service"], r["pod"]) for r in picture()["routes"]}
    assert led == {
        ("api-tester", "api-tester-1-aaa-x1"), ("api-tester", "api-tester-1-aaa-x2"),
        ("api-tester-2", "api-tester-2-bbb-y1"), ("api-tester-2", "api-tester-2-bbb-y2"),
    }  # fmt: skip


def test_colours_follow_the_order_in_which_versions_came() -> None:
    """Green keeps its colour when blue's objects come later in a list."""
    found = picture()
    assert {s["version"]: s["colour"] for s in found["replicaSets"]} == {"1.0.0": 0, "2.0.0": 1}
    assert {p["hash"]: p["colour"] for p in found["pods"]} == {"aaa": 0, "bbb": 1}


def test_what_chooses_is_the_part_of_the_selector_that_differs() -> None:
    """`name=api-tester` is on every Pod and says nothing; the number does."""
    chosen = {s["name"]: s["chosen"] for s in picture()["services"]}
    assert chosen == {"api-tester": "blue-green-no=1", "api-tester-2": "blue-green-no=2"}


def test_a_changed_selector_has_its_time() -> None:
    """As it was at first is no change; a second change counts from the second."""
    for changes, at in (
        ([(1.0, "1")], None),
        ([(1.0, "1"), (7.0, "2")], 7.0),
        ([(1.0, "1"), (7.0, "2"), (8.0, "1")], 8.0),
    ):
        told = [*rows(), *(selected(t, colour) for t, colour in changes)]
        found = plain_picture(9.0, STARTED, by_hand(), told)
        assert found["services"][0]["changedAt"] == at


def test_the_share_is_that_of_the_last_answers_of_versions_it_leads_to() -> None:
    """Answers from before the switch count no more."""
    found = picture()["services"][0]
    assert found["shares"] == {"aaa": 1.0}
    assert (found["requests"], found["failed"], found["window"]["n"]) == (20, 1, 5)
    late = plain_picture(9.0, STARTED, by_hand(), answers=answers("2.0.0", 5))["services"][0]
    assert late["shares"] == {}, "2.0.0 is not behind it any more"


def test_an_empty_namespace_is_a_picture_too() -> None:
    """Before the first command there is nothing, and that is JSON as well."""
    found = plain_picture(0.0, STARTED, {})
    assert (found["rollout"], found["services"], found["pods"]) == (None, [], [])
    assert json.loads(json.dumps(picture(), allow_nan=False)) == picture()
