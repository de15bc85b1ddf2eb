"""DELETE: what goes at once, what waits for finalizers, grace or its dependents, and preconditions.

# upstream: apiserver/pkg/registry/generic/registry/store.go::Delete, registry/rest/delete.go
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded import objectmeta, statuses, strategies
from rollout_lab.clusters.embedded.decoding import Options
from rollout_lab.clusters.embedded.resources import CRDS, NAMESPACES, PODS, Resource

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.api import Api

Object = dict[str, Any]


@dataclass(slots=True)
class Preconditions:
    """What must hold for a DELETE to happen."""

    uid: str | None = None
    resource_version: str | None = None


@dataclass(slots=True)
class Deletion:
    """What a DELETE did: the last state, and whether the object is gone."""

    object: Object
    gone: bool


def remove(
    api: Api,
    res: Resource,
    ns: str | None,
    name: str,
    propagation: str | None,
    grace: int | None,
    preconditions: Preconditions | None,
    options: Options | None,
) -> Deletion:
    """Delete an object, or mark it for deletion. Raises NotFound and Conflict."""
    dry = bool(options and options.dry_run)
    old = api.stored(res, ns, name)
    _check(res, name, old, preconditions)
    now = api.clock.now()
    if res is NAMESPACES:
        return _namespace(api, old, now, dry)
    if res is CRDS:
        return api.customs.definitions.delete(old, now, dry)
    legacy_orphan = res.kind == "Job" and not res.custom and propagation is None
    finalizers = objectmeta.deletion_finalizers(old, propagation, legacy_orphan)
    made, seconds = _marked(res, old, finalizers, grace, now)
    if seconds > 0 or finalizers:
        if objectmeta.same(made, old) or dry:
            return Deletion(made, False)
        stored = api.store.put(res.bucket, api.key(res, ns, name), made)
        api.customs.after_write(res, stored)
        return Deletion(stored, False)
    if res is not PODS:
        made = old
    if dry:
        return Deletion(made, True)
    if not objectmeta.same(made, old):
        made = api.store.put(res.bucket, api.key(res, ns, name), made)
    return Deletion(api.take_out(res, made), True)


def _marked(
    res: Resource, old: Object, finalizers: list[str], grace: int | None, now: float
) -> tuple[Object, int]:
    """The object marked for deletion, and the seconds it may still take."""
    meta, made = old["metadata"], old
    seconds = strategies.grace_period(res, old, grace)
    if finalizers != list(meta.get("finalizers") or []):
        made = {**made, "metadata": objectmeta.clean({**meta, "finalizers": finalizers})}
    if not meta.get("deletionTimestamp"):
        return objectmeta.terminating(made, now, seconds), seconds
    if res is not PODS:
        return made, seconds
    left = meta.get("deletionGracePeriodSeconds", 0)
    if (grace is None and seconds > 0) or seconds >= left:
        return made, left  # a later DELETE can only shorten the grace
    shorter = {
        **made["metadata"],
        "deletionTimestamp": rfc3339(now + seconds),
        "deletionGracePeriodSeconds": seconds,
    }
    return {**made, "metadata": shorter}, seconds


def _namespace(api: Api, old: Object, now: float, dry: bool) -> Deletion:
    """Mark a namespace as Terminating; the namespace controller empties and finalizes it."""
    meta = old["metadata"]
    if meta.get("deletionTimestamp"):
        return Deletion(old, False)
    made = {
        **old,
        "metadata": {**meta, "deletionTimestamp": rfc3339(now)},
        "status": {**(old.get("status") or {}), "phase": "Terminating"},
    }
    return Deletion(made if dry else api.store.put(NAMESPACES.bucket, ("", meta["name"]), made), False)


def _check(res: Resource, name: str, old: Object, wanted: Preconditions | None) -> None:
    meta = old["metadata"]
    if wanted is None:
        return
    if wanted.uid is not None and wanted.uid != meta["uid"]:
        raise _unmet(
            res,
            name,
            f"the UID in the precondition ({wanted.uid}) does not match the UID in record ({meta['uid']}). "
            "The object might have been deleted and then recreated",
        )
    version = meta["resourceVersion"]
    if wanted.resource_version is not None and wanted.resource_version != version:
        raise _unmet(
            res,
            name,
            f"the ResourceVersion in the precondition ({wanted.resource_version}) does not match the "
            f"ResourceVersion in record ({version}). The object might have been modified",
        )


def _unmet(res: Resource, name: str, why: str) -> Exception:
    """409 for a precondition of a DELETE; it names the kind, not the resource."""
    details = {"name": name, **({"group": res.group} if res.group else {}), "kind": res.kind}
    kind = f"{res.kind}.{res.group}" if res.group else res.kind
    text = f'Operation cannot be fulfilled on {kind} "{name}": {why}'
    return statuses.error(409, "Conflict", text, details)
