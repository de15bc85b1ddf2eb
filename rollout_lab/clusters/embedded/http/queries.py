"""The options in a request's query string, checked as the API server checks them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.decoding import Options
from rollout_lab.clusters.embedded.resources import Resource
from rollout_lab.clusters.embedded.schema import decode
from rollout_lab.clusters.embedded.schema.builtin import schema_for

_META = "meta.k8s.io"


def _options_kind(kind: str) -> Resource:
    return Resource(_META, "v1", kind.lower(), kind)


def refuse(kind: str, causes: list[dict[str, str]]) -> Exception:
    """422 for options of a kind (`CreateOptions`)."""
    return statuses.invalid(_options_kind(kind), "", causes)


def write_options(query: Mapping[str, str], kind: str, user_agent: str = "") -> Options:
    """dryRun, fieldValidation and fieldManager of a write; `kind` is CreateOptions, UpdateOptions or
    PatchOptions. Raises 422."""
    causes = []
    manager = query.get("fieldManager", "")
    if kind == "PatchOptions" and query.get("force") in ("true", "1"):
        causes.append(statuses.forbidden_field("force", "may not be specified for non-apply patch"))
    if len(manager.encode()) > 128:
        text = "Too long: may not be more than 128 bytes"
        causes.append(statuses.cause("FieldValueTooLong", "fieldManager", text))
    for at, letter in enumerate(manager):
        if not letter.isprintable():
            shown = '"' + manager.encode("unicode_escape").decode() + '"'
            detail = f"invalid character U+{ord(letter):04X} (at position {at})"
            causes.append(statuses.invalid_value("fieldManager", shown, detail))
            break
    dry = query.get("dryRun")
    causes += check_dry_run([dry] if dry else [])
    validation = query.get("fieldValidation", "")
    if validation not in ("", "Ignore", "Warn", "Strict"):
        text = f'Unsupported value: "{validation}": supported values: "", "Ignore", "Strict", "Warn"'
        causes.append(statuses.cause("FieldValueNotSupported", "fieldValidation", text))
    if causes:
        raise refuse(kind, causes)
    return Options(
        dry_run=bool(dry),
        validation=validation or "Warn",
        manager=manager or user_agent.partition("/")[0][:128],
    )


def check_dry_run(values: list[str]) -> list[dict[str, str]]:
    if not values or values == ["All"]:
        return []
    shown = "[" + ",".join(f'"{v}"' for v in values) + "]"
    return [
        statuses.cause(
            "FieldValueNotSupported", "dryRun", f'Unsupported value: {shown}: supported values: "All"'
        )
    ]


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How a DELETE is meant."""

    propagation: str | None = None
    grace: int | None = None
    uid: str | None = None
    resource_version: str | None = None
    dry_run: bool = False


def delete_options(query: Mapping[str, str], body: Any) -> DeleteOptions:
    """Options of a DELETE from its body, or from the query string when there is none. Raises 422."""
    source: dict[str, Any] = _typed(body) if isinstance(body, dict) else {}
    if not source:
        for key in ("propagationPolicy",):
            if key in query:
                source[key] = query[key]
        if "gracePeriodSeconds" in query:
            source["gracePeriodSeconds"] = _integer(query["gracePeriodSeconds"])
        if "orphanDependents" in query:
            source["orphanDependents"] = query["orphanDependents"] == "true"
        if query.get("dryRun"):
            source["dryRun"] = [query["dryRun"]]
    policy = source.get("propagationPolicy")
    causes = []
    if policy and source.get("orphanDependents") is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(statuses.invalid_value("propagationPolicy", f'"{policy}"', text))
    elif policy and policy not in ("Foreground", "Background", "Orphan"):
        text = f'Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan", "nil"'
        causes.append(statuses.cause("FieldValueNotSupported", "propagationPolicy", text))
    causes += check_dry_run(source.get("dryRun") or [])
    if causes:
        raise refuse("DeleteOptions", causes)
    if source.get("orphanDependents") is not None:
        policy = "Orphan" if source["orphanDependents"] else "Background"
    wanted = source.get("preconditions") or {}
    return DeleteOptions(
        propagation=policy or None,
        grace=source.get("gracePeriodSeconds"),
        uid=wanted.get("uid"),
        resource_version=wanted.get("resourceVersion"),
        dry_run=bool(source.get("dryRun")),
    )


@dataclass(frozen=True, slots=True)
class ListOptions:
    """What a list or watch asks for. Times in wall seconds."""

    labels: str = ""
    fields: str = ""
    watch: bool = False
    version: str = ""
    match: str = ""
    limit: int = 0
    token: str = ""
    timeout: int = 0
    bookmarks: bool = False
    initial: bool | None = None


def list_options(query: Mapping[str, str], watch: bool = False) -> ListOptions:
    """Options of a list or watch. Raises 400 and 422."""
    flag = query.get("sendInitialEvents")
    options = ListOptions(
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        watch=watch or truthy(query.get("watch")),
        version=query.get("resourceVersion", ""),
        match=query.get("resourceVersionMatch", ""),
        limit=_number(query.get("limit", "0")),
        token=query.get("continue", ""),
        timeout=_number(query.get("timeoutSeconds", "0")),
        bookmarks=truthy(query.get("allowWatchBookmarks")),
        initial=None if flag is None else truthy(flag),
    )
    causes = _watch_rules(options) if options.watch else _list_rules(options)
    if causes:
        raise refuse("ListOptions", causes)
    return options


def truthy(value: str | None) -> bool:
    return value is not None and value.lower() not in ("false", "0")


def _typed(body: dict[str, Any]) -> dict[str, Any]:
    """A body decoded as DeleteOptions. Raises 400."""
    schema = schema_for("", "v1", "DeleteOptions")
    assert schema is not None
    try:
        return decode.prune({k: v for k, v in body.items() if k not in ("kind", "apiVersion")}, schema)[0]
    except decode.DecodeError as error:
        raise decode.cannot_handle("DeleteOptions", "v1", "DeleteOptions", str(error)) from None


def _number(text: str) -> int:
    return max(0, _integer(text or "0"))


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _watch_rules(options: ListOptions) -> list[dict[str, str]]:
    where = "resourceVersionMatch"
    if options.initial is None:
        if options.match:
            text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            return [statuses.forbidden_field(where, text)]
        return []
    causes = []
    if options.match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        causes.append(statuses.forbidden_field(where, text))
        if options.match:
            shown = f'Unsupported value: "{options.match}": supported values: "NotOlderThan"'
            causes.append(statuses.cause("FieldValueNotSupported", where, shown))
    return causes


def _list_rules(options: ListOptions) -> list[dict[str, str]]:
    where, causes = "resourceVersionMatch", []
    if options.match:
        if not options.version:
            text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            causes.append(statuses.forbidden_field(where, text))
        if options.token:
            text = "resourceVersionMatch is forbidden when continue is provided"
            causes.append(statuses.forbidden_field(where, text))
        if options.match not in ("Exact", "NotOlderThan"):
            shown = f'Unsupported value: "{options.match}": supported values: "Exact", "NotOlderThan"'
            causes.append(statuses.cause("FieldValueNotSupported", where, shown))
        if options.match == "Exact" and options.version == "0":
            text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            causes.append(statuses.forbidden_field(where, text))
    if options.initial is not None:
        causes.append(
            statuses.forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list")
        )
    return causes
