"""Which backend one request goes to. Pure: the numbers of chance come in as a function.

Everything that decides is here, so that a share can be proven without a socket.
# upstream: ingress-nginx balancer (canary), Gateway API HTTPRouteRule, Istio HTTPRoute
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rollout_lab.gateway.table import (
    Backend,
    Canary,
    Endpoint,
    Match,
    Mirror,
    Path,
    PathMatch,
    Request,
    Rule,
    Table,
    Text,
    TextMatch,
)

Draw = Callable[[], float]
"""A number of chance, at least 0 and below 1."""
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a request: a backend (with copies to `mirrors`), or an answer with `status`."""

    rule: Rule | None = None
    backend: Backend | None = None
    mirrors: tuple[Mirror, ...] = ()
    status: int = 0
    canary: bool = False


def choose(table: Table, request: Request, draw: Draw) -> Decision:
    """The first rule that takes the request, and one of its backends by weight. Draws only when needed."""
    rule = find(table, request)
    if rule is None:
        return Decision(status=NOT_FOUND)
    if rule.error:
        return Decision(rule, status=rule.error)
    canary = rule.canary
    taken = (
        canary is not None and bool(table.pools.get(canary.backend.pool)) and elects(canary, request, draw)
    )
    backend = canary.backend if canary is not None and taken else by_weight(rule.backends, draw)
    if backend is None:
        return Decision(rule, status=rule.empty)
    mirrors = tuple(m for m in rule.mirrors if m.share >= 1 or (m.share > 0 and draw() < m.share))
    return Decision(rule, backend, mirrors, backend.error, taken)


def find(table: Table, request: Request) -> Rule | None:
    """The rule a request belongs to; None where no object speaks of it."""
    for group in table.groups:
        for host, rules in group.hosts:
            if not host.takes(request.host):
                continue
            for rule in rules:
                if takes(rule, request):
                    return rule
            if group.alone:
                break
    return table.fallback


def takes(rule: Rule, request: Request) -> bool:
    """Whether any of a rule's matches holds; a rule without matches takes everything."""
    return not rule.matches or any(holds(match, request) for match in rule.matches)


def holds(match: Match, request: Request) -> bool:
    """Whether every condition of a match holds."""
    headers = request.headers
    return (
        (match.path is None or path_holds(match.path, request.path))
        and (match.method is None or text_holds(match.method, request.method))
        and (match.authority is None or text_holds(match.authority, headers.get("host", request.host)))
        and all(text_holds(wanted, headers.get(name)) for name, wanted in match.headers)
        and not any(text_holds(wanted, headers.get(name)) for name, wanted in match.without)
        and all(text_holds(wanted, request.parameter(name)) for name, wanted in match.query)
    )


def path_holds(match: PathMatch, path: str) -> bool:
    """Whether a decoded path is meant.

    >>> path_holds(PathMatch(Path.PREFIX, "/a"), "/a/b"), path_holds(PathMatch(Path.PREFIX, "/a"), "/ab")
    (True, False)
    """
    if match.pattern is not None:
        return match.pattern.fullmatch(path) is not None
    value = match.value
    if match.ignore_case:
        path, value = path.lower(), value.lower()
    if match.kind is Path.EXACT:
        return path == value
    if match.kind is Path.START:
        return path.startswith(value)
    base = value.rstrip("/")
    return path == base or path.startswith(base + "/")


def text_holds(match: TextMatch, value: str | None) -> bool:
    """Whether a value is there and is the one that is meant."""
    if value is None:
        return False
    match match.kind:
        case Text.PRESENT:
            return True
        case Text.EXACT:
            return value == match.value
        case Text.PREFIX:
            return value.startswith(match.value)
        case Text.REGEX:
            return match.pattern is not None and match.pattern.fullmatch(value) is not None
        case Text.SEARCH:
            return match.pattern is not None and match.pattern.search(value) is not None


def elects(canary: Canary, request: Request, draw: Draw) -> bool:
    """Whether a canary Ingress takes the request: header before cookie before weight.

    A header that neither elects nor refuses leaves the choice to the cookie, and so on.
    # upstream: ingress-nginx rootfs/etc/nginx/lua/balancer.lua::route_to_alternative_balancer
    """
    header = request.headers.get(canary.header) if canary.header else None
    if header is not None:
        if canary.header_value:
            if header == canary.header_value:
                return True
        elif canary.header_pattern is not None:
            if canary.header_pattern.search(header):
                return True
        elif header in ("always", "never"):
            return header == "always"
    cookie = request.cookie(canary.cookie) if canary.cookie else None
    if cookie in ("always", "never"):
        return cookie == "always"
    if canary.weight <= 0:
        return False
    return canary.weight >= canary.total or draw() * canary.total < canary.weight


def by_weight(backends: Sequence[Backend], draw: Draw) -> Backend | None:
    """A backend, each as likely as its weight says; None where all weights are 0."""
    carrying = [b for b in backends if b.weight > 0]
    if len(carrying) < 2:
        return carrying[0] if carrying else None
    left = draw() * sum(b.weight for b in carrying)
    for backend in carrying:
        left -= backend.weight
        if left < 0:
            return backend
    return carrying[-1]


def endpoint(table: Table, backend: Backend, tried: Iterable[Endpoint], draw: Draw) -> Endpoint | None:
    """One of a backend's endpoints that was not tried yet, each as likely as the others."""
    there = table.pools.get(backend.pool, ())
    done = set(tried)
    left = [e for e in there if e not in done] if done else list(there)
    return left[int(draw() * len(left))] if left else None
