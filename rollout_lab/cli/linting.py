"""`lint`: what is wrong with a manifest before a cluster sees it, with field, line and remedy."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from rollout_lab.cli import target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language, tell
from rollout_lab.errors import UsageError


@click.command(
    "lint",
    cls=Examples,
    examples="""
    rollout-lab lint my-rollout.yaml
    kubectl get rollout api-tester-2233 -o yaml | rollout-lab lint -
    """,
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@target.json_option
@target.language_option
def lint_verb(files: tuple[str, ...], as_json: bool, lang: str | None) -> int:
    """Check manifests. Exit code 1 if one of them cannot work; - reads standard input."""
    from rollout_lab.api.findings import Level
    from rollout_lab.api.lint import lint_text

    shown: list[dict[str, Any]] = []
    bad = False
    for file in files:
        found = lint_text(_read(file), file)
        bad = bad or any(one.level is Level.ERROR for one in found)
        shown += [
            {
                "level": one.level.value,
                "source": one.source,
                "line": one.line,
                "object": one.object,
                "field": one.field,
                "message": one.message,
                "remedy": one.remedy,
            }
            for one in found
        ]
        if not as_json:
            for one in found:
                where = f"{one.source}:{one.line}" if one.line else one.source
                colour = "red" if one.level is Level.ERROR else "yellow"
                what = f"{one.field}: {one.message}" if one.field else one.message
                click.echo(f"{where}: {click.style(one.level.value, fg=colour)}: {what}")
                click.secho(f"  → {one.remedy}", dim=True)
            if not found:
                click.echo(tell(language(lang), "lint.ok", source=file))
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))
    return 1 if bad else 0


def _read(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is no UTF-8 text"
        raise UsageError(f"{file} cannot be read: {reason}") from None
