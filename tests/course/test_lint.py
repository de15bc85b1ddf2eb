"""The linter: our lessons are clean, and each kind of mistake is found with its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rollout_lab.course import LessonError, load_lessons
from rollout_lab.course.lesson import lesson_folders
from rollout_lab.course.lint import lint_lesson
from rollout_lab.course.schedule import schedule
from rollout_lab.course.skeleton import new_lesson
from tests.course.walking import LESSONS


@pytest.mark.parametrize("folder", lesson_folders(LESSONS), ids=lambda folder: folder.name)
def test_our_lessons_are_clean(folder: Path) -> None:
    """Both languages have the same tasks, commands, tables and choices, and every reason has its sentence."""
    assert [str(found) for found in lint_lesson(folder)] == []


def test_a_new_lesson_is_clean_and_is_not_written_over(tmp_path: Path) -> None:
    """An author starts from something that works."""
    assert lint_lesson(new_lesson(tmp_path, "11-my-lesson")) == []
    with pytest.raises(LessonError, match="another number"):
        new_lesson(tmp_path, "11-other")
    with pytest.raises(LessonError, match="NN-slug"):
        new_lesson(tmp_path, "lesson")


SHARED = "from rollout_lab.course.updates import fallen_back\n\nchecks = Checks()"


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (
            "index.en.md",
            "## 1. The first task",
            "## 1. The first task\n\n```\ncurl localhost:1\n```",
            "other commands",
        ),
        ("index.en.md", "```task new-version", "```task new-thing", "other tasks or questions"),
        ("index.en.md", "```task new-version", "```task", ":20: `task` needs an id"),
        ("index.en.md", "do:", "does:", "unknown field `does`"),
        ("index.en.md", "hints:\n  -", "hints: no\nx:", "hints"),
        ("index.en.md", "minutes: 10", "minutes: 11", "`minutes` differs"),
        ("index.en.md", "  same-image:", "  other-image:", "`other-image`"),
        ("index.ko.md", "{version}", "{versions}", "gives no {versions}"),
        ("index.ko.md", "```quiz revision", "```quiz revisions", "no answer in checks.py"),
        ("index.ko.md", "needs: [engine, nodeport]", "needs: [docker]", "`needs` does not know 'docker'"),
        ("checks.py", '"same-image"', '"no-such"', "`no-such` has no sentence"),
        ("checks.py", "checks = Checks()", SHARED, "`back` has no sentence"),
        ("checks.py", "checks = Checks()", SHARED, "`canary-gone` has no sentence"),
        ("checks.py", '@checks.breaks("new-version")', "", "no @checks.breaks"),
        ("checks.py", "checks = Checks()", "checks = (", "checks.py:7: SyntaxError"),
        ("solution.yaml", "new-version", "old-version", "no solution for the task `new-version`"),
        ("solution.yaml", "set-image", "set-picture", "unknown step"),
    ],
)
def test_each_mistake_is_found(tmp_path: Path, file: str, old: str, new: str, says: str) -> None:
    """The linter finds what a student would otherwise stumble over."""
    folder = new_lesson(tmp_path, "11-my-lesson")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    found = [str(one) for one in lint_lesson(folder)]
    assert any(says in one for one in found), found


def test_a_bad_manifest_of_a_lesson_is_found(tmp_path: Path) -> None:
    """Manifests of a lesson are held to the same rules as any."""
    folder = new_lesson(tmp_path, "11-my-lesson")
    (folder / "manifests").mkdir()
    source = (LESSONS.parent / "manifests" / "course-2234.yaml").read_text(encoding="utf-8")
    (folder / "manifests" / "x.yaml").write_text(source.replace("setWeight: 33", "setWeight: 133"))
    assert any("x.yaml" in str(one) for one in lint_lesson(folder))


@pytest.mark.parametrize("minutes", [20, 45, 90, 180, 400])
def test_a_timetable_fits(minutes: int) -> None:
    """A workshop ends on time, in the order of the lessons, and the two lectures are never left out."""
    lessons = load_lessons(LESSONS, "en")
    slots = schedule(lessons, minutes)
    assert slots[0].start == 0 and slots[-1].start + slots[-1].minutes <= minutes
    for one, two in zip(slots, slots[1:], strict=False):
        assert one.start + one.minutes == two.start
    numbers = [slot.lesson.number for slot in slots if slot.lesson]
    assert numbers == sorted(numbers)
    assert minutes < 20 or 5 in numbers
    assert minutes < 45 or 7 in numbers


def test_lessons_may_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A teacher's own lessons are found by the variable, by number, slug or folder name."""
    from rollout_lab.course import find_lesson, lessons_folder

    shutil.copytree(LESSONS / "05-bluegreen-2233", tmp_path / "05-bluegreen-2233")
    monkeypatch.setenv("ROLLOUT_LAB_LESSONS", str(tmp_path))
    for name in ("5", "05", "bluegreen-2233", "05-bluegreen-2233"):
        assert find_lesson(lessons_folder(), name) == tmp_path / "05-bluegreen-2233"
    with pytest.raises(LessonError, match='no lesson "7"'):
        find_lesson(lessons_folder(), "7")
