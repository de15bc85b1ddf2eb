"""The verbs that ask something of a rollout: promote, abort, retry, undo, set-image …

Each says what it did, or why there was nothing to do (exit code 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from rollout_lab.cli import target
from rollout_lab.cli.verbs import Examples
from rollout_lab.cli.words import language, tell
from rollout_lab.errors import NotFound, UsageError


def _act(action: str, name: str | None, settings: dict[str, Any], **args: Any) -> int:
    from rollout_lab.client.actions import Action, command, perform
    from rollout_lab.client.resources import ROLLOUTS
    from rollout_lab.messages import explain

    lang = language(settings.pop("lang", None))
    where = target.find(**settings)
    rollout = target.rollout_name(where, name)
    wanted = Action(action)
    if wanted is Action.RESTART:
        args["now"] = _now(where.clock)
    try:
        raw = where.client.get(ROLLOUTS, where.namespace, rollout)
        verdict = perform(where.client, where.namespace, rollout, wanted, **args)
    except NotFound:
        raise UsageError(
            f"there is no rollout {rollout} in namespace {where.namespace}; see `rollout-lab get rollouts`"
        ) from None
    finally:
        where.client.close()
    said = explain(lang, f"verdict.{verdict.code}", verdict.params, verdict.code)
    click.echo(f"{rollout}: {said}", err=not verdict.ok)
    if verdict.ok:
        click.secho(tell(lang, "action.same", command=command(wanted, raw, **args)), dim=True)
    return 0 if verdict.ok else 1


def _now(clock: str) -> float:
    from rollout_lab.clock import ScaledClock

    return (ScaledClock.parse(clock) if clock else ScaledClock()).now()


def _verb(name: str, action: str, help_text: str, examples: str) -> click.Command:
    """A verb that only needs the rollout's name."""

    @click.command(name, cls=Examples, help=help_text, examples=examples)
    @click.argument("rollout", required=False)
    @target.options
    @target.language_option
    def verb(rollout: str | None, **settings: Any) -> int:
        return _act(action, rollout, settings)

    return verb


abort_verb = _verb(
    "abort",
    "abort",
    "Stop the update; requests go back to the stable version.",
    "rollout-lab abort api-tester-2233",
)
retry_verb = _verb(
    "retry",
    "retry",
    "Start an aborted update again from its first step.",
    "rollout-lab retry api-tester-2233",
)
pause_verb = _verb(
    "pause", "pause", "Hold the rollout where it is (spec.paused).", "rollout-lab pause api-tester-2234"
)
resume_verb = _verb("resume", "resume", "Go on from a pause.", "rollout-lab resume api-tester-2234")
restart_verb = _verb(
    "restart", "restart", "Replace all Pods, a few at a time.", "rollout-lab restart api-tester-2234"
)


def _with_name(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("rollout", required=False)(target.options(target.language_option(function)))


@click.command(
    "promote",
    cls=Examples,
    examples="""
    rollout-lab promote api-tester-2233
    rollout-lab promote api-tester-2234 --full
    """,
)
@click.option("--full", is_flag=True, help="Skip all remaining steps and pauses.")
@_with_name
def promote_verb(rollout: str | None, full: bool, **settings: Any) -> int:
    """End the pause: switch blue/green, or go to the canary's next step."""
    return _act("promote-full" if full else "promote", rollout, settings)


@click.command(
    "undo",
    cls=Examples,
    examples="""
    rollout-lab undo api-tester-2233
    rollout-lab undo api-tester-2233 --to-revision 1
    """,
)
@click.option("--to-revision", type=click.IntRange(0), default=0, help="0 or nothing: the one before.")
@_with_name
def undo_verb(rollout: str | None, to_revision: int, **settings: Any) -> int:
    """Write the template of an earlier revision as a new one."""
    return _act("undo", rollout, settings, to_revision=to_revision)


@click.command("scale", cls=Examples, examples="rollout-lab scale api-tester-2234 --replicas 4")
@click.option("--replicas", type=click.IntRange(0), required=True)
@_with_name
def scale_verb(rollout: str | None, replicas: int, **settings: Any) -> int:
    """Change the number of Pods."""
    return _act("scale", rollout, settings, replicas=replicas)


@click.command(
    "set-image",
    cls=Examples,
    examples="""
    rollout-lab set-image api-tester-2233 2.0.0
    rollout-lab set-image 2.0.0
    rollout-lab set-image api-tester-2233 api-tester-2233=1pro/api-tester:2.0.0
    """,
)
@click.argument("words", nargs=-1, required=True, metavar="[ROLLOUT] VERSION | CONTAINER=IMAGE...")
@target.options
@target.language_option
def set_image_verb(words: tuple[str, ...], **settings: Any) -> int:
    """Start an update: by version, or by container and image (* is every container)."""
    images = dict(word.split("=", 1) for word in words if "=" in word)
    plain = [word for word in words if "=" not in word]
    if images:
        if len(plain) > 1:
            raise UsageError(f"one rollout at a time; got {', '.join(plain)}")
        return _act("set-image", plain[0] if plain else None, settings, images=images)
    if len(plain) > 2:
        raise UsageError("write ROLLOUT VERSION, or ROLLOUT CONTAINER=IMAGE")
    return _act("set-image", plain[0] if len(plain) == 2 else None, settings, version=plain[-1])
