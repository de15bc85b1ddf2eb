"""Reading one value out of a raw JSON object, tolerating what cannot be read.

A value of the wrong type counts as absent, as in the peer, which drops unreadable fields and
uses the rest. Nothing here changes an object or complains: complaining is `api.validation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def value(obj: object, *path: str) -> Any:
    """What stands at `path` below `obj`, or None where a step of the path is missing.

    >>> value({"spec": {"replicas": 2}}, "spec", "replicas")
    2
    """
    for key in path:
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(key)
    return obj


def mapping(obj: object, *path: str) -> Json:
    """The object at `path`; an empty one where there is none."""
    found = value(obj, *path)
    return found if isinstance(found, dict) else {}


def items(obj: object, *path: str) -> list[Any]:
    """The list at `path`; an empty one where there is none."""
    found = value(obj, *path)
    return found if isinstance(found, list) else []


def objects(obj: object, *path: str) -> list[Json]:
    """The objects of the list at `path`, anything else in it left out."""
    return [item for item in items(obj, *path) if isinstance(item, dict)]


def text(obj: object, *path: str) -> str:
    """The string at `path`, ``""`` where there is none."""
    found = value(obj, *path)
    return found if isinstance(found, str) else ""


def integer(obj: object, *path: str) -> int | None:
    """The whole number at `path` (2.0 counts, true does not), or None."""
    found = value(obj, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, float) and found.is_integer():
        return int(found)
    return found if isinstance(found, int) else None


def flag(obj: object, *path: str) -> bool | None:
    """The boolean at `path`, or None."""
    found = value(obj, *path)
    return found if isinstance(found, bool) else None


def strings(obj: object, *path: str) -> dict[str, str]:
    """The map of strings at `path` (labels, annotations, selectors), other values left out."""
    return {k: v for k, v in mapping(obj, *path).items() if isinstance(v, str)}
