"""`simulate` and `replay`: a run that will be, and a run that was, in the terminal. No cluster is asked."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rollout_lab.cli import target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language, tell
from rollout_lab.errors import UsageError

if TYPE_CHECKING:
    from rollout_lab.observe.replay import Recording


@click.command(
    "simulate",
    cls=Examples,
    examples="""
    rollout-lab simulate course-2233
    rollout-lab simulate course-2234 --set-image 2.0.0 --promote-after 60
    rollout-lab simulate canary-nginx
    rollout-lab simulate my-rollout.yaml --promote-after never --ready-after 20
    rollout-lab simulate manifests/deployment-recreate.yaml --json > recreate.jsonl
    """,
)
@click.argument("scenario", metavar="course-2233|course-2234|FILE")
@click.option(
    "--set-image", "version", default="2.0.0", show_default=True, help="The image tag to update to."
)
@click.option(
    "--promote-after",
    default="30",
    show_default=True,
    metavar="SECONDS|never",
    help="How long a pause without an end is assumed to last; never: stop there.",
)
@click.option(
    "--ready-after", default=2.5, show_default=True, help="Seconds from making a Pod to its being ready."
)
@click.option("--never-ready", is_flag=True, help="The Pods of the new version never become ready.")
@target.json_option
@target.language_option
def simulate_verb(
    scenario: str,
    version: str,
    promote_after: str,
    ready_after: float,
    never_ready: bool,
    as_json: bool,
    lang: str | None,
) -> int:
    """Play an update in virtual time with the engine's own planner: what happens when, and what it costs.

    Takes a moment however long the pauses are. With --json the predicted run comes as recorded rows,
    which `replay` and the page read. Exit code 1 if the update fails or never ends by itself.
    """
    from rollout_lab.lab.forecast import predict
    from rollout_lab.lab.scenario import SCENARIOS, load_objects

    objects = load_objects(scenario)
    stays = _images(objects, version) if never_ready else ()
    run = predict(
        objects,
        (f"set image {version}",),
        ready_seconds=_positive("--ready-after", ready_after),
        promote_after=_seconds(promote_after),
        never_ready=stays,
        name=scenario if scenario in SCENARIOS else Path(scenario).stem,
    )
    _show(run, language(lang), as_json=as_json)
    return 0 if run.ended == "done" else 1


@click.command(
    "replay",
    cls=Examples,
    examples="""
    rollout-lab replay run.jsonl
    rollout-lab replay run.jsonl --speed 20
    rollout-lab replay ours.jsonl --with theirs.jsonl
    rollout-lab replay run.jsonl --html run.html
    rollout-lab replay run.jsonl --csv pods
    """,
)
@click.argument("file", metavar="FILE")
@click.option(
    "--speed", type=float, help="Play as it happened, so many recorded seconds a second; default: at once."
)
@click.option(
    "--with", "other", metavar="FILE", help="Compare with another run: figures and decisions side by side."
)
@click.option(
    "--html", "page", metavar="OUT", help="Write a page of the run that needs nothing but a browser."
)
@click.option("--csv", "table", metavar="TABLE", help="Print one table: pods, lanes, shares or events.")
@target.json_option
@target.language_option
def replay_verb(
    file: str,
    speed: float | None,
    other: str | None,
    page: str | None,
    table: str | None,
    as_json: bool,
    lang: str | None,
) -> int:
    """Tell a recorded run again, as `rollout-lab run --json` or `simulate --json` wrote it.

    With --json: figures and marks of the run (of both with --with) as one JSON object. The file is
    never changed.
    """
    from rollout_lab.observe import export
    from rollout_lab.observe.compare import compare
    from rollout_lab.observe.replay import load

    tongue = language(lang)
    run = load(Path(file))
    if table is not None:
        click.echo(export.csv(run.timeline(), table), nl=False)
        return 0
    if page is not None:
        _write(page, export.html(run, tongue))
        click.echo(tell(tongue, "replay.written", path=page), err=True)
        return 0
    if other is not None:
        found = compare([run, load(Path(other))])
        if as_json:
            click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        else:
            _compare(found, tongue)
        return 1 if found["milestones"] else 0
    if as_json:
        about = {"name": run.name, "ended": run.ended, "assumptions": run.assumptions}
        told = {**about, "figures": run.figures(), "marks": run.marks()}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return 0
    _tell(run, tongue, None if speed is None else _positive("--speed", speed))
    _figures(run, tongue)
    return 0


def _show(run: Recording, tongue: str, *, as_json: bool) -> None:
    if as_json:
        from rollout_lab.observe.export import jsonl

        click.echo(jsonl(run.timeline()), nl=False)
        return
    _tell(run, tongue, None)
    _figures(run, tongue)
    for one in run.assumptions:
        text = tell(tongue, "simulate.assumed", action=one["action"], seconds=f"{one['seconds']:g}")
        click.secho(text, dim=True)
    click.secho(tell(tongue, f"simulate.{run.ended}"), bold=True)


def _tell(run: Recording, tongue: str, speed: float | None) -> None:
    """Every row that means something as a line; in its own rhythm where `speed` is given."""
    from rollout_lab.cli.narrate import Narrator
    from rollout_lab.cli.printing import console, show_line
    from rollout_lab.cli.signals import stop_like_ctrl_c
    from rollout_lab.clock import ScaledClock

    stop_like_ctrl_c()
    narrator, to, never = Narrator(tongue), console(), threading.Event()
    clock = None if speed is None else ScaledClock.start(speed)
    began = clock.now() if clock is not None else 0.0
    for row in run.timeline():
        line = narrator.line(row)
        if clock is not None:
            clock.wait(never, began + float(row["t"]) - run.first - clock.now())
        if line is not None:
            show_line(to, line)


_FIGURES = ("duration", "usersOnNewAfter", "downtime", "maxPods", "extraPodSeconds", "minAvailable")


def _figures(run: Recording, tongue: str) -> None:
    from rollout_lab.cli.printing import table

    found = run.figures()
    rows = [[tell(tongue, f"figure.{key}"), _number(found[key])] for key in _FIGURES]
    click.echo()
    click.echo(table(rows, [tell(tongue, "figure"), f"{found['from'] or '-'} → {found['version']}"]))
    _parts(found["series"], tongue)


def _parts(series: list[dict[str, Any]], tongue: str) -> None:
    """Behind a router: which part of the requests each version has, and by how many ready Pods, from when."""
    from rollout_lab.cli.printing import table

    told = [point for point in series if point["weights"]]
    versions = sorted({version for point in told for version in point["weights"]})
    rows: list[list[str]] = []
    last: dict[str, float] = {}
    for point in told:
        if point["weights"] != last:
            last = point["weights"]
            cells = [(100 * last.get(v, 0.0), point["ready"].get(v, 0)) for v in versions]
            shown = [tell(tongue, "parts.cell", share=f"{share:g}", pods=pods) for share, pods in cells]
            rows.append([f"{point['t']:g}", *shown])
    if rows:
        click.echo()
        click.echo(table(rows, [tell(tongue, "parts"), *versions]))


def _compare(found: dict[str, Any], tongue: str) -> None:
    from rollout_lab.cli.printing import table

    runs = found["runs"]
    rows = [
        [tell(tongue, f"figure.{key}"), *(_number(run["figures"][key]) for run in runs)] for key in _FIGURES
    ]
    click.echo(table(rows, [tell(tongue, "figure"), *(run["name"] for run in runs)]))
    for kind, (one, two) in (found["milestones"] or {}).items():
        click.echo(
            f"{kind}:\n  {json.dumps(one, ensure_ascii=False)}\n  {json.dumps(two, ensure_ascii=False)}"
        )
    key = "compare.differ" if found["milestones"] else "compare.same"
    click.secho(tell(tongue, key, n=len(found["milestones"] or {})), bold=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _images(objects: list[dict[str, Any]], version: str) -> tuple[str, ...]:
    from rollout_lab.client.requests import images_of

    workloads = (o for o in objects if o.get("kind") in ("Rollout", "Deployment"))
    return tuple(image for workload in workloads for image in images_of(workload, version).values())


def _seconds(text: str) -> float | None:
    if text == "never":
        return None
    try:
        return _positive("--promote-after", float(text))
    except ValueError:
        raise UsageError(f'--promote-after "{text}": say a number of seconds, or never') from None


def _positive(option: str, number: float) -> float:
    if not 0 < number < 1e6:
        raise UsageError(f"{option} {number:g}: say a number above 0")
    return number


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        raise UsageError(f"{path} cannot be written: {reason}") from None
