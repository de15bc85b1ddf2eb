"""Which ReplicaSet is a Deployment's new one, and what it is called, labelled and numbered. Pure.

# upstream: pkg/controller/deployment/util/deployment_util.go, pkg/controller/deployment/sync.go
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    annotations_of,
    controller_reference,
    created_at,
    key_of,
    labels_of,
    meta,
    name_of,
    replicas_of,
    spec,
    status,
    uid_of,
)

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
HASH_LABEL = "pod-template-hash"
_NOT_COPIED = frozenset(
    (
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        HISTORY,
        DESIRED,
        MOST,
    )
)
_LONGEST_HISTORY = 2000  # characters
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def template_of(obj: Object) -> Object:
    found: Object = spec(obj).get("template") or {}
    return found


def template_hash(template: Object, collisions: int | None) -> str:
    """A short stable name for a template (FNV-1a over sorted JSON; not the value a Go server computes).

    `collisions` counts how often the name was taken by another template already.
    """
    text = json.dumps(template, sort_keys=True, separators=(",", ":")) + str(collisions or "")
    value = 2166136261
    for byte in text.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return "".join(_LETTERS[ord(digit) % len(_LETTERS)] for digit in str(value))


def same_template(a: Object, b: Object) -> bool:
    """Whether two Pod templates are equal but for the hash label."""
    return spec(a) == spec(b) and _plain_meta(a) == _plain_meta(b)


def _plain_meta(template: Object) -> Object:
    labels = {k: v for k, v in labels_of(template).items() if k != HASH_LABEL}
    return {k: v for k, v in {**meta(template), "labels": labels}.items() if v}


def find_new(deployment: Object, sets: Iterable[Object]) -> Object | None:
    """The ReplicaSet of the Deployment's present template, the oldest if there are several."""
    wanted = template_of(deployment)
    ordered = sorted(sets, key=by_age)
    return next((rs for rs in ordered if same_template(template_of(rs), wanted)), None)


def by_age(rs: Object) -> tuple[float, str]:
    return created_at(rs), name_of(rs)


def revision_of(obj: Object) -> int:
    text = annotations_of(obj).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def next_revision(others: Iterable[Object]) -> int:
    return max((revision_of(rs) for rs in others), default=0) + 1


def with_annotations(obj: Object, annotations: Object) -> Object:
    return {**obj, "metadata": {**meta(obj), "annotations": annotations}}


def numbered(deployment: Object, rs: Object, revision: int) -> Object:
    """`rs` with the Deployment's annotations (change-cause …) and this revision, if it is not yet higher.

    A ReplicaSet that is used again keeps its former revisions in the history annotation.
    """
    own = dict(annotations_of(rs))
    own.update({k: v for k, v in annotations_of(deployment).items() if k not in _NOT_COPIED})
    former = own.get(REVISION)
    if revision_of(rs) < revision:
        own[REVISION] = str(revision)
        if former is not None:
            own[HISTORY] = _history(own.get(HISTORY, ""), former)
    return rs if own == annotations_of(rs) else with_annotations(rs, own)


def _history(past: str, former: str) -> str:
    entries = [entry for entry in past.split(",") if entry]
    while entries and len(",".join([*entries, former])) > _LONGEST_HISTORY:
        entries.pop(0)
    return ",".join([*entries, former])


def sized(rs: Object, desired: int, most: int) -> Object:
    """`rs` with the sizes its Deployment had when it was last scaled, for proportional scaling."""
    own = {**annotations_of(rs), DESIRED: str(desired), MOST: str(most)}
    return rs if own == annotations_of(rs) else with_annotations(rs, own)


def annotated_number(rs: Object, name: str) -> int | None:
    text = annotations_of(rs).get(name, "")
    return int(text) if text.lstrip("-").isdigit() else None


def new_replica_set(deployment: Object, revision: int, most: int) -> Object:
    """The ReplicaSet of the Deployment's template, still without a number of replicas."""
    template = template_of(deployment)
    name = template_hash(template, status(deployment).get("collisionCount"))
    labels = {**labels_of(template), HASH_LABEL: name}
    selector = spec(deployment).get("selector") or {}
    wanted = {**(selector.get("matchLabels") or {}), HASH_LABEL: name}
    body: Object = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)}-{name}",
            "namespace": key_of(deployment)[0],
            "labels": labels,
            "ownerReferences": [controller_reference(deployment, "apps/v1", "Deployment")],
        },
        "spec": {
            "replicas": 0,
            "selector": {**selector, "matchLabels": wanted},
            "template": {**template, "metadata": {**meta(template), "labels": labels}},
        },
    }
    if spec(deployment).get("minReadySeconds"):
        body["spec"]["minReadySeconds"] = spec(deployment)["minReadySeconds"]
    return sized(numbered(deployment, body, revision), replicas_of(deployment), most)


def without(sets: Sequence[Object], rs: Object | None) -> list[Object]:
    """All but this one."""
    return [other for other in sets if rs is None or uid_of(other) != uid_of(rs)]
