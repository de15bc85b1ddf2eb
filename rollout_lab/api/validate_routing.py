"""The rules of a canary with a traffic router: its Services, its routes. Pure.

What the objects of a router (Ingress, VirtualService …) must be like is said by `routers`. Mistakes of
routers that this engine does not have are told too, beside "not supported yet".

# upstream: pkg/apis/rollouts/validation/validation.go::ValidateRolloutStrategyCanary
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rollout_lab.api import fields
from rollout_lab.api.problems import FieldError, invalid, required

_AT = "spec.strategy"
_HEADER_ROUTERS = ("istio", "alb", "apisix", "plugins")
_TWO_SERVICE_ROUTERS = ("smi", "apisix", "ambassador", "nginx", "appMesh", "traefik")


def ping_pong_errors(ping_pong: Any, routing: Any) -> Iterator[FieldError]:
    """Mistakes of `pingPong`; `routing` is `trafficRouting` or None."""
    if ping_pong is None:
        return
    ping, pong = fields.text(ping_pong, "pingService"), fields.text(ping_pong, "pongService")
    if routing is not None and not any(routing.get(name) for name in ("alb", "istio", "plugins")):
        yield invalid(
            f"{_AT}.trafficRouting.alb", None, "ping and pong Services need the alb or istio router"
        )
    if not ping:
        yield invalid(f"{_AT}.pingPong.pingService", ping, "name both a ping and a pong Service")
    if not pong:
        yield invalid(f"{_AT}.pingPong.pongService", pong, "name both a ping and a pong Service")
    if ping == pong:
        yield invalid(f"{_AT}.pingPong.pingService", ping, "ping and pong are the same Service; name two")
    if fields.value(routing, "alb") is not None and not fields.text(routing, "alb", "rootService"):
        yield invalid(
            f"{_AT}.trafficRouting.alb.rootService", "", "ping and pong need the root Service's name"
        )


def service_errors(strategy: Mapping[str, Any], routing: Any) -> Iterator[FieldError]:
    """The stable and canary Service a router cannot do without."""
    if routing is None:
        return
    needed = (
        any(routing.get(name) is not None for name in _TWO_SERVICE_ROUTERS)
        or (routing.get("alb") is not None and strategy.get("pingPong") is None)
        or (
            routing.get("istio") is not None
            and fields.value(routing, "istio", "destinationRule") is None
            and strategy.get("pingPong") is None
        )
    )
    for name in ("stableService", "canaryService"):
        if needed and not fields.text(strategy, name):
            yield invalid(f"{_AT}.{name}", "", "this router needs both a stableService and a canaryService")


def route_errors(step: Mapping[str, Any], at: str, routing: Any) -> Iterator[FieldError]:
    """Mistakes of a step's header or mirror route; `at` is the path of the step."""
    header, mirror = step.get("setHeaderRoute"), step.get("setMirrorRoute")
    if header is not None:
        where = f"{at}.setHeaderRoute"
        if routing is None or not any(routing.get(name) is not None for name in _HEADER_ROUTERS):
            yield invalid(where, header, "needs trafficRouting by istio, alb, apisix or a plugin")
        else:
            for index, match in enumerate(header.get("match") or ()):
                only_exact = routing.get("alb") is not None
                yield from _string_match(
                    (match or {}).get("headerValue"), f"{where}.match[{index}]", only_exact
                )
    if mirror is not None:
        where = f"{at}.setMirrorRoute"
        if fields.value(routing, "istio") is None and not fields.value(routing, "plugins"):
            yield invalid(where, mirror, "needs trafficRouting by istio or a plugin")
        for index, match in enumerate(mirror.get("match") or ()):
            # The peer looks at method twice and never at headers; its error list is kept as it is.
            for part in ("method", "path", "method"):
                if fields.value(match, part) is not None:
                    yield from _string_match(match[part], f"{where}.match[{index}]", False)
    if routing is not None and (header is not None or mirror is not None):
        yield from _managed(routing.get("managedRoutes"), header, mirror, at)


def _managed(managed: Any, header: Any, mirror: Any, at: str) -> Iterator[FieldError]:
    if managed is None:
        detail = "list the routes that steps may set, for example managedRoutes: [{name: my-route}]"
        yield required(f"{_AT}.trafficRouting.managedRoutes", detail)
        return
    names = [fields.text(route, "name") for route in managed]
    for kind, route in (("setHeaderRoute", header), ("setMirrorRoute", mirror)):
        if route is not None and fields.text(route, "name") not in names:
            detail = "this route is not listed in trafficRouting.managedRoutes; add it there"
            yield invalid(f"{at}.{kind}", fields.text(route, "name"), detail)


def _string_match(match: Any, at: str, only_exact: bool) -> Iterator[FieldError]:
    named = [name for name in ("exact", "regex", "prefix") if fields.text(match, name)]
    if only_exact and match is not None:
        if named != ["exact"]:
            yield invalid(at, match, "the alb router compares with exact only")
    elif len(named) > 1:
        yield invalid(at, match, f"keep one of {', '.join(named)}")
    elif not named:
        yield invalid(at, match, "name what to compare with: exact, prefix or regex")
