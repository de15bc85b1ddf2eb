"""A gateway as one rollout sees it: which of its routes are the rollout's, and the arrows they make. Pure.

`sight` takes from a gateway's report what concerns one rollout; that is what a run keeps (rows of kind
Gateway). `gateway` makes the part of the picture from it. What a request did is counted elsewhere:
by the gateway (`rollout_lab.gateway.counts`) and by the curl loop through it (`probe`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rollout_lab.api import fields, meta, names
from rollout_lab.observe.gateways import Place, hosts
from rollout_lab.observe.observed import Observed, Traffic, selector_hash
from rollout_lab.routers import table

Json = dict[str, Any]
COUNTERS: Final = ("requests", "failed", "mirrored", "ready")
PREFIX: Final = "gateway/"
_SETTINGS: Final = ("service", "subset", "role", "weight")


def probe_name(host: str) -> str:
    """The name under which answers through the gateway are counted; no Service can have it."""
    return PREFIX + host


def sight(report: Mapping[str, Any] | None, place: Place, observed: Observed) -> Json:
    """What of a gateway is this rollout's: name, address, hosts, known, routes, problems.

    `known` is False where the gateway tells nothing of itself. A route is ``kind``, ``name``, ``rule``,
    ``headers`` (a list of {name: "exact yes"}; any of them makes a request match, none: every request),
    ``elects`` and ``backends`` as the gateway reports them, each with the Pod-template ``hash`` of a subset.
    """
    refs = {(ref.kind.name, ref.namespace, ref.name) for ref in table.refs(observed.view)}
    space = observed.view.namespace
    services = {meta.name(service) for _, service in observed.own_services()}

    def ours(about: Mapping[str, Any]) -> bool:
        return (about.get("kind"), about.get("namespace"), about.get("name")) in refs

    routes = []
    for route in fields.objects(dict(report or {}), "routes"):
        leads = any(b.get("service") in services for b in fields.objects(route, "backends"))
        if ours(route) or (leads and route.get("namespace") == space):
            routes.append(_route(route))
    return {
        "name": place.name,
        "address": place.address,
        "hosts": hosts(observed.routes.values()),
        "known": report is not None,
        "routes": routes,
        "problems": [
            {key: str(problem.get(key) or "") for key in ("kind", "name", "field", "message")}
            for problem in fields.objects(dict(report or {}), "problems")
            if ours(problem) or (problem.get("namespace") == space and problem.get("name") in services)
        ],
    }


def _route(route: Json) -> Json:
    matches = [fields.strings(match, "headers") for match in fields.objects(route, "matches")]
    return {
        **{key: fields.text(route, key) for key in ("kind", "name", "rule")},
        "headers": matches if matches and all(matches) else [],
        "elects": fields.mapping(route, "elects"),
        "backends": [
            {
                **{key: backend.get(key) for key in (*_SETTINGS, *COUNTERS)},
                "hash": fields.text(backend, "labels", names.ROLLOUT_HASH_LABEL),
            }
            for backend in fields.objects(route, "backends")
        ],
    }


def settings(seen: Mapping[str, Any]) -> Json:
    """What is configured: all of it but what was counted. Shares are measured anew when it changes."""
    routes = [
        {
            **route,
            "backends": [
                {k: v for k, v in backend.items() if k not in COUNTERS}
                for backend in fields.objects(route, "backends")
            ],
        }
        for route in fields.objects(dict(seen), "routes")
    ]
    return {**seen, "routes": routes}


def answers(seen: Mapping[str, Any]) -> bool:
    """Whether somebody stands ready behind a route of the rollout, so that a request can be answered."""
    if not seen.get("known"):
        return True
    return any(
        backend.get("ready") and backend.get("weight")
        for route in fields.objects(dict(seen), "routes")
        for backend in fields.objects(route, "backends")
    )


def asked(observed: Observed) -> list[str]:
    """Under which names the curl loop counts answers: of the Services, and of the gateway's hosts."""
    gates = [probe_name(host) for host in (observed.gateway or {}).get("hosts", ())]
    return [*(meta.name(service) for _, service in observed.own_services()), *gates]


def traffic_of(observed: Observed) -> Traffic:
    """What the curl loop was answered through the gateway."""
    found = fields.items(dict(observed.gateway or {}), "hosts")
    return observed.traffic.get(probe_name(str(found[0])) if found else PREFIX, Traffic())


def gateway(observed: Observed, shares: Mapping[str, float]) -> Json | None:
    """The gateway of the picture (`picture`); None for a rollout without a router. `shares` by hash."""
    routers = table.in_use(observed.view)
    seen = observed.gateway
    if not routers:
        return None
    if seen is None:
        seen = {"name": "", "address": "", "hosts": hosts(observed.routes.values()), "known": False}
    counted = traffic_of(observed)
    weighted = _weighted(observed, seen, shares)
    return {
        "name": fields.text(seen, "name"),
        "address": fields.text(seen, "address"),
        "hosts": [host for host in fields.items(seen, "hosts") if isinstance(host, str)],
        "known": bool(seen.get("known")),
        "requests": counted.requests,
        "failed": counted.failed,
        "versions": dict(counted.versions),
        "shares": dict(shares),
        "window": {
            "since": observed.t(counted.since) if counted.since else 0.0,
            "n": sum(counted.versions.values()),
        },
        "arrows": [*weighted, *_special(observed, seen)],
        "problems": fields.objects(seen, "problems"),
    }


def _weighted(observed: Observed, seen: Json, shares: Mapping[str, float]) -> list[Json]:
    """The arrows that every request may take: by the first route without a condition, else by the status."""
    routes = [r for r in fields.objects(seen, "routes") if not r.get("headers")]
    leading = (
        [b for b in fields.objects(routes[0], "backends") if b.get("role") != "mirror"] if routes else []
    )
    if not leading:
        return _told(observed, shares)
    sent: dict[tuple[str, str], Json] = {}
    for backend in leading:
        key = fields.text(backend, "service"), fields.text(backend, "subset")
        if key in sent:
            sent[key]["weight"] += _number(backend, "weight")
            continue
        alike = [b for r in routes for b in fields.objects(r, "backends") if _same(b, key)]
        sent[key] = {
            **_arrow("weight", *key, _hash(observed, backend)),
            "weight": _number(backend, "weight"),
            "requests": int(sum(_number(b, "requests") for b in alike)),
            "failed": int(sum(_number(b, "failed") for b in alike)),
        }
    return _measured(list(sent.values()), shares)


def _same(backend: Json, key: tuple[str, str]) -> bool:
    named = fields.text(backend, "service"), fields.text(backend, "subset")
    return named == key and backend.get("role") != "mirror"


def _told(observed: Observed, shares: Mapping[str, float]) -> list[Json]:
    """Weights as the engine told the routers, where the gateway itself says nothing."""
    view = observed.view
    told, routing = view.status.weights, view.routing
    by_role = {role: meta.name(service) for role, service in observed.own_services()}
    if told is None or routing is None or "stable" not in by_role:
        return []
    part = 100 * told.part(view.status.current_pod_hash) / routing.maximum if routing.maximum else 0.0
    found = []
    for role, weight, hash_ in (
        ("stable", 100 - part, view.status.stable_rs),
        ("canary", part, view.status.current_pod_hash),
    ):
        if role in by_role:
            found.append({**_arrow("weight", by_role[role], "", hash_), "weight": round(weight, 4)})
    return _measured(found, shares)


def _measured(arrows: list[Json], shares: Mapping[str, float]) -> list[Json]:
    """Each arrow with its part of the measured share; two that lead to the same Pods share it by weight."""
    if not shares:
        return arrows
    weights: dict[str, float] = {}
    for arrow in arrows:
        weights[arrow["hash"]] = weights.get(arrow["hash"], 0.0) + arrow["weight"]
    alike: dict[str, int] = {}
    for arrow in arrows:
        alike[arrow["hash"]] = alike.get(arrow["hash"], 0) + 1
    found = []
    for arrow in arrows:
        whole = weights[arrow["hash"]]
        part = arrow["weight"] / whole if whole else 1 / alike[arrow["hash"]]
        found.append({**arrow, "share": round(shares.get(arrow["hash"], 0.0) * part, 4)})
    return found


def _special(observed: Observed, seen: Json) -> list[Json]:
    """Arrows of requests with a header (or cookie), and of copies; each once."""
    found: dict[tuple[str, ...], Json] = {}
    for route in fields.objects(seen, "routes"):
        backends = fields.objects(route, "backends")
        rule = fields.text(route, "rule")
        if route.get("headers"):
            for backend in backends:
                if backend.get("role") != "mirror" and _number(backend, "weight"):
                    arrow = _conditional(observed, backend, fields.objects(route, "headers"), rule)
                    counts = {"requests": int(_number(backend, "requests"))}
                    _add(found, {**arrow, "weight": _number(backend, "weight"), **counts})
        elects = fields.mapping(route, "elects")
        for backend in (b for b in backends if b.get("role") == "canary" and elects):
            headers = fields.strings(elects, "headers")
            arrow = _conditional(observed, backend, [headers] if headers else [], rule)
            _add(found, {**arrow, "cookie": fields.text(elects, "cookie"), "weight": 100.0})
        for backend in (b for b in backends if b.get("role") == "mirror"):
            arrow = _arrow("mirror", *_target(backend), _hash(observed, backend))
            counts = {"requests": int(_number(backend, "mirrored"))}
            _add(found, {**arrow, "route": rule, "weight": _number(backend, "weight"), **counts})
    return sorted(found.values(), key=lambda arrow: str(arrow["kind"]))


def _conditional(observed: Observed, backend: Json, headers: Sequence[Json], rule: str) -> Json:
    arrow = _arrow("header", *_target(backend), _hash(observed, backend))
    return {**arrow, "route": rule, "headers": list(headers)}


def _add(found: dict[tuple[str, ...], Json], arrow: Json) -> None:
    """An arrow that is there already (the same header in two routes) only adds what was counted."""
    key = (arrow["kind"], arrow["service"], arrow["subset"], repr(arrow["headers"]), str(arrow["weight"]))
    if key in found and found[key]["requests"] is not None:
        found[key]["requests"] += arrow["requests"] or 0
    else:
        found.setdefault(key, arrow)


def _arrow(kind: str, service: str, subset: str, hash_: str) -> Json:
    return {
        "kind": kind,
        "service": service,
        "subset": subset,
        "hash": hash_,
        "weight": 0.0,
        "share": None,
        "requests": None,
        "failed": None,
        "route": "",
        "headers": [],
        "cookie": "",
    }


def _target(backend: Json) -> tuple[str, str]:
    return fields.text(backend, "service"), fields.text(backend, "subset")


def _hash(observed: Observed, backend: Json) -> str:
    """The Pod-template hash of those that answer there; ``""`` where it is not one."""
    own = fields.text(backend, "hash")
    name = fields.text(backend, "service")
    return own or next((selector_hash(s) for s in observed.services if meta.name(s) == name), "")


def _number(obj: Mapping[str, Any], key: str) -> float:
    found = obj.get(key)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else 0.0


def through(gateway_: Mapping[str, Any] | None, service: str) -> tuple[int, int] | None:
    """(requests, failed) the gateway sent to a Service; None where it does not say."""
    arrows: Iterable[Json] = (gateway_ or {}).get("arrows") or ()
    found = [
        a for a in arrows if a["service"] == service and a["kind"] != "mirror" and a["requests"] is not None
    ]
    if not found:
        return None
    return sum(a["requests"] for a in found), sum(a["failed"] or 0 for a in found)


def came_by(gateway_: Mapping[str, Any] | None, service: str, versions: Mapping[str, str]) -> dict[str, int]:
    """The answers through the gateway that came from behind a Service, by version. `versions` by hash."""
    if gateway_ is None:
        return {}
    found = {}
    for arrow in gateway_["arrows"]:
        version = versions.get(arrow["hash"], "")
        if arrow["kind"] == "weight" and arrow["service"] == service and arrow["share"]:
            found[version] = gateway_["versions"].get(version, 0)
    return {version: n for version, n in found.items() if n}
