"""Behind each reason: object, field, and the formula with its numbers, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from rollout_lab.api.intstr import resolve
from rollout_lab.plan.replicas import explain
from rollout_lab.ui.why import formula, why_lines
from tests.ui import examples


def sizes(replicas: int, weight: int, surge: int | str, unavailable: int | str, to: int) -> dict[str, Any]:
    """Parameters of ``scale.canary`` as the planner gives them."""
    up = resolve(surge, replicas, round_up=True)
    down = resolve(unavailable, replicas, round_up=False)
    target = explain(replicas, weight, up, down, None, None, []).target
    return {
        "from": 0, "to": to, "weight": weight, "replicas": replicas, "surge": up, "unavailable": down,
        "canary": target.canary, "stable": target.stable, "maxSurge": surge, "maxUnavailable": unavailable,
    }  # fmt: skip


def test_the_lectures_own_question_is_answered() -> None:
    """33 % of 2 Pods: why three, and why one of them."""
    params = {**sizes(2, 33, "25%", "25%", 1), "canary": 1, "stable": 2}
    said = formula("en", "scale.canary", params).splitlines()
    assert said[0] == "33 % of 2 is 0.66 → 1 canary and 2 stable, because maxSurge 25% rounds up to 1"
    assert said[1] == "maxSurge: 25% of 2 = 0.5 → rounded up, 1 more allowed"
    assert said[2] == "maxUnavailable: 25% of 2 = 0.5 → rounded down, 0 fewer allowed"
    assert said[3] == "at most 3 in all, at least 2 available"
    assert said[4] == "the new version has 1 of 3 = 33 %"


def test_a_number_is_not_rounded() -> None:
    """maxSurge: 1 has no fraction to explain."""
    said = formula("ko", "scale.stable", {**sizes(4, 50, 1, 0, 2), "canary": 2, "stable": 2})
    assert "올림" not in said
    assert "maxSurge: 1 → 1개 더 허용" in said


def test_whole_pods_are_not_said_to_be_rounded() -> None:
    """25 % of 4 is one Pod exactly; a student who checks the sum would look for a fraction in vain."""
    said = formula("en", "scale.canary", {**sizes(4, 50, "25%", "25%", 2), "canary": 2, "stable": 2})
    assert "round" not in said and "maxSurge: 25% of 4 = 1 more allowed" in said
    assert "올림" not in formula("ko", "scale.canary", sizes(4, 50, "25%", "25%", 2))


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_step_on_the_way_is_told_apart_from_the_goal(lang: str) -> None:
    """Sizes move one side at a time: a number that is not the goal needs a word."""
    params = {**sizes(10, 50, 2, 0, 2), "canary": 5, "stable": 5, "to": 2}
    assert formula(lang, "scale.canary", params).splitlines()[-1].endswith("0 → 2")


def test_a_run_recorded_without_the_numbers_has_no_formula() -> None:
    """An old recording must still be shown."""
    assert formula("en", "scale.canary", {"to": 1, "weight": 33, "replicas": 2}) == ""


def test_object_and_field_stand_behind_each_line() -> None:
    """The learner finds the place in the manifest."""
    newest = why_lines("en", examples.canary_waiting())[0]
    assert newest["object"] == "Rollout/api-tester-2234"
    assert newest["field"] == "spec.strategy.canary.steps[1].pause"
    assert newest["code"] == "pause.indefinite"
