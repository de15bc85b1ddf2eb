"""`run`: a whole lecture in the terminal, from version 1 to the last old Pod gone, without a page."""

from __future__ import annotations

from typing import Any

import click

from rollout_lab.cli import clusters, target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language, tell


@click.command(
    "run",
    cls=Examples,
    examples="""
    rollout-lab run course-2233 --speed 20
    rollout-lab run course-2234 --speed 20 --json > canary.jsonl
    rollout-lab run my-rollout.yaml --version 3.0.0
    rollout-lab run course-2233 --cluster kind
    """,
)
@click.argument("scenario", metavar="course-2233|course-2234|FILE")
@click.option("--speed", default=1.0, show_default=True, help="Lab seconds in a wall second.")
@click.option("--version", default="2.0.0", show_default=True, help="The image tag to update to.")
@clusters.cluster_options
@target.json_option
@target.language_option
def run_verb(scenario: str, speed: float, version: str, as_json: bool, lang: str | None, **where: Any) -> int:
    """Play a lecture: deploy version 1, set the image, promote where it waits, wait for the old Pods to go.

    With --json every observed change is one line on standard output (the format of recorded runs)
    and progress goes to standard error. Exit code 1 if the rollout fails.
    """
    from rollout_lab.cli.follow import Follower
    from rollout_lab.cli.narrate import stopwatch
    from rollout_lab.cli.signals import stop_like_ctrl_c
    from rollout_lab.lab import Lab, load_scenario, play

    tongue = language(lang)
    stop_like_ctrl_c()
    found = load_scenario(scenario, where["namespace"])

    told = clusters.narrator(tongue, err=True, dim=True)

    def progress(stage: str, words: str) -> None:
        if stage not in ("crd", "apply", "ready"):
            told(stage, words)

    options = {**clusters.chosen(tongue, **where), "namespace": found.namespace}
    with Lab.start(speed=speed, scenario=found, apply=False, progress=progress, **options) as lab:
        follower = Follower(found.rollout, tongue, as_json=as_json)
        lab.recorder.listen(follower)
        lab.apply(found)
        picture = play(lab, found.rollout, version)
        traffic = "; ".join(
            tell(tongue, "run.traffic", service=s["name"], requests=s["requests"], failed=s["failed"])
            for s in picture["services"]
        )
        t = stopwatch(picture["t"])
        done = tell(tongue, "run.done", name=found.rollout, version=version, t=t, traffic=traffic)
        click.secho(done, err=as_json, bold=True)
    return 0
