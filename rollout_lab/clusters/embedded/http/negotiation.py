"""Which form an answer takes and how a body is read: Accept, Content-Type, JSON and YAML. No state.

# upstream: apiserver/pkg/endpoints/handlers/negotiation/negotiate.go
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
import yaml
from aiohttp import web

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.http import protobuf
from rollout_lab.clusters.embedded.schema import wire

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
OFFERED = (JSON, YAML, PROTOBUF)
_TYPE_META = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True, slots=True)
class Wish:
    """One media type of an Accept header with its parameters."""

    media: str
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """The form an answer takes: JSON or YAML, as the object, a Table or metadata only."""

    yaml: bool = False
    kind: str = ""  # "", Table, PartialObjectMetadata, PartialObjectMetadataList, APIGroupDiscoveryList

    @property
    def content_type(self) -> str:
        return YAML if self.yaml else JSON


def wishes(accept: str) -> list[Wish]:
    """The media types of an Accept header in order."""
    out = []
    for part in accept.split(","):
        media, *params = (p.strip() for p in part.split(";"))
        pairs = (p.partition("=") for p in params)
        out.append(Wish(media.lower(), {k.strip(): v.strip() for k, _, v in pairs}))
    return out


def choose(accept: str, kinds: tuple[str, ...] = (), *, offered: tuple[str, ...] = OFFERED) -> Form:
    """The first form of the Accept header this server can give; `kinds` are the conversions on offer here.

    Raises 406 when there is none.
    """
    for wish in wishes(accept or "*/*"):
        as_yaml = wish.media in (YAML, "text/yaml", "application/x-yaml")
        if not as_yaml and wish.media not in (JSON, "*/*", "application/*", "text/json"):
            continue
        kind = wish.params.get("as", "")
        if kind:
            wanted = (
                ("apidiscovery.k8s.io", "v2") if kind == "APIGroupDiscoveryList" else ("meta.k8s.io", "v1")
            )
            if kind not in kinds or (wish.params.get("g"), wish.params.get("v")) != wanted:
                continue
        return Form(as_yaml, kind)
    raise statuses.not_acceptable(offered)


def dump(value: Any, form: Form) -> bytes:
    """An answer's body."""
    if form.yaml:
        return bytes(yaml.dump(value, Dumper=_DUMPER, sort_keys=True, encoding="utf-8"))
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) + b"\n"


def media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def load(raw: bytes, media: str, kind: str) -> tuple[Any, tuple[str, ...]]:
    """A request's object and the complaints about fields it has twice. Raises 400 or 415."""
    if media in ("", JSON):
        return _load(raw, kind, "couldn't get version/kind; json parse error: ", wire.parse_json)
    if media in (YAML, "text/yaml", "application/x-yaml"):
        return _load(raw, kind, "", wire.parse_yaml)
    if media == PROTOBUF:
        try:
            return protobuf.decode(raw), ()
        except protobuf.Malformed as problem:
            raise unrecognized(kind, str(problem), raw) from None
    raise statuses.unsupported_media(OFFERED)


def _load(
    raw: bytes, kind: str, prefix: str, parse: Callable[[bytes], tuple[Any, list[str]]]
) -> tuple[Any, tuple[str, ...]]:
    try:
        value, twice = parse(raw)
    except wire.SyntaxProblem as problem:
        raise unrecognized(kind, prefix + str(problem), raw, text=bool(prefix)) from None
    if value is None:
        return {}, ()
    if not isinstance(value, dict):
        found = f"json: cannot unmarshal {go_kind(value)} into Go value of type {_TYPE_META}"
        raise unrecognized(kind, f"couldn't get version/kind; json parse error: {found}", raw)
    return value, tuple(twice)


def unrecognized(kind: str, why: str, raw: bytes, *, text: bool = False) -> Exception:
    """400 for a body no decoder knows; it is shown as text when it looks like a JSON object, else in hex."""
    shown = raw.decode("utf-8", "replace") if text and raw.lstrip().startswith(b"{") else raw.hex()
    return statuses.bad_request(
        f"the object provided is unrecognized (must be of type {kind}): {why} ({shown or '<empty>'})"
    )


def go_kind(value: Any) -> str:
    """What Go calls a JSON value."""
    if isinstance(value, bool):
        return "bool"
    names = {list: "array", dict: "object", str: "string", int: "number", float: "number"}
    return names.get(type(value), "null")


TEXT = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


def missing() -> web.Response:
    """What Go's mux says to an unknown path."""
    return web.Response(status=404, text="404 page not found\n", headers=TEXT)
