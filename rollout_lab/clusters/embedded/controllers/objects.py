"""Reading raw objects the way all controllers need it: names, owners, selectors. Pure, and no rules of
any one controller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rollout_lab.api.times import parse_time

Object = dict[str, Any]
Key = tuple[str, str]  # namespace ("" for cluster scope), name


def meta(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    return obj.get("metadata") or {}


def spec(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    return obj.get("spec") or {}


def status(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    return obj.get("status") or {}


def key_of(obj: Mapping[str, Any]) -> Key:
    return meta(obj).get("namespace") or "", meta(obj).get("name") or ""


def name_of(obj: Mapping[str, Any]) -> str:
    return str(meta(obj).get("name") or "")


def uid_of(obj: Mapping[str, Any]) -> str:
    return str(meta(obj).get("uid") or "")


def version_of(obj: Mapping[str, Any]) -> int:
    """The resourceVersion as a number; 0 when there is none."""
    return int(meta(obj).get("resourceVersion") or 0)


def labels_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    return meta(obj).get("labels") or {}


def annotations_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    return meta(obj).get("annotations") or {}


def finalizers_of(obj: Mapping[str, Any]) -> list[str]:
    return list(meta(obj).get("finalizers") or [])


def owners_of(obj: Mapping[str, Any]) -> list[Object]:
    return list(meta(obj).get("ownerReferences") or [])


def is_terminating(obj: Mapping[str, Any]) -> bool:
    return bool(meta(obj).get("deletionTimestamp"))


def created_at(obj: Mapping[str, Any]) -> float:
    """Seconds since the epoch; 0 when the object has no creation time."""
    return seconds_of(meta(obj).get("creationTimestamp"))


def seconds_of(text: object) -> float:
    """An RFC 3339 time in seconds since the epoch; 0 for none."""
    return parse_time(text) if isinstance(text, str) and text else 0.0


def replicas_of(obj: Mapping[str, Any]) -> int:
    """`spec.replicas`; 1 when it is not given."""
    wanted = spec(obj).get("replicas")
    return 1 if wanted is None else int(wanted)


def count_of(obj: Mapping[str, Any], field: str) -> int:
    """A number of `status`, 0 when it is left out."""
    return int(status(obj).get(field) or 0)


def generation_of(obj: Mapping[str, Any]) -> int:
    return int(meta(obj).get("generation") or 0)


def controller_of(obj: Mapping[str, Any]) -> Object | None:
    """The owner reference with `controller: true`, or None."""
    return next((o for o in owners_of(obj) if o.get("controller")), None)


def is_controlled_by(obj: Mapping[str, Any], owner: Mapping[str, Any]) -> bool:
    found = controller_of(obj)
    return bool(found) and found is not None and found.get("uid") == uid_of(owner)


def controller_reference(owner: Mapping[str, Any], api_version: str, kind: str) -> Object:
    """The owner reference a controller writes into what it makes for `owner`."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector (`matchLabels`, `matchExpressions`) takes these labels; None takes nothing."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(k) != v for k, v in wanted.items()):
        return False
    return all(_expression(e, labels) for e in selector.get("matchExpressions") or [])


def _expression(term: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(term.get("key", "")), term.get("values") or []
    match term.get("operator"):
        case "In":
            return value is not None and value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False


def is_empty_selector(selector: Mapping[str, Any] | None) -> bool:
    return not (selector or {}).get("matchLabels") and not (selector or {}).get("matchExpressions")


def condition_of(obj: Mapping[str, Any], kind: str) -> Object | None:
    """The condition of a type in `status.conditions`, or None."""
    return find_condition(status(obj).get("conditions") or [], kind)


def find_condition(conditions: Iterable[Object], kind: str) -> Object | None:
    return next((c for c in conditions if c.get("type") == kind), None)


def compact(values: Mapping[str, Any]) -> Object:
    """Without what Go leaves out when it writes (`omitempty`): zero, empty and None."""
    return {k: v for k, v in values.items() if v not in (None, 0, "", [], {})}
