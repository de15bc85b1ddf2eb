"""`istio`: the weights of VirtualService routes, the versions behind a DestinationRule's subsets. Pure.

Two ways, which may be mixed: a route splits between the hosts of two Services, or between two
subsets of one host. Routes that steps set are named, and stand above the person's own.

# upstream: rollout/trafficrouting/istio/istio.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rollout_lab.api import fields, meta, names
from rollout_lab.api.fields import Json
from rollout_lab.api.problems import FieldError, invalid, required
from rollout_lab.api.rollout import Rollout
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

_REMEDY: Final = "install Istio, or its kinds from manifests/crds"
VIRTUAL_SERVICE: Final = Kind("networking.istio.io/v1", "VirtualService", "virtualservices", _REMEDY)
DESTINATION_RULE: Final = Kind("networking.istio.io/v1", "DestinationRule", "destinationrules", _REMEDY)
PROTOCOLS: Final = ("http", "tls", "tcp")


@dataclass(frozen=True, slots=True)
class Sides:
    """How a destination is told to be the canary's or stable's: by the host's first part or by subset."""

    canary_service: str
    stable_service: str
    canary_subset: str = ""
    stable_subset: str = ""

    def of(self, destination: Json) -> str:
        """``canary``, ``stable``, or ``""`` for neither."""
        host = fields.text(destination, "destination", "host").split(".", 1)[0]
        subset = fields.text(destination, "destination", "subset")
        if host and (host == self.canary_service or (subset and subset == self.canary_subset)):
            return "canary"
        if host and (host == self.stable_service or (subset and subset == self.stable_subset)):
            return "stable"
        return ""


@dataclass(frozen=True, slots=True)
class Istio:
    name: str = "istio"
    plugin: bool = False

    def refs(self, rollout: Rollout) -> tuple[Ref, ...]:
        own = settings(rollout, self)
        found = [_ref(rollout, entry) for entry in entries(own) if fields.text(entry, "name")]
        rule = fields.text(own, "destinationRule", "name")
        return (*found, *([Ref(DESTINATION_RULE, rollout.namespace, rule)] if rule else []))

    def problems(self, rollout: Rollout, objects: Objects) -> Iterator[FieldError]:
        own = settings(rollout, self)
        if bool(own.get("virtualService")) == bool(own.get("virtualServices")):
            path = path_of(self, "virtualService")
            yield required(path, "name either one virtualService or a list of virtualServices")
            return
        yield from self._rule_problems(rollout, own, objects)
        for index, entry in enumerate(entries(own)):
            several = "virtualServices" in own and own["virtualServices"]
            path = path_of(self, f"virtualServices[{index}]" if several else "virtualService")
            ref = _ref(rollout, entry)
            if not ref.name:
                yield required(f"{path}.name", "name the VirtualService whose routes carry the weight")
            elif ref not in objects:
                yield model.missing(f"{path}.name", ref)
            else:
                yield from _route_problems(rollout, own, entry, objects[ref], path)

    def _rule_problems(self, rollout: Rollout, own: Json, objects: Objects) -> Iterator[FieldError]:
        if own.get("destinationRule") is None:
            return
        path, asked = path_of(self, "destinationRule"), fields.mapping(own, "destinationRule")
        ref = Ref(DESTINATION_RULE, rollout.namespace, fields.text(asked, "name"))
        if ref not in objects:
            yield model.missing(f"{path}.name", ref)
            return
        there = {fields.text(s, "name") for s in fields.objects(objects[ref], "spec", "subsets")}
        for field in ("canarySubsetName", "stableSubsetName"):
            if fields.text(asked, field) not in there:
                has = ", ".join(sorted(there)) or "none"
                detail = f"DestinationRule {ref.name} has no such subset; it has {has}"
                yield invalid(f"{path}.{field}", fields.text(asked, field), detail)
        owner = meta.annotations(objects[ref]).get(names.MANAGED_BY_ANNOTATION, "")
        if owner and owner != rollout.name:
            detail = f'another Rollout ("{owner}") writes its subsets already; give each Rollout its own'
            yield invalid(f"{path}.name", ref.name, detail)

    def changes(self, traffic: Traffic, objects: Objects) -> Iterator[Change]:
        """Weights first where the canary has no Pods yet: its subset may then move without a request."""
        own = settings(traffic.rollout, self)
        weights = [self._virtual_service(traffic, own, entry, objects) for entry in entries(own)]
        subsets = list(self._subsets(traffic, own, objects))
        yield from (*subsets, *weights) if traffic.canary_ready else (*weights, *subsets)

    def _virtual_service(self, traffic: Traffic, own: Json, entry: Json, objects: Objects) -> Change:
        ref = _ref(traffic.rollout, entry)
        body, said = objects[ref], []
        managed = traffic.routing.managed_routes
        if traffic.clear:
            body = _without_routes(body, managed)
            said += ["managed routes removed"] if body is not objects[ref] else []
        for route in traffic.routes:
            after = _with_route(body, route, self._host(traffic, own, objects), own, entry, managed)
            said += [f"{route.kind} route {route.name} set"] if after is not body else []
            body = after
        body = _with_weights(body, traffic, _sides(traffic, own), entry)
        text = ", ".join([*said, f"canary weight {traffic.weight}"])
        return Change(ref, body, "Updated VirtualService", f"VirtualService {ref.name}: {text}")

    def _host(self, traffic: Traffic, own: Json, objects: Objects) -> str:
        """Where header and mirror routes lead: the host of the DestinationRule, else the canary Service."""
        rule = fields.text(own, "destinationRule", "name")
        if rule:
            ref = Ref(DESTINATION_RULE, traffic.rollout.namespace, rule)
            return fields.text(objects[ref], "spec", "host")
        return traffic.canary_service

    def _subsets(self, traffic: Traffic, own: Json, objects: Objects) -> Iterator[Change]:
        asked = fields.mapping(own, "destinationRule")
        if not asked:
            return
        ref = Ref(DESTINATION_RULE, traffic.rollout.namespace, fields.text(asked, "name"))
        hashes = {
            fields.text(asked, "canarySubsetName"): traffic.canary_hash,
            fields.text(asked, "stableSubsetName"): traffic.stable_hash,
        }
        subsets = [_subset(s, hashes) for s in fields.objects(objects[ref], "spec", "subsets")]
        body = objects[ref]
        if subsets != fields.objects(body, "spec", "subsets"):
            body = model.with_spec(body, subsets=subsets)
        if meta.annotations(body).get(names.MANAGED_BY_ANNOTATION) != traffic.rollout.name:
            body = model.with_annotations(body, {names.MANAGED_BY_ANNOTATION: traffic.rollout.name})
        said = ", ".join(f"{name}: {hash_ or 'no version'}" for name, hash_ in hashes.items())
        yield Change(ref, body, "UpdatedDestinationRule", f"DestinationRule {ref.name}: subsets {said}")


ROUTER: Final = Istio()


def entries(own: Json) -> list[Json]:
    """The VirtualServices named, one or several."""
    one = own.get("virtualService")
    return fields.objects(own, "virtualServices") or ([one] if isinstance(one, dict) else [])


def _ref(rollout: Rollout, entry: Json) -> Ref:
    """``name`` or ``name.namespace``."""
    name, _, namespace = fields.text(entry, "name").partition(".")
    return Ref(VIRTUAL_SERVICE, namespace or rollout.namespace, name)


def _subset(subset: Json, hashes: dict[str, str]) -> Json:
    if subset.get("name") not in hashes:
        return subset
    labels = {k: v for k, v in fields.strings(subset, "labels").items() if k != names.ROLLOUT_HASH_LABEL}
    hash_ = hashes[subset["name"]]
    return {**subset, "labels": labels | ({names.ROLLOUT_HASH_LABEL: hash_} if hash_ else {})}


def _sides(traffic: Traffic, own: Json) -> Sides:
    rule = fields.mapping(own, "destinationRule")
    subsets = fields.text(rule, "canarySubsetName"), fields.text(rule, "stableSubsetName")
    return Sides(traffic.canary_service, traffic.stable_service, *subsets)


# --- which routes carry the weight -------------------------------------------------------------


def _routes(body: Json, protocol: str) -> list[Json]:
    return fields.objects(body, "spec", protocol)


def weighted(body: Json, protocol: str, entry: Json, managed: Sequence[str]) -> list[int] | str:
    """Indices of the routes of one protocol that carry the weight, or what keeps them from being found."""
    routes = _routes(body, protocol)
    if protocol == "http":
        return _weighted_http(routes, fields.items(entry, "routes"), managed)
    asked = fields.objects(entry, f"{protocol}Routes")
    if not asked:
        if len(routes) > 1:
            count = f"it has {len(routes)} {protocol} routes"
            return f"{count}; list the ones that carry the weight in {protocol}Routes"
        return list(range(len(routes)))
    found: list[int] = []
    for wanted in asked:
        fitting = [i for i, route in enumerate(routes) if _fits(route, wanted)]
        if not fitting:
            return f"it has no {protocol} route that matches exactly {wanted}"
        found += [i for i in fitting if i not in found]
    return found


def _weighted_http(routes: list[Json], asked: Sequence[Any], managed: Sequence[str]) -> list[int] | str:
    if asked:
        by_name = {fields.text(route, "name"): i for i, route in reversed(list(enumerate(routes)))}
        unknown = [str(name) for name in asked if name not in by_name]
        return f"it has no http route named {unknown[0]}" if unknown else [by_name[name] for name in asked]
    own = [i for i, route in enumerate(routes) if fields.text(route, "name") not in managed]
    if len(own) > 1:
        return f"it has {len(own)} http routes; list the names of those that carry the weight in routes"
    return own


def _fits(route: Json, wanted: Json) -> bool:
    """Whether a tls or tcp route matches on exactly the port and the SNI hosts asked for."""
    matches = fields.objects(route, "match")
    ports = {fields.integer(match, "port") or 0 for match in matches}
    hosts = {host for match in matches for host in fields.items(match, "sniHosts")}
    port = fields.integer(wanted, "port") or 0
    return (ports or {0}) == {port} and hosts == set(fields.items(wanted, "sniHosts"))


def _route_problems(rollout: Rollout, own: Json, entry: Json, body: Json, path: str) -> Iterator[FieldError]:
    canary = rollout.canary
    assert canary is not None and canary.routing is not None
    rule = fields.mapping(own, "destinationRule")
    services = canary.ping_pong or (canary.canary_service, canary.stable_service)
    subsets = fields.text(rule, "canarySubsetName"), fields.text(rule, "stableSubsetName")
    sides = Sides(*services, *subsets)
    name, any_route = fields.text(entry, "name"), False
    for protocol in PROTOCOLS:
        found = weighted(body, protocol, entry, canary.routing.managed_routes)
        if isinstance(found, str):
            yield invalid(path, name, f"VirtualService {name} cannot carry the weight: {found}")
            return
        for index in found:
            any_route = True
            there = {sides.of(d) for d in fields.objects(_routes(body, protocol)[index], "route")}
            wanted = {"canary": subsets[0] or services[0], "stable": subsets[1] or services[1]}
            for side, needed in wanted.items():
                if side not in there:
                    where = f"spec.{protocol}[{index}].route of VirtualService {name}"
                    yield invalid(path, name, f"{where} has no {side} destination; add {needed}")
    if not any_route:
        yield invalid(path, name, f"VirtualService {name} has no route; add one to stable and canary")


# --- writing -----------------------------------------------------------------------------------


def _with_weights(body: Json, traffic: Traffic, sides: Sides, entry: Json) -> Json:
    """The weights of every route that carries them, the mirroring ones among them."""
    managed = traffic.routing.managed_routes
    for protocol in PROTOCOLS:
        found = weighted(body, protocol, entry, managed)
        indices = set(found if isinstance(found, list) else ())
        routes = _routes(body, protocol)
        if protocol == "http":
            indices |= {
                i for i, r in enumerate(routes) if "mirror" in r and fields.text(r, "name") in managed
            }
        split = [_split(r, traffic, sides) if i in indices else r for i, r in enumerate(routes)]
        if split != routes:
            body = model.with_spec(body, **{protocol: split})
    return body


def _split(route: Json, traffic: Traffic, sides: Sides) -> Json:
    """A destination that is neither side and has a weight would keep requests from both: it goes."""
    parts = {"canary": traffic.weight, "stable": traffic.rest}
    found = []
    for destination in fields.objects(route, "route"):
        side = sides.of(destination)
        if side:
            same = (fields.integer(destination, "weight") or 0) == parts[side]
            found.append(destination if same else {**destination, "weight": parts[side]})
        elif not fields.integer(destination, "weight"):
            found.append(destination)
    return {**route, "route": found}


def _without_routes(body: Json, gone: Sequence[str]) -> Json:
    routes = _routes(body, "http")
    kept = [route for route in routes if fields.text(route, "name") not in gone]
    return body if len(kept) == len(routes) else model.with_spec(body, http=kept)


def _with_route(body: Json, route: Route, host: str, own: Json, entry: Json, managed: Sequence[str]) -> Json:
    """The VirtualService with this route above the person's own, in the order of `managedRoutes`."""
    rest = _without_routes(body, [route.name])
    if not route.match:
        return rest
    found = weighted(rest, "http", entry, managed)
    base = _routes(rest, "http")[found[0]] if isinstance(found, list) and found else {}
    made = _MAKERS[route.kind](route, host, fields.text(own, "destinationRule", "canarySubsetName"), base)
    there = next((r for r in _routes(body, "http") if fields.text(r, "name") == route.name), None)
    if there is not None and route.kind is RouteKind.MIRROR:
        there = {**there, "route": made["route"]}  # its weights are set with all the others
    if there is not None and model.covers(there, made):
        return body
    order = {name: i for i, name in enumerate(managed)}
    routes = [made, *_routes(rest, "http")]
    ours = sorted((r for r in routes if r.get("name") in order), key=lambda r: order[r["name"]])
    return model.with_spec(rest, http=[*ours, *(r for r in routes if r.get("name") not in order)])


def _destination(host: str, subset: str, base: Json) -> Json:
    """The canary as a destination, on the port of the route that carries the weight."""
    found: Json = {"host": host}
    first = next(iter(fields.objects(base, "route")), {})
    port = fields.integer(first, "destination", "port", "number")
    if port:
        found["port"] = {"number": port}
    if subset:
        found["subset"] = subset
    return found


def _header_route(route: Route, host: str, subset: str, base: Json) -> Json:
    matches = [
        {"headers": {fields.text(m, "headerName"): _text_match(m.get("headerValue"))}} for m in route.match
    ]
    destination = {"destination": _destination(host, subset, base), "weight": 100}
    return {"name": route.name, "match": matches, "route": [destination]}


def _mirror_route(route: Route, host: str, subset: str, base: Json) -> Json:
    """Requests go where the weights send them, and a copy to the canary."""
    percent = 100 if route.percentage is None else route.percentage
    return {
        "name": route.name,
        "match": [_request_match(match) for match in route.match],
        "route": fields.objects(base, "route"),
        "mirror": _destination(host, subset, base),
        "mirrorPercentage": {"value": percent},
    }


_MAKERS: Final[dict[RouteKind, Callable[[Route, str, str, Json], Json]]] = {
    RouteKind.HEADER: _header_route,
    RouteKind.MIRROR: _mirror_route,
}


def _request_match(match: Json) -> Json:
    found: Json = {}
    if match.get("method") is not None:
        found["method"] = _text_match(match["method"])
    if match.get("path") is not None:
        found["uri"] = _text_match(match["path"])
    if fields.mapping(match, "headers"):
        found["headers"] = {k: _text_match(v) for k, v in fields.mapping(match, "headers").items()}
    return found


def _text_match(match: Any) -> Json:
    """``{exact: …}``, ``{prefix: …}`` or ``{regex: …}``: written alike on both sides."""
    return {key: value for key in ("exact", "prefix", "regex") if (value := fields.text(match, key))}
