"""`lesson`: the course in the terminal, and what an author of lessons needs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollout_lab.cli import target
from rollout_lab.cli.lesson_evidence import evidence_verb, verify_verb
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language, tell

if TYPE_CHECKING:
    from rollout_lab.course import Walk

SETTLE = 4.0  # wall seconds a check may take to see what is there
MARKS = {"locked": "·", "now": "▶", "passed": "✓", "broken": "✗", "skipped": "–"}
COLOURS = {"locked": "bright_black", "now": "yellow", "passed": "green", "broken": "red", "skipped": "cyan"}


@click.group("lesson")
def lesson_verb() -> None:
    """The course as lessons that check themselves."""


lesson_verb.add_command(evidence_verb)
lesson_verb.add_command(verify_verb)


def task_line(board: dict[str, Any], task: dict[str, Any]) -> str:
    """One task as the terminal shows it: its mark, what to do, and why not."""
    number = [one["id"] for one in board["tasks"]].index(task["id"]) + 1
    state = task["state"]
    text = click.style(f"{MARKS[state]} {number}. {plain(task['do'])}", fg=COLOURS[state])
    said = task["reason"] if state in ("now", "broken") else task["done"]
    return text + (f"\n     {plain(said)}" if said else "")


def plain(markdown: str) -> str:
    """Markdown's bold and code marks taken off."""
    return markdown.replace("**", "").replace("`", "")


@contextlib.contextmanager
def walk_here(wanted: str, settings: dict[str, Any]) -> Iterator[Walk]:
    """A walk through a lesson on the running lab (or a named cluster), with its kept progress."""
    from rollout_lab.course import Walk, find_lesson, lessons_folder
    from rollout_lab.course.keeping import store_in
    from rollout_lab.lab import Lab, live_labs
    from rollout_lab.lab.seats import PREFIX, SeatLab

    folder = find_lesson(lessons_folder(), wanted)
    where = target.find(**settings)
    where.client.close()
    here = next((lab for lab in live_labs() if lab.clock == where.clock and where.clock), None)
    kubeconfig = settings["kubeconfig"] or (here.kubeconfig if here else None)
    context = settings["context"] or (here.context if here and not here.kubeconfig else None)
    seat = here is not None and where.namespace.startswith(PREFIX)
    with (SeatLab if seat else Lab).attach(
        kubeconfig or None, context, namespace=where.namespace, engine=False, clock=where.clock or None
    ) as lab:
        store = store_in(_kept(Path(here.folder), where.namespace if seat else ""), folder) if here else None
        walk = Walk(folder, lab, store=store)
        walk.begin()
        try:
            yield walk
        finally:
            walk.close()


def _kept(lab: Path, seat: str) -> Path:
    """Where progress is kept: the lab's folder, or that of a seat (its namespace) in it, as on the page."""
    kept = lab / seat if seat else lab
    kept.mkdir(mode=0o700, exist_ok=True)
    return kept


@lesson_verb.command("list", cls=Examples, examples="rollout-lab lesson list\nrollout-lab lesson list --json")
@target.json_option
@target.language_option
def list_verb(as_json: bool, lang: str | None) -> int:
    """All lessons with their minutes."""
    from rollout_lab.course import lessons_folder, load_lessons

    found = load_lessons(lessons_folder(), language(lang))
    if as_json:
        rows = [
            {
                "number": one.number,
                "slug": one.slug,
                "title": one.title,
                "lecture": one.lecture,
                "minutes": one.minutes,
                "needs": list(one.needs),
                "explains": list(one.explains),
                "tasks": [task.id for task in one.tasks],
            }
            for one in found
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    for one in found:
        minutes = tell(language(lang), "lesson.minutes", n=one.minutes, tasks=len(one.tasks))
        click.echo(f"{one.number:>3}  {one.title}  {click.style(minutes, dim=True)}")
    return 0


@lesson_verb.command(
    "start",
    cls=Examples,
    examples="rollout-lab lesson start 5\nrollout-lab lesson start 7 --speed 5 --lang ko",
)
@click.argument("lesson")
@click.option("--speed", default=1.0, show_default=True, help="Lab seconds in a wall second.")
@click.option("--cluster", default="embedded", show_default=True, help="embedded, or context:NAME.")
@target.language_option
def start_verb(lesson: str, speed: float, cluster: str, lang: str | None) -> int:
    """Do a lesson here: text, tasks that check themselves, and a prompt for commands. Starts its own lab."""
    from rollout_lab.cli.lesson_play import play_lesson

    return play_lesson(lesson, speed, cluster, language(lang))


@lesson_verb.command(
    "check", cls=Examples, examples="rollout-lab lesson check 5\nrollout-lab lesson check 5 --json"
)
@click.argument("lesson")
@target.options
@target.json_option
@target.language_option
def check_verb(lesson: str, as_json: bool, lang: str | None, **settings: Any) -> int:
    """Which tasks of a lesson have passed, and why the others have not. Exit code 1 if any has not."""
    with walk_here(lesson, settings) as walk:
        walk.wait(lambda: walk.progress.finished, SETTLE * walk.lab.speed, least=SETTLE)
        board = walk.board(language(lang))
    if as_json:
        click.echo(json.dumps(board, ensure_ascii=False, indent=1))
    else:
        for task in board["tasks"]:
            click.echo(task_line(board, task))
    return 0 if board["finished"] else 1


@lesson_verb.command(
    "solve", cls=Examples, examples="rollout-lab lesson solve 5\nrollout-lab lesson solve 5 --task promote"
)
@click.argument("lesson")
@click.option("--task", default="", help="Do all up to this one; without it the next that is open.")
@target.options
@target.language_option
def solve_verb(lesson: str, task: str, lang: str | None, **settings: Any) -> int:
    """Let the lab do a task of a lesson."""
    with walk_here(lesson, settings) as walk:
        walk.wait(
            lambda: bool(walk.progress.tasks) and walk.progress.t > 0, SETTLE * walk.lab.speed, least=SETTLE
        )
        wanted = task or walk.progress.current
        done = walk.solve(wanted)
        board = walk.board(language(lang))
    found = [one for one in board["tasks"] if one["id"] == wanted]
    click.echo(task_line(board, found[0]) if found else tell(language(lang), "lesson.finished"))
    return 0 if done else 1


@lesson_verb.command(
    "reset", cls=Examples, examples="rollout-lab lesson reset 5\nrollout-lab lesson reset 5 --to promote"
)
@click.argument("lesson")
@click.option("--to", default="", help="Do all tasks before this one.")
@target.options
@target.language_option
def reset_verb(lesson: str, to: str, lang: str | None, **settings: Any) -> int:
    """Put a lesson back to its beginning, or to one of its tasks."""
    with walk_here(lesson, settings) as walk:
        done = walk.reset(to)
    click.echo(tell(language(lang), "lesson.reset" if done else "lesson.stuck"))
    return 0 if done else 1


@lesson_verb.command("new", cls=Examples, examples="rollout-lab lesson new 11-my-lesson --in my-lessons")
@click.argument("name")
@click.option("--in", "folder", type=click.Path(path_type=Path), help="Default: where the lessons are.")
@target.language_option
def new_verb(name: str, folder: Path | None, lang: str | None) -> int:
    """Write the files of a new lesson, to be filled."""
    from rollout_lab.course import lessons_folder
    from rollout_lab.course.skeleton import new_lesson

    found = new_lesson(folder or lessons_folder(), name)
    click.echo(tell(language(lang), "lesson.new", path=found))
    return 0


@lesson_verb.command(
    "lint",
    cls=Examples,
    examples="rollout-lab lesson lint\nrollout-lab lesson lint lessons/05-bluegreen-2233",
)
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@target.json_option
@target.language_option
def lint_verb(folders: tuple[Path, ...], as_json: bool, lang: str | None) -> int:
    """What is wrong with lessons, with file and line. Exit code 1 if anything is."""
    from rollout_lab.course import lessons_folder
    from rollout_lab.course.lesson import lesson_folders
    from rollout_lab.course.lint import lint_lesson

    wanted = folders or tuple(lesson_folders(lessons_folder()))
    found = [one for folder in wanted for one in lint_lesson(folder)]
    if as_json:
        rows = [{"path": str(f.path), "line": f.line, "message": f.message} for f in found]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for one in found:
            click.echo(str(one))
        if not found:
            click.echo(tell(language(lang), "lint.ok", source=", ".join(f.name for f in wanted)))
    return 1 if found else 0


@lesson_verb.command("plan", cls=Examples, examples="rollout-lab lesson plan --minutes 90")
@click.option("--minutes", default=90, show_default=True, type=click.IntRange(10, 1000))
@target.json_option
@target.language_option
def plan_verb(minutes: int, as_json: bool, lang: str | None) -> int:
    """A timetable for a workshop: which lessons fit, with breaks."""
    from rollout_lab.course import lessons_folder, load_lessons
    from rollout_lab.course.schedule import schedule

    tongue = language(lang)
    slots = schedule(load_lessons(lessons_folder(), tongue), minutes)
    if as_json:
        rows = [
            {
                "start": s.start,
                "minutes": s.minutes,
                "kind": s.kind,
                "lesson": s.lesson.number if s.lesson else None,
            }
            for s in slots
        ]
        click.echo(json.dumps(rows, indent=1))
        return 0
    for slot in slots:
        name = (
            f"{slot.lesson.number}. {slot.lesson.title}" if slot.lesson else tell(tongue, f"plan.{slot.kind}")
        )
        click.echo(f"{slot.start // 60}:{slot.start % 60:02}  {slot.minutes:>3} min  {name}")
    return 0
