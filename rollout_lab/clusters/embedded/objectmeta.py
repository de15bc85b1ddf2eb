"""What the server itself writes into `metadata`, and the rules of deletion. Pure functions on raw objects.

# upstream: apiserver/pkg/registry/rest/{create,update,delete}.go
"""

from __future__ import annotations

import random
import uuid
from typing import Any

from rollout_lab.api.times import rfc3339

Object = dict[str, Any]

SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_DROP_AT_CREATE = ("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields")


def clean(meta: Object) -> Object:
    """Without the empty maps and lists that Go leaves out when it writes."""
    return {k: v for k, v in meta.items() if v not in (None, "", [], {})}


def generate_name(prefix: str) -> str:
    """`prefix` cut to 58 characters and five random letters.

    # upstream: apiserver/pkg/storage/names/generate.go
    """
    return prefix[:58] + "".join(random.choices(SUFFIX_LETTERS, k=5))


def for_create(obj: Object, namespace: str, now: float, *, generation: bool, custom: bool = False) -> Object:
    """The object with the server's metadata of a creation; `now` in seconds since the epoch."""
    meta = {k: v for k, v in obj.get("metadata", {}).items() if k not in _DROP_AT_CREATE}
    meta.pop("resourceVersion", None)
    if namespace:
        meta["namespace"] = namespace
    else:
        meta.pop("namespace", None)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = generate_name(meta["generateName"])
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = rfc3339(now)
    if generation:
        meta["generation"] = 1
    return {**obj, "metadata": clean(meta)}


def without_double_owners(obj: Object, warnings: list[str]) -> Object:
    """The object with every owner once; a warning names owners that came twice.

    # upstream: apiserver/pkg/endpoints/handlers/create.go::dedupOwnerReferencesAndAddWarning
    """
    owners = obj.get("metadata", {}).get("ownerReferences") or []
    once: list[Object] = []
    twice: list[str] = []
    for owner in owners:
        if owner in once:
            twice.append(str(owner.get("uid", "")))
        else:
            once.append(owner)
    if not twice:
        return obj
    warnings.append(
        ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, "
        "and may reject such requests as early as 1.24; please fix your requests; "
        f"duplicate UID(s) observed: {', '.join(dict.fromkeys(twice))}"
    )
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": once}}


def for_update(new: Object, old: Object) -> Object:
    """`new` with the metadata that clients cannot change taken from `old`."""
    before = old["metadata"]
    meta = {k: v for k, v in new.get("metadata", {}).items() if k not in ("selfLink", "managedFields")}
    meta.setdefault("name", before.get("name"))
    for key in ("uid", "creationTimestamp", "generation", "deletionGracePeriodSeconds", "deletionTimestamp"):
        if key in before:
            meta[key] = before[key]
        else:
            meta.pop(key, None)
    if before.get("namespace"):
        meta["namespace"] = before["namespace"]
    meta["resourceVersion"] = before["resourceVersion"]
    return {**new, "metadata": clean(meta)}


def bumped(obj: Object) -> Object:
    """The next generation of an object that has one."""
    meta = obj["metadata"]
    if not meta.get("generation"):
        return obj
    return {**obj, "metadata": {**meta, "generation": meta["generation"] + 1}}


def same(new: Object, old: Object) -> bool:
    """Whether a write would change nothing."""
    return _without_version(new) == _without_version(old)


def _without_version(obj: Object) -> Object:
    meta = {k: v for k, v in obj.get("metadata", {}).items() if k != "resourceVersion"}
    return {**obj, "metadata": meta}


def terminating(obj: Object, now: float, grace: int) -> Object:
    """The object marked for deletion after `grace` seconds, one generation further."""
    meta = {**obj["metadata"], "deletionTimestamp": rfc3339(now + grace), "deletionGracePeriodSeconds": grace}
    return bumped({**obj, "metadata": meta})


def deletion_finalizers(obj: Object, propagation: str | None, default_orphan: bool = False) -> list[str]:
    """The finalizers an object has after a DELETE with this propagation policy.

    # upstream: apiserver/pkg/registry/generic/registry/store.go::deletionFinalizersForGarbageCollection
    """
    present = list(obj["metadata"].get("finalizers") or [])
    orphan = propagation == "Orphan" or (
        propagation is None and (default_orphan or ORPHAN in present) and FOREGROUND not in present
    )
    foreground = propagation == "Foreground" or (propagation is None and FOREGROUND in present)
    rest = [f for f in present if f not in (ORPHAN, FOREGROUND)]
    if orphan:
        rest.append(ORPHAN)
    if foreground:
        rest.append(FOREGROUND)
    return present if set(rest) == set(present) else rest
