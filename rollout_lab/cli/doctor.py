"""`doctor`: is this machine ready for a real cluster, and if not, what to do."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

import click

from rollout_lab.cli import target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language
from rollout_lab.messages import say

MARKS: Final = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "bad": ("✗", "red")}


@click.command(
    "doctor", cls=Examples, examples="rollout-lab doctor\nrollout-lab doctor --context mine --json"
)
@click.option("--name", default="", help="Name of the kind cluster ($ROLLOUT_LAB_KIND_NAME).")
@click.option("--node-image", default="", help="Node image for kind ($ROLLOUT_LAB_KIND_NODE_IMAGE).")
@click.option("--context", default="", help="Ask this context which router it has, not the kind cluster.")
@target.json_option
@target.language_option
def doctor_verb(name: str, node_image: str, context: str, as_json: bool, lang: str | None) -> int:
    """Check what a kind cluster needs here. Exit code 1 if something stops it.

    If the cluster is there, also: which router splits its requests (ours, ingress-nginx, Envoy Gateway,
    Istio, cloud-provider-kind, none). The embedded cluster (`rollout-lab up`) needs none of it.
    """
    from rollout_lab.clusters.doctor.findings import Level, findings, worst
    from rollout_lab.clusters.doctor.gather import gather
    from rollout_lab.clusters.kind.create import Wanted

    tongue = language(lang)
    facts = gather(Wanted(name, node_image=node_image), context)
    found = findings(facts)
    level = worst(found)
    rows = []
    for one in found:
        key = f"doctor.{one.check}.{one.code}"
        remedy = "" if one.level == Level.OK else say(tongue, f"{key}.remedy", **one.params)
        rows.append(
            {
                "check": one.check,
                "level": one.level,
                "code": one.code,
                "seen": say(tongue, key, **one.params),
                "remedy": remedy,
            }
        )
    if as_json:
        click.echo(json.dumps({"verdict": level, "findings": rows, "facts": asdict(facts)}, indent=1))
    else:
        for row in rows:
            mark, colour = MARKS[row["level"]]
            click.echo(click.style(f"{mark} ", fg=colour, bold=True) + row["seen"])
            if row["remedy"]:
                click.secho(f"  → {row['remedy']}", fg=colour)
        click.secho(say(tongue, f"doctor.verdict.{level}"), bold=True)
    return 1 if level == Level.BAD else 0
