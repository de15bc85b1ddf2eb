"""Things done to Pods through their own addresses: binding to a node, eviction.

# upstream: pkg/registry/core/pod/storage/{storage,eviction}.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.decoding import Options
from rollout_lab.clusters.embedded.resources import PDBS, PODS, Resource
from rollout_lab.clusters.embedded.selectors import label_matcher, selector_string
from rollout_lab.clusters.embedded.strategies import qos_class

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.api import Api

Object = dict[str, Any]

_BINDING = Resource("", "v1", "pods/binding", "Binding")
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."


def bind(api: Api, ns: str, name: str, body: Object, options: Options) -> Object:
    """Put a Pod on a node. Raises 409 when it is on one already."""
    old = api.get(PODS, ns, name)
    target = (body.get("target") or {}).get("name", "")
    if (old.get("spec") or {}).get("nodeName"):
        why = f'pod {name} is already assigned to node "{old["spec"]["nodeName"]}"'
        raise statuses.conflict(_BINDING, name, why)
    condition = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": rfc3339(api.clock.now()),
    }
    made = _with_condition({**old, "spec": {**old["spec"], "nodeName": target}}, condition)
    if not options.dry_run:
        api.store.put(PODS.bucket, (ns, name), made)
    return statuses.created()


def resize_causes(pod: Object) -> list[Object]:
    """What a resize may not do: change the quality-of-service class a Pod was made with."""
    old = (pod.get("status") or {}).get("qosClass", "")
    if qos_class(pod.get("spec") or {}) == old:
        return []
    text = "Pod QOS Class may not change as a result of resizing"
    return [statuses.invalid_value("spec", f'"{old}"', text)]


def _with_condition(pod: Object, condition: Object) -> Object:
    status = pod.get("status") or {}
    others = [c for c in status.get("conditions") or [] if c.get("type") != condition["type"]]
    return {**pod, "status": {**status, "conditions": [*others, condition]}}


def evict(api: Api, ns: str, name: str, body: Object, options: Options) -> Object:
    """Delete a Pod unless its disruption budget forbids it. Raises 429."""
    wish = body.get("deleteOptions") or {}
    dry = options.dry_run or bool(wish.get("dryRun"))
    if (body.get("metadata") or {}).get("name", name) != name:
        raise statuses.bad_request("name in URL does not match name in Eviction object")
    pod = api.get(PODS, ns, name)
    if _counts(pod):
        _spend_budget(api, ns, pod, dry)
    if not dry:
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
            "lastProbeTime": None,
            "lastTransitionTime": rfc3339(api.clock.now()),
        }
        if not pod["metadata"].get("deletionTimestamp"):
            api.store.put(PODS.bucket, (ns, name), _with_condition(pod, condition))
        api.remove(PODS, ns, name, grace=wish.get("gracePeriodSeconds"))
    return statuses.created()


def _counts(pod: Object) -> bool:
    """Whether evicting the Pod takes something from its budget: it is running and not on its way out."""
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Pending", "Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")


def _spend_budget(api: Api, ns: str, pod: Object, dry: bool) -> None:
    budgets = []
    for budget in api.list(PDBS, ns)[0]:
        selector = (budget.get("spec") or {}).get("selector")
        matches = label_matcher(selector_string(selector)) if selector else None
        if selector is not None and (matches is None or matches(pod)):
            budgets.append(budget)
    if not budgets:
        return
    if len(budgets) > 1:
        text = (
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
        raise statuses.error(500, "InternalError", text)
    budget, name = budgets[0], budgets[0]["metadata"]["name"]
    status = budget.get("status") or {}
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        text = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(text, 10)
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        wanted, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _too_many(
            f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently"
        )
    now = rfc3339(api.clock.now())
    disrupted = {**(status.get("disruptedPods") or {}), pod["metadata"]["name"]: now}
    made = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
    if allowed == 1:
        condition = {
            "type": "DisruptionAllowed",
            "status": "False",
            "reason": "InsufficientPods",
            "message": "",
            "observedGeneration": status.get("observedGeneration", 0),
            "lastTransitionTime": now,
        }
        others = [c for c in status.get("conditions") or [] if c["type"] != "DisruptionAllowed"]
        made["conditions"] = [*others, condition]
    if not dry:
        api.store.put(PDBS.bucket, (ns, name), {**budget, "status": made})


def _too_many(why: str, retry: int = 0) -> Exception:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if retry:
        details["retryAfterSeconds"] = retry
    return statuses.error(429, "TooManyRequests", _REFUSED, details)
