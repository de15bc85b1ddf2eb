"""What a namespace gets and what its status says while it is being emptied. Pure.

# upstream: pkg/controller/namespace/deletion, pkg/controller/serviceaccount,
# pkg/controller/certificates/rootcacertpublisher
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    finalizers_of,
    find_condition,
    spec,
    status,
)

DEFAULT_ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"


def default_account(namespace: str) -> Object:
    """The ServiceAccount every Pod of the namespace runs as."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": DEFAULT_ACCOUNT, "namespace": namespace},
    }


def root_ca(namespace: str) -> Object:
    """The ConfigMap clients look for the server's certificate in; this server has none (plain HTTP)."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": ROOT_CA,
            "namespace": namespace,
            "annotations": {
                "kubernetes.io/description": "Empty: the embedded API server answers on loopback without TLS."
            },
        },
        "data": {"ca.crt": ""},
    }


def emptying_status(namespace: Object, left: Mapping[str, Sequence[Object]], now: float) -> Object:
    """The status of a namespace with the objects `left` in it, by qualified resource name (`pods.`)."""
    counts = ", ".join(
        f"{name} has {len(objs)} resource instances" for name, objs in sorted(left.items()) if objs
    )
    held = Counter(f for objs in left.values() for obj in objs for f in finalizers_of(obj))
    finalizers = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(held.items()))
    wanted = [
        (
            "NamespaceDeletionDiscoveryFailure",
            False,
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            False,
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            False,
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            bool(counts),
            "SomeResourcesRemain" if counts else "ContentRemoved",
            f"Some resources are remaining: {counts}" if counts else "All content successfully removed",
        ),
        (
            "NamespaceFinalizersRemaining",
            bool(finalizers),
            "SomeFinalizersRemain" if finalizers else "ContentHasNoFinalizers",
            f"Some content in the namespace has finalizers remaining: {finalizers}"
            if finalizers
            else "All content-preserving finalizers finished",
        ),
    ]
    present = list(status(namespace).get("conditions") or [])
    conditions = [_condition(present, *entry, now) for entry in wanted]
    kinds = {c["type"] for c in conditions}
    kept = [c for c in present if c.get("type") not in kinds]
    return {**status(namespace), "phase": "Terminating", "conditions": [*kept, *conditions]}


def _condition(
    present: list[Object], kind: str, holds: bool, reason: str, message: str, now: float
) -> Object:
    old = find_condition(present, kind)
    value = "True" if holds else "False"
    since = old["lastTransitionTime"] if old and old.get("status") == value else rfc3339(now)
    return {"type": kind, "status": value, "lastTransitionTime": since, "reason": reason, "message": message}


def finalized(namespace: Object) -> Object:
    """The namespace without the finalizer of this controller, for `/finalize`."""
    kept = [f for f in spec(namespace).get("finalizers") or [] if f != "kubernetes"]
    return {**namespace, "spec": {**spec(namespace), "finalizers": kept}}
