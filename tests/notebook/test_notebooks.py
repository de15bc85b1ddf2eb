"""The lessons as notebooks: what is in git is what the text makes, and it runs from first cell to last."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from rollout_lab.course.lesson import Lesson, load_lessons
from rollout_lab.course.notebook import file_name, main, notebook, text
from rollout_lab.messages import LANGUAGES

ROOT = Path(__file__).parents[2]
LESSONS = [lesson for lang in LANGUAGES for lesson in load_lessons(ROOT / "lessons", lang)]
IDS = [f"{lesson.number:02}-{lesson.lang}" for lesson in LESSONS]
every = pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
IN_TESTS = {(2, "en"), (5, "ko"), (9, "en")}
"""Executed by `make test`: plain Deployments, blue/green, three clients. All of them by `make bench`."""
Json = dict[str, Any]


@every
def test_the_notebook_in_git_is_what_the_text_makes(lesson: Lesson) -> None:
    """One source for page, terminal and notebook; no outputs, and the same bytes each time."""
    path = lesson.folder / file_name(lesson.lang)
    assert path.exists() and path.read_text(encoding="utf-8") == text(lesson), (
        "the lesson has changed: run `make notebooks`"
    )
    found = nbformat.reads(text(lesson), as_version=4)
    nbformat.validate(found)
    cells = found["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    for cell in code:
        compile(cell["source"], str(path), "exec")
    for task in lesson.tasks:
        for verb in ("check", "watch"):
            assert any(f'lesson.{verb}("{task.id}")' in cell["source"] for cell in code), task.id
    for question in lesson.questions:
        assert any(f'lesson.answer("{question.id}", ...)' in cell["source"] for cell in code), question.id
    prose = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
    assert "```task" not in prose and "```predict" not in prose and "```quiz" not in prose


def test_only_what_has_changed_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`make notebooks` names what it renewed, so that a second run prints nothing."""
    folder = tmp_path / "05-bluegreen-2233"
    folder.mkdir()
    for path in (ROOT / "lessons" / folder.name).iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    (folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == [str(folder / "notebook.ipynb")]
    assert main([str(tmp_path)]) == 0 and not capsys.readouterr().out


def by_a_student(lesson: Lesson) -> Json:
    """The notebook with its answers filled in, and with every task done where the text's commands did not."""
    found: Json = copy.deepcopy(notebook(lesson))
    first = {q.id: next(iter(q.choices), None) for q in lesson.questions}
    cells: list[Json] = []
    for cell in found["cells"]:
        source = "".join(cell["source"])
        task = re.match(r'lesson\.watch\("([^"]+)"\)', source)
        question = re.match(r'lesson\.answer\("([^"]+)", \.\.\.\)', source)
        if task:
            id_ = json.dumps(task[1])
            source = f"lesson.watch({id_}, 4)\nassert lesson.check({id_}) or lesson.solve({id_})"
        elif question:
            given = first[question[1]]
            source = f'lesson.answer("{question[1]}", {json.dumps(given if given is not None else 2)})'
        elif source == "lesson.close()":
            total = len(lesson.tasks)
            source = f'assert repr(lesson).endswith("{total} / {total}>"), lesson\n{source}'
        cells.append({**cell, "source": source.replace("speed=1)", "speed=10)")})
    return {**found, "cells": cells}


def execute(lesson: Lesson, home: Path, patch: pytest.MonkeyPatch) -> Json:
    """Run every cell in a kernel of its own; raises with the cell and its error."""
    patch.setenv("ROLLOUT_LAB_HOME", str(home))
    patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    patch.setenv("IPYTHONDIR", str(home / "ipython"))
    node = nbformat.from_dict(by_a_student(lesson))
    done: Json = NotebookClient(
        node, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    return done


def outputs(done: Json) -> list[Json]:
    return [o for cell in done["cells"] if cell["cell_type"] == "code" for o in cell["outputs"]]


@pytest.mark.cluster
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "lesson", [one for one in LESSONS if (one.number, one.lang) in IN_TESTS], ids=lambda one: f"{one.number}"
)
def test_a_notebook_runs_from_the_first_cell_to_the_last(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands, checks, predictions, pictures and charts, as a student runs them."""
    done = execute(lesson, tmp_path, monkeypatch)
    shown = outputs(done)
    kinds = {kind for output in shown for kind in output.get("data", {})}
    assert "text/html" in kinds and "application/vnd.vegalite.v6+json" in kinds
    for cell in (c for c in done["cells"] if c["source"].startswith("lesson.watch(")):
        picture, chart = (output["data"] for output in cell["outputs"])
        assert "<svg" in picture["text/html"] and any("vegalite" in kind for kind in chart), cell["source"]
    printed = "".join(o["text"] for o in shown if o["output_type"] == "stream")
    wanted = {2: "deployment.apps/", 5: "[App Version] : Api Tester v1.0.0", 9: "CONNECTION"}
    assert wanted[lesson.number] in printed
    assert "✔" in "".join(str(o.get("data", {}).get("text/plain", "")) for o in shown)


@pytest.mark.bench
@pytest.mark.timeout(600)
@every
def test_every_notebook_runs(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them take some minutes."""
    execute(lesson, tmp_path, monkeypatch)
