"""HTTPRoute objects as rules in the order the Gateway API asks for, and what their status says. Pure.

# upstream: Gateway API reference, HTTPRouteRule (precedence of matches), HTTPBackendRef, HTTPRouteFilter
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from rollout_lab.gateway.backends import checked
from rollout_lab.gateway.conditions import Json, Wanted, condition
from rollout_lab.gateway.matches import compile_match
from rollout_lab.gateway.objects import Object, Problem, Settings, World, ignored, key_of, part, rows
from rollout_lab.gateway.parents import Attachment, attach, gateway_statuses
from rollout_lab.gateway.table import (
    NO_CHANGE,
    Backend,
    Group,
    HeaderChange,
    Host,
    Labels,
    Match,
    Mirror,
    Path,
    Rule,
    Source,
)

INVALID = 500
_REASONS = {"kind": "InvalidKind", "grant": "RefNotPermitted", "missing": "BackendNotFound"}


@dataclass(slots=True)
class Routes:
    """What the HTTPRoutes of a World come to."""

    group: Group = field(default_factory=lambda: Group("HTTPRoute", alone=False))
    problems: list[Problem] = field(default_factory=list)
    statuses: list[Wanted] = field(default_factory=list)


@dataclass(slots=True)
class _Route:
    """One route while it is compiled. `unresolved` is the first reason why a reference leads nowhere."""

    world: World
    raw: Object
    problems: list[Problem] = field(default_factory=list)
    unresolved: tuple[str, str] | None = None
    dropped: list[str] = field(default_factory=list)

    def wrong(self, where: str, text: str, *, drops: bool = False) -> None:
        self.problems.append(Problem("HTTPRoute", *key_of(self.raw), where, text))
        if drops:
            self.dropped.append(f"{where}: {text}")

    def unresolve(self, reason: str, where: str, text: str) -> None:
        self.wrong(where, text)
        self.unresolved = self.unresolved or (_REASONS[reason], f"{where}: {text}")


def compile_routes(world: World, settings: Settings) -> Routes:
    """The rules of every HTTPRoute that hangs on a Gateway of ours, and all statuses."""
    out = Routes()
    listed: dict[str, list[tuple[tuple[int, ...], int, Rule]]] = {}
    attachments: list[Attachment] = []
    for number, raw in enumerate(world.all("HTTPRoute")):
        attached = attach(world, settings, raw)
        out.problems += attached.problems
        route = _Route(world, raw)
        rules = _rules(route)
        if attached.found:
            out.problems += route.problems
            out.statuses.append(_status(route, attached.found, settings))
        elif _has_ours(raw, settings):
            out.statuses.append(_status(route, [], settings))
        attachments += attached.found
        for host in {h for a in attached.found for h in a.hosts}:
            listed.setdefault(host, []).extend((order, number, rule) for order, rule in rules)
    found = []
    for name, entries in listed.items():
        entries.sort(key=lambda entry: entry[:2])  # stable: then the order in the object
        found.append((Host(name), tuple(rule for _, _, rule in entries)))
    hosts = tuple(sorted(found, key=lambda row: row[0].order))
    out.group = Group("HTTPRoute", hosts, alone=False)
    out.statuses += gateway_statuses(world, settings, [a for a in attachments if a.accepted])
    return out


def _has_ours(raw: Object, settings: Settings) -> bool:
    return any(p.get("controllerName") == settings.controller for p in rows(raw, "status", "parents"))


def _rules(route: _Route) -> list[tuple[tuple[int, ...], Rule]]:
    """A rule of the table for each match of each rule, with its precedence (smaller goes first)."""
    found = []
    for index, rule in enumerate(rows(route.raw, "spec", "rules")):
        where = f"spec.rules[{index}]"
        known = ("name", "matches", "filters", "backendRefs")
        route.problems += ignored("HTTPRoute", key_of(route.raw), rule, known, where)
        base = _rule(route, rule, where)
        for number, match in enumerate(rows(rule, "matches") or [{}]):
            compiled = compile_match(match)
            if isinstance(compiled, str):
                route.wrong(f"{where}.matches[{number}]", compiled, drops=True)
            else:
                found.append((precedence(compiled), replace(base, matches=(compiled,))))
    return found


def precedence(match: Match) -> tuple[int, ...]:
    """Exact path, longer prefix, method, more headers, more query parameters; then age and place.

    A regular expression goes between exact and prefix here; the Gateway API leaves that open.
    """
    kind, length = Path.PREFIX, 1
    if match.path is not None:
        kind, length = match.path.kind, len(match.path.value)
    rank = {Path.EXACT: 0, Path.REGEX: 1}.get(kind, 2)
    return rank, -length, match.method is None, -len(match.headers), -len(match.query)


def _rule(route: _Route, rule: Json, where: str) -> Rule:
    request, response, mirrors, fine = _filters(route, rows(rule, "filters"), f"{where}.filters")
    backends = tuple(
        _backend(route, reference, f"{where}.backendRefs[{n}]")
        for n, reference in enumerate(rows(rule, "backendRefs"))
    )
    source = Source("HTTPRoute", *key_of(route.raw), str(rule.get("name") or where))
    return Rule(
        source,
        (),
        backends,
        mirrors=mirrors,
        request_headers=request,
        response_headers=response,
        error=0 if fine else INVALID,
        empty=INVALID,
    )


def _filters(
    route: _Route, filters: list[Json], where: str
) -> tuple[HeaderChange, HeaderChange, tuple[Mirror, ...], bool]:
    """Header changes, mirrors, and whether all filters can be obeyed."""
    request = response = NO_CHANGE
    mirrors: list[Mirror] = []
    fine = True
    for index, one in enumerate(filters):
        here = f"{where}[{index}]"
        match one.get("type"):
            case "RequestHeaderModifier":
                request = header_change(part(one, "requestHeaderModifier"))
            case "ResponseHeaderModifier":
                response = header_change(part(one, "responseHeaderModifier"))
            case "RequestMirror":
                mirror = part(one, "requestMirror")
                target = _backend(route, part(mirror, "backendRef"), f"{here}.requestMirror.backendRef")
                if not target.error:
                    mirrors.append(Mirror(target, mirror_share(mirror)))
            case other:
                text = f"the filter {other} is not obeyed by this gateway; its rule answers {INVALID}"
                route.wrong(here, text, drops=True)
                fine = False
    return request, response, tuple(mirrors), fine


def mirror_share(mirror: Json) -> float:
    """The share of a RequestMirror: `percent`, or `fraction`; all requests without either.

    >>> mirror_share({"percent": 5}), mirror_share({"fraction": {"numerator": 1, "denominator": 1000}})
    (0.05, 0.001)
    """
    if mirror.get("percent") is not None:
        return float(mirror["percent"]) / 100
    fraction = part(mirror, "fraction")
    if fraction:
        return float(fraction.get("numerator") or 0) / float(fraction.get("denominator") or 100)
    return 1.0


def header_change(modifier: Json) -> HeaderChange:
    """A filter's set, add and remove, names in small letters."""

    def named(key: str) -> Labels:
        return tuple((str(h.get("name")).lower(), str(h.get("value") or "")) for h in rows(modifier, key))

    return HeaderChange(
        named("set"), named("add"), tuple(str(n).lower() for n in modifier.get("remove") or [])
    )


def _backend(route: _Route, reference: Json, where: str) -> Backend:
    own = key_of(route.raw)[0]
    namespace, name = str(reference.get("namespace") or own), str(reference.get("name") or "")
    weight = reference.get("weight")
    port = str(reference.get("port") or "")
    backend = Backend(namespace, name, port, 1 if weight is None else float(weight))
    if rows(reference, "filters"):
        request, response, mirrors, fine = _filters(route, rows(reference, "filters"), f"{where}.filters")
        if mirrors:
            route.wrong(f"{where}.filters", "a mirror belongs to the rule, not to one backend", drops=True)
        error = 0 if fine and not mirrors else INVALID
        backend = replace(backend, request_headers=request, response_headers=response, error=error)
    group, kind = reference.get("group") or "", reference.get("kind") or "Service"
    if (group, kind) != ("", "Service"):
        route.unresolve("kind", where, f"a backend is a Service here, not a {kind}")
        return replace(backend, error=INVALID)
    if namespace != own:
        route.unresolve("grant", where, "no ReferenceGrant allows a Service of another namespace here")
        return replace(backend, error=INVALID)
    found, why = checked(route.world, backend, INVALID)
    if why:
        route.unresolve("missing", where, why)
    return found


def _status(route: _Route, attached: list[Attachment], settings: Settings) -> Wanted:
    generation = int(route.raw["metadata"].get("generation") or 0)
    parents: list[dict[str, Any]] = []
    for one in attached:
        conditions = [condition("Accepted", one.accepted, one.reason, one.message, generation)]
        if route.unresolved:
            conditions.append(condition("ResolvedRefs", False, *route.unresolved, generation))
        else:
            conditions.append(
                condition("ResolvedRefs", True, "ResolvedRefs", "every backend is there", generation)
            )
        if one.accepted and route.dropped:
            text = f"Dropped Rule: {'; '.join(route.dropped)}"
            conditions.append(condition("PartiallyInvalid", True, "UnsupportedValue", text, generation))
        parents.append(
            {
                "parentRef": one.reference,
                "controllerName": settings.controller,
                "conditions": conditions,
            }
        )
    status = {"parents": parents, "controllerName": settings.controller}
    return Wanted("HTTPRoute", *key_of(route.raw), status)
