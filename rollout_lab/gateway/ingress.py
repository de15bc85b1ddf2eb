"""Ingress objects as rules, with their canary siblings. Pure.

# upstream: Kubernetes page "Ingress" (path types, multiple matches, wildcard hosts); ingress-nginx
# internal/ingress/controller/controller.go (merging of canary Ingresses by host, path and type)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rollout_lab.gateway.backends import checked
from rollout_lab.gateway.canary import canary_of, is_canary, unknown_annotations
from rollout_lab.gateway.kinds import DEFAULT_CLASS, INGRESS_CLASS
from rollout_lab.gateway.objects import (
    Object,
    Problem,
    Settings,
    World,
    annotations_of,
    ignored,
    key_of,
    part,
    rows,
)
from rollout_lab.gateway.table import (
    Backend,
    Group,
    Host,
    Match,
    Path,
    PathMatch,
    Rule,
    Source,
)

CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_KINDS = {"Exact": Path.EXACT, "Prefix": Path.PREFIX, "ImplementationSpecific": Path.START}
_Place = tuple[str, str, str]  # host, path type, path


@dataclass(slots=True)
class Ingresses:
    """What the Ingresses of a World come to; `obeyed` are those of this gateway's classes."""

    group: Group = field(default_factory=lambda: Group("Ingress"))
    fallback: Rule | None = None
    problems: list[Problem] = field(default_factory=list)
    obeyed: list[Object] = field(default_factory=list)


def compile_ingresses(world: World, settings: Settings) -> Ingresses:
    """The rules of all Ingresses of our classes; the older Ingress wins where two claim one path."""
    out = Ingresses()
    places: dict[_Place, Rule] = {}
    rests: dict[str, Rule] = {}
    for ingress in world.all("Ingress"):
        said = _class_problem(world, ingress, settings)
        if said is not None:
            out.problems += [said] if said.message else []
            continue
        out.obeyed.append(ingress)
        out.problems += _not_obeyed(ingress, settings)
        if not is_canary(ingress, settings.annotations):
            _add(world, ingress, places, rests, out)
    for ingress in out.obeyed:
        if is_canary(ingress, settings.annotations):
            _add_canary(world, ingress, places, out, settings)
    hosts: dict[str, list[tuple[tuple[int, int], Rule]]] = {}
    for (host, kind, path), rule in places.items():
        hosts.setdefault(host, []).append(((-len(path.rstrip("/") or "/"), kind != "Exact"), rule))
    for host, rule in rests.items():
        hosts.setdefault(host, []).append(((1, True), rule))
    found = []
    for name, listed in hosts.items():
        listed.sort(key=lambda row: row[0])
        found.append((Host(name, one_label=True), tuple(rule for _, rule in listed)))
    out.group = Group("Ingress", tuple(sorted(found, key=lambda row: row[0].order)))
    return out


def class_name(ingress: Object) -> str:
    """The class an Ingress names, by field or the older annotation."""
    return str(
        part(ingress, "spec").get("ingressClassName") or annotations_of(ingress).get(CLASS_ANNOTATION) or ""
    )


def _class_problem(world: World, ingress: Object, settings: Settings) -> Problem | None:
    """None for an Ingress of ours; else a problem, without a message where others are meant."""
    name = class_name(ingress)
    key = key_of(ingress)
    for found in world.all("IngressClass"):
        if name == found["metadata"]["name"] or (
            not name and annotations_of(found).get(DEFAULT_CLASS) == "true"
        ):
            ours = part(found, "spec").get("controller") in settings.ingress_controllers
            return None if ours else Problem("Ingress", *key, "", "")
    if name == INGRESS_CLASS and not part(ingress, "spec").get("ingressClassName"):
        return None  # the annotation never needed a class object
    field_name, text = "spec.ingressClassName", f'there is no IngressClass "{name}"'
    if not name:
        text = 'no class is named and no IngressClass is the default: say "nginx"'
    return Problem("Ingress", *key, field_name, text)


def _not_obeyed(ingress: Object, settings: Settings) -> list[Problem]:
    key, spec = key_of(ingress), part(ingress, "spec")
    found = unknown_annotations(ingress, settings.annotations)
    known = ("ingressClassName", "defaultBackend", "rules")
    reason = "the gateway speaks HTTP only: its rules are obeyed without TLS"
    return found + ignored("Ingress", key, {k: v for k, v in spec.items() if v}, known, "spec", reason)


def _add(
    world: World, ingress: Object, places: dict[_Place, Rule], rests: dict[str, Rule], out: Ingresses
) -> None:
    key, rules = key_of(ingress), rows(ingress, "spec", "rules")
    default = part(ingress, "spec", "defaultBackend")
    for place, where, backend in _paths(ingress):
        taken = places.get(place)
        if taken is not None:
            text = f"{place[2]} of this host belongs to Ingress {taken.source.namespace}/{taken.source.name}"
            out.problems.append(Problem("Ingress", *key, where, text))
            continue
        found = _backend(world, ingress, backend, f"{where}.backend", out)
        places[place] = Rule(Source("Ingress", *key, where), (_match(place),), (found,))
    if not default:
        return
    found = _backend(world, ingress, default, "spec.defaultBackend", out)
    rule = Rule(Source("Ingress", *key, "spec.defaultBackend"), (), (found,))
    for host in {str(r.get("host") or "").lower() for r in rules}:
        rests.setdefault(host, rule)
    if not rules and out.fallback is None:
        out.fallback = rule


def _add_canary(
    world: World, ingress: Object, places: dict[_Place, Rule], out: Ingresses, settings: Settings
) -> None:
    key = key_of(ingress)
    if part(ingress, "spec", "defaultBackend"):
        text = "a canary Ingress takes part of its rules' requests only, not a default backend's"
        out.problems.append(Problem("Ingress", *key, "spec.defaultBackend", text))
    canary, problems = canary_of(ingress, settings.annotations)
    out.problems += problems
    for place, where, backend in _paths(ingress):
        rule = places.get(place)
        if rule is None:
            text = "there is no Ingress without canary that has this host, path and pathType"
            out.problems.append(Problem("Ingress", *key, where, text))
        elif rule.canary is not None:
            text = f'this path has the canary Ingress "{rule.canary.ingress}" already; one is possible'
            out.problems.append(Problem("Ingress", *key, where, text))
        else:
            found = _backend(world, ingress, backend, f"{where}.backend", out)
            places[place] = replace(rule, canary=replace(canary, backend=found))


def _paths(ingress: Object) -> list[tuple[_Place, str, dict[str, Any]]]:
    """Every path of an Ingress: its place, its field and its backend."""
    found = []
    for index, rule in enumerate(rows(ingress, "spec", "rules")):
        host = str(rule.get("host") or "").lower()
        for number, path in enumerate(rows(rule, "http", "paths")):
            place = host, str(path.get("pathType") or ""), str(path.get("path") or "/")
            found.append((place, f"spec.rules[{index}].http.paths[{number}]", part(path, "backend")))
    return found


def _match(place: _Place) -> Match:
    return Match(PathMatch(_KINDS.get(place[1], Path.START), place[2]))


def _backend(
    world: World, ingress: Object, backend: Mapping[str, Any], where: str, out: Ingresses
) -> Backend:
    key = key_of(ingress)
    service = part(backend, "service")
    if not service:
        text = "only a Service can be a backend here"
        out.problems.append(Problem("Ingress", *key, where, text))
        return Backend(key[0], "", "", error=503)
    port = part(service, "port")
    wanted = Backend(
        key[0], str(service.get("name") or ""), str(port.get("number") or port.get("name") or "")
    )
    found, why = checked(world, wanted, 503)
    if why:
        out.problems.append(Problem("Ingress", *key, f"{where}.service", why))
    return found
