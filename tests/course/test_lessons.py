"""Lessons: read as written, mistakes with file, field and line, and both languages of equal content."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from rollout_lab.cli.lesson_play import show_text
from rollout_lab.course import Lesson, LessonError, by_key, load_lesson, load_lessons
from rollout_lab.course.commands import commands_in
from rollout_lab.lab.scenario import LESSON_SCENARIOS, SCENARIOS

LESSONS = Path(__file__).parents[2] / "lessons"
GOOD = '---\ntitle: "T"\nlecture: "1"\nminutes: 5\nscenario: course-2233\n---\nintro\n\n## One\n\ntext\n'


def lesson(tmp_path: Path, text: str, folder: str = "05-some-lesson") -> Lesson:
    place = tmp_path / folder
    place.mkdir()
    (place / "index.ko.md").write_text(text, encoding="utf-8")
    return load_lesson(place, "ko")


def test_a_lesson_is_front_matter_introduction_and_sections(tmp_path: Path) -> None:
    """The format, in one example."""
    found = lesson(tmp_path, GOOD + "```\n## not a heading\n```\n")
    assert (found.number, found.slug, found.title, found.minutes) == (5, "some-lesson", "T", 5)
    assert found.intro == "intro"
    assert [s.title for s in found.sections] == ["One"]
    assert "## not a heading" in found.sections[0].text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no front matter", "line 1"),
        ("---\ntitle: x\n", "no closing line"),
        (GOOD.replace("minutes: 5", "minutes: five"), "`minutes` must be a whole number"),
        (GOOD.replace('lecture: "1"', "lecture: 1"), "`lecture` must be text"),
        (GOOD.replace("minutes: 5\n", ""), "`minutes` is missing"),
        (GOOD.replace("minutes", "minuts: 3\nminutes"), "unknown field `minuts`"),
        (GOOD.replace("minutes: 5", "minutes: [5"), "not YAML"),
        (GOOD.replace("scenario: course-2233", "scenario: !!python/object:os.system x"), "not YAML"),
        ("---\n- 1\n---\n", "must be fields"),
    ],
)
def test_a_mistake_names_file_and_field(tmp_path: Path, text: str, says: str) -> None:
    """An author finds the mistake without reading our code; and YAML can only be data."""
    with pytest.raises(LessonError, match=re.escape(says)) as problem:
        lesson(tmp_path, text)
    assert "index.ko.md" in str(problem.value)


def test_folders_and_languages_that_are_missing(tmp_path: Path) -> None:
    """A wrong folder name and a missing translation are told apart."""
    with pytest.raises(LessonError, match="NN-slug"):
        lesson(tmp_path, GOOD, "lesson-five")
    (tmp_path / "06-x").mkdir()
    with pytest.raises(LessonError, match=r"index\.en\.md: no such file"):
        load_lesson(tmp_path / "06-x", "en")
    with pytest.raises(LessonError, match="no such folder"):
        load_lessons(tmp_path / "nowhere", "ko")


def test_tasks_and_questions_stand_in_their_place(tmp_path: Path) -> None:
    """Blocks are taken out of the text and keep their order; the text around them stays whole."""
    blocks = '```task go\ndo: "Go."\nhints: [h]\n```\n\nbetween\n\n```quiz n\nask: "How many?"\n```\n'
    found = lesson(tmp_path, GOOD + blocks)
    kinds = [type(part).__name__ for part in found.sections[0].parts]
    assert kinds == ["str", "Task", "str", "Question"]
    assert found.sections[0].text == "text\n\nbetween"
    assert (found.tasks[0].id, found.tasks[0].line, found.questions[0].ask) == ("go", 12, "How many?")


def test_a_link_to_a_lecture_stays_when_lessons_are_added() -> None:
    """The first lesson of a lecture keeps its number in links."""
    keys = by_key(load_lessons(LESSONS, "ko"))
    assert (keys["2213"].number, keys["2233"].number, keys["2234"].number) == (3, 5, 7)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_lessons_name_what_the_lab_really_applies(lang: str) -> None:
    """Names and ports of the text are those of the manifest, or the commands would not run."""
    for found in load_lessons(LESSONS, lang):
        assert found.scenario in (*SCENARIOS, *LESSON_SCENARIOS)
        names = sorted((found.folder / "manifests").glob("*.yaml"))
        if found.namespace and not names:
            names = sorted((LESSONS.parent / "manifests").glob("deployment-*.yaml"))
        names = names or [LESSONS.parent / "manifests" / f"{found.scenario}.yaml"]
        manifest = "\n".join(path.read_text(encoding="utf-8") for path in names)
        where = f"-n {found.namespace or 'anotherclass-223'}"
        commands = [c for section in found.sections for c, _ in commands_in(section.text)]
        for command in commands:
            for port in re.findall(r"127\.0\.0\.1:(\d+)", command):
                assert f"nodePort: {port}" in manifest
            for name in re.findall(r"api-tester-\d+", command):
                assert f"name: {name}" in manifest
            cluster_wide = re.match(r"kubectl (apply -f|explain|api-resources|get (crd|namespace))", command)
            assert where in command or "kubectl" not in command or cluster_wide


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_command_can_be_read_whole_in_a_terminal(lang: str) -> None:
    """A line of more than 96 columns is broken by the terminal's text, and cannot be copied as it stands."""
    for found in load_lessons(LESSONS, lang):
        for section in found.sections:
            for line in section.text.splitlines():
                if re.match(r"(rollout-lab|kubectl|curl) ", line):
                    assert len(line) <= 96, f"{found.slug}: {line}"


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_terminal_shows_every_word_of_a_lesson(lang: str) -> None:
    """Long list items were cut off at the width once: a student read half of what a word means."""
    for found in load_lessons(LESSONS, lang):
        out = io.StringIO()
        to = Console(file=out, width=100, soft_wrap=True, highlight=False)
        for section in found.sections:
            show_text(to, section.text)
        shown = re.sub(r"\s", "", out.getvalue())
        text = "\n".join(section.text for section in found.sections)
        text = re.sub(r"^```\w*$|^\|.*$", "", text, flags=re.M)  # a table's cells are wrapped side by side
        for word in re.findall(r"\w+", text):
            assert word in shown, f"{found.slug}: {word}"
