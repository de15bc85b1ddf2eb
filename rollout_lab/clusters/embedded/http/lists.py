"""Lists: pages, continue tokens, lists of the past. Pure apart from reading the store.

# upstream: apiserver/pkg/storage/continue.go, etcd3/store.go::GetList
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import orjson

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.http.queries import ListOptions
from rollout_lab.clusters.embedded.resources import Resource
from rollout_lab.clusters.embedded.schema import wire
from rollout_lab.clusters.embedded.store import Compacted

_VERSION = "meta.k8s.io/v1"
_OLD_TOKEN = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new "
    "list without the continue parameter, or use the continue token in this response to retrieve the "
    "remainder of the results. Continuing with the provided token results in an inconsistent list - objects "
    "that were created, modified, or deleted between the time the first chunk was returned and now may show "
    "up in the list."
)


@dataclass(slots=True)
class Page:
    """A part of a list: the objects and the list's own metadata."""

    items: list[dict[str, Any]]
    version: int
    token: str = ""
    remaining: int | None = None

    def metadata(self, custom: bool) -> dict[str, Any]:
        out: dict[str, Any] = {"resourceVersion": str(self.version)}
        if self.token or custom:
            out["continue"] = self.token
        if self.remaining is not None:
            out["remainingItemCount"] = self.remaining
        return out


def page(api: Api, res: Resource, namespace: str | None, options: ListOptions) -> Page:
    """The page a LIST asks for. Raises 400 and 410."""
    matches = api.matcher(res, options.labels, options.fields)
    version, after = api.store.rv, ("", "")
    exact = False
    if options.token:
        if options.version not in ("", "0"):
            raise statuses.bad_request("specifying resource version is not allowed when using continue")
        version, after = _decode(options.token, namespace)
        exact = version > 0
        version = version or api.store.rv
    elif options.version not in ("", "0"):
        wished = _version(options.version)
        exact = options.match == "Exact" or (bool(options.limit) and options.match == "")
        version = wished if exact else api.store.rv
    limit = options.limit if options.version != "0" else 0
    try:
        found = api.store.items_at(res.bucket, version) if exact else None
    except Compacted:
        if options.token:
            token = _encode(-1, after, namespace)
            error = statuses.expired(_OLD_TOKEN)
            error.details["continue"] = token
            raise error from None
        raise statuses.expired("The resourceVersion for the provided list is too old.") from None
    if found is None:
        objects = api.store.items(res.bucket, namespace or None)
    else:
        objects = [o for key, o in found if not namespace or key[0] == namespace]
    if after != ("", ""):
        objects = [o for o in objects if _key(o) > after]
    shown: list[dict[str, Any]] = []
    for index, obj in enumerate(objects):
        seen = api.shown(res, obj)
        if matches is not None and not matches(seen):
            continue
        if limit and len(shown) == limit:
            rest = len(objects) - index if matches is None else None
            return Page(shown, version, _encode(version, _key(shown[-1]), namespace), rest)
        shown.append(seen)
    return Page(shown, version)


def _key(obj: dict[str, Any]) -> tuple[str, str]:
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def _version(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise statuses.bad_version(text) from None


def _broken_word(text: str) -> str:
    """Go's words for JSON that starts like null, true or false and goes on otherwise; else empty."""
    for word in ("null", "true", "false"):
        if text[:1] == word[0]:
            for at, letter in enumerate(text[: len(word)]):
                if letter != word[at]:
                    return f"invalid character '{letter}' in literal {word} (expecting '{word[at]}')"
    return ""


def _encode(version: int, after: tuple[str, str], namespace: str | None) -> str:
    start = after[1] if namespace else f"{after[0]}/{after[1]}"
    raw = orjson.dumps({"v": _VERSION, "rv": version, "start": start + "\0"})
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(token: str, namespace: str | None) -> tuple[int, tuple[str, str]]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise statuses.bad_request(f"invalid continue token: continue key is not valid: {error}") from None
    prefix = "invalid continue token: continue key is not valid: "
    try:
        value, _ = wire.parse_json(raw)
    except wire.SyntaxProblem as problem:
        text = _broken_word(raw.decode("utf-8", "replace")) or str(problem)
        raise statuses.bad_request(prefix + text) from None
    if not isinstance(value, dict) or value.get("v") != _VERSION:
        found = value.get("v") if isinstance(value, dict) else ""
        raise statuses.bad_request(f"{prefix}server does not recognize this encoded version {found}")
    start = str(value.get("start", "")).rstrip("\0").lstrip("/")
    if namespace:
        return max(0, int(value.get("rv", 0))), (namespace, start)
    first, _, second = start.partition("/")
    return max(0, int(value.get("rv", 0))), (first, second) if second else ("", first)
