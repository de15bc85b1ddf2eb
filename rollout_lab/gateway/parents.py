"""Gateways of this gateway's classes, their listeners, and which routes attach to them. Pure.

All listeners answer at the one address the gateway has: the port of a listener is what a real cluster
would open, here only HTTP and the hostname count.
# upstream: Gateway API reference, ParentReference, Listener, AllowedRoutes, RouteParentStatus
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.api import selectors
from rollout_lab.gateway.conditions import Json, Wanted, condition
from rollout_lab.gateway.objects import Key, Object, Problem, Settings, World, key_of, part, rows
from rollout_lab.gateway.table import Host

GROUP = "gateway.networking.k8s.io"
HTTP = "HTTP"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One parentRef of a route: whether it was accepted, why, and the hosts that came of it."""

    reference: Json
    gateway: Key
    listeners: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    accepted: bool = True
    reason: str = "Accepted"
    message: str = "the route is in use"


@dataclass(slots=True)
class Attached:
    """All parents of one route that are ours, and what is wrong with the others."""

    found: list[Attachment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def our_classes(world: World, settings: Settings) -> set[str]:
    """The names of our GatewayClasses."""
    return {
        str(c["metadata"]["name"])
        for c in world.all("GatewayClass")
        if part(c, "spec").get("controllerName") == settings.controller
    }


def our_gateways(world: World, settings: Settings) -> dict[Key, Object]:
    """The Gateways of our classes."""
    classes = our_classes(world, settings)
    return {key_of(g): g for g in world.all("Gateway") if part(g, "spec").get("gatewayClassName") in classes}


def attach(world: World, settings: Settings, route: Object) -> Attached:
    """Every parentRef of an HTTPRoute, in order."""
    out, key = Attached(), key_of(route)
    ours = our_gateways(world, settings)
    for index, reference in enumerate(rows(route, "spec", "parentRefs")):
        where = f"spec.parentRefs[{index}]"
        kind = f"{reference.get('group', GROUP)}/{reference.get('kind', 'Gateway')}"
        if kind != f"{GROUP}/Gateway":
            out.problems.append(
                Problem("HTTPRoute", *key, where, f"a parent is a Gateway here, not a {kind}")
            )
            continue
        target = str(reference.get("namespace") or key[0]), str(reference.get("name") or "")
        gateway = ours.get(target)
        if gateway is not None:
            out.found.append(_attached(world, route, reference, gateway))
        elif world.find("Gateway", *target) is None:
            text = f'there is no Gateway "{target[1]}" in namespace "{target[0]}"'
            out.problems.append(Problem("HTTPRoute", *key, where, text))
    return out


def _attached(world: World, route: Object, reference: Json, gateway: Object) -> Attachment:
    named = [
        listener
        for listener in rows(gateway, "spec", "listeners")
        if reference.get("sectionName") in (None, listener.get("name"))
        and reference.get("port") in (None, listener.get("port"))
        and listener.get("protocol", HTTP) == HTTP
    ]
    refused = Attachment(reference, key_of(gateway), accepted=False)
    if not named:
        return _with(refused, "NoMatchingParent", "no HTTP listener of the Gateway has this name and port")
    allowed = [listener for listener in named if _allows(world, listener, gateway, route)]
    if not allowed:
        text = "the listener's allowedRoutes do not take routes of this namespace or kind"
        return _with(refused, "NotAllowedByListeners", text)
    wanted = [str(h).lower() for h in part(route, "spec").get("hostnames") or []]
    names, hosts = [], []
    for listener in allowed:
        common = intersection(str(listener.get("hostname") or "").lower(), wanted)
        if common:
            names.append(str(listener.get("name") or ""))
            hosts += [h for h in common if h not in hosts]
    if not hosts:
        return _with(refused, "NoMatchingListenerHostname", "no listener has one of the route's hostnames")
    return Attachment(reference, key_of(gateway), tuple(names), tuple(hosts))


def _with(attachment: Attachment, reason: str, message: str) -> Attachment:
    return Attachment(
        attachment.reference, attachment.gateway, accepted=False, reason=reason, message=message
    )


def _allows(world: World, listener: Json, gateway: Object, route: Object) -> bool:
    kinds = rows(listener, "allowedRoutes", "kinds")
    if kinds and not any(k.get("kind") == "HTTPRoute" and k.get("group", GROUP) == GROUP for k in kinds):
        return False
    namespaces = part(listener, "allowedRoutes", "namespaces")
    own = key_of(route)[0]
    match namespaces.get("from", "Same"):
        case "All":
            return True
        case "Same":
            return own == key_of(gateway)[0]
        case "Selector":
            space = world.find("Namespace", "", own)
            labels = (space["metadata"].get("labels") or {}) if space else {}
            return selectors.matches(namespaces.get("selector"), labels)
    return False


def intersection(listener: str, hostnames: Iterable[str]) -> list[str]:
    """The hosts a route gets from a listener; ``""`` stands for all of them.

    >>> intersection("*.example.com", ["a.example.com", "example.org"]), intersection("", [])
    (['a.example.com'], [''])
    """
    wanted = list(hostnames) or [""]
    found = []
    for name in wanted:
        if not name or not listener:
            found.append(name or listener)
        elif name == listener or (not name.startswith("*") and Host(listener).takes(name)):
            found.append(name)
        elif name.startswith("*") and Host(name).takes(listener.removeprefix("*.")):
            found.append(listener)
        elif name.startswith("*") and listener.startswith("*") and name.endswith(listener[1:]):
            found.append(name)
    return found


def gateway_statuses(world: World, settings: Settings, attached: Iterable[Attachment]) -> list[Wanted]:
    """What GatewayClasses and Gateways of ours should say, with the routes counted by listener."""
    counts: dict[tuple[Key, str], int] = {}
    for attachment in attached:
        for name in attachment.listeners:
            counts[attachment.gateway, name] = counts.get((attachment.gateway, name), 0) + 1
    found = []
    classes = our_classes(world, settings)
    for cls in world.all("GatewayClass"):
        if cls["metadata"]["name"] in classes:
            said = condition("Accepted", True, "Accepted", "this gateway obeys it", _generation(cls))
            found.append(Wanted("GatewayClass", "", str(cls["metadata"]["name"]), {"conditions": [said]}))
    for key, gateway in our_gateways(world, settings).items():
        found.append(Wanted("Gateway", *key, _gateway_status(gateway, key, counts, settings)))
    return found


def _gateway_status(
    gateway: Object, key: Key, counts: dict[tuple[Key, str], int], settings: Settings
) -> dict[str, Any]:
    generation = _generation(gateway)
    where = f"{settings.host}:{settings.port}"
    listeners = []
    for listener in rows(gateway, "spec", "listeners"):
        name, fine = str(listener.get("name") or ""), listener.get("protocol", HTTP) == HTTP
        why = ("Accepted", f"answers at {where}") if fine else ("UnsupportedProtocol", "only HTTP is spoken")
        kinds = [{"group": GROUP, "kind": "HTTPRoute"}] if fine else []
        listeners.append(
            {
                "name": name,
                "supportedKinds": kinds,
                "attachedRoutes": counts.get((key, name), 0),
                "conditions": [
                    condition("Accepted", fine, *why, generation),
                    condition("Programmed", fine, "Programmed" if fine else "Invalid", why[1], generation),
                    condition("ResolvedRefs", True, "ResolvedRefs", "", generation),
                ],
            }
        )
    return {
        "addresses": [{"type": "IPAddress", "value": settings.host}],
        "conditions": [
            condition("Accepted", True, "Accepted", "this gateway obeys it", generation),
            condition("Programmed", True, "Programmed", f"answers at {where}", generation),
        ],
        "listeners": listeners,
    }


def _generation(obj: Object) -> int:
    return int(obj["metadata"].get("generation") or 0)
