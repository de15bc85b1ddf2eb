"""The list of verbs and where each lives; a verb's module is imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

VERBS: Final[dict[str, str]] = {
    "up": "up",
    "down": "down",
    "doctor": "doctor",
    "run": "lecture",
    "get": "reading",
    "watch": "reading",
    "status": "reading",
    "curl": "asking",
    "promote": "acting",
    "abort": "acting",
    "retry": "acting",
    "pause": "acting",
    "resume": "acting",
    "undo": "acting",
    "restart": "acting",
    "set-image": "acting",
    "scale": "acting",
    "engine": "engine",
    "lint": "linting",
    "lesson": "lesson",
    "simulate": "foresight",
    "replay": "foresight",
    "cluster": "processes",
    "controller": "processes",
    "images": "images",
    "bundle": "bundle",
    "page": "processes",
}
"""Verb -> module of `rollout_lab.cli` that holds it, in the order of ``--help``."""


class Verbs(click.Group):
    """A group whose commands are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        module = VERBS.get(name)
        if module is None:
            return None
        found: click.Command = getattr(
            import_module(f"rollout_lab.cli.{module}"), name.replace("-", "_") + "_verb"
        )
        return found


class Examples(click.Command):
    """A command whose examples stand at the end of its help as they are typed."""

    def __init__(self, *args: object, examples: str = "", **settings: object) -> None:
        super().__init__(*args, **settings)  # type: ignore[arg-type]
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples.strip().splitlines():
                    formatter.write(" " * formatter.current_indent + line.strip() + "\n")


@click.command(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `rollout-lab up`. Every verb has --help with examples.",
)
@click.version_option(package_name="rollout-lab", message="%(prog)s %(version)s")
def rollout_lab() -> None:
    """See what a promote really does: blue/green and canary on a Kubernetes you can watch."""
