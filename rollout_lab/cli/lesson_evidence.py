"""`lesson evidence` and `lesson verify`: a student's run as one file, and whether it is as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollout_lab.cli import target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language, tell
from rollout_lab.errors import UsageError

if TYPE_CHECKING:
    from rollout_lab.course.evidence import Verified


@click.command(
    "evidence",
    cls=Examples,
    examples="rollout-lab lesson evidence 5 --student Min-ji\nrollout-lab lesson evidence 7 -o run.evidence",
)
@click.argument("lesson")
@click.option("--student", default="", help="Who did it; stands in the file.")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Default: by the lesson."
)
@target.options
@target.language_option
def evidence_verb(lesson: str, student: str, output: Path | None, lang: str | None, **settings: Any) -> int:
    """Write down what was done of a lesson, with the run itself. The lab must be running."""
    from rollout_lab.cli.lesson import walk_here

    with walk_here(lesson, settings) as walk:
        board = walk.board(language(lang))
        text = walk.evidence(student)
        path = output or Path(f"{walk.folder.name}.evidence")
    path.write_text(text, encoding="utf-8")
    said = tell(language(lang), "evidence.written", file=path, passed=board["passed"], total=board["total"])
    click.echo(said)
    return 0


@click.command(
    "verify",
    cls=Examples,
    examples="rollout-lab lesson verify run.evidence\nrollout-lab lesson verify run.evidence --json",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@target.json_option
@target.language_option
def verify_verb(file: Path, as_json: bool, lang: str | None) -> int:
    """Whether evidence is as a lab wrote it, and what the run in it confirms. Exit code 1 if not."""
    from rollout_lab.course import find_lesson, lessons_folder
    from rollout_lab.course.checks import load_checks
    from rollout_lab.course.evidence import confirmed, verify
    from rollout_lab.course.keeping import sealing_key

    try:
        text = file.read_bytes().decode("utf-8")
    except OSError as problem:
        raise UsageError(f"{file} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text: it is no evidence of a lesson") from None
    found = verify(text, sealing_key())
    sure: dict[str, bool | None] = {}
    if found.intact:
        folder = find_lesson(lessons_folder(), str(found.about.get("lesson", "")))
        sure = confirmed(load_checks(folder), found.tasks, found.rows)
    if as_json:
        click.echo(json.dumps(_data(found, sure), ensure_ascii=False, indent=1))
    else:
        _say(found, sure, language(lang))
    return 0 if found.intact else 1


def _data(found: Verified, sure: dict[str, bool | None]) -> dict[str, Any]:
    tasks = [{**task, "confirmed": sure.get(str(task["task"]))} for task in found.tasks]
    about = {"intact": found.intact, "brokenLine": found.broken, "sealedHere": found.sealed}
    return {
        **about,
        **found.about,
        "tasks": tasks,
        "questions": list(found.questions),
        "rows": len(found.rows),
    }


def _say(found: Verified, sure: dict[str, bool | None], lang: str) -> None:
    if not found.intact:
        click.secho(tell(lang, "evidence.changed", line=found.broken), fg="red")
        return
    about = found.about
    click.echo(tell(lang, "evidence.about", lesson=about["lesson"], student=about.get("student") or "-"))
    click.secho(
        tell(lang, "evidence.own" if found.sealed else "evidence.other"), fg="green" if found.sealed else None
    )
    for task in found.tasks:
        done = task["state"] == "passed"
        said = (
            [tell(lang, f"evidence.task.{'confirmed' if sure.get(task['task']) else 'said'}")] if done else []
        )
        said += [tell(lang, "evidence.task.helped")] if task.get("helped") else []
        click.echo(f"  {'✓' if done else '·'} {task['task']}" + (f"  ({', '.join(said)})" if said else ""))
    right = sum(bool(question["right"]) for question in found.questions)
    click.echo(tell(lang, "evidence.questions", right=right, n=len(found.questions)))
