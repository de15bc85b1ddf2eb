"""Questions about access, answered: everybody with the token may do everything. Pure.

# upstream: pkg/apis/authorization/validation, pkg/registry/authorization
"""

from __future__ import annotations

from typing import Any

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.resources import Resource

Object = dict[str, Any]
USER = {"username": "admin", "uid": "admin", "groups": ["system:masters", "system:authenticated"]}


def answer(res: Resource, body: Object, now: float) -> Object:
    """The review with its status filled in. Raises 422 for a review that asks nothing."""
    spec = body.get("spec") or {}
    out: Object = {
        "kind": res.kind,
        "apiVersion": res.api_version,
        "metadata": body.get("metadata") or {},
        "spec": spec,
    }
    if res.kind == "SelfSubjectReview":
        out.pop("spec")
        return {**out, "metadata": {"creationTimestamp": rfc3339(now)}, "status": {"userInfo": USER}}
    if res.kind == "TokenReview":
        return {**out, "status": {"authenticated": False, "user": {}}}
    if res.kind == "SelfSubjectRulesReview":
        every = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
        rules = [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
        status = {"incomplete": False, "resourceRules": [every], "nonResourceRules": rules}
        return {**out, "spec": {}, "status": status}
    causes = _problems(res, spec)
    if causes:
        raise statuses.invalid(_unnamed(res), "", causes)
    return {**out, "status": {"allowed": True}}


def _problems(res: Resource, spec: Object) -> list[Object]:
    causes = []
    asked = [k for k in ("resourceAttributes", "nonResourceAttributes") if spec.get(k)]
    if len(asked) != 1:
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(statuses.invalid_value("spec.resourceAttributes", "null", text))
    if res.kind != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
        text = "at least one of user or group must be specified"
        causes.append(statuses.invalid_value("spec.user", '""', text))
    return causes


def _unnamed(res: Resource) -> Resource:
    return Resource(res.group, res.version, res.plural, "")
