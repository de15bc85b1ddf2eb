"""Where the page of `up` begins: at what was asked for, not at a lecture that would be applied beside it."""

from __future__ import annotations

import pytest

from rollout_lab.cli import up
from rollout_lab.course import LessonError
from rollout_lab.errors import UsageError


@pytest.mark.parametrize(
    ("scenario", "look"),
    [
        ("course-2233", ""),
        ("course-2234", "/?lesson=2234"),
        ("five-percent", "/?lesson=11"),
        ("only-the-testers", "/?lesson=12"),
        ("canary-nginx", "/?rollout=api-tester-2234-nginx"),
        ("rollout-canary", "/?rollout=demo-canary"),
    ],
)
def test_the_page_begins_with_the_scenario(scenario: str, look: str) -> None:
    """Protects `up --scenario`: its lesson where there is one, else its rollout."""
    assert up.first_look(scenario) == look


def test_lessons_that_cannot_be_read_hide_no_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects an author's lab: a lesson half written does not keep it from starting."""

    def broken(*_: object) -> None:
        raise LessonError("half written")

    monkeypatch.setattr("rollout_lab.course.lesson.load_lessons", broken)
    assert up.first_look("five-percent") == "/?rollout=api-tester-2234-weight"


def test_a_scenario_that_is_not_there_is_said_before_anything_starts() -> None:
    """Protects from a cluster that is made for nothing."""
    with pytest.raises(UsageError, match="name a manifest file"):
        up.first_look("nope")
