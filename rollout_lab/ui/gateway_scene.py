"""The gateway's part of the routing picture: its box, its arrows, and what it does not obey. Pure.

A picture (`observe.picture`) goes in, JSON-safe data for ``frontend/gateway.js`` comes out; what each
arrow is called is decided here, where it runs is the drawing's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.messages import say
from rollout_lab.observe.arrows import condition, node_of, plain_number, words
from rollout_lab.ui.writing import colour_of, percent

Json = dict[str, Any]
LONGEST = 20
"""Letters of an arrow's label before it is cut; its title has all of them."""


def split(picture: Mapping[str, Any]) -> Mapping[str, Any]:
    """The picture with a node for each subset in the place of the Service whose subsets are led to."""
    arrows = [a for a in _arrows(picture) if a["kind"] == "weight" and a["subset"]]
    if not arrows:
        return picture
    parents = {a["service"] for a in arrows}
    services: list[Json] = []
    for service in picture["services"]:
        own = [a for a in arrows if a["service"] == service["name"]]
        services += [_subset(service, a) for a in own] or [service]
    pods = {pod["name"]: pod["hash"] for pod in picture["pods"]}
    routes = [route for route in picture["routes"] if route["service"] not in parents]
    for arrow in arrows:
        own = [
            route
            for route in picture["routes"]
            if route["service"] == arrow["service"] and pods.get(route["pod"]) == arrow["hash"]
        ]
        whole = sum(route["share"] for route in own)
        for route in own:
            part = route["share"] / whole if whole else 1 / len(own)
            routes.append({**route, "service": node_of(arrow), "share": part})
    return {**picture, "services": services, "routes": routes}


def _subset(service: Json, arrow: Json) -> Json:
    about = {"name": node_of(arrow), "subset": arrow["subset"], "role": "subset"}
    counts = {"requests": arrow["requests"] or 0, "failed": arrow["failed"] or 0}
    shares = {arrow["hash"]: 1.0} if arrow["share"] else {}
    return {**service, **about, **counts, "selectorHash": arrow["hash"], "shares": shares, "changedAt": None}


def _arrows(picture: Mapping[str, Any]) -> list[Json]:
    gate = picture.get("gateway")
    return list(gate["arrows"]) if gate else []


def sent(picture: Mapping[str, Any]) -> dict[str, float]:
    """The measured part of all requests that goes to each box behind the gateway."""
    found: dict[str, float] = {}
    for arrow in _arrows(picture):
        if arrow["kind"] == "weight" and arrow["share"] is not None:
            found[node_of(arrow)] = found.get(node_of(arrow), 0.0) + arrow["share"]
    return found


def special(picture: Mapping[str, Any]) -> frozenset[str]:
    """The boxes that requests reach although the weight sends none: by a header, or as copies."""
    return frozenset(node_of(arrow) for arrow in _arrows(picture) if arrow["kind"] != "weight")


def gateway_scene(lang: str, picture: Mapping[str, Any]) -> Json | None:
    """``title``, ``host``, ``address``, ``sample``, ``users``, ``arrows`` and ``notes``; None without."""
    gate = picture.get("gateway")
    if not gate:
        return None
    colours = {s["hash"]: colour_of(s["colour"]) for s in picture["replicaSets"]}
    there = {service["name"] for service in picture["services"]}
    arrows = [_arrow(lang, a, colours.get(a["hash"])) for a in gate["arrows"] if node_of(a) in there]
    sample = say(lang, "gateway.sample", n=gate["requests"], failed=gate["failed"])
    address = gate["address"]
    return {
        "title": gate["name"] or say(lang, "gateway.title"),
        "host": next(iter(gate["hosts"]), ""),
        "port": f":{address.rpartition(':')[2]}" if address else "",
        "address": address,
        "sample": sample if gate["requests"] else say(lang, "ui.no_requests"),
        "users": say(lang, "gateway.users"),
        "arrows": arrows,
        "notes": [
            say(
                lang, "gateway.problem", about=f"{p['kind']} {p['name']}", field=p["field"], text=p["message"]
            )
            for p in gate["problems"]
        ],
    }


def _arrow(lang: str, arrow: Json, colour: int | None) -> Json:
    label, sub = words(lang, arrow)
    shown = label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
    return {
        "key": f"{arrow['kind']} {node_of(arrow)} {label if arrow['kind'] == 'header' else arrow['route']}",
        "kind": arrow["kind"],
        "to": node_of(arrow),
        "colour": colour,
        "share": arrow["share"] if arrow["kind"] == "weight" else None,
        "idle": arrow["kind"] == "weight" and not arrow["weight"] and not arrow["share"],
        "label": shown,
        "sub": sub,
        "title": " · ".join(part for part in (label, sub) if part),
    }


def spoken(lang: str, picture: Mapping[str, Any]) -> list[str]:
    """The gateway's arrows as sentences, for those who cannot see them."""
    found = []
    for arrow in _arrows(picture):
        to = node_of(arrow)
        if arrow["kind"] == "weight":
            n = plain_number(arrow["weight"])
            said = say(lang, "gateway.spoken.weight", to=to, n=n)
            if arrow["share"] is not None:
                said += " " + say(lang, "gateway.spoken.measured", share=percent(arrow["share"]))
        elif arrow["kind"] == "mirror":
            said = say(lang, "gateway.spoken.mirror", to=to, n=plain_number(arrow["weight"]))
        else:
            said = say(lang, "gateway.spoken.header", to=to, what=condition(arrow))
        found.append(said)
    return found
