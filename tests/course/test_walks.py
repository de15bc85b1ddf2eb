"""Every lesson on the embedded cluster: checks that say why not, pass, notice; answers that are right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout_lab.course import Seen, Walk, load_checks
from rollout_lab.course.blocks import Task
from rollout_lab.course.lesson import lesson_folders, load_lesson
from rollout_lab.course.seen import EMPTY
from rollout_lab.course.words import sentence
from rollout_lab.lab import Lab
from tests.course.walking import LESSONS, Student, follow

pytestmark = [pytest.mark.cluster, pytest.mark.kubectl, pytest.mark.timeout(400)]
FOLDERS = lesson_folders(LESSONS)
SPEED = 10.0


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
    follow(student)


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
