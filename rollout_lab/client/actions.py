"""What a person can ask of a rollout, from one door: requests, verdict, command, and sending them.

`requests`, `verdict` and `command` are pure; `send` and `perform` write to the API server. What
the engine then does is decided in `plan`, never here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.client.images import image_tag, version_of, with_tag
from rollout_lab.client.requests import Action, Request, images_of, owned, requests
from rollout_lab.client.resources import REPLICASETS, ROLLOUTS
from rollout_lab.client.verdicts import VERDICT_CODES, Verdict, verdict
from rollout_lab.errors import Conflict, NotFound

if TYPE_CHECKING:
    from rollout_lab.client.kube import KubeClient, PatchKind

__all__ = [
    "VERDICT_CODES",
    "Action",
    "Request",
    "Verdict",
    "command",
    "image_tag",
    "images_of",
    "owned",
    "perform",
    "requests",
    "send",
    "verdict",
    "version_of",
    "with_tag",
]

CONFLICT_TRIES: Final = 5


def send(client: KubeClient, namespace: str, name: str, wanted: Sequence[Request]) -> dict[str, Any]:
    """Send the requests in order; the Rollout after the last one (``{}`` for none).

    A status patch falls back to the main resource where the CRD has no status subresource.
    """
    found: dict[str, Any] = {}
    for request in wanted:
        if request.verb == "replace":
            found = client.replace(ROLLOUTS, namespace, name, request.body, request.subresource)
            continue
        kind: PatchKind = "json" if request.patch_kind == "json" else "merge"
        try:
            found = client.patch(ROLLOUTS, namespace, name, request.body, kind, request.subresource)
        except NotFound:
            if not request.subresource:
                raise
            found = client.patch(ROLLOUTS, namespace, name, request.body, kind)
    return found


def perform(
    client: KubeClient,
    namespace: str,
    name: str,
    action: Action,
    before: Callable[[], None] = lambda: None,
    **args: Any,
) -> Verdict:
    """Read the rollout, judge the action and send it when it would do something.

    `before` is called once, just before the first write. Writes that lose a race are judged again,
    at most five times. Arguments as for `requests`.
    """
    for tries in range(1, CONFLICT_TRIES + 1):
        rollout = client.get(ROLLOUTS, namespace, name)
        replica_sets = client.list(REPLICASETS, namespace).get("items") or []
        found = verdict(action, rollout, replica_sets, **args)
        if not found.ok:
            return found
        if tries == 1:
            before()
        try:
            send(client, namespace, name, requests(action, rollout, replica_sets, **args))
            return found
        except Conflict:
            if tries == CONFLICT_TRIES:
                raise
    raise AssertionError("not reached")


def command(action: Action, rollout: Mapping[str, Any], **args: Any) -> str:
    """The kubectl command that does the same, to copy.

    >>> command(Action.PROMOTE, {"metadata": {"name": "web", "namespace": "shop"}})
    'kubectl argo rollouts promote web -n shop'
    """
    name, where = meta.name(rollout), f" -n {meta.namespace(rollout)}" if meta.namespace(rollout) else ""
    plugin = "kubectl argo rollouts"
    match action:
        case Action.PROMOTE | Action.ABORT | Action.PAUSE | Action.RESTART:
            return f"{plugin} {action.value} {name}{where}"
        case Action.RESUME:
            return f"{plugin} promote {name}{where}"
        case Action.PROMOTE_FULL:
            return f"{plugin} promote {name} --full{where}"
        case Action.RETRY:
            return f"{plugin} retry rollout {name}{where}"
        case Action.UNDO:
            revision = int(args.get("to_revision") or 0)
            return f"{plugin} undo {name}{f' --to-revision={revision}' if revision else ''}{where}"
        case Action.SET_IMAGE:
            return f"{plugin} set image {name} {_assignments(rollout, args)}{where}"
        case Action.SCALE:
            return f"kubectl scale rollout {name} --replicas={args.get('replicas', 'N')}{where}"


def _assignments(rollout: Mapping[str, Any], args: Mapping[str, Any]) -> str:
    containers = fields.objects(rollout, "spec", "template", "spec", "containers")
    wanted = args.get("images") or images_of(rollout, str(args.get("version") or "VERSION"))
    if not wanted and containers:
        wanted = {fields.text(containers[0], "name"): "IMAGE"}
    return " ".join(f"{container}={image}" for container, image in wanted.items())
