"""VirtualService objects as rules in the order they are written, subsets from DestinationRules. Pure.

# upstream: Istio reference, VirtualService (HTTPRoute, HTTPMatchRequest, HTTPRouteDestination, Headers)
# and DestinationRule (Subset)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rollout_lab.gateway.backends import checked
from rollout_lab.gateway.istio_hosts import hosts_of, service_of
from rollout_lab.gateway.istio_matches import compile_match
from rollout_lab.gateway.objects import Key, Object, Problem, World, ignored, key_of, part, rows
from rollout_lab.gateway.table import Backend, Group, HeaderChange, Host, Labels, Match, Mirror, Rule, Source

SHADOW = "-shadow"
UNAVAILABLE, NOT_DONE = 503, 501
_OBEYED = ("name", "match", "route", "mirror", "mirrors", "mirrorPercentage", "mirror_percent", "headers")
_INSTEAD = ("redirect", "directResponse", "delegate")  # fields that answer instead of a destination


@dataclass(slots=True)
class Virtual:
    """What the VirtualServices and DestinationRules of a World come to."""

    group: Group = field(default_factory=lambda: Group("VirtualService"))
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Service:
    """One VirtualService while it is compiled."""

    world: World
    raw: Object
    problems: list[Problem]

    @property
    def key(self) -> Key:
        return key_of(self.raw)

    def wrong(self, where: str, text: str) -> None:
        self.problems.append(Problem("VirtualService", *self.key, where, text))


def compile_virtual(world: World) -> Virtual:
    """The rules of every VirtualService, the older object first where two are for one host."""
    out = Virtual()
    listed: dict[str, list[Rule]] = {}
    for raw in world.all("VirtualService"):
        hosts, problems = hosts_of(world, raw)
        out.problems += problems
        service = _Service(world, raw, out.problems)
        spec = {k: v for k, v in part(raw, "spec").items() if v}
        known = ("hosts", "gateways", "http", "exportTo")
        reason = "this gateway routes HTTP only"
        out.problems += ignored("VirtualService", key_of(raw), spec, known, "spec", reason)
        rules = _rules(service)
        for host in hosts:
            listed.setdefault(host, []).extend(rules)
    for raw in world.all("DestinationRule"):
        out.problems += _rule_problems(world, raw)
    found = [(Host(name), tuple(rules)) for name, rules in listed.items()]
    out.group = Group("VirtualService", tuple(sorted(found, key=lambda row: row[0].order)))
    return out


def _rules(service: _Service) -> list[Rule]:
    found = []
    for index, route in enumerate(rows(service.raw, "spec", "http")):
        where = f"spec.http[{index}]"
        service.problems += ignored(
            "VirtualService", service.key, {k: v for k, v in route.items() if v}, _OBEYED, where
        )
        matches = _matches(service, route, where)
        if matches is None:
            continue
        request, response = _headers(part(route, "headers"))
        destinations = rows(route, "route")
        backends = tuple(
            _backend(service, d, f"{where}.route[{n}]", alone=len(destinations) == 1)
            for n, d in enumerate(destinations)
        )
        instead = [name for name in _INSTEAD if route.get(name)]
        found.append(
            Rule(
                Source("VirtualService", *service.key, str(route.get("name") or where)),
                matches,
                backends,
                mirrors=tuple(_mirrors(service, route, where)),
                request_headers=request,
                response_headers=response,
                error=NOT_DONE if instead else 0,
                empty=UNAVAILABLE,
            )
        )
    return found


def _matches(service: _Service, route: Mapping[str, Any], where: str) -> tuple[Match, ...] | None:
    """The matches of a route; None where it has some and none can be obeyed, so it takes nothing."""
    wanted = rows(dict(route), "match")
    found = []
    for index, match in enumerate(wanted):
        compiled = compile_match(match)
        if isinstance(compiled, str):
            service.wrong(f"{where}.match[{index}]", compiled)
        else:
            found.append(compiled)
    return tuple(found) if found or not wanted else None


def _headers(headers: Mapping[str, Any]) -> tuple[HeaderChange, HeaderChange]:
    def change(direction: str) -> HeaderChange:
        given = part(headers, direction)

        def pairs(key: str) -> Labels:
            return tuple((str(k).lower(), str(v)) for k, v in sorted(part(given, key).items()))

        return HeaderChange(
            pairs("set"), pairs("add"), tuple(str(n).lower() for n in given.get("remove") or [])
        )

    return change("request"), change("response")


def _backend(service: _Service, route: Mapping[str, Any], where: str, *, alone: bool) -> Backend:
    request, response = _headers(part(route, "headers"))
    weight = route.get("weight")
    backend = _destination(service, part(route, "destination"), f"{where}.destination")
    return replace(
        backend,
        weight=float(weight or 0) if weight is not None or not alone else 1,
        request_headers=request,
        response_headers=response,
    )


def _destination(service: _Service, destination: Mapping[str, Any], where: str) -> Backend:
    host = str(destination.get("host") or "")
    found = service_of(host, service.key[0])
    port = str(part(destination, "port").get("number") or "")
    if found is None:
        service.wrong(f"{where}.host", f'"{host}" is no Service of the cluster')
        return Backend("", host, port, error=UNAVAILABLE)
    backend, why = checked(service.world, Backend(*found, port), UNAVAILABLE)
    if why:
        service.wrong(f"{where}.host", why)
    subset = str(destination.get("subset") or "")
    if not subset:
        return backend
    labels = subset_labels(service.world, found, subset, service.key[0])
    if labels is None:
        service.wrong(f"{where}.subset", f'no DestinationRule of {host} has a subset "{subset}"')
        return replace(backend, subset=subset, error=UNAVAILABLE)
    return replace(backend, subset=subset, labels=labels)


def subset_labels(world: World, service: Key, subset: str, namespace: str) -> Labels | None:
    """The Pod labels of a subset, from a DestinationRule of `namespace` or of the Service's own."""
    for space in dict.fromkeys((namespace, service[0])):
        for raw in world.all("DestinationRule"):
            own = key_of(raw)[0]
            if own != space or service_of(str(part(raw, "spec").get("host") or ""), own) != service:
                continue
            for row in rows(raw, "spec", "subsets"):
                if row.get("name") == subset:
                    return tuple(sorted((str(k), str(v)) for k, v in part(row, "labels").items()))
    return None


def _mirrors(service: _Service, route: Mapping[str, Any], where: str) -> list[Mirror]:
    """The copies of a route; `mirrorPercentage` is of 100, and 100 without one."""
    found = []
    if route.get("mirror"):
        target = _destination(service, part(route, "mirror"), f"{where}.mirror")
        share = _percent(route.get("mirrorPercentage"), route.get("mirror_percent"))
        if not target.error:
            found.append(Mirror(target, share, SHADOW))
    for index, row in enumerate(rows(dict(route), "mirrors")):
        target = _destination(service, part(row, "destination"), f"{where}.mirrors[{index}].destination")
        if not target.error:
            found.append(Mirror(target, _percent(row.get("percentage"), None), SHADOW))
    return found


def _percent(value: object, older: object) -> float:
    """A share from ``{"value": 5.0}`` or the older whole number."""
    if isinstance(value, Mapping):
        return float(value.get("value") or 0) / 100
    return float(older) / 100 if isinstance(older, int | float) else 1.0


def _rule_problems(world: World, raw: Object) -> list[Problem]:
    key, spec = key_of(raw), part(raw, "spec")
    found = ignored("DestinationRule", key, spec, ("host", "subsets", "exportTo"), "spec")
    for index, subset in enumerate(rows(raw, "spec", "subsets")):
        found += ignored("DestinationRule", key, subset, ("name", "labels"), f"spec.subsets[{index}]")
    host = str(spec.get("host") or "")
    service = service_of(host, key[0])
    if service is None or service not in world.services:
        found.append(Problem("DestinationRule", *key, "spec.host", f'"{host}" is no Service of the cluster'))
    return found
