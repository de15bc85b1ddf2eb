"""The same actions with kubectl alone: the patch behind each of the plugin's commands, to copy. Pure.

What an action writes is `requests`; here it only becomes a line for a shell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rollout_lab.api import fields, meta, names
from rollout_lab.client.requests import Action, images_of, requests, undo_target
from rollout_lab.errors import UsageError

Json = dict[str, Any]
_NOW: Final = "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
_IMAGES: Final = "/spec/template/spec/containers/{}/image"
_HASH: Final = "/spec/template/metadata/labels/" + names.ROLLOUT_HASH_LABEL.replace("/", "~1")


def kubectl_command(
    action: Action, rollout: Mapping[str, Any], replica_sets: Sequence[Json] = (), **args: Any
) -> str:
    """The kubectl line that does what `action` does, without the plugin; ``""`` where it would write nothing.

    Arguments as for `requests`; a version or size not given stays as ``VERSION`` or ``N``.

    >>> kubectl_command(Action.ABORT, {"metadata": {"name": "web", "namespace": "shop"}})
    'kubectl patch rollout web -n shop --subresource=status --type=merge -p \\'{"status":{"abort":true}}\\''
    """
    where = f" -n {meta.namespace(rollout)}" if meta.namespace(rollout) else ""
    patch = f"kubectl patch rollout {meta.name(rollout)}{where}"
    match action:
        case Action.SCALE:
            return f"kubectl scale rollout {meta.name(rollout)}{where} --replicas={args.get('replicas', 'N')}"
        case Action.SET_IMAGE:
            return f"{patch} --type=json -p '{_compact(_images(rollout, args))}'"
        case Action.RESTART:
            body = _compact({"spec": {"restartAt": _NOW}}).replace('"', '\\"')
            return f'{patch} --type=merge -p "{body}"'
        case Action.UNDO:
            return _undo(patch, where, rollout, replica_sets, int(args.get("to_revision") or 0))
    lines = []
    for request in requests(action, rollout, replica_sets, **args):
        part = f" --subresource={request.subresource}" if request.subresource else ""
        lines.append(f"{patch}{part} --type={request.patch_kind} -p '{_compact(request.body)}'")
    return " && ".join(lines)


def _images(rollout: Mapping[str, Any], args: Mapping[str, Any]) -> list[Json]:
    containers = fields.objects(rollout, "spec", "template", "spec", "containers")
    wanted = args.get("images") or images_of(rollout, str(args.get("version") or "VERSION"))
    found = [(i, wanted.get(fields.text(c, "name")) or wanted.get("*")) for i, c in enumerate(containers)]
    return [{"op": "replace", "path": _IMAGES.format(i), "value": image} for i, image in found if image]


def _undo(
    patch: str, where: str, rollout: Mapping[str, Any], replica_sets: Sequence[Json], revision: int
) -> str:
    """The template of an older ReplicaSet, without the label the engine added to it."""
    try:
        found = undo_target(rollout, replica_sets, revision)
    except UsageError:
        found = None
    if found is None:
        return ""
    template = f"$(kubectl get rs {meta.name(found)}{where} -o jsonpath='{{.spec.template}}')"
    steps = [
        {"op": "replace", "path": "/spec/template", "value": "TEMPLATE"},
        {"op": "remove", "path": _HASH},
    ]
    body = _compact(steps).replace('"', '\\"').replace('\\"TEMPLATE\\"', template)
    return f'{patch} --type=json -p "{body}"'


def _compact(body: Any) -> str:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
