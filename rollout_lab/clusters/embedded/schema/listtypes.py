"""Uniqueness in lists of custom objects: ``x-kubernetes-list-type`` set and map.

# upstream: apiextensions-apiserver/pkg/apiserver/schema/listtype/validation.go
"""

from __future__ import annotations

import json
from typing import Any

from . import causes
from .causes import Cause
from .structural import MISSING, Node


def check(value: Any, node: Node, path: str) -> list[Cause]:
    """One cause for every item that repeats an earlier one."""
    if not node.has_lists:
        return []
    found: list[Cause] = []
    if isinstance(value, list):
        if node.list_type == "set":
            found += _repeats(value, path)
        elif node.list_type == "map":
            found += _repeats([_keys(item, node) for item in value], path)
        if node.items is not None:
            for index, item in enumerate(value):
                found += check(item, node.items, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, child in value.items():
            below = node.properties.get(key, node.additional)
            if below is not None:
                found += check(child, below, f"{path}.{key}" if path else key)
    return found


def _keys(item: Any, node: Node) -> Any:
    """The part of a list-map item that must be unique; a missing key counts with its default."""
    if not isinstance(item, dict):
        return item
    out: dict[str, Any] = {}
    for key in sorted(node.list_keys):
        if key in item:
            out[key] = item[key]
        elif node.items is not None and key in node.items.properties:
            default = node.items.properties[key].default
            if default is not MISSING:
                out[key] = default
    return out


def _repeats(values: list[Any], path: str) -> list[Cause]:
    seen: set[str] = set()
    found: list[Cause] = []
    for index, value in enumerate(values):
        text = json.dumps(value, sort_keys=True)
        if text in seen:
            found.append(causes.duplicate(f"{path}[{index}]", value))
        seen.add(text)
    return found
