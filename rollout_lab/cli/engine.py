"""`engine`: turn the engine of the running lab off and on, and see whether it runs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from rollout_lab.cli import target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language, tell
from rollout_lab.errors import ClusterUnavailable, LabError

if TYPE_CHECKING:
    from rollout_lab.lab.switch import DistantEngine

WHAT = ("status", "stop", "start")


@click.command(
    "engine",
    cls=Examples,
    examples="rollout-lab engine status\nrollout-lab engine stop\nrollout-lab engine start",
)
@click.argument("what", type=click.Choice(WHAT), default="status")
@target.json_option
@target.language_option
def engine_verb(what: str, as_json: bool, lang: str | None) -> int:
    """Stop the engine of the running lab, start it again, or ask. `status` has exit code 1 if it is off."""
    engine = _engine()
    if what != "status" and engine.state == "none":
        raise LabError("the engine of this lab cannot be turned off: it is not a process of this machine")
    state = engine.turn(what)
    click.echo(json.dumps({"engine": state}) if as_json else tell(language(lang), f"engine.{state}"))
    return 0 if what != "status" or state == "running" else 1


def _engine() -> DistantEngine:
    """That of the lab $KUBECONFIG names, else of the newest lab."""
    from rollout_lab.lab import live_labs
    from rollout_lab.lab.switch import engine_of_lab

    labs = live_labs()
    named = [lab for lab in labs if lab.kubeconfig and lab.kubeconfig == os.environ.get("KUBECONFIG")]
    for lab in named or labs:
        return engine_of_lab(lab)
    raise ClusterUnavailable(target.NO_LAB)
