"""The rules of Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs and their status.

# upstream: pkg/apis/apps/validation/validation.go, pkg/apis/batch/validation/validation.go
"""

from __future__ import annotations

from typing import Any

from . import causes, names, pod_rules, selector_rules
from .causes import Cause, Raw
from .meta_rules import IMMUTABLE, not_negative

Object = dict[str, Any]


def deployment(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    found = not_negative(spec.get("replicas"), "spec.replicas")
    found += _selector_and_template(spec)
    found += _strategy(spec.get("strategy") or {})
    found += not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    found += not_negative(spec.get("revisionHistoryLimit"), "spec.revisionHistoryLimit")
    deadline = spec.get("progressDeadlineSeconds")
    found += not_negative(deadline, "spec.progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        detail = "must be greater than minReadySeconds"
        found.append(causes.invalid("spec.progressDeadlineSeconds", deadline, detail))
    return found


def replica_set(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    found = not_negative(spec.get("replicas"), "spec.replicas")
    found += not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    return found + _selector_and_template(spec)


def stateful_set(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    found = not_negative(spec.get("replicas"), "spec.replicas")
    found += not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")
    return found + _selector_and_template(spec)


def daemon_set(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    found = _selector_and_template(spec)
    return found + not_negative(spec.get("minReadySeconds"), "spec.minReadySeconds")


def selector_fixed(new: Object, old: Object) -> list[Cause]:
    """A selector may not change after creation."""
    selector = (new.get("spec") or {}).get("selector")
    if selector == (old.get("spec") or {}).get("selector"):
        return []
    return [causes.invalid("spec.selector", selector_rules.shown(selector), IMMUTABLE)]


def stateful_set_update(new: Object, old: Object) -> list[Cause]:
    """Only a few fields of a StatefulSet's spec may change."""
    allowed = (
        *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
        *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
    )
    rest, before = ({k: v for k, v in (o.get("spec") or {}).items() if k not in allowed} for o in (new, old))
    if rest == before:
        return []
    listed = ", ".join(f"'{key}'" for key in allowed[:-1])
    detail = f"updates to statefulset spec for fields other than {listed} and 'minReadySeconds' are forbidden"
    return [causes.forbidden("spec", detail)]


def job(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    found: list[Cause] = []
    for key in (
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    ):
        found += not_negative(spec.get(key), f"spec.{key}")
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        found.append(causes.required("spec.selector"))
    else:
        found += selector_rules.check(selector, "spec.selector")
        found += _matching(selector, template)
    found += pod_rules.check_template(template, "spec.template")
    policy = (template.get("spec") or {}).get("restartPolicy") or ""
    if policy == "Always":
        allowed = ("OnFailure", "Never")
        field = "spec.template.spec.restartPolicy"
        listed = ", ".join(f'"{value}"' for value in allowed)
        message = f"Required value: valid values: {listed}"
        found.append(Cause("FieldValueRequired", message, field))
    elif policy and policy not in ("OnFailure", "Never"):
        found.append(causes.not_supported("spec.template.spec.restartPolicy", policy, ("OnFailure", "Never")))
    return found


def job_update(new: Object, old: Object) -> list[Cause]:
    """Completions, selector, template and completion mode of a Job stay."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    found: list[Cause] = []
    indexed = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get("parallelism")
    if spec.get("completions") != before.get("completions") and not indexed:
        found.append(causes.invalid("spec.completions", spec.get("completions"), IMMUTABLE))
    found += selector_fixed(new, old)
    if _fixed_template(spec, before) != before.get("template"):
        found.append(causes.invalid("spec.template", spec.get("template"), IMMUTABLE))
    if spec.get("completionMode") != before.get("completionMode"):
        found.append(causes.invalid("spec.completionMode", spec.get("completionMode"), IMMUTABLE))
    return found


def deployment_status(new: Object, old: Object) -> list[Cause]:
    status = new.get("status") or {}
    keys = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")
    found = _counts(status, ("observedGeneration", *keys, "terminatingReplicas", "collisionCount"))
    found += _not_above(status, ("updatedReplicas", "readyReplicas", "availableReplicas"), "replicas")
    found += _not_above(status, ("availableReplicas",), "readyReplicas", readers=True)
    count, before = status.get("collisionCount"), (old.get("status") or {}).get("collisionCount")
    if before is not None and (count is None or count < before):
        found.append(causes.invalid("status.collisionCount", count or 0, "cannot be decremented"))
    return found


def replica_set_status(new: Object, old: Object) -> list[Cause]:
    status = new.get("status") or {}
    keys = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    found = _counts(status, (*keys, "observedGeneration", "terminatingReplicas"))
    found += _not_above(status, keys[1:], "replicas")
    return found + _not_above(status, ("availableReplicas",), "readyReplicas", readers=True)


def int_or_percent(value: Any, field: str) -> list[Cause]:
    """A number from zero, or a percentage."""
    if isinstance(value, str):
        return [causes.invalid(field, value, text) for text in names.percent(value)]
    return not_negative(value, field)


def _selector_and_template(spec: Object) -> list[Cause]:
    selector, template = spec.get("selector"), spec.get("template") or {}
    found: list[Cause] = []
    if selector is None:
        found.append(causes.required("spec.selector"))
    else:
        found += selector_rules.check(selector, "spec.selector")
        if selector_rules.empty(selector):
            detail = "empty selector is invalid for deployment"
            found.append(causes.invalid("spec.selector", selector_rules.shown(selector), detail))
    if selector is None or not any(t.field.startswith("spec.selector.") for t in found):
        found += _matching(selector, template)
    found += pod_rules.check_template(template, "spec.template")
    pod = template.get("spec") or {}
    if pod.get("restartPolicy") in ("Never", "OnFailure"):
        field = "spec.template.spec.restartPolicy"
        found.append(causes.not_supported(field, pod["restartPolicy"], ("Always",)))
    if pod.get("activeDeadlineSeconds") is not None:
        detail = "activeDeadlineSeconds in ReplicaSet is not Supported"
        found.append(causes.forbidden("spec.template.spec.activeDeadlineSeconds", detail))
    return found


def _matching(selector: Object | None, template: Object) -> list[Cause]:
    labels = (template.get("metadata") or {}).get("labels") or None
    if selector_rules.matches(selector, labels):
        return []
    shown = Raw(causes.shown(dict(sorted(labels.items())))) if labels else None
    detail = "`selector` does not match template `labels`"
    return [causes.invalid("spec.template.metadata.labels", shown, detail)]


def _strategy(strategy: Object) -> list[Cause]:
    kind, rolling, field = strategy.get("type") or "", strategy.get("rollingUpdate"), "spec.strategy"
    if kind == "Recreate":
        if rolling is None:
            return []
        detail = "may not be specified when strategy `type` is 'Recreate'"
        return [causes.forbidden(f"{field}.rollingUpdate", detail)]
    if kind != "RollingUpdate":
        inner = "null" if rolling is None else causes.shown({_upper(k): v for k, v in rolling.items()})
        shown = Raw(f'{{"Type":{causes.shown(kind)},"RollingUpdate":{inner}}}')
        return [causes.not_supported(field, shown, ("Recreate", "RollingUpdate"))]
    if rolling is None:
        detail = "this should be defaulted and never be nil"
        return [causes.required(f"{field}.rollingUpdate", detail)]
    return _rolling(rolling, f"{field}.rollingUpdate")


def _rolling(rolling: Object, field: str) -> list[Cause]:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    found = int_or_percent(unavailable, f"{field}.maxUnavailable")
    found += int_or_percent(surge, f"{field}.maxSurge")
    if _amount(unavailable) == 0 and _amount(surge) == 0:
        detail = "may not be 0 when `maxSurge` is 0"
        found.append(causes.invalid(f"{field}.maxUnavailable", unavailable, detail))
    if isinstance(unavailable, str) and _amount(unavailable) > 100:
        detail = "must not be greater than 100%"
        found.append(causes.invalid(f"{field}.maxUnavailable", unavailable, detail))
    return found


def _amount(value: Any) -> int:
    if isinstance(value, str):
        return int(value[:-1]) if not names.percent(value) else 0
    return int(value or 0)


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def _counts(status: Object, keys: tuple[str, ...]) -> list[Cause]:
    return [cause for key in keys for cause in not_negative(status.get(key), f"status.{key}")]


def _not_above(status: Object, keys: tuple[str, ...], limit: str, *, readers: bool = False) -> list[Cause]:
    shown = limit if readers else f"status.{limit}"
    detail = f"cannot be greater than {shown}"
    return [
        causes.invalid(f"status.{key}", status.get(key, 0), detail)
        for key in keys
        if status.get(key, 0) > status.get(limit, 0)
    ]


def _fixed_template(spec: Object, before: Object) -> Any:
    """The template, as if the parts a suspended Job may change had not changed."""
    template = spec.get("template")
    if not before.get("suspend") or not isinstance(template, dict):
        return template
    old = before.get("template") or {}
    pod, old_pod = dict(template.get("spec") or {}), old.get("spec") or {}
    for key in ("nodeSelector", "tolerations", "affinity", "schedulingGates"):
        pod.pop(key, None)
        if key in old_pod:
            pod[key] = old_pod[key]
    return {**template, "metadata": old.get("metadata") or {}, "spec": pod}
