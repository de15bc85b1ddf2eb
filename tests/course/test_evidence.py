"""Evidence of a student's run: whole again, any change noticed, and confirmed by the run itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from rollout_lab.cli.verbs import rollout_lab
from rollout_lab.course.checks import load_checks
from rollout_lab.course.evidence import SLACK, confirmed, verify, write
from rollout_lab.errors import UsageError
from tests.course.walking import LESSONS
from tests.observe.runs import recorded

KEY = b"k" * 32
FOLDER = LESSONS / "05-bluegreen-2233"
ROWS = [dict(row) for row in recorded("bluegreen-manual").timeline()]
BOARD: dict[str, Any] = {
    "lesson": {"number": 5, "slug": "bluegreen-2233"},
    "passed": 1,
    "total": 2,
    "finished": False,
    "tasks": [
        {"id": "new-version", "state": "passed", "t": 30.0, "helped": False},
        {"id": "promote", "state": "now", "t": None, "helped": False},
    ],
    "questions": [{"id": "old-pods", "given": 2, "truth": None, "right": None}],
}
FILE = write({"student": "민지"}, BOARD, ROWS, KEY)


def test_what_was_written_comes_back() -> None:
    """Tasks, questions and the run itself, to be looked at again and replayed."""
    found = verify(FILE, KEY)
    assert found.intact and found.sealed is True and len(found.rows) == len(ROWS)
    assert found.about["student"] == "민지" and found.about["lesson"] == "05-bluegreen-2233"
    assert [task["task"] for task in found.tasks] == ["new-version", "promote"]
    assert found.questions[0]["given"] == 2 and list(found.rows) == ROWS
    assert verify(FILE).sealed is None and verify(FILE, b"another" * 5).sealed is False


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_character_is_noticed(data: st.DataObject) -> None:
    """And the place is told: no line before it is blamed."""
    first = FILE.index(
        "\n"
    )  # the format's own line says what the file is; a change there is refused or noticed
    at = data.draw(st.integers(0, len(FILE) - 1))
    new = data.draw(st.characters(codec="utf-8").filter(lambda c: c != FILE[at]))
    changed = FILE[:at] + new + FILE[at + 1 :]
    try:
        found = verify(changed, KEY)
    except UsageError:
        assert at <= first
        return
    assert not (found.intact and found.sealed)
    line = FILE[:at].count("\n") + 1
    assert found.broken >= line or (found.broken == 0 and line == FILE.count("\n"))


@pytest.mark.parametrize("line", [1, 2, 10])
def test_a_line_left_out_or_put_in_is_noticed(line: int) -> None:
    """Rows cannot be taken from another run."""
    lines = FILE.splitlines(keepends=True)
    assert verify("".join(lines[:line] + lines[line + 1 :]), KEY).broken == line + 1
    assert verify("".join([*lines[:line], lines[line], *lines[line:]]), KEY).broken in (line + 1, line + 2)


def test_the_run_confirms_what_it_shows_and_doubts_nothing() -> None:
    """A task that the rows show is confirmed at its time, and not before it happened."""
    checks = load_checks(FOLDER)
    changed = next(float(r["t"]) for r in ROWS if r.get("kind") == "Rollout" and "2.0.0" in json.dumps(r))
    tasks = [{"task": "new-version", "t": changed + 1.0}, {"task": "promote", "t": None}]
    assert confirmed(checks, tasks, ROWS) == {"new-version": True, "promote": None}
    assert changed > SLACK + 0.5
    assert confirmed(checks, [{"task": "new-version", "t": 0.0}], ROWS)["new-version"] is None
    assert confirmed(checks, tasks, []) == {"new-version": None, "promote": None}


def test_the_terminal_says_which_line_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 0 for a whole file, 1 for a changed one, a clear error for another file."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path / "home"))
    path = tmp_path / "run.evidence"
    path.write_text(FILE, encoding="utf-8")

    def call(*words: str) -> Any:
        arguments = ["lesson", "verify", str(path), *words]
        return CliRunner().invoke(rollout_lab, arguments, standalone_mode=False)

    whole = call("--lang", "en")
    assert whole.return_value == 0 and "✓ new-version" in whole.output and "Another lab" in whole.output
    path.write_text(FILE.replace('"helped":false', '"helped":true', 1), encoding="utf-8")
    changed = call("--lang", "en")
    assert changed.return_value == 1 and "line 2" in changed.output
    assert json.loads(call("--json").output)["brokenLine"] == 2
    path.write_text("{}\n", encoding="utf-8")
    assert isinstance(call().exception, UsageError)
