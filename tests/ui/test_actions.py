"""Actions from the browser: each done once, in order, and what went wrong told."""

from __future__ import annotations

from typing import Any

from rollout_lab.client.verdicts import Verdict
from rollout_lab.errors import LabError
from rollout_lab.ui.actions import act, hear, trouble
from rollout_lab.ui.session import Source
from tests.ui.replayed_lab import ReplayedLab

NAME = "api-tester-2233"


def test_an_action_is_done_exactly_once() -> None:
    """The browser repeats its queue until it is heard; a promote must not be done twice."""
    lab = ReplayedLab()
    memory: dict[str, Any] = {"ack": 0}
    queue = [[1, "abort", {}], [2, "promote", {}]]
    for _ in range(3):
        hear(Source(lab), "ko", NAME, queue, memory)
    hear(Source(lab), "ko", NAME, [*queue, [3, "retry", {}]], memory)
    assert [action for action, _, _ in lab.done] == ["abort", "promote", "retry"]
    assert memory["ack"] == 3


def test_arguments_reach_the_lab() -> None:
    """Which version, which revision."""
    lab = ReplayedLab()
    assert act(Source(lab), "ko", NAME, "undo", {"to_revision": 1}, 1) is None
    assert lab.done == [("undo", NAME, {"to_revision": 1})]


def test_an_action_the_page_does_not_have_is_not_sent() -> None:
    """The queue comes from a browser: only the bar's own actions pass."""
    lab = ReplayedLab()
    assert act(Source(lab), "ko", NAME, "delete-everything", {}, 1) is None
    assert lab.done == []


def test_a_failure_is_told_with_its_words() -> None:
    """Never a traceback, never silence."""

    class Broken(ReplayedLab):
        def do(self, action: str, rollout: str, **args: Any) -> Verdict:
            raise LabError("spec.replicas: must be 0 or more")

    notice = act(Source(Broken()), "ko", NAME, "promote", {}, 7)
    assert notice is not None
    assert (notice["id"], notice["tone"]) == (7, "bad")
    assert notice["text"] == "Promote를 하지 못했습니다."
    assert notice["remedy"] == "spec.replicas: must be 0 or more"


def test_an_action_that_would_do_nothing_says_so() -> None:
    """Two students press the same button: the second is told why nothing happens."""

    class Late(ReplayedLab):
        def do(self, action: str, rollout: str, **args: Any) -> Verdict:
            return Verdict(False, "already-promoted", {"version": "2.0.0"})

    notice = act(Source(Late()), "en", NAME, "promote", {}, 1)
    assert notice is not None
    assert notice["tone"] == "warn"
    assert notice["remedy"] == "2.0.0 already serves everybody."


def test_a_run_that_began_again_starts_its_lines_again() -> None:
    """After a reset the rows count from 0: what was drawn before belongs to another run."""

    class Restarting(ReplayedLab):
        begun = 0

        def rows(self, rollout: str, since: int = 0) -> Any:
            rows, following = super().rows(rollout, since)
            if self.begun:
                rows, following = super().rows(rollout, 0)
                return rows[since:4], 4
            return rows, following

    lab = Restarting()
    source = Source(lab)
    assert len(source.look(NAME)[1].marks) == 2
    lab.begun = 1
    assert len(source.look(NAME)[1].marks) == 1


def test_a_cluster_that_died_is_told_with_a_remedy() -> None:
    """A picture that stands still must not look like a rollout that waits."""
    assert trouble("en", {"lab": {"trouble": ""}}) is None
    assert trouble("en", {}) is None
    notice = trouble("ko", {"lab": {"trouble": "the engine ended"}})
    assert notice is not None
    assert notice["remedy"].startswith("the engine ended 터미널에서")
