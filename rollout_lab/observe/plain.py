"""One moment of a namespace without a Rollout as a picture: its Services, ReplicaSets and Pods. Pure.

`plain_picture` gives the shape of `observe.picture` as far as it has one without a Rollout: `rollout` is
null, and there are no phases, reasons or actions. Every Deployment's ReplicaSets are in it, told apart by
version. A Service has one key more: ``chosen``, the part of its selector that not all Pods have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.api.selectors import matches_equality
from rollout_lab.client.images import image_tag, version_of
from rollout_lab.observe.observed import SERVICE_NAME_LABEL, Answer, Traffic
from rollout_lab.observe.states import pod_state, service_address, service_via

Json = dict[str, Any]
WINDOW: Final = 12
"""So many last answers of a Service are its measured share: there is no engine that says when it changed."""


def plain_picture(
    t: float,
    started: float,
    objects: Mapping[str, Sequence[Json]],
    rows: Sequence[Mapping[str, Any]] = (),
    traffic: Mapping[str, Traffic] | None = None,
    answers: Sequence[Answer] = (),
    addresses: Mapping[str, Any] | None = None,
) -> Json:
    """The picture at `t` lab seconds since `started` (epoch). `objects`: kind -> raw objects there.

    `rows` are the timeline's: they say which version came first and when a selector changed.
    """
    colours = _colours(rows, objects)
    sets = sorted(objects.get("ReplicaSet", ()), key=lambda rs: (_revision(rs), meta.name(rs)))
    keys = _keys(sets)
    pods = [_pod(pod, sets, keys, colours) for pod in objects.get("Pod", ())]
    by_service = {meta.name(s): _ready(objects, meta.name(s)) for s in objects.get("Service", ())}
    versions = {pod["name"]: pod["version"] for pod in pods}
    services = [
        _service(s, objects, pods, by_service, rows, (traffic or {}), answers, addresses or {}, started)
        for s in objects.get("Service", ())
        if fields.strings(s, "spec", "selector")
    ]
    return {
        "t": t,
        "rollout": None,
        "services": services,
        "replicaSets": [_replica_set(rs, keys, colours) for rs in sets],
        "pods": sorted(pods, key=lambda pod: (pod["colour"], pod["name"])),
        "routes": [
            route
            for s in services
            for route in _routes(s, by_service[s["name"]], versions, {p["name"] for p in pods})
        ],
        "phases": [],
        "why": [],
        "actions": {},
        "answers": [
            {
                "t": round(a.t - started, 2),
                "service": a.service,
                "port": a.port,
                "version": a.version,
                "text": a.text,
                "ok": a.ok,
            }
            for a in answers
        ],
    }


def _colours(rows: Sequence[Mapping[str, Any]], objects: Mapping[str, Sequence[Json]]) -> dict[str, int]:
    """The order in which versions first appeared."""
    seen: dict[str, int] = {}
    for row in rows:
        if row.get("kind") == "ReplicaSet" and row.get("image"):
            seen.setdefault(image_tag(str(row["image"])), len(seen))
    for rs in sorted(objects.get("ReplicaSet", ()), key=lambda rs: (_revision(rs), meta.name(rs))):
        seen.setdefault(version_of(rs), len(seen))
    return seen


def _revision(rs: Json) -> int:
    return int(meta.annotations(rs).get("deployment.kubernetes.io/revision") or 0)


def _keys(sets: Sequence[Json]) -> dict[str, str]:
    """What each ReplicaSet is called in the picture: its hash, where no other one has the same.

    # https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label
    """
    hashes = {meta.name(rs): meta.labels(rs).get("pod-template-hash") or meta.name(rs) for rs in sets}
    many = Counter(hashes.values())
    return {name: found if many[found] == 1 else name for name, found in hashes.items()}


def _replica_set(rs: Json, keys: Mapping[str, str], colours: Mapping[str, int]) -> Json:
    wanted = fields.integer(rs, "spec", "replicas") or 0
    return {
        "name": meta.name(rs),
        "hash": keys[meta.name(rs)],
        "owner": str((meta.controller_of(rs) or {}).get("name", "")),
        "revision": _revision(rs),
        "version": version_of(rs),
        "role": "stable" if wanted else "old",
        "colour": colours.get(version_of(rs), 0),
        "replicas": wanted,
        "ready": fields.integer(rs, "status", "readyReplicas") or 0,
        "available": fields.integer(rs, "status", "availableReplicas") or 0,
    }


def _pod(pod: Json, sets: Iterable[Json], keys: Mapping[str, str], colours: Mapping[str, int]) -> Json:
    state, reason = pod_state(pod)
    owner = next((rs for rs in sets if meta.is_controlled_by(pod, rs)), {})
    containers = fields.objects(pod, "spec", "containers")
    version = (
        version_of(owner) if owner else image_tag(fields.text(containers[0], "image")) if containers else ""
    )
    statuses = fields.objects(pod, "status", "containerStatuses")
    return {
        "name": meta.name(pod),
        "hash": keys.get(meta.name(owner), ""),
        "version": version,
        "colour": colours.get(version, 0),
        "state": state,
        "reason": reason,
        "restarts": sum(fields.integer(c, "restartCount") or 0 for c in statuses),
    }


def _ready(objects: Mapping[str, Sequence[Json]], service: str) -> list[str]:
    """Names of the Pods the EndpointSlices of a Service lead to, each once."""
    found: dict[str, None] = {}
    for piece in objects.get("EndpointSlice", ()):
        if meta.labels(piece).get(SERVICE_NAME_LABEL) == service:
            for endpoint in fields.objects(piece, "endpoints"):
                if fields.flag(endpoint, "conditions", "ready") is not False:
                    found[fields.text(endpoint, "targetRef", "name")] = None
    return [name for name in found if name]


def _service(
    service: Json,
    objects: Mapping[str, Sequence[Json]],
    pods: Sequence[Json],
    ready: Mapping[str, Sequence[str]],
    rows: Sequence[Mapping[str, Any]],
    traffic: Mapping[str, Traffic],
    answers: Sequence[Answer],
    addresses: Mapping[str, Any],
    started: float,
) -> Json:
    name = meta.name(service)
    counted = traffic.get(name, Traffic())
    port, address = service_address(service, addresses)
    via, via_pod = service_via(service, addresses)
    last = [a for a in answers if a.service == name and a.ok][-WINDOW:]
    here = {pod["name"]: pod for pod in pods}
    shares = _shares(last, [here[p] for p in ready[name] if p in here])
    return {
        "name": name,
        "role": "service",
        "port": port,
        "address": address,
        "via": via,
        "viaPod": via_pod,
        "selectorHash": "",
        "chosen": _chosen(service, objects),
        "changedAt": _changed(rows, name),
        "requests": counted.requests,
        "failed": counted.failed,
        "shares": shares,
        "versions": dict(Counter(a.version for a in last)),
        "window": {"since": round(last[0].t - started, 2) if last else 0.0, "n": len(last)},
        "endpoints": len(ready[name]),
    }


def _chosen(service: Json, objects: Mapping[str, Sequence[Json]]) -> str:
    """What in a selector chooses: the pairs that not every Pod of the namespace has."""
    selector = fields.strings(service, "spec", "selector")
    labels = [meta.labels(pod) for pod in objects.get("Pod", ())]
    pairs = {k: v for k, v in selector.items() if not all(matches_equality({k: v}, pod) for pod in labels)}
    return ", ".join(f"{k}={v}" for k, v in pairs.items()) if labels else ""


def _changed(rows: Sequence[Mapping[str, Any]], service: str) -> float | None:
    """When the selector of a Service last changed; None if it is as it was at first."""
    before, found = None, None
    for row in rows:
        if row.get("kind") == "Service" and row.get("name") == service:
            now = row.get("selector")
            if before is not None and now != before:
                found = float(row["t"])
            before = now
    return found


def _shares(answers: Sequence[Answer], led: Sequence[Json]) -> dict[str, float]:
    """Measured share of each ReplicaSet a Service leads to; answers name a version."""
    owners = {pod["hash"]: pod["version"] for pod in led}
    counts = Counter(a.version for a in answers if a.version in owners.values())
    total = counts.total()
    if not total:
        return {}
    several = Counter(owners.values())
    return {h: round(counts[v] / total / several[v], 4) for h, v in owners.items()}


def _routes(service: Json, ready: Sequence[str], versions: Mapping[str, str], there: set[str]) -> list[Json]:
    """One for each ready endpoint; the answers of a version are shared by its Pods."""
    shown = [pod for pod in ready if pod in there]
    counts = service["versions"]
    total = sum(n for v, n in counts.items() if v in {versions[pod] for pod in shown})
    of_version = Counter(versions[pod] for pod in shown)
    return [
        {
            "service": service["name"],
            "pod": pod,
            "share": round(counts.get(versions[pod], 0) / total / of_version[versions[pod]], 4)
            if total
            else round(1 / len(shown), 4),
            "measured": bool(total),
        }
        for pod in shown
    ]
