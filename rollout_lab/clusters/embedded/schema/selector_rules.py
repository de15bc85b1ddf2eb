"""Label selectors inside objects: their form, and whether they match a set of labels.

# upstream: apimachinery/pkg/apis/meta/v1/validation/validation.go
"""

from __future__ import annotations

from typing import Any

from . import causes, meta_rules, names
from .causes import Cause, Raw

Object = dict[str, Any]

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def check(selector: Object, field: str) -> list[Cause]:
    """The mistakes in a LabelSelector."""
    found = meta_rules.label_map(selector.get("matchLabels"), f"{field}.matchLabels")
    for index, term in enumerate(selector.get("matchExpressions") or []):
        found += _expression(term, f"{field}.matchExpressions[{index}]")
    return found


def _expression(term: Object, field: str) -> list[Cause]:
    found: list[Cause] = []
    operator, values = term.get("operator") or "", term.get("values") or []
    if operator in ("In", "NotIn") and not values:
        detail = "must be specified when `operator` is 'In' or 'NotIn'"
        found.append(causes.required(f"{field}.values", detail))
    elif operator in ("Exists", "DoesNotExist") and values:
        detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        found.append(causes.forbidden(f"{field}.values", detail))
    elif operator not in _OPERATORS:
        found.append(causes.invalid(f"{field}.operator", operator, "not a valid selector operator"))
    key = term.get("key") or ""
    found += [causes.invalid(f"{field}.key", key, text) for text in names.qualified_name(key)]
    for index, value in enumerate(values):
        where = f"{field}.values[{index}]"
        found += [causes.invalid(where, value, text) for text in names.label_value(value)]
    return found


def empty(selector: Object) -> bool:
    """Whether the selector has no requirement, and so matches everything."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def matches(selector: Object | None, labels: Object | None) -> bool:
    """Whether `labels` fit; no selector at all matches nothing."""
    if selector is None:
        return False
    have = labels or {}
    if any(have.get(k) != v for k, v in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_fits(term, have) for term in selector.get("matchExpressions") or [])


def _fits(term: Object, labels: Object) -> bool:
    key, values = term.get("key"), term.get("values") or []
    match term.get("operator"):
        case "In":
            return labels.get(key) in values if key in labels else False
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False


def shown(selector: Object | None) -> Any:
    """A LabelSelector as the server prints it in an error."""
    if selector is None:
        return None
    out: Object = {}
    if selector.get("matchLabels"):
        out["matchLabels"] = dict(sorted(selector["matchLabels"].items()))
    if selector.get("matchExpressions"):
        keys = ("key", "operator", "values")
        out["matchExpressions"] = [
            {k: t[k] for k in keys if k in t} for t in selector["matchExpressions"] or []
        ]
    return Raw(causes.shown(out))
