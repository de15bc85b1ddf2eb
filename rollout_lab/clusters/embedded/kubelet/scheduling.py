"""Whether a Pod fits the one node of the lab, and the scheduler's words when it does not. Pure.

Here: nodeSelector, required node affinity, taints, absurd requests. Ordinary requests are not
counted: the Pods of the lab use next to nothing.
# upstream: pkg/scheduler/framework/plugins (nodeaffinity, tainttoleration, noderesources)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]

_SUFFIX = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_SUFFIX |= {f"{unit}i": 1024.0**power for power, unit in enumerate("KMGTPE", 1)}
_QUANTITY = re.compile(r"([+-]?[0-9.]+)(?:([mkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]+))?")


def amount(text: object) -> float:
    """A Kubernetes quantity as a number; 0 for what is none (validation has said so before)."""
    match = _QUANTITY.fullmatch(str(text).strip())
    if match is None:
        return 0.0
    return float(match[1]) * (10.0 ** int(match[3]) if match[3] else _SUFFIX[match[2] or ""])


def why_not(pod: Object, node: Object) -> str | None:
    """None when the Pod fits; otherwise the message of the FailedScheduling Event."""
    reason = _first_reason(pod.get("spec") or {}, node)
    if reason is None:
        return None
    return (
        f"0/1 nodes are available: {reason}. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


def _first_reason(spec: Object, node: Object) -> str | None:
    node_spec, labels = node.get("spec") or {}, node["metadata"].get("labels") or {}
    tolerations = spec.get("tolerations") or []
    unschedulable = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if node_spec.get("unschedulable") and not _tolerated(unschedulable, tolerations):
        return "1 node(s) were unschedulable"
    for taint in node_spec.get("taints") or []:
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not _tolerated(taint, tolerations):
            return f"1 node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    selector = spec.get("nodeSelector") or {}
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    name = node["metadata"]["name"]
    if any(labels.get(k) != v for k, v in selector.items()) or (
        terms is not None and not any(_term(term, labels, name) for term in terms)
    ):
        return "1 node(s) didn't match Pod's node affinity/selector"
    have = (node.get("status") or {}).get("allocatable") or {}
    for resource in _requested(spec):
        if _requested(spec)[resource] > amount(have.get(resource, "0")):
            return f"1 Insufficient {resource}"
    return None


def _requested(spec: Object) -> dict[str, float]:
    total: dict[str, float] = {}
    for container in spec.get("containers") or []:
        resources = container.get("resources") or {}
        for name, value in (resources.get("requests") or resources.get("limits") or {}).items():
            total[name] = total.get(name, 0.0) + amount(value)
    return total


def _tolerated(taint: Object, tolerations: list[Object]) -> bool:
    return any(
        t.get("effect") in (None, "", taint.get("effect"))
        and (
            (t.get("operator") == "Exists" and t.get("key") in (None, "", taint.get("key")))
            or (
                t.get("operator") in (None, "", "Equal")
                and t.get("key") == taint.get("key")
                and (t.get("value") or "") == (taint.get("value") or "")
            )
        )
        for t in tolerations
    )


def _term(term: Object, labels: Mapping[str, str], name: str) -> bool:
    wishes = [(w, labels) for w in term.get("matchExpressions") or []]
    wishes += [(w, {"metadata.name": name}) for w in term.get("matchFields") or []]
    return bool(wishes) and all(_expression(w, values) for w, values in wishes)


def _expression(wish: Object, values: Mapping[str, str]) -> bool:
    key, wanted = wish["key"], wish.get("values") or []
    has, value = key in values, values.get(key, "")
    match wish.get("operator"):
        case "In":
            return has and value in wanted
        case "NotIn":
            return not has or value not in wanted
        case "Exists":
            return has
        case "DoesNotExist":
            return not has
        case "Gt" | "Lt" as operator if has and value.lstrip("-").isdigit() and wanted:
            return int(value) > int(wanted[0]) if operator == "Gt" else int(value) < int(wanted[0])
    return False
