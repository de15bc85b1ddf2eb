"""What a label, a name and a selector may look like. Pure.

# upstream: k8s.io/apimachinery pkg/util/validation, meta/v1/validation
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rollout_lab.api.problems import FieldError, forbidden, invalid, not_supported, required

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?", re.ASCII)
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", re.ASCII)
_DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"]


def is_dns_label(text: str) -> bool:
    """A name such as ``api-tester``: up to 63 small letters, digits and hyphens."""
    return len(text) <= 63 and _DNS_LABEL.fullmatch(text) is not None


def is_dns_name(text: str) -> bool:
    """DNS labels joined by dots, up to 253 characters."""
    return len(text) <= 253 and _DNS_NAME.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    return text == "" or (len(text) <= 63 and _NAME.fullmatch(text) is not None)


def is_qualified_name(text: str) -> bool:
    """A label or annotation key: ``name`` or ``domain/name``."""
    domain, slash, name = text.rpartition("/")
    if slash and not is_dns_name(domain):
        return False
    return len(name) <= 63 and _NAME.fullmatch(name) is not None


def label_errors(given: object, field: str) -> list[FieldError]:
    """The labels that no object may carry."""
    errors = []
    for key, value in given.items() if isinstance(given, Mapping) else ():
        if not is_qualified_name(key):
            errors.append(
                invalid(field, key, "a label name is letters, digits, - _ . with an optional domain/")
            )
        if not is_label_value(str(value)):
            errors.append(invalid(field, value, "a label value is up to 63 letters, digits, - _ . or empty"))
    return errors


def annotation_errors(given: object, field: str) -> list[FieldError]:
    keys = given if isinstance(given, Mapping) else {}
    detail = "an annotation name is letters, digits, - _ . with an optional domain/"
    return [invalid(field, key, detail) for key in keys if not is_qualified_name(key.lower())]


def selector_errors(selector: Mapping[str, Any], field: str) -> list[FieldError]:
    """The mistakes inside a LabelSelector."""
    errors = label_errors(selector.get("matchLabels"), f"{field}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        errors += _expression_errors(expression or {}, f"{field}.matchExpressions[{index}]")
    return errors


def _expression_errors(expression: Mapping[str, Any], field: str) -> list[FieldError]:
    operator, values = expression.get("operator") or "", expression.get("values") or []
    errors = []
    if operator in ("In", "NotIn") and not values:
        errors.append(required(f"{field}.values", f"list the values that {operator} compares with"))
    elif operator in ("Exists", "DoesNotExist") and values:
        errors.append(forbidden(f"{field}.values", f"{operator} compares with no values; remove them"))
    elif operator not in _OPERATORS:
        errors.append(invalid(f"{field}.operator", operator, f"must be one of {', '.join(_OPERATORS)}"))
    if not is_qualified_name(expression.get("key") or ""):
        detail = "a label name is letters, digits, - _ . with an optional domain/"
        errors.append(invalid(f"{field}.key", expression.get("key") or "", detail))
    for index, value in enumerate(values):
        if not is_label_value(str(value)):
            detail = "a label value is up to 63 letters, digits, - _ . or empty"
            errors.append(invalid(f"{field}.values[{index}]", value, detail))
    return errors


def selector_is_usable(selector: Mapping[str, Any]) -> bool:
    """Whether anything can be selected with it at all."""
    return not selector_errors(selector, "")


def choice(value: object, allowed: list[str], field: str) -> list[FieldError]:
    """An error unless the value is absent, empty or one of `allowed`."""
    return [] if value in (None, "", *allowed) else [not_supported(field, value, allowed)]
