"""The routing picture in words and shares: Services, ReplicaSets, Pods and what leads where. Pure.

A picture (`observe.picture`) goes in, JSON-safe data for ``frontend/routing.js`` comes out. Every
word a person reads is made here; positions, shapes and colours are the drawing's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollout_lab.messages import say
from rollout_lab.ui.gateway_scene import gateway_scene, sent, special, split, spoken
from rollout_lab.ui.writing import clock as clock
from rollout_lab.ui.writing import colour_of as colour_of
from rollout_lab.ui.writing import name_of as name_of
from rollout_lab.ui.writing import percent as percent

Json = dict[str, Any]

POD_STATES = ("pulling", "starting", "running", "ready", "failing", "terminating")
FRESH = 8.0
"""Lab seconds a changed selector flashes."""
EMPTY_SETS = 2
"""How many ReplicaSets without Pods stay in the picture: the newest, for undo."""


def shown_sets(picture: Mapping[str, Any]) -> list[Json]:
    """The ReplicaSets worth a box: those with Pods, wanted Pods or a role, and the newest empty ones.

    In the order their versions first appeared, so that a version keeps its row when it is used again.
    """
    with_pods = {pod["hash"] for pod in picture["pods"]}
    sets: Sequence[Json] = picture["replicaSets"]
    busy = [s for s in sets if s["hash"] in with_pods or s["replicas"] or s["role"] != "old"]
    empty = [s for s in sets if s not in busy][-EMPTY_SETS:] if len(busy) < 3 else []
    return sorted((s for s in sets if s in busy or s in empty), key=_first_seen)


def _first_seen(found: Json) -> tuple[int, int]:
    return found["colour"], found["revision"]


def in_order(picture: Mapping[str, Any]) -> list[Json]:
    """All ReplicaSets in the order their versions first appeared."""
    return sorted(picture["replicaSets"], key=_first_seen)


def scene(lang: str, picture: Mapping[str, Any]) -> Json:
    """``gateway``, ``services``, ``sets``, ``pods``, ``routes``, ``legend``, ``summary`` for the drawing."""
    summed, passed = summary(lang, picture), sent(picture)
    picture = split(picture)
    sets = shown_sets(picture)
    by_hash = {s["hash"]: s for s in sets}
    set_of_pod = {pod["name"]: pod["hash"] for pod in picture["pods"]}
    services = [_service(lang, s, by_hash, picture) for s in picture["services"]]
    return {
        "gateway": gateway_scene(lang, picture),
        "services": services,
        "sets": [_set(lang, s, picture) for s in sets],
        "pods": [_pod(lang, pod) for pod in picture["pods"] if pod["hash"] in by_hash],
        "routes": [
            {
                "service": r["service"],
                "pod": r["pod"],
                "share": r["share"] * passed.get(r["service"], 1.0),
                "set": set_of_pod.get(r["pod"], ""),
            }
            for r in picture["routes"]
        ],
        "legend": [{"state": state, "text": say(lang, f"state.{state}")} for state in POD_STATES],
        "summary": summed,
    }


def _service(lang: str, service: Json, sets: Mapping[str, Json], picture: Mapping[str, Any]) -> Json:
    led = _led(service, sets, picture)
    only = led[0] if len(led) == 1 else None
    changed = service["changedAt"]
    role = service["role"]
    gated = bool(picture.get("gateway"))
    title = service.get("subset") or (service["name"] if role == "service" else role)
    return {
        "id": service["name"],
        "title": title,
        "role": "Service" if gated and role != "subset" else say(lang, f"role.{role}"),
        "port": f":{service['port']}",
        "address": service["address"],
        "hashLabel": "hash:" if service["selectorHash"] else "",
        "hash": service["selectorHash"],
        "changed": "" if changed is None else say(lang, "ui.changed_at", t=clock(changed)),
        "fresh": changed is not None and picture["t"] - changed < FRESH,
        "colour": only["colour"] if only else None,
        "shares": led,
        "mixed": "" if only else (" : ".join(part["short"] for part in led) or say(lang, "ui.no_endpoints")),
        "sample": say(lang, "gateway.requests", n=service["requests"]) if gated else _sample(lang, service),
        "sampled": _sample(lang, service),
    }


def _sample(lang: str, service: Json) -> str:
    if not service["requests"]:
        said = say(lang, "ui.no_requests")
    else:
        said = say(lang, "ui.sample", n=service["requests"], failed=service["failed"])
    return f"{said} · port-forward" if service.get("via") == "port-forward" else said


def _led(service: Json, sets: Mapping[str, Json], picture: Mapping[str, Any]) -> list[Json]:
    """The ReplicaSets this Service's endpoints belong to, each with its measured share (None: not yet)."""
    pods = {pod["name"]: pod["hash"] for pod in picture["pods"]}
    hashes = dict.fromkeys(
        pods.get(r["pod"], "") for r in picture["routes"] if r["service"] == service["name"]
    )
    through = sent(picture).get(service["name"])
    led = []
    for hash_ in (h for h in sets if h in hashes):
        found = sets[hash_]
        share = service["shares"].get(hash_, 0.0) if service["shares"] else None
        name = name_of(found["version"])
        if picture.get("gateway"):  # the share stands on the arrow from the gateway; all of it goes on
            text, share = "", through if share is None or through is None else share * through
            share = None if share == 0 and service["name"] in special(picture) else share
        else:
            text = "" if share is None else percent(share)
        led.append(
            {
                "hash": hash_,
                "colour": colour_of(found["colour"]),
                "share": share,
                "version": name,
                "text": text,
                "short": f"{name} {text}".rstrip(),
                "full": f"{name} {text}".rstrip(),
            }
        )
    return led


def _set(lang: str, found: Json, picture: Mapping[str, Any]) -> Json:
    state = say(lang, "ui.ready_of", ready=found["ready"], wanted=found["replicas"])
    return {
        "hash": found["hash"],
        "name": found["name"],
        "title": name_of(found["version"]),
        "revision": f"ReplicaSet r{found['revision']}",
        "colour": colour_of(found["colour"]),
        "empty": not found["replicas"] and all(pod["hash"] != found["hash"] for pod in picture["pods"]),
        "facts": f"{say(lang, 'role.' + found['role'])} · {state}",
    }


def _pod(lang: str, pod: Json) -> Json:
    state = say(lang, f"state.{pod['state']}")
    short = "…" + pod["name"][-9:]
    told = f"{state}, {pod['reason']}" if pod["reason"] else state
    note = ""
    if pod["state"] != "ready":
        note = pod["reason"] if pod["state"] == "failing" and pod["reason"] else state
    return {
        "name": pod["name"],
        "set": pod["hash"],
        "state": pod["state"],
        "colour": colour_of(pod["colour"]),
        "label": f"{short} · {note}" if note else short,
        "note": note,
        "title": f"{pod['name']}: {told}",
    }


def summary(lang: str, picture: Mapping[str, Any]) -> str:
    """The picture as sentences, for those who cannot see it."""
    versions = {s["hash"]: name_of(s["version"]) for s in picture["replicaSets"]}
    pods = {pod["name"]: pod["hash"] for pod in picture["pods"]}
    said = spoken(lang, picture)
    for service in picture["services"]:
        led = dict.fromkeys(
            pods.get(r["pod"], "") for r in picture["routes"] if r["service"] == service["name"]
        )
        parts = [
            versions.get(h, h) + (f" {percent(service['shares'].get(h, 0.0))}" if service["shares"] else "")
            for h in led
        ]
        key = "ui.leads_to" if parts else "ui.leads_nowhere"
        said.append(say(lang, key, service=service["name"], versions=", ".join(parts)))
    for found in picture["replicaSets"]:
        if found["replicas"] or found["ready"]:
            said.append(
                say(
                    lang,
                    "ui.has_pods",
                    version=name_of(found["version"]),
                    ready=found["ready"],
                    wanted=found["replicas"],
                )
            )
    return " ".join(said)
