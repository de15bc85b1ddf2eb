"""Label and field selectors as the API server reads them: parsing, matching, the texts of mistakes. Pure.

# upstream: apimachinery/pkg/labels/selector.go::Parse, apimachinery/pkg/fields/selector.go::ParseSelector
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.resources import Resource

Matcher = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)")
_NAME = re.compile(r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN = (
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    "'-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_QUALIFIED = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label; `op` is =, !=, in, notin, exists, absent, > or <."""

    key: str
    op: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.op:
            case "exists":
                return value is not None
            case "absent":
                return value is None
            case "=" | "in":
                return value is not None and value in self.values
            case "!=" | "notin":
                return value is None or value not in self.values
            case _:
                try:
                    left, right = int(value or ""), int(next(iter(self.values)))
                except ValueError:
                    return False
                return left > right if self.op == ">" else left < right


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def requirements(self) -> list[Requirement]:
        out: list[Requirement] = []
        while self.peek():
            out.append(self.one())
            token = self.take()
            if not token:
                break
            if token != ",":
                raise statuses.bad_request(f"found '{token}', expected: ',' or 'end of string'")
            if not self.peek():
                raise statuses.bad_request("found '', expected: identifier after ','")
        return out

    def one(self) -> Requirement:
        negated = self.peek() == "!"
        if negated:
            self.take()
        key = self.take()
        if key in ("", "=", "==", "!=", "(", ")", ",", "<", ">"):
            raise statuses.bad_request(f"unable to parse requirement: found '{key}', expected: identifier")
        _check_key(key)
        if negated:
            return Requirement(key, "absent")
        if self.peek() in ("", ","):
            return Requirement(key, "exists")
        op = self.take()
        if op in ("in", "notin"):
            return Requirement(key, op, frozenset(self.value_set()))
        if op not in ("=", "==", "!=", ">", "<"):
            wanted = "in, notin, =, ==, !=, gt, lt"
            raise statuses.bad_request(f"unable to parse requirement: found '{op}', expected: {wanted}")
        value = "" if self.peek() in ("", ",") else self.take()
        return Requirement(key, "=" if op == "==" else op, frozenset((value,)))

    def value_set(self) -> list[str]:
        token = self.take()
        if token != "(":
            raise statuses.bad_request(f"unable to parse requirement: found '{token}', expected: '('")
        values: list[str] = []
        while True:
            token = self.take()
            if token == ")":
                return values or [""]
            if token == ",":
                continue
            if not token:
                raise statuses.bad_request("unable to parse requirement: found '', expected: ',' or ')'")
            values.append(token)
            if self.peek() not in (",", ")"):
                found = self.peek()
                raise statuses.bad_request(
                    f"unable to parse requirement: found '{found}', expected: ',' or ')'"
                )


def _check_key(key: str) -> None:
    prefix, slash, name = key.rpartition("/")
    problems = []
    if slash and not _PREFIX.fullmatch(prefix):
        problems.append(_SUBDOMAIN)
    if not _NAME.fullmatch(name):
        problems.append(_QUALIFIED)
    if problems:
        text = f'unable to parse requirement: <nil>: Invalid value: "{key}": ' + "; ".join(problems)
        raise statuses.bad_request(text)


def parse_labels(text: str) -> list[Requirement]:
    """The requirements of a label selector; none match everything. Raises a 400 ApiError."""
    return _Parser(text).requirements()


def label_matcher(text: str) -> Matcher | None:
    """A test on whole objects, or None when every object matches."""
    wanted = parse_labels(text)
    if not wanted:
        return None

    def matches(obj: Mapping[str, Any]) -> bool:
        labels = obj.get("metadata", {}).get("labels") or {}
        return all(r.matches(labels) for r in wanted)

    return matches


def selector_string(selector: Mapping[str, Any] | None) -> str:
    """A `LabelSelector` object in the text form of queries, keys sorted.

    # upstream: apimachinery/pkg/apis/meta/v1/helpers.go::LabelSelectorAsSelector
    """
    selector = selector or {}
    parts = [(k, f"{k}={v}") for k, v in (selector.get("matchLabels") or {}).items()]
    for e in selector.get("matchExpressions") or []:
        key, values = e["key"], "(" + ",".join(sorted(e.get("values") or [])) + ")"
        text = {"In": f"{key} in {values}", "NotIn": f"{key} notin {values}", "Exists": key}.get(
            e.get("operator"), f"!{key}"
        )
        parts.append((key, text))
    return ",".join(text for _, text in sorted(parts, key=lambda p: p[0]))


_POD = {
    "spec.nodeName": "spec.nodeName",
    "spec.restartPolicy": "spec.restartPolicy",
    "spec.schedulerName": "spec.schedulerName",
    "spec.serviceAccountName": "spec.serviceAccountName",
    "spec.hostNetwork": "spec.hostNetwork",
    "status.phase": "status.phase",
    "status.podIP": "status.podIP",
    "status.podIPs": "status.podIP",
    "status.nominatedNodeName": "status.nominatedNodeName",
}
_EVENT = {
    **{
        f"involvedObject.{k}": f"involvedObject.{k}"
        for k in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    },
    "reason": "reason",
    "reportingComponent": "reportingComponent",
    "source": "source.component",
    "type": "type",
}
FIELDS: dict[str, dict[str, str]] = {
    "pods": _POD,
    "events": _EVENT,
    "events.events.k8s.io": {
        **{p: p for k in _EVENT if k[0] == "i" for p in (k.replace("involvedObject", "regarding"),)},
        "reason": "reason",
        "reportingController": "reportingController",
        "type": "type",
    },
    "secrets": {"type": "type"},
    "namespaces": {"status.phase": "status.phase"},
    "nodes": {"spec.unschedulable": "spec.unschedulable"},
    "services": {"spec.clusterIP": "spec.clusterIP", "spec.type": "spec.type"},
    "jobs.batch": {"status.successful": "status.succeeded"},
}
_FALSE = ("spec.unschedulable", "spec.hostNetwork")


def field_matcher(res: Resource, text: str, selectable: tuple[str, ...] = ()) -> Matcher | None:
    """A test on whole objects for a field selector. Raises a 400 ApiError on a field nobody may select by.

    `selectable` are the extra paths of a custom resource (`spec.color`).
    """
    wanted: list[tuple[str, str, bool]] = []
    known = FIELDS.get(res.qualified, {})
    for term in (t for t in text.split(",") if t):
        found = re.fullmatch(r"(.*?)(==|!=|=)(.*)", term)
        if not found:
            raise statuses.bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        key, op, value = found[1], found[2], found[3]
        if key in ("metadata.name", "metadata.namespace"):
            path = key
        elif key in known:
            path = known[key]
        elif key in selectable:
            path = key
        else:
            raise statuses.bad_request(_unknown_field(res, key, selectable))
        wanted.append((path, value, op != "!="))
    if not wanted:
        return None

    def matches(obj: Mapping[str, Any]) -> bool:
        return all((field_value(obj, path) == value) is equal for path, value, equal in wanted)

    return matches


def _unknown_field(res: Resource, key: str, selectable: tuple[str, ...]) -> str:
    if res.custom:
        return f"field label not supported: {key}"
    if res.qualified in FIELDS and res.qualified not in ("jobs.batch",):
        return f"field label not supported: {key}"
    if res.qualified == "jobs.batch":
        return f'field label "{key}" not supported for Job'
    return f'"{key}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def field_value(obj: Mapping[str, Any], path: str) -> str:
    """A field as text, as field selectors see it: missing is empty, a missing flag `false`."""
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        if path == "status.succeeded":
            return "0"
        return "false" if path in _FALSE else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def matcher(res: Resource, labels: str, fields: str, selectable: tuple[str, ...] = ()) -> Matcher | None:
    """Both selectors in one test, or None when every object matches."""
    by_label, by_field = label_matcher(labels), field_matcher(res, fields, selectable)
    if by_label and by_field:
        return lambda obj: by_label(obj) and by_field(obj)
    return by_label or by_field
