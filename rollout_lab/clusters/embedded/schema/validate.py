"""Validation of built-in kinds: what is wrong with a new object, or with a change of one.

Lives here: which rules a kind has, in the server's order; the rules are in the ``*_rules`` modules. Objects
come decoded (`decode.prune`), defaulted (`defaults.default`) and with their metadata complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import crd_object, meta_rules, names, pod_rules, service_rules, small_rules, workload_rules
from .causes import Cause

__all__ = [
    "Cause",
    "validate_create",
    "validate_custom_meta",
    "validate_custom_meta_update",
    "validate_update",
]

Object = dict[str, Any]
Check = Callable[[Object], list[Cause]]
Change = Callable[[Object, Object], list[Cause]]


@dataclass(frozen=True, slots=True)
class _Kind:
    """The rules of one kind. `check` holds for every version of an object, `change` for what may not
    change.
    """

    check: Check | None = None
    change: Change | None = None
    status: Change | None = None
    name: names.Rule = names.dns_subdomain
    namespaced: bool = True
    change_first: bool = False
    check_on_update: bool = True


_CLUSTER_WIDE = _Kind(namespaced=False)
_PATH_NAMED = _Kind(name=names.path_segment)
_PATH_NAMED_WIDE = _Kind(name=names.path_segment, namespaced=False)

_KINDS: dict[tuple[str, str], _Kind] = {
    ("", "Pod"): _Kind(pod_rules.create, pod_rules.update, pod_rules.update_status, check_on_update=False),
    ("", "Service"): _Kind(
        service_rules.service, service_rules.service_update, name=names.dns_1035_label, change_first=True
    ),
    ("", "Endpoints"): _Kind(service_rules.endpoints),
    ("", "ConfigMap"): _Kind(small_rules.config_map, small_rules.config_map_update, change_first=True),
    ("", "Secret"): _Kind(small_rules.secret, small_rules.secret_update, change_first=True),
    ("", "Namespace"): _Kind(name=names.dns_label, namespaced=False),
    ("", "Node"): _CLUSTER_WIDE,
    ("", "PersistentVolume"): _CLUSTER_WIDE,
    ("", "Event"): _Kind(small_rules.event, small_rules.event_update, change_first=True),
    ("events.k8s.io", "Event"): _Kind(small_rules.event, small_rules.event_update, change_first=True),
    ("apps", "Deployment"): _Kind(
        workload_rules.deployment, workload_rules.selector_fixed, workload_rules.deployment_status
    ),
    ("apps", "ReplicaSet"): _Kind(
        workload_rules.replica_set, workload_rules.selector_fixed, workload_rules.replica_set_status
    ),
    ("apps", "StatefulSet"): _Kind(workload_rules.stateful_set, workload_rules.stateful_set_update),
    ("apps", "DaemonSet"): _Kind(workload_rules.daemon_set, workload_rules.selector_fixed),
    ("batch", "Job"): _Kind(workload_rules.job, workload_rules.job_update),
    ("coordination.k8s.io", "Lease"): _Kind(small_rules.lease),
    ("discovery.k8s.io", "EndpointSlice"): _Kind(
        service_rules.endpoint_slice, service_rules.endpoint_slice_update
    ),
    ("networking.k8s.io", "Ingress"): _Kind(small_rules.ingress),
    ("networking.k8s.io", "IngressClass"): _CLUSTER_WIDE,
    ("autoscaling", "HorizontalPodAutoscaler"): _Kind(small_rules.autoscaler),
    ("policy", "PodDisruptionBudget"): _Kind(small_rules.disruption_budget),
    ("scheduling.k8s.io", "PriorityClass"): _CLUSTER_WIDE,
    ("storage.k8s.io", "StorageClass"): _CLUSTER_WIDE,
    ("rbac.authorization.k8s.io", "Role"): _PATH_NAMED,
    ("rbac.authorization.k8s.io", "RoleBinding"): _PATH_NAMED,
    ("rbac.authorization.k8s.io", "ClusterRole"): _PATH_NAMED_WIDE,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _PATH_NAMED_WIDE,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _Kind(
        crd_object.check, crd_object.check_update, namespaced=False
    ),
}
_ANY = _Kind()


def validate_create(obj: Object) -> list[Cause]:
    """The mistakes of a new object of a built-in kind, in the server's order; empty when there are none."""
    kind = _kind(obj)
    found = meta_rules.create(obj, kind.name, namespaced=kind.namespaced)
    return found + (kind.check(obj) if kind.check else [])


def validate_update(new: Object, old: Object, subresource: str = "") -> list[Cause]:
    """The mistakes of `new` as the successor of `old`; `subresource` is ``status`` for a write of the status.

    Metadata is looked at twice, by the server's general and by the kind's own rules, so its causes come
    twice.
    """
    kind = _kind(new)
    found = meta_rules.update(new, old) + meta_rules.update_builtin(new, old)
    if subresource == "status":
        return found + (kind.status(new, old) if kind.status else [])
    if subresource:
        return found
    change = kind.change(new, old) if kind.change else []
    check = kind.check(new) if kind.check and kind.check_on_update else []
    return found + (change + check if kind.change_first else check + change)


def validate_custom_meta(obj: Object, *, namespaced: bool) -> list[Cause]:
    """The mistakes in the metadata of a new custom object; what follows it is
    `crd.CustomSchema.validate`'s.
    """
    return meta_rules.create(obj, names.dns_subdomain, namespaced=namespaced, builtin=False)


def validate_custom_meta_update(new: Object, old: Object) -> list[Cause]:
    """The mistakes of a change of a custom object's metadata."""
    return meta_rules.update(new, old)


def _kind(obj: Object) -> _Kind:
    group, _, _ = str(obj.get("apiVersion", "")).rpartition("/")
    return _KINDS.get((group, str(obj.get("kind", ""))), _ANY)
