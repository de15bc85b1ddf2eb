"""What the server adds or refuses before a write is prepared: namespaces that are missing or going away,
the default tolerations and priority of Pods, the taint of new nodes, the class of an Ingress that names
none. Not the rules of fields (`schema/`).

# upstream: apiserver/pkg/admission/plugin/namespace/lifecycle,
# plugin/pkg/admission/{defaulttolerationseconds,priority,nodetaint,network/defaultingressclass}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.resources import (
    INGRESSCLASSES,
    INGRESSES,
    NAMESPACES,
    NODES,
    PODS,
    Resource,
)

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.api import Api

Object = dict[str, Any]

_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_CLASS, _DEFAULT_CLASS = "kubernetes.io/ingress.class", "ingressclass.kubernetes.io/is-default-class"
_PRIORITY = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def on_create(api: Api, res: Resource, ns: str, obj: Object) -> Object:
    """The object as admitted. Raises 404 without the namespace, 403 while it is being deleted."""
    if res.namespaced and ns:
        _check_namespace(api, res, ns, obj)
    if res is PODS:
        return _pod(api, obj)
    if res is INGRESSES:
        return _ingress(api, obj)
    return _node(obj) if res is NODES else obj


def _check_namespace(api: Api, res: Resource, ns: str, obj: Object) -> None:
    namespace = api.find(NAMESPACES, None, ns)
    if namespace is None:
        raise statuses.not_found(NAMESPACES, ns)
    if (namespace.get("status") or {}).get("phase") == "Terminating":
        name = obj.get("metadata", {}).get("name") or ""
        why = f"unable to create new content in namespace {ns} because it is being terminated"
        text = f"namespace {ns} is being terminated"
        cause = {"reason": "NamespaceTerminating", "message": text, "field": "metadata.namespace"}
        raise statuses.forbidden(res, name, why, [cause])


def _pod(api: Api, obj: Object) -> Object:
    spec = dict(obj.get("spec") or {})
    present = list(spec.get("tolerations") or [])
    for key in _TOLERATED:
        if not any(_tolerates(t, key) for t in present):
            present.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            )
    spec["tolerations"] = present
    spec.setdefault("priority", _PRIORITY.get(spec.get("priorityClassName", ""), 0))
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    return {**obj, "spec": spec}


def _ingress(api: Api, obj: Object) -> Object:
    """The newest default class, where there is one and the older annotation does not name another."""
    notes, spec = (obj.get("metadata") or {}).get("annotations") or {}, obj.get("spec") or {}
    if spec.get("ingressClassName") is not None or _CLASS in notes:
        return obj
    classes = [c["metadata"] for c in api.list(INGRESSCLASSES)[0]]
    default = [m for m in classes if (m.get("annotations") or {}).get(_DEFAULT_CLASS) == "true"]
    if not default:
        return obj
    newest = max(m["creationTimestamp"] for m in default)
    name = min(m["name"] for m in default if m["creationTimestamp"] == newest)
    return {**obj, "spec": {**spec, "ingressClassName": name}}


def _node(obj: Object) -> Object:
    """A node that does not say it is ready takes no Pods yet."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    if any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions):
        return obj
    spec = dict(obj.get("spec") or {})
    taint = {"key": _TOLERATED[0], "effect": "NoSchedule"}
    if taint not in (spec.get("taints") or []):
        spec["taints"] = [*(spec.get("taints") or []), taint]
    return {**obj, "spec": spec}


def _tolerates(toleration: Object, key: str) -> bool:
    own = toleration.get("key") or ""
    return own in ("", key) and (toleration.get("effect") or "") in ("", "NoExecute")
