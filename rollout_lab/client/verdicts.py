"""Would an action do something now, and if not, why not. Pure.

Only the question lives here; the requests an action makes are in `client.requests`, the sentences
in the message catalogue (``verdict.<code>``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rollout_lab.api import fields, meta, names
from rollout_lab.client.images import image_tag, version_of
from rollout_lab.client.requests import (
    Action,
    bare_template,
    end_pauses,
    running_step,
    same_template,
    status,
    undo_target,
    wanted_images,
    with_images,
)
from rollout_lab.errors import UsageError

Json = dict[str, Any]

VERDICT_CODES: Final = (
    # it would do something
    "promote-preview",  # blue/green: the active Service moves to the new version
    "promote-step",  # canary: the pause ends, the next step begins
    "promote-skip",  # canary that is not paused: the running step is skipped
    "promote-unpause",  # spec.paused ends
    "promote-all",  # promote-full: remaining pauses and steps are skipped
    "abort-update",
    "retry-update",
    "pause-rollout",
    "resume-rollout",
    "undo-to",  # params: revision, version
    "restart-pods",
    "set-version",
    "scale-to",
    # it would do nothing
    "no-rollout",
    "invalid-spec",  # params: message
    "not-observed",  # the engine has not seen the last change yet
    "already-promoted",
    "already-promoting",
    "nothing-to-promote",  # an update runs, but it is not waiting for a person
    "aborted-retry-first",
    "nothing-to-abort",
    "already-aborted",
    "not-aborted",
    "already-paused",
    "not-paused",
    "no-earlier-revision",
    "unknown-revision",  # params: revision
    "same-template",  # params: revision
    "same-image",  # params: image
    "unknown-container",  # params: container
    "same-size",  # params: replicas
    "already-restarting",
)
"""Every code a `Verdict` can carry; the message catalogue has ``verdict.<code>`` for each."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Would the action do something? `code` says what, or why not; `params` fill its message."""

    ok: bool
    code: str
    params: Json = field(default_factory=dict)


def verdict(
    action: Action, rollout: Mapping[str, Any] | None, replica_sets: Sequence[Json] = (), **args: Any
) -> Verdict:
    """Would `action` do something now? Arguments as for `requests`; never raises."""
    if rollout is None:
        return Verdict(False, "no-rollout")
    found = meta.condition(meta.conditions(rollout), names.ConditionType.INVALID_SPEC)
    healing = (Action.SET_IMAGE, Action.UNDO, Action.SCALE)
    if found is not None and action not in healing:
        return Verdict(False, "invalid-spec", {"message": fields.text(found, "message")})
    return _VERDICTS[action](rollout, replica_sets, args)


_Judge = Callable[[Mapping[str, Any], Sequence[Json], Mapping[str, Any]], Verdict]


def _about(rollout: Mapping[str, Any]) -> Json:
    return {"version": version_of(rollout), "revision": meta.revision(rollout)}


def _updating(rollout: Mapping[str, Any]) -> bool:
    current = status(rollout, "currentPodHash")
    return bool(current) and current != status(rollout, "stableRS")


def _blocked(rollout: Mapping[str, Any]) -> Verdict | None:
    """Why no promotion can happen at all."""
    if str(meta.generation(rollout)) != status(rollout, "observedGeneration"):
        return Verdict(False, "not-observed")
    if fields.flag(rollout, "status", "abort"):
        return Verdict(False, "aborted-retry-first")
    return None


def _judge_promote(rollout: Mapping[str, Any], _: Sequence[Json], __: Mapping[str, Any]) -> Verdict:
    if fields.flag(rollout, "spec", "paused"):
        return Verdict(True, "promote-unpause", _about(rollout))
    blocked = _blocked(rollout)
    if blocked is not None:
        return blocked
    if not _updating(rollout):
        return Verdict(False, "already-promoted", _about(rollout))
    if fields.flag(rollout, "status", "promoteFull"):
        return Verdict(False, "already-promoting", _about(rollout))
    waiting = bool(fields.objects(rollout, "status", "pauseConditions"))
    if fields.value(rollout, "spec", "strategy", "canary") is None:
        return Verdict(waiting, "promote-preview" if waiting else "nothing-to-promote", _about(rollout))
    step = running_step(rollout)
    if step is None:
        return Verdict(False, "nothing-to-promote", _about(rollout))
    steps = fields.items(rollout, "spec", "strategy", "canary", "steps")
    about = {**_about(rollout), "step": step + 1, "steps": len(steps)}
    return Verdict(True, "promote-step" if waiting else "promote-skip", about)


def _judge_promote_full(rollout: Mapping[str, Any], _: Sequence[Json], __: Mapping[str, Any]) -> Verdict:
    if not _updating(rollout):
        return _blocked(rollout) or Verdict(False, "already-promoted", _about(rollout))
    if fields.flag(rollout, "status", "promoteFull"):
        return Verdict(False, "already-promoting", _about(rollout))
    return _blocked(rollout) or Verdict(True, "promote-all", _about(rollout))


def _judge_abort(rollout: Mapping[str, Any], _: Sequence[Json], __: Mapping[str, Any]) -> Verdict:
    if fields.flag(rollout, "status", "abort"):
        return Verdict(False, "already-aborted", _about(rollout))
    if not _updating(rollout):
        return Verdict(False, "nothing-to-abort", _about(rollout))
    return Verdict(True, "abort-update", _about(rollout))


def _judge_retry(rollout: Mapping[str, Any], _: Sequence[Json], __: Mapping[str, Any]) -> Verdict:
    aborted = bool(fields.flag(rollout, "status", "abort"))
    return Verdict(aborted, "retry-update" if aborted else "not-aborted", _about(rollout))


def _judge_pause(rollout: Mapping[str, Any], _: Sequence[Json], __: Mapping[str, Any]) -> Verdict:
    paused = bool(fields.flag(rollout, "spec", "paused"))
    return Verdict(not paused, "already-paused" if paused else "pause-rollout", _about(rollout))


def _judge_resume(rollout: Mapping[str, Any], _: Sequence[Json], __: Mapping[str, Any]) -> Verdict:
    waiting = bool(fields.flag(rollout, "spec", "paused")) or bool(end_pauses(rollout))
    return Verdict(waiting, "resume-rollout" if waiting else "not-paused", _about(rollout))


def _judge_undo(rollout: Mapping[str, Any], replica_sets: Sequence[Json], args: Mapping[str, Any]) -> Verdict:
    revision = int(args.get("to_revision") or 0)
    found = undo_target(rollout, replica_sets, revision)
    if found is None:
        code = "unknown-revision" if revision else "no-earlier-revision"
        return Verdict(False, code, {"revision": revision})
    about = {"revision": meta.revision(found), "version": version_of(found)}
    same = same_template(bare_template(found), fields.mapping(rollout, "spec", "template"))
    return Verdict(not same, "same-template" if same else "undo-to", about)


def _judge_restart(rollout: Mapping[str, Any], _: Sequence[Json], __: Mapping[str, Any]) -> Verdict:
    asked = fields.text(rollout, "spec", "restartAt")
    running = bool(asked) and asked != status(rollout, "restartedAt")
    return Verdict(not running, "already-restarting" if running else "restart-pods", _about(rollout))


def _judge_set_image(rollout: Mapping[str, Any], _: Sequence[Json], args: Mapping[str, Any]) -> Verdict:
    if not args.get("images") and not args.get("version"):
        return Verdict(True, "set-version", _about(rollout))
    wanted = wanted_images(rollout, args)
    image = next(iter(wanted.values()))
    try:
        same = with_images(rollout, wanted) == rollout
    except UsageError:
        return Verdict(False, "unknown-container", {"container": ", ".join(wanted)})
    about = {"image": image, "version": image_tag(image)}
    return Verdict(not same, "same-image" if same else "set-version", about)


def _judge_scale(rollout: Mapping[str, Any], _: Sequence[Json], args: Mapping[str, Any]) -> Verdict:
    replicas = args.get("replicas")
    same = replicas is not None and int(replicas) == fields.integer(rollout, "spec", "replicas")
    return Verdict(not same, "same-size" if same else "scale-to", {"replicas": replicas})


_VERDICTS: Final[Mapping[Action, _Judge]] = {
    Action.PROMOTE: _judge_promote,
    Action.PROMOTE_FULL: _judge_promote_full,
    Action.ABORT: _judge_abort,
    Action.RETRY: _judge_retry,
    Action.PAUSE: _judge_pause,
    Action.RESUME: _judge_resume,
    Action.UNDO: _judge_undo,
    Action.RESTART: _judge_restart,
    Action.SET_IMAGE: _judge_set_image,
    Action.SCALE: _judge_scale,
}
