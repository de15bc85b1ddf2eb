"""What is special about single kinds when they are written: generations, status split, grace, values the
server fills in. Rules of fields (validation) live in `schema/`, addresses in `allocation.py`."""

from __future__ import annotations

import base64
from typing import Any

from rollout_lab.clusters.embedded.resources import Resource

Object = dict[str, Any]

HAS_GENERATION = frozenset(
    {
        *("Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"),
        *("Ingress", "IngressClass", "NetworkPolicy", "PodDisruptionBudget", "ReplicationController"),
        *("EndpointSlice", "CustomResourceDefinition", "PriorityClass", "ServiceCIDR"),
    }
)
NO_GENERATION_BUMP = frozenset({"PriorityClass"})
EMPTY_STATUS = frozenset({"Deployment", "CronJob"})
RETURNS_DELETED = frozenset({"Pod", "Service", "PersistentVolumeClaim", "PersistentVolume", "ServiceAccount"})
UNCONDITIONAL_REFUSED = frozenset(
    {"Lease", "EndpointSlice", "PodDisruptionBudget", "CustomResourceDefinition"}
)
CREATED_BY_PUT = frozenset({"Endpoints", "Event", "Lease", "LimitRange", "Service"})


def keeps_generation(res: Resource) -> bool:
    return res.custom or res.kind in HAS_GENERATION


def prepare_create(res: Resource, obj: Object) -> Object:
    """The object as it is first stored: status dropped, kind-specific values filled in."""
    out = dict(obj)
    if res.has("status") and (res.custom or res.kind not in ("Node", "Namespace", "Pod", "Service")):
        out.pop("status", None)
    kind = "" if res.custom else res.kind
    match kind:
        case "Pod":
            out["status"] = {"phase": "Pending", "qosClass": qos_class(out.get("spec") or {})}
        case "Service":
            out["status"] = {"loadBalancer": {}}
        case "Secret":
            out = secret_data(out)
        case "Namespace":
            spec = dict(out.get("spec") or {})
            if "kubernetes" not in (spec.get("finalizers") or []):
                spec["finalizers"] = [*(spec.get("finalizers") or []), "kubernetes"]
            out["spec"] = spec
            out["status"] = {"phase": "Active"}
            out = _named_namespace(out)
        case "Job":
            out = job_labels(out)
            out["status"] = {}
        case "PersistentVolumeClaim":
            out["status"] = {"phase": "Pending"}
        case "Ingress":
            out["status"] = {"loadBalancer": {}}
        case "HorizontalPodAutoscaler":
            out["status"] = {"currentMetrics": None, "desiredReplicas": 0}
        case "PodDisruptionBudget":
            out["status"] = {
                "currentHealthy": 0,
                "desiredHealthy": 0,
                "disruptionsAllowed": 0,
                "expectedPods": 0,
            }
        case "ReplicaSet" | "ReplicationController":
            out["status"] = {"replicas": 0}
        case "StatefulSet":
            out["status"] = {"replicas": 0, "availableReplicas": 0}
        case "DaemonSet":
            counts = ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady")
            out["status"] = dict.fromkeys(counts, 0)
            notes = {"deprecated.daemonset.template.generation": "1", **_annotations(out)}
            out["metadata"] = {**out["metadata"], "annotations": notes}
        case _ if kind in EMPTY_STATUS:
            out["status"] = {}
    return out


def prepare_update(res: Resource, new: Object, old: Object, subresource: str) -> Object:
    """`new` with the half that this address does not write taken from `old`, and the generation."""
    if subresource == "status":
        return _status_only(res, new, old)
    out = dict(new)
    if res.has("status"):
        _take(out, old, "status")
    kind = "" if res.custom else res.kind
    if kind == "Secret":
        out = secret_data(out)
    elif kind == "Namespace" and subresource != "finalize":
        finalizers = (old.get("spec") or {}).get("finalizers")
        out["spec"] = {**(out.get("spec") or {}), **({"finalizers": finalizers} if finalizers else {})}
        if not finalizers:
            out["spec"].pop("finalizers", None)
        out = _named_namespace(out)
    return out


def _named_namespace(obj: Object) -> Object:
    meta = obj["metadata"]
    labels = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta.get("name", "")}
    return {**obj, "metadata": {**meta, "labels": labels}}


def _status_only(res: Resource, new: Object, old: Object) -> Object:
    out = {**new, **{k: v for k, v in old.items() if k not in ("status", "metadata")}}
    for key in new:
        if key not in old and key not in ("status", "metadata"):
            del out[key]
    meta = dict(new["metadata"])
    if res.custom:
        meta = dict(old["metadata"])
    elif res.kind == "Deployment":
        _take(meta, old["metadata"], "labels")
    elif res.kind == "Pod":
        _take(meta, old["metadata"], "ownerReferences")
        status = dict(out.get("status") or {})
        if not status.get("qosClass") and (old.get("status") or {}).get("qosClass"):
            status["qosClass"] = old["status"]["qosClass"]
        out["status"] = status
    out["metadata"] = meta
    return out


def _take(out: Object, old: Object, key: str) -> None:
    if key in old:
        out[key] = old[key]
    else:
        out.pop(key, None)


def spec_changed(res: Resource, new: Object, old: Object, subresource: str) -> bool:
    """Whether this update makes a new generation.

    Built-in kinds: when `spec` differs. Custom: when anything but metadata (and status, where it has its
    own address) differs.
    """
    if subresource == "status":
        return False
    if not res.custom:
        if res.kind in NO_GENERATION_BUMP:
            return False
        if res.kind == "Deployment" and _annotations(new) != _annotations(old):
            return True
        if res.kind == "EndpointSlice":
            return any(new.get(k) != old.get(k) for k in ("endpoints", "ports", "addressType"))
        return bool(new.get("spec") != old.get("spec"))
    skip = {"metadata", "status"} if res.has("status") else {"metadata"}
    return {k: v for k, v in new.items() if k not in skip} != {k: v for k, v in old.items() if k not in skip}


def _annotations(obj: Object) -> Object:
    return obj["metadata"].get("annotations") or {}


def secret_data(obj: Object) -> Object:
    """`stringData` merged into `data`, as storage keeps it."""
    text = obj.get("stringData")
    if text is None:
        return obj
    out = {k: v for k, v in obj.items() if k != "stringData"}
    encoded = {k: base64.b64encode(str(v).encode()).decode() for k, v in (text or {}).items()}
    if encoded:
        out["data"] = {**(obj.get("data") or {}), **encoded}
    return out


def job_labels(obj: Object) -> Object:
    """Selector and labels of a Job that does not bring its own.

    # upstream: pkg/registry/batch/job/strategy.go::generateSelector
    """
    spec = dict(obj.get("spec") or {})
    if spec.get("manualSelector"):
        return obj
    uid, name = obj["metadata"]["uid"], obj["metadata"]["name"]
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    template = dict(spec.get("template") or {})
    tmeta = dict(template.get("metadata") or {})
    tmeta["labels"] = {**(tmeta.get("labels") or {}), **labels}
    template["metadata"] = tmeta
    spec["template"] = template
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    own = tmeta["labels"]
    meta = {**obj["metadata"], "labels": obj["metadata"].get("labels") or own}
    return {**obj, "metadata": meta, "spec": spec}


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort, from the containers' requests and limits.

    # upstream: pkg/apis/core/v1/helper/qos/qos.go::ComputePodQOS
    """
    containers = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    anything, guaranteed = False, bool(containers)
    for c in containers:
        resources = c.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        used = {k for k in (*requests, *limits) if k in ("cpu", "memory")}
        anything = anything or bool(used)
        if {"cpu", "memory"} - set(limits) or any(requests.get(k, limits[k]) != limits[k] for k in limits):
            guaranteed = False
    if not anything:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def grace_period(res: Resource, obj: Object, asked: int | None) -> int:
    """Seconds an object stays after DELETE; 0 means: gone at once. Only Pods on a node wait.

    # upstream: pkg/registry/core/pod/strategy.go::CheckGracefulDelete
    """
    if res.custom or res.kind != "Pod":
        return 0
    spec, phase = obj.get("spec") or {}, (obj.get("status") or {}).get("phase")
    grace = asked
    if grace is None:
        own = spec.get("terminationGracePeriodSeconds")
        grace = 30 if own is None else int(own)
    if not spec.get("nodeName") or phase in ("Failed", "Succeeded"):
        return 0
    return 1 if grace < 0 else grace
