"""The README says what is true: its Python runs, and its verbs and files are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click import Command, Group
from click.testing import CliRunner

from rollout_lab.cli.verbs import rollout_lab as terminal

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = {
    name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("hosting.md", "hosting.ko.md")
}


def commands(text: str) -> list[str]:
    """Command lines in fences and between backticks, without what a shell does with them."""
    found = re.findall(r"^ *rollout-lab ([a-z][^#>\n]*)", text, re.M) + re.findall(
        r"`rollout-lab ([^`\n]+)`", text
    )
    return [line.strip() for line in found if not line.startswith("-")]


LINES = sorted({line for text in (TEXT, *GUIDES.values()) for line in commands(text)})


def code(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)


@pytest.mark.cluster
def test_its_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """A reader who pastes the example sees version 2 answer, and no request fail."""
    (example,) = code("python")
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    said = capsys.readouterr().out
    assert "2.0.0" in said and "1.0.0" not in said


@pytest.mark.parametrize("line", LINES)
def test_its_verbs_are_there(line: str) -> None:
    """Each command line names a verb, and options that this verb has."""
    words = line.split()
    command: Command | None = terminal
    while words and isinstance(command, Group):
        command = command.get_command(
            command.make_context("rollout-lab", [], resilient_parsing=True), words.pop(0)
        )
    assert command is not None, line
    known = {option for one in command.params for option in one.opts}
    assert {word for word in words if word.startswith("--")} <= known
    assert CliRunner().invoke(command, ["--help"]).exit_code == 0


def test_the_guides_of_both_languages_are_alike() -> None:
    """The same commands and headings, so that nobody misses a step."""
    english, korean = GUIDES.values()
    assert commands(english) == commands(korean)
    assert english.count("\n## ") == korean.count("\n## ") and english.count("\n|") == korean.count("\n|")


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)#]+)\)", TEXT))
def test_its_links_lead_somewhere(target: str) -> None:
    """Pictures and files it names are in the project."""
    assert (ROOT / target).exists()


@pytest.mark.parametrize(
    "verb", re.findall(r"^make ([a-z-]+)", TEXT, re.M) + re.findall(r"`make ([a-z-]+)`", TEXT)
)
def test_its_make_verbs_are_there(verb: str) -> None:
    """`make` knows every verb the README names."""
    assert re.search(rf"^{verb}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
