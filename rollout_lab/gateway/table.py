"""What a gateway knows at one moment: rules in order, and the endpoints behind each backend. Values only.

A table never changes; a new one takes its place at once, so a request sees one state from begin to end.
Who makes it is `compile`, who reads it `choose`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl

Endpoint = tuple[str, int]
"""Host and port of a Pod."""
Labels = tuple[tuple[str, str], ...]
Pool = tuple[str, str, str, Labels]
"""Namespace, Service, port (its name or number, as text) and the Pod labels of a subset (none: all Pods)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request decides. `path` is decoded, `headers` have small names, `host` has no port."""

    method: str
    host: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def parameter(self, name: str) -> str | None:
        """The first query parameter of that name."""
        return next((v for k, v in parse_qsl(self.query, keep_blank_values=True) if k == name), None)

    def cookie(self, name: str) -> str | None:
        """The first cookie of that name."""
        for part in self.headers.get("cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None


class Text(StrEnum):
    """How a text is compared. REGEX is the whole text, SEARCH any part of it."""

    EXACT = "exact"
    PREFIX = "prefix"
    REGEX = "regex"
    SEARCH = "search"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class TextMatch:
    """One comparison of a header, a query parameter or a method."""

    kind: Text
    value: str = ""
    pattern: re.Pattern[str] | None = None


class Path(StrEnum):
    """How a path is compared. PREFIX goes by elements (/a takes /a/b, not /ab), START by letters."""

    EXACT = "exact"
    PREFIX = "prefix"
    START = "start"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class PathMatch:
    kind: Path = Path.PREFIX
    value: str = "/"
    ignore_case: bool = False
    pattern: re.Pattern[str] | None = None


Named = tuple[tuple[str, TextMatch], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Conditions that must all hold; header names are small. Without any, every request matches."""

    path: PathMatch | None = None
    method: TextMatch | None = None
    authority: TextMatch | None = None
    headers: Named = ()
    without: Named = ()
    query: Named = ()


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """Headers to set (replace), add and remove, in this order."""

    set: Labels = ()
    add: Labels = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.set or self.add or self.remove)


NO_CHANGE = HeaderChange()


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a share of the requests goes. `error`: answer this status instead, as the share's lot."""

    namespace: str
    service: str
    port: str
    weight: float = 1
    subset: str = ""
    labels: Labels = ()
    error: int = 0
    request_headers: HeaderChange = NO_CHANGE
    response_headers: HeaderChange = NO_CHANGE

    @property
    def pool(self) -> Pool:
        return self.namespace, self.service, self.port, self.labels


@dataclass(frozen=True, slots=True)
class Mirror:
    """A copy of `share` (0 to 1) of the requests; its answers are thrown away."""

    backend: Backend
    share: float = 1.0
    host_suffix: str = ""


@dataclass(frozen=True, slots=True)
class Canary:
    """The canary Ingress of an Ingress rule. `weight` of `total` requests, after header and cookie."""

    backend: Backend
    weight: float = 0
    total: float = 100
    header: str = ""
    header_value: str = ""
    header_pattern: re.Pattern[str] | None = None
    cookie: str = ""
    ingress: str = ""  # its name


@dataclass(frozen=True, slots=True)
class Source:
    """The object a rule comes from; `rule` names its part: a route's name, or the field."""

    kind: str
    namespace: str
    name: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which requests (any of `matches`; none means all) go where. `error` answers them all with a status.

    `empty` is the status where no backend takes a share (all weights are 0, or there is none).
    """

    source: Source
    matches: tuple[Match, ...] = ()
    backends: tuple[Backend, ...] = ()
    canary: Canary | None = None
    mirrors: tuple[Mirror, ...] = ()
    request_headers: HeaderChange = NO_CHANGE
    response_headers: HeaderChange = NO_CHANGE
    error: int = 0
    empty: int = 503


@dataclass(frozen=True, slots=True)
class Host:
    """The host names a list of rules is for: exact, ``*.example.com`` or ``""`` for all of them.

    `one_label`: the star stands for one label only, as in an Ingress.
    """

    name: str = ""
    one_label: bool = False

    def takes(self, host: str) -> bool:
        """Whether a request for `host` (small letters, no port) is meant."""
        if not self.name:
            return True
        if not self.name.startswith("*"):
            return host == self.name
        rest = self.name[1:]
        if not host.endswith(rest) or len(host) <= len(rest):
            return False
        return not self.one_label or "." not in host.removesuffix(rest)

    @property
    def order(self) -> tuple[int, int, str]:
        """Exact names first, then the longer star, then all."""
        kind = 2 if not self.name else 1 if self.name.startswith("*") else 0
        return kind, -len(self.name), self.name


@dataclass(frozen=True, slots=True)
class Group:
    """The rules of one kind of object. `alone`: the best host's rules count, and no other host's."""

    kind: str
    hosts: tuple[tuple[Host, tuple[Rule, ...]], ...] = ()
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Groups in the order they are asked, the rule for what none takes, and the endpoints by pool."""

    groups: tuple[Group, ...] = ()
    fallback: Rule | None = None
    pools: Mapping[Pool, tuple[Endpoint, ...]] = field(default_factory=dict)

    def rules(self) -> list[tuple[Host, Rule]]:
        """Every rule with its host, in the order they are asked."""
        found = [(host, rule) for group in self.groups for host, rules in group.hosts for rule in rules]
        return [*found, (Host(), self.fallback)] if self.fallback else found
