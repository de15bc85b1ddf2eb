"""The rule from one look to the next, without a lab: order, needs, breaking, settling, hints and answers."""

from __future__ import annotations

import json

from rollout_lab.course import BrokeAgain, Checks, Mark, NotYet, Passed, Progress, Seen
from rollout_lab.course import progress as steps
from rollout_lab.course.board import same
from rollout_lab.course.outcomes import Outcome
from rollout_lab.course.seen import EMPTY


def two_tasks() -> Checks:
    checks = Checks()

    @checks.task("one")
    def one(see: Seen) -> Outcome:
        return Passed() if see.version in ("1", "2") else NotYet("none", version=see.version)

    @checks.breaks("one")
    def one_breaks(see: Seen) -> BrokeAgain | None:
        return None if see.version in ("1", "2") else BrokeAgain("lost")

    @checks.task("two", needs=("one",))
    def two(see: Seen) -> Outcome:
        return Passed() if see.version == "2" else NotYet("not-two")

    @checks.answer("which", after="two")
    def which(see: Seen) -> str:
        return see.version

    return checks


def at(version: str, t: float = 0.0) -> Seen:
    return Seen(t, {**EMPTY, "rollout": {"version": version}})


def walked(*versions: str) -> tuple[Checks, Progress]:
    checks = two_tasks()
    progress = steps.begin(checks, ["one", "two"])
    for t, version in enumerate(versions):
        progress = steps.advance(checks, progress, at(version, float(t)))
    return checks, progress


def marks(progress: Progress) -> list[str]:
    return [state.mark.value for state in progress.tasks.values()]


def test_a_task_waits_for_what_it_needs_and_says_so() -> None:
    """A student sees why a task cannot be done yet."""
    _, progress = walked("0")
    assert marks(progress) == ["now", "locked"]
    assert (progress.tasks["one"].code, progress.tasks["one"].params) == ("none", {"version": "0"})
    assert progress.tasks["two"].params == {"task": "one"}


def test_one_look_may_pass_several_tasks() -> None:
    """Who is quicker than the look loses nothing."""
    _, progress = walked("2")
    assert marks(progress) == ["passed", "passed"] and progress.finished


def test_what_is_undone_breaks_and_is_whole_again() -> None:
    """Green does not stay green by itself; the time of the first passing stays."""
    assert marks(walked("1", "0")[1]) == ["broken", "now"]
    _, progress = walked("1", "0", "1")
    assert marks(progress) == ["passed", "now"] and progress.tasks["one"].t == 0.0


def test_a_task_is_settled_when_the_way_led_on() -> None:
    """The first task of a lesson does not turn red because the lesson went on."""
    checks, progress = walked("1", "2", "2", "0")
    assert progress.tasks["one"].settled and marks(progress) == ["passed", "passed"]
    assert "two" not in checks.broken


def test_truth_comes_after_the_task_and_stays() -> None:
    """A prediction is judged by what happened at its task, not by what came later."""
    assert walked("1")[1].truths == {}
    assert walked("1", "2", "3")[1].truths == {"which": "2"}


def test_hints_skips_and_answers() -> None:
    """Help is counted, a skipped task opens the next, an answer may be changed."""
    checks, progress = walked("0")
    progress = steps.hint(steps.hint(progress, "one"), "one")
    progress = steps.give(steps.give(progress, "which", "1"), "which", "2")
    progress = steps.advance(checks, steps.skip(progress, "one"), at("0"))
    assert progress.tasks["one"].hints == 2 and progress.given == {"which": "2"}
    assert marks(progress) == ["skipped", "now"]


def test_a_check_that_fails_is_told_and_can_be_skipped() -> None:
    """A mistake of an author does not take the page from a class."""
    checks = Checks()
    checks.task("bad")(lambda see: see.picture["nothing"])
    progress = steps.advance(checks, steps.begin(checks, ["bad"]), at("1"))
    assert progress.tasks["bad"].code == "check-failed"
    assert "nothing" in progress.tasks["bad"].params["error"]


def test_news_tells_each_change_once() -> None:
    """The terminal prints what is new and is silent otherwise."""
    checks, before = walked("0")
    after = steps.advance(checks, before, at("1"))
    assert [(n.task, n.mark) for n in steps.news(before, after)] == [("one", Mark.PASSED), ("two", Mark.NOW)]
    assert steps.news(after, steps.advance(checks, after, at("1"))) == []


def test_progress_survives_a_file_and_a_changed_lesson() -> None:
    """A seat goes on where it was; tasks an author took away or added do no harm."""
    checks, progress = walked("1", "2")
    again = steps.from_json(checks, ["one", "two"], json.loads(json.dumps(steps.to_json(progress))))
    assert again == progress
    data = steps.to_json(progress)
    data["tasks"]["gone"] = data["tasks"].pop("two")
    assert list(steps.from_json(checks, ["one", "two"], data).tasks) == ["one", "two"]


def test_numbers_are_compared_as_numbers() -> None:
    """An answer typed as text is as good as a number."""
    assert same("2", 2) and same(2.0, 2) and same("same", "same")
    assert not same("3", 2) and not same("", 2) and not same("other", "same")
