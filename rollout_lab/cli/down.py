"""`down`: remove the kind cluster, and what a killed lab left on somebody else's."""

from __future__ import annotations

import click

from rollout_lab.cli import target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language
from rollout_lab.messages import say


@click.command(
    "down",
    cls=Examples,
    examples="""
    rollout-lab down
    rollout-lab down --name dev
    rollout-lab down --context my-cluster
    """,
)
@click.option("--name", default="", help="Name of the kind cluster ($ROLLOUT_LAB_KIND_NAME).")
@click.option("--context", default="", help="Only what the lab made on this context.")
@click.option("--force", is_flag=True, help="Also delete a kind cluster that the lab did not make.")
@target.language_option
def down_verb(name: str, context: str, force: bool, lang: str | None) -> int:
    """Stop the labs of the kind cluster, delete it, and remove what was installed on contexts."""
    from rollout_lab.lab.down import down

    tongue = language(lang)
    down(
        lambda stage, words: click.echo(say(tongue, f"down.{stage}", words=words)),
        name=name,
        context=context,
        force=force,
    )
    return 0
