"""``x-kubernetes-validations`` of custom objects: the rule ``self == oldSelf`` (may not change once set).

The embedded cluster has no CEL interpreter. Other rules are accepted without being checked; `unsupported`
names them, so that a caller can say so instead of pretending.
# upstream: apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go
"""

from __future__ import annotations

import re
from typing import Any

from . import causes
from .causes import Cause
from .openapi import NO_FIELD, correlated, type_name
from .structural import MISSING, Node, Rule

_IMMUTABLE = re.compile(r"\(?\s*(?:self\s*==\s*oldSelf|oldSelf\s*==\s*self)\s*\)?")


def check(value: Any, old: Any, node: Node, path: str) -> list[Cause]:
    """The broken rules between `old` and `value`; without an old value these rules do not apply."""
    if not node.has_rules or old is MISSING:
        return []
    found = [_broken(rule, value, path) for rule in node.rules if immutable(rule) and value != old]
    if isinstance(value, dict) and isinstance(old, dict):
        for key, child in value.items():
            below = node.properties.get(key, node.additional)
            if below is not None and below.has_rules:
                found += check(child, old.get(key, MISSING), below, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and node.items is not None and node.items.has_rules:
        before = correlated(node, old)
        for index, item in enumerate(value):
            found += check(item, before(item), node.items, f"{path}[{index}]")
    return found


def immutable(rule: Rule) -> bool:
    """Whether the rule says: may not change once set."""
    return _IMMUTABLE.fullmatch(rule.rule) is not None


def unsupported(node: Node) -> list[str]:
    """The texts of the rules below `node` that are not checked."""
    found = [rule.rule for rule in node.rules if not immutable(rule)]
    below = [*node.properties.values(), *(n for n in (node.additional, node.items) if n is not None)]
    return found + [text for n in below if n.has_rules for text in unsupported(n)]


def _broken(rule: Rule, value: Any, path: str) -> Cause:
    field = f"{path}{rule.field_path}" if rule.field_path else path or NO_FIELD
    detail = rule.message or f"failed rule: {rule.rule}"
    made = causes.invalid(field, type_name(value), detail)
    return made if rule.reason == made.reason else Cause(rule.reason, made.message, field)
