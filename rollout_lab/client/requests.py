"""The writes behind each thing a person can ask of a rollout: promote, abort, undo, set image … Pure.

An action and the objects it looks at go in, requests come out. Sending them is `client.actions`,
whether they would do anything is `client.verdicts`, what the engine makes of them is `plan`.

# upstream: pkg/kubectl-argo-rollouts/cmd/{promote,abort,retry,pause,undo,restart,set}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from rollout_lab.api import fields, meta, names
from rollout_lab.api.times import rfc3339
from rollout_lab.client.images import with_tag
from rollout_lab.errors import UsageError

Json = dict[str, Any]


class Action(StrEnum):
    """What a person can ask of a rollout."""

    PROMOTE = "promote"
    PROMOTE_FULL = "promote-full"
    ABORT = "abort"
    RETRY = "retry"
    PAUSE = "pause"
    RESUME = "resume"
    UNDO = "undo"
    RESTART = "restart"
    SET_IMAGE = "set-image"
    SCALE = "scale"


@dataclass(frozen=True, slots=True)
class Request:
    """One write on the Rollout. `verb` is ``patch`` or ``replace``; `subresource` ``""`` or ``status``."""

    verb: Literal["patch", "replace"]
    subresource: str
    patch_kind: Literal["merge", "json", ""]
    body: Any


def owned(rollout: Mapping[str, Any], replica_sets: Sequence[Json]) -> list[Json]:
    """The ReplicaSets of the rollout, newest revision first."""
    mine = [rs for rs in replica_sets if meta.is_controlled_by(rs, rollout)]
    return sorted(mine, key=meta.revision, reverse=True)


def images_of(rollout: Mapping[str, Any], version: str) -> dict[str, str]:
    """The image of the first container with the tag `version`, as {container: image}."""
    containers = fields.objects(rollout, "spec", "template", "spec", "containers")
    return {fields.text(c, "name"): with_tag(fields.text(c, "image"), version) for c in containers[:1]}


def requests(
    action: Action, rollout: Mapping[str, Any], replica_sets: Sequence[Json] = (), **args: Any
) -> list[Request]:
    """The writes `action` asks for, in order; empty when it would change nothing.

    Arguments: UNDO ``to_revision: int = 0`` (0: the one before); SET_IMAGE ``images: {container: image}``
    (``*`` for all) or ``version: str``; SCALE ``replicas: int``; RESTART ``now: float`` (epoch seconds).
    Raises UsageError for a revision or container that is not there.
    """
    match action:
        case Action.PROMOTE:
            return _promote(rollout)
        case Action.PROMOTE_FULL:
            pending = status(rollout, "currentPodHash") != status(rollout, "stableRS")
            return [
                *([_patch({"status": {"promoteFull": True}}, "status")] if pending else []),
                *_unpause(rollout),
            ]
        case Action.ABORT:
            return [_patch({"status": {"abort": True}}, "status")]
        case Action.RETRY:
            return [_patch({"status": {"abort": False}}, "status")]
        case Action.PAUSE:
            return [_patch({"spec": {"paused": True}})]
        case Action.RESUME:
            return [*end_pauses(rollout), *_unpause(rollout)]
        case Action.UNDO:
            return _undo(rollout, replica_sets, int(args.get("to_revision") or 0))
        case Action.RESTART:
            return [_patch({"spec": {"restartAt": rfc3339(float(args["now"]))}})]
        case Action.SET_IMAGE:
            body = with_images(rollout, wanted_images(rollout, args))
            return [] if body == rollout else [Request("replace", "", "", body)]
        case Action.SCALE:
            return [_patch({"spec": {"replicas": int(args["replicas"])}})]


def status(rollout: Mapping[str, Any], key: str) -> str:
    return fields.text(rollout, "status", key)


def _patch(body: Json, subresource: str = "") -> Request:
    return Request("patch", subresource, "merge", body)


def _unpause(rollout: Mapping[str, Any]) -> list[Request]:
    return [_patch({"spec": {"paused": False}})] if fields.flag(rollout, "spec", "paused") else []


def end_pauses(rollout: Mapping[str, Any]) -> list[Request]:
    waiting = fields.objects(rollout, "status", "pauseConditions")
    return [_patch({"status": {"pauseConditions": None}}, "status")] if waiting else []


def _promote(rollout: Mapping[str, Any]) -> list[Request]:
    """# upstream: cmd/promote/promote.go::getPatches"""
    waiting = [str(c.get("reason")) for c in fields.objects(rollout, "status", "pauseConditions")]
    step = running_step(rollout)
    ended: Json = {"pauseConditions": None}
    if names.PauseReason.INCONCLUSIVE_ANALYSIS in waiting and step is not None:
        ended |= {"controllerPause": False, "currentStepIndex": step + 1}
    elif not waiting:
        if step is None:
            return _unpause(rollout)
        ended["currentStepIndex"] = step + 1
    return [_patch({"status": ended}, "status"), *_unpause(rollout)]


def running_step(rollout: Mapping[str, Any]) -> int | None:
    """The index of the canary step that runs, or None past the end and without steps."""
    steps = fields.items(rollout, "spec", "strategy", "canary", "steps")
    index = fields.integer(rollout, "status", "currentStepIndex") or 0
    return index if index < len(steps) else None


def undo_target(rollout: Mapping[str, Any], replica_sets: Sequence[Json], revision: int) -> Json | None:
    """The ReplicaSet "undo" goes back to: that revision, or (0) the second highest."""
    mine = owned(rollout, replica_sets)
    if revision:
        return next((rs for rs in mine if meta.revision(rs) == revision), None)
    return mine[1] if len(mine) > 1 else None


def bare_template(replica_set: Mapping[str, Any]) -> Json:
    """The Pod template without the hash label the engine added."""
    template = dict(fields.mapping(replica_set, "spec", "template"))
    labels = {k: v for k, v in meta.labels(template).items() if k != names.ROLLOUT_HASH_LABEL}
    template["metadata"] = {**fields.mapping(template, "metadata"), "labels": labels}
    return template


def same_template(one: Json, two: Json) -> bool:
    def bare(template: Json) -> Json:
        about = {k: v for k, v in fields.mapping(template, "metadata").items() if v not in (None, {}, "")}
        return {**template, "metadata": about}

    return bare(one) == bare(two)


def _undo(rollout: Mapping[str, Any], replica_sets: Sequence[Json], revision: int) -> list[Request]:
    """# upstream: cmd/undo/undo.go::RunUndoRollout"""
    found = undo_target(rollout, replica_sets, revision)
    if found is None:
        raise UsageError(
            f"revision {revision} is not in the history: see `rollout-lab get replicasets`"
            if revision
            else "there is no earlier revision to go back to"
        )
    template = bare_template(found)
    if same_template(template, fields.mapping(rollout, "spec", "template")):
        return []
    return [Request("patch", "", "json", [{"op": "replace", "path": "/spec/template", "value": template}])]


def wanted_images(rollout: Mapping[str, Any], args: Mapping[str, Any]) -> Mapping[str, str]:
    wanted = args.get("images") or (images_of(rollout, str(args["version"])) if args.get("version") else {})
    if not wanted:
        raise UsageError("set-image needs an image: CONTAINER=IMAGE, or a version")
    return dict(wanted)


def with_images(rollout: Mapping[str, Any], wanted: Mapping[str, str]) -> Json:
    """A copy of the rollout with other images, in init, normal and ephemeral containers."""
    found: set[str] = set()
    pod = dict(fields.mapping(rollout, "spec", "template", "spec"))
    for part in ("initContainers", "containers", "ephemeralContainers"):
        changed = []
        for container in fields.items(pod, part):
            name = fields.text(container, "name")
            key = name if name in wanted else "*"
            if key in wanted:
                found.add(key)
                container = {**container, "image": wanted[key]}
            changed.append(container)
        if changed:
            pod[part] = changed
    for name in wanted:
        if name not in found:
            raise UsageError(f'the rollout has no container "{name}"')
    spec = fields.mapping(rollout, "spec")
    template = {**fields.mapping(spec, "template"), "spec": pod}
    return {**rollout, "spec": {**spec, "template": template}}
