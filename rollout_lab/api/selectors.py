"""Label selectors: does a set of labels match, what does a selector read like. Pure.

# upstream: k8s.io/apimachinery meta/v1 LabelSelectorAsSelector, FormatLabelSelector
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.api import fields

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector (matchLabels, matchExpressions) chooses an object with `labels`.

    None matches nothing, an empty selector everything. An unknown operator matches nothing.

    >>> matches({"matchLabels": {"app": "a"}}, {"app": "a", "x": "1"}), matches(None, {}), matches({}, {})
    (True, False, True)
    """
    if selector is None:
        return False
    if any(labels.get(k) != v for k, v in fields.strings(selector, "matchLabels").items()):
        return False
    return all(_expression(e, labels) for e in fields.objects(selector, "matchExpressions"))


def _expression(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = fields.text(expression, "key"), fields.items(expression, "values")
    match expression.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False


def matches_equality(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether a Service's `spec.selector` chooses the labels. An empty one chooses nothing."""
    return bool(selector) and all(labels.get(k) == v for k, v in selector.items())


def text(selector: Mapping[str, Any] | None) -> str:
    """The selector as a query string, sorted: what `status.selector` holds for the autoscaler.

    >>> text({"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]})
    'a=1,b=2,c'
    """
    parts = [(k, f"{k}={v}") for k, v in fields.strings(selector, "matchLabels").items()]
    for expression in fields.objects(selector, "matchExpressions"):
        key = fields.text(expression, "key")
        listed = ",".join(sorted(str(v) for v in fields.items(expression, "values")))
        forms = {"In": f"{key} in ({listed})", "NotIn": f"{key} notin ({listed})"}
        forms |= {"Exists": key, "DoesNotExist": f"!{key}"}
        form = forms.get(str(expression.get("operator")))
        if form is not None:
            parts.append((key, form))
    return ",".join(form for _, form in sorted(parts))


def with_label(selector: Mapping[str, Any] | None, key: str, value: str) -> dict[str, Any]:
    """A copy of the selector that also asks for ``key=value``."""
    copy = dict(selector or {})
    copy["matchLabels"] = {**fields.strings(selector, "matchLabels"), key: value}
    return copy
