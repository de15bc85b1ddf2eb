"""Gateway API: the weights of the backends of HTTPRoutes. Pure.

The settings are those of the peer's plugin ``argoproj-labs/gatewayAPI``, so that its manifests work;
here nothing is downloaded. A rule carries the weight where both Services are among its backends; every
other rule is the person's. Rules that steps add bear the name of the managed route (``name``,
``name-1``, …); a server that knows no rule names keeps the rules without, so they are also told by content.

# upstream: argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi pkg/plugin/httproute.go
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rollout_lab.api import fields
from rollout_lab.api.fields import Json
from rollout_lab.api.problems import FieldError, forbidden, invalid, required
from rollout_lab.api.rollout import Rollout
from rollout_lab.api.routing import GATEWAY_API
from rollout_lab.api.steps import routes_of
from rollout_lab.routers import model
from rollout_lab.routers.model import (
    Change,
    Kind,
    Objects,
    Ref,
    Route,
    RouteKind,
    Traffic,
    path_of,
    settings,
)

HTTP_ROUTE: Final = Kind(
    "gateway.networking.k8s.io/v1",
    "HTTPRoute",
    "httproutes",
    "install the Gateway API, or its kinds from manifests/crds",
)
IN_PROGRESS_KEY: Final = "rollouts.argoproj.io/gatewayapi-canary"
IN_PROGRESS_VALUE: Final = "in-progress"
_NOT_YET: Final = (
    *("grpcRoute", "grpcRoutes", "tcpRoute", "tcpRoutes", "tlsRoute", "tlsRoutes"),
    *("httpRouteSelector", "grpcRouteSelector", "tcpRouteSelector", "tlsRouteSelector"),
)
_MIRROR: Final = "RequestMirror"


@dataclass(frozen=True, slots=True)
class GatewayApi:
    name: str = GATEWAY_API
    plugin: bool = True

    def refs(self, rollout: Rollout) -> tuple[Ref, ...]:
        return tuple(ref for ref, _ in http_routes(rollout, settings(rollout, self)))

    def problems(self, rollout: Rollout, objects: Objects) -> Iterator[FieldError]:
        own = settings(rollout, self)
        for field in _NOT_YET:
            if own.get(field):
                yield forbidden(
                    path_of(self, field), "not supported yet: only HTTPRoutes by name; use httpRoute"
                )
        found = http_routes(rollout, own)
        if not found:
            yield required(path_of(self, "httpRoute"), "name the HTTPRoute whose backends carry the weight")
        stable, canary = services(rollout)
        if not (stable and canary):
            path = "spec.strategy.canary." + ("canaryService" if stable else "stableService")
            yield invalid(path, "", "this router needs both a stableService and a canaryService")
            return
        for ref, _ in found:
            path = path_of(self, "httpRoute")
            if ref not in objects:
                yield model.missing(path, ref)
            elif not any(weighs(rule, stable, canary) for rule in _rules(objects[ref])):
                wrong = f'no rule of HTTPRoute "{ref.name}" has both {stable} and {canary}'
                detail = f"{wrong} in its backendRefs; add them"
                yield invalid(path, ref.name, detail)

    def changes(self, traffic: Traffic, objects: Objects) -> Iterator[Change]:
        own = settings(traffic.rollout, self)
        mirrors_by_rule = fields.text(own, "mirrorMode") == "rule"
        for ref, with_headers in http_routes(traffic.rollout, own):
            rules, said = _rules(objects[ref]), []
            if traffic.clear:
                rules = _cleared(rules, traffic, mirrors_by_rule)
                said += ["managed routes removed"] if rules != _rules(objects[ref]) else []
            for route in traffic.routes:
                before = rules
                if route.kind is RouteKind.HEADER and with_headers:
                    rules = _with_rules(rules, route.name, header_rules(route, rules, traffic), traffic)
                elif route.kind is RouteKind.MIRROR and mirrors_by_rule:
                    rules = _with_rules(rules, route.name, mirror_rules(route, rules, traffic), traffic)
                elif route.kind is RouteKind.MIRROR:
                    rules = [_with_mirror(rule, route, traffic) for rule in rules]
                said += [f"{route.kind} route {route.name} set"] if rules != before else []
            rules = [_split(rule, traffic) for rule in rules]
            body = objects[ref]
            if rules != _rules(body):
                body = model.with_spec(body, rules=rules)
            text = ", ".join([*said, f"canary weight {traffic.weight}"])
            yield Change(
                ref, _marked(body, own, traffic.weight), "UpdatedHTTPRoute", f"HTTPRoute {ref.name}: {text}"
            )


ROUTER: Final = GatewayApi()


def http_routes(rollout: Rollout, own: Json) -> list[tuple[Ref, bool]]:
    """The HTTPRoutes named, each with whether header routes of steps go there too."""
    namespace = fields.text(own, "namespace") or rollout.namespace
    found = [
        (Ref(HTTP_ROUTE, namespace, fields.text(entry, "name")), bool(entry.get("useHeaderRoutes")))
        for entry in fields.objects(own, "httpRoutes")
        if fields.text(entry, "name")
    ]
    one = fields.text(own, "httpRoute")
    return [*found, (Ref(HTTP_ROUTE, namespace, one), True)] if one else found


def services(rollout: Rollout) -> tuple[str, str]:
    """(stable, canary) by name; for ping and pong either order, both are only looked for."""
    canary = rollout.canary
    if canary is None:
        return "", ""
    return canary.ping_pong or (canary.stable_service, canary.canary_service)


def weighs(rule: Json, stable: str, canary: str) -> bool:
    """Whether this rule carries the weight: both Services are among its backends."""
    there = {fields.text(ref, "name") for ref in fields.objects(rule, "backendRefs")}
    return {stable, canary} <= there


def _rules(body: Json) -> list[Json]:
    return fields.objects(body, "spec", "rules")


def _weighted(rules: list[Json], traffic: Traffic) -> list[Json]:
    return [rule for rule in rules if weighs(rule, traffic.stable_service, traffic.canary_service)]


def _split(rule: Json, traffic: Traffic) -> Json:
    if not weighs(rule, traffic.stable_service, traffic.canary_service):
        return rule
    parts = {traffic.canary_service: traffic.weight, traffic.stable_service: traffic.rest}
    refs = [
        {**ref, "weight": parts[ref["name"]]} if ref.get("name") in parts else ref
        for ref in fields.objects(rule, "backendRefs")
    ]
    return {**rule, "backendRefs": refs}


def _marked(body: Json, own: Json, weight: int) -> Json:
    """The label that says a canary is under way, unless the settings do not want it."""
    if fields.flag(own, "disableInProgressLabel"):
        return body
    key = fields.text(own, "inProgressLabelKey") or IN_PROGRESS_KEY
    value = fields.text(own, "inProgressLabelValue") or IN_PROGRESS_VALUE
    return model.with_labels(body, {key: value if weight else None})


# --- routes that steps set ---------------------------------------------------------------------


def header_rules(route: Route, rules: list[Json], traffic: Traffic) -> list[Json]:
    """One rule to the canary for each rule that carries the weight: its matches, and the headers."""
    if not route.match:
        return []
    headers = [_header(fields.text(m, "headerName"), m.get("headerValue")) for m in route.match]
    found = []
    for index, base in enumerate(_weighted(rules, traffic)):
        rule: Json = {
            "name": f"{route.name}-{index}" if index else route.name,
            "matches": [
                {**match, "headers": [*fields.objects(match, "headers"), *headers]}
                for match in fields.objects(base, "matches") or [_any_path()]
            ],
            "backendRefs": [_backend(base, traffic.canary_service, weight=1)],
        }
        filters = [f for f in fields.objects(base, "filters") if f.get("type") != _MIRROR]
        found.append({**rule, "filters": filters} if filters else rule)
    return found


def mirror_rules(route: Route, rules: list[Json], traffic: Traffic) -> list[Json]:
    """One rule whose requests go to stable, and as a copy to the canary."""
    weighted = _weighted(rules, traffic)
    if not route.match or not weighted:
        return []
    return [
        {
            "name": route.name,
            "matches": [_request_match(match) for match in route.match],
            "filters": [_mirror_filter(route, weighted[0], traffic)],
            "backendRefs": [_backend(weighted[0], traffic.stable_service, weight=1)],
        }
    ]


def _with_mirror(rule: Json, route: Route, traffic: Traffic) -> Json:
    """The rule with the copy to the canary as a filter (the plugin's default; all its requests)."""
    if not weighs(rule, traffic.stable_service, traffic.canary_service):
        return rule
    there = fields.objects(rule, "filters")
    ours = [f for f in there if _mirrors_to(f, traffic.canary_service)]
    wanted = [_mirror_filter(route, rule, traffic)] if route.match else []
    if len(ours) == len(wanted) and model.covers(ours, wanted):
        return rule
    filters = [*(f for f in there if f not in ours), *wanted]
    rest = {key: value for key, value in rule.items() if key != "filters"}
    return {**rest, "filters": filters} if filters else rest


def _mirrors_to(filter_: Json, service: str) -> bool:
    name = fields.text(filter_, "requestMirror", "backendRef", "name")
    return filter_.get("type") == _MIRROR and name == service


def _mirror_filter(route: Route, base: Json, traffic: Traffic) -> Json:
    mirror: Json = {"backendRef": _backend(base, traffic.canary_service)}
    if route.percentage is not None:
        mirror["percent"] = route.percentage
    return {"type": _MIRROR, "requestMirror": mirror}


def _with_rules(rules: list[Json], name: str, wanted: list[Json], traffic: Traffic) -> list[Json]:
    """`rules` with exactly `wanted` under that name; one that is there already stays as the server has it."""
    ours = [rule for rule in rules if _named(rule, name) or _among(rule, wanted)]
    if len(ours) == len(wanted) and all(_among(rule, wanted) for rule in ours):
        return rules
    return [*(rule for rule in rules if rule not in ours), *wanted]


def _named(rule: Json, name: str) -> bool:
    found = fields.text(rule, "name")
    return found == name or (found.startswith(f"{name}-") and found.removeprefix(f"{name}-").isdigit())


def _among(rule: Json, wanted: list[Json]) -> bool:
    """Whether the rule is one of these, as the server may have filled it in, or without its name."""
    nameless = [{key: value for key, value in w.items() if key != "name"} for w in wanted]
    if "name" in rule:
        return any(model.covers(rule, one) for one in wanted)
    return any(model.covers(rule, one) for one in nameless)


def _cleared(rules: list[Json], traffic: Traffic, mirrors_by_rule: bool) -> list[Json]:
    """Without every route that a step may have set."""
    for name in traffic.routing.managed_routes:
        rules = _with_rules(rules, name, [], traffic)
    canary = traffic.rollout.canary
    for kind, raw in routes_of(canary.raw if canary is not None else {}):
        route = Route(RouteKind(kind), raw)
        if route.kind is RouteKind.MIRROR and not mirrors_by_rule:
            off = Route(route.kind, {"name": route.name})
            rules = [_with_mirror(rule, off, traffic) for rule in rules]
            continue
        make = header_rules if route.kind is RouteKind.HEADER else mirror_rules
        made = make(route, rules, traffic)
        rules = [rule for rule in rules if "name" in rule or not _among(rule, made)]
    return rules


# --- pieces, with the server's defaults written out so that they compare equal -----------------


def _backend(base: Json, service: str, weight: int | None = None) -> Json:
    port = next(
        (r["port"] for r in fields.objects(base, "backendRefs") if r.get("name") == service and "port" in r),
        None,
    )
    found: Json = {"group": "", "kind": "Service", "name": service}
    if port is not None:
        found["port"] = port
    return found if weight is None else {**found, "weight": weight}


def _any_path() -> Json:
    return {"path": {"type": "PathPrefix", "value": "/"}}


def _header(name: str, value: Any) -> Json:
    kind, text = _comparison(value)
    if kind == "prefix":
        return {"name": name, "type": "RegularExpression", "value": f"{text}.*"}
    return {"name": name, "type": "RegularExpression" if kind == "regex" else "Exact", "value": text}


def _request_match(match: Json) -> Json:
    found = _any_path()
    if match.get("path") is not None:
        kind, text = _comparison(match["path"])
        types = {"exact": "Exact", "prefix": "PathPrefix", "regex": "RegularExpression"}
        found = {"path": {"type": types[kind], "value": text}}
    method = fields.text(match, "method", "exact")
    if method:
        found["method"] = method
    headers = fields.mapping(match, "headers")
    if headers:
        found["headers"] = [_header(name, value) for name, value in headers.items()]
    return found


def _comparison(value: Any) -> tuple[str, str]:
    """(exact, prefix or regex; the text) of a match as steps write it."""
    for kind in ("exact", "prefix", "regex"):
        if fields.text(value, kind):
            return kind, fields.text(value, kind)
    return "exact", ""
