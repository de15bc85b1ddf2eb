"""Every lesson on the embedded cluster: checks that say why not, pass, notice; answers that are right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout_lab.course import Mark, NotYet, Seen, Walk, load_checks
from rollout_lab.course.blocks import Task
from rollout_lab.course.lesson import lesson_folders, load_lesson
from rollout_lab.course.seen import EMPTY
from rollout_lab.course.words import sentence
from rollout_lab.lab import Lab
from tests.course.walking import LESSONS, Student

pytestmark = [pytest.mark.cluster, pytest.mark.kubectl, pytest.mark.timeout(400)]
FOLDERS = lesson_folders(LESSONS)
SPEED = 10.0
TRUTHS = {
    1: {"pods-after": 2, "selector-size": 4, "selected": 2},
    2: {"most-pods": 3, "fewest-rolling": 2, "least-ready": 0, "replica-sets": 2},
    3: {"pods-both": 4, "users-meanwhile": "blue", "selector-now": 2, "pods-now": 2, "way-back": "no"},
    4: {"pods-off": 0, "pods-repaired": 2, "who-repaired": "replica-set", "revision": 2, "failed": "none"},
    5: {"old-pods": 2, "revision": 3, "replica-sets": 2, "preview-now": "same"},
    6: {"preview-pods": 3, "failed": "none", "replica-sets": 3, "revision": 4},
    8: {"half-share": 50, "stable-third": "1.0.0", "replica-sets": 3, "revision": 4, "pods-now": 1},
    9: {"kept-hears": "old", "trapped-client": "kept", "connections": 2, "failed": "none"},
    10: {"remade": 0, "learned-from": "status", "replica-sets": 2, "revision": 2},
    7: {"pods-33": 3, "pods-66": 2, "canary-now": "1.0.0", "asked-now": 33, "revision": 3},
}
"""What is right in a walk that follows the text, known without the lab."""


@pytest.fixture
def student(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Student]:
    """A student at the beginning of a lesson, with a lab of their own."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path / "home"))
    folder: Path = request.param
    about = load_lesson(folder, "en")
    scenario = None if about.namespace else about.scenario
    with Lab.start("embedded", speed=SPEED, scenario=scenario) as lab:
        walk = Walk(folder, lab)
        walk.begin()
        yield Student(walk)
        walk.close()


def all_lessons(function):  # type: ignore[no-untyped-def]
    ids = [folder.name for folder in FOLDERS]
    return pytest.mark.parametrize("student", FOLDERS, indirect=True, ids=ids)(function)


@all_lessons
def test_a_lesson_can_be_done_by_its_text_alone(student: Student) -> None:
    """Each task said why not before it passed, each command ran, each answer is known at the end."""
    walk = student.walk
    first = walk.seen()
    before = {id_: rule.check(first) for id_, rule in walk.checks.rules.items()}
    student.go()
    assert walk.progress.finished
    for lang in ("ko", "en"):
        for task in walk.lesson(lang).tasks:
            said = [(n.code, n.params) for n in student.said if n.task == task.id and n.mark is Mark.NOW]
            unmet = before[task.id]
            assert isinstance(unmet, NotYet), f"{task.id} is passed before anything was done"
            for code, params in [*said, (unmet.code, unmet.params)]:
                assert code != "check-failed", params
                words = sentence(lang, code, params, task.not_yet)
                assert words != code and "{" not in words, words
    marks = {n.mark for n in student.said}
    assert Mark.BROKEN not in marks, [n for n in student.said if n.mark is Mark.BROKEN]
    board = walk.board("ko")
    assert {q["id"] for q in board["questions"]} == set(walk.progress.truths)
    for question in board["questions"]:
        truth = walk.progress.truths[question["id"]]
        keys = [choice["key"] for choice in question["choices"]]
        assert truth in keys if keys else isinstance(truth, int | float), question
        walk.give(question["id"], truth)
    for id_, right in TRUTHS[walk.lesson("ko").number].items():
        assert walk.progress.truths[id_] == right, id_
    assert all(q["right"] and q["why"] for q in walk.board("en")["questions"])


@all_lessons
def test_a_task_that_is_undone_is_noticed_and_mended(student: Student) -> None:
    """Green must not stay green when somebody undoes it; and what is mended is green again."""

    noticed: list[str] = []

    def undo_and_mend(task: Task) -> None:
        way = student.walk.solution[task.id]
        if not way.breaks:
            return
        student.walk.carry_out(way.breaks)
        if student.breaks(task.id):
            noticed.append(task.id)
            state = student.state(task.id)
            for lang in ("ko", "en"):
                own = next(t for t in student.walk.lesson(lang).tasks if t.id == task.id).broke
                words = sentence(lang, state.code, state.params, own)
                assert words != state.code and "{" not in words, words
        student.walk.carry_out(way.mends, lambda: student.state(task.id).done)
        student.until_passed(task.id)

    student.types = False
    student.go(undo_and_mend)
    assert student.walk.progress.finished
    assert len(noticed) >= sum(bool(way.breaks) for way in student.walk.solution.values()) - 1, noticed


@pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])
def test_every_task_notices_a_lab_where_nothing_is_left(folder: Path) -> None:
    """A task that passed breaks when all is gone, with a reason in both languages."""
    checks = load_checks(folder)
    empty = Seen(
        picture={**EMPTY, "rollout": {"version": "9.9.9", "phase": "Degraded", "revision": 9}}, engine="none"
    )
    for id_, breaks in checks.broken.items():
        found = breaks(empty)
        assert found is not None, id_
        for lang in ("ko", "en"):
            own = next(t for t in load_lesson(folder, lang).tasks if t.id == id_).broke
            words = sentence(lang, found.code, found.params, own)
            assert words != found.code and "{" not in words, words
