"""One moment of a rollout as JSON for the page: Services, ReplicaSets, Pods and what leads where. Pure.

`picture(observed, memory)` gives (all `t`, `…At`, `…EndsAt` are seconds since the lab began, lab time;
null where there is none; every list is in drawing order):

    t            now
    rollout      null before anything is applied, else
                 name, namespace, strategy ("blueGreen" | "canary"; of a predicted Deployment "Recreate" |
                 "RollingUpdate"), phase, message, revision, version,
                 replicas, stepIndex (null for blue/green), stepCount, stableHash, currentHash,
                 steps [{index, kind ("setWeight" | "pause" | …), text, state ("done" | "now" | "todo"),
                 endsAt}],
                 pauseEndsAt, scaleDownAt, deadlineAt (progress deadline, while it counts),
                 deadlineSeconds, paused (spec.paused), aborted,
                 weight null for blue/green, else {asked (percent), canaryPods, totalPods (both ready),
                 configured (percent, as the routers were told; null without a router), routers (names)}
    services     name, role ("active" | "preview" | "stable" | "canary" | "service"), port (the one to use),
                 address ("127.0.0.1:32233"; "" if it cannot be reached from here), via ("node-port" |
                 "cluster-ip" | "port-forward" | ""), viaPod (the one Pod of a port-forward, else ""),
                 selectorHash ("" if it selects none), changedAt (of the hash),
                 requests, failed (since the lab began), shares {hash: 0..1} measured in the window,
                 versions {version: count in the window}, window {since, n}, endpoints (ready ones)
    replicaSets  name, hash, revision, version, role ("active" | "preview" | "stable" | "canary" | "old"),
                 colour (order of first appearance of the version), replicas (wanted), ready, available
    pods         name, hash, version, colour, state ("pulling" | "starting" | "running" | "ready" |
                 "failing" | "terminating"), reason, restarts
    gateway      null without a router, else what stands before the Services: name ("" for the lab's own),
                 address, hosts, known (false: it tells nothing of itself, weights are the engine's),
                 requests, failed, versions, shares {hash: 0..1}, window {since, n}: of the curl loop through
                 it; problems [{kind, name, field, message}] it does not obey, and
                 arrows [{kind ("weight" | "header" | "mirror"), service, subset, hash, weight (percent
                 configured; of a mirror: copied), share (0..1 measured, null: not yet or not asked),
                 requests, failed (the gateway's own counts, null: not told), route,
                 headers [{name: "exact yes"}] (any of them), cookie}]
    routes       service, pod, share (0..1), measured (false: no answer counted yet, share is 1/endpoints);
                 one for each ready endpoint of an EndpointSlice and none besides
    phases       id, key, state ("done" | "now" | "todo"), t (when reached; for "now": since when),
                 params; keys and their params are in `phases.PHASE_KEYS`
    why          t, code, params, object, field; oldest first
    actions      {action: {ok, code, params, command (the plugin's), kubectl (the same without it)}};
                 codes in `client.verdicts.VERDICT_CODES`
    answers      t, service, port, version ("" for a failure), text, ok; oldest first

Examples are in ``tests/data/pictures``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from rollout_lab.api import fields, meta
from rollout_lab.api.names import Strategy
from rollout_lab.api.steps import weight_at
from rollout_lab.client.actions import Action, command, verdict
from rollout_lab.client.images import version_of
from rollout_lab.client.plain import kubectl_command
from rollout_lab.observe import routed
from rollout_lab.observe.history import Memory
from rollout_lab.observe.observed import Json, Observed, Traffic, selector_hash
from rollout_lab.observe.phases import deadline_at, pause_ends_at, phases, scale_down_at
from rollout_lab.observe.states import phase_and_message, pod_state, service_address, service_via, step_text
from rollout_lab.routers import table

WHY_SHOWN: Final = 40
ANSWERS_SHOWN: Final = 30


def picture(observed: Observed, memory: Memory) -> Json:
    """The moment as JSON-safe data; see the module docstring for its shape."""
    services = observed.own_services()
    versions = observed.versions()
    gate = routed.gateway(observed, _gateway_shares(observed))
    return {
        "t": observed.t(observed.now),
        "rollout": _rollout(observed),
        "gateway": gate,
        "services": [_service(observed, memory, role, service, gate) for role, service in services],
        "replicaSets": [_replica_set(observed, memory, rs) for rs in observed.owned_replica_sets()],
        "pods": [_pod(versions, memory, pod) for pod in observed.own_pods()],
        "routes": [route for _, service in services for route in _routes(observed, meta.name(service), gate)],
        "phases": _phases(observed, memory),
        "why": [
            {
                "t": observed.t(w.t),
                "code": w.code,
                "params": dict(w.params),
                "object": w.object,
                "field": w.field,
            }
            for w in memory.why[-WHY_SHOWN:]
        ],
        "actions": _actions(observed),
        "answers": [
            {
                "t": observed.t(a.t),
                "service": a.service,
                "port": a.port,
                "version": a.version,
                "text": a.text,
                "ok": a.ok,
            }
            for a in observed.answers[-ANSWERS_SHOWN:]
        ],
    }


def _rollout(observed: Observed) -> Json | None:
    if observed.rollout is None:
        return None
    view, status = observed.view, observed.view.status
    phase, message = phase_and_message(observed.rollout)
    ends, down, late = pause_ends_at(observed), scale_down_at(observed), deadline_at(observed)
    pause_ends = None if ends is None else observed.t(ends)
    index = status.current_step_index
    steps = [
        {
            "index": i,
            "kind": step.kind,
            "text": step_text(step),
            "state": _step_state(i, index, status.abort),
            "endsAt": pause_ends if i == index else None,
        }
        for i, step in enumerate(view.steps)
    ]
    return {
        "name": view.name,
        "namespace": view.namespace,
        "strategy": str(view.strategy or fields.text(view.spec, "strategy", "type")),
        "phase": str(phase),
        "message": message,
        "revision": view.revision,
        "version": version_of(observed.rollout),
        "replicas": view.replicas,
        "stepIndex": index if view.steps else None,
        "stepCount": len(view.steps),
        "stableHash": status.stable_rs,
        "currentHash": status.current_pod_hash,
        "steps": steps,
        "pauseEndsAt": pause_ends,
        "scaleDownAt": None if down is None else observed.t(down),
        "deadlineAt": None if late is None else observed.t(late),
        "deadlineSeconds": view.progress_deadline_seconds,
        "paused": view.paused,
        "aborted": status.abort,
        "weight": _weight(observed),
    }


def _step_state(i: int, index: int | None, aborted: bool) -> str:
    if aborted or index is None or i > index:
        return "todo"
    return "now" if i == index else "done"


def _weight(observed: Observed) -> Json | None:
    """Asked weight beside what whole Pods make of it; only a canary has one."""
    view = observed.view
    if view.strategy != Strategy.CANARY:
        return None
    maximum = view.routing.maximum if view.routing is not None else 100
    canary, total = 0, 0
    for rs in observed.owned_replica_sets():
        ready = fields.integer(rs, "status", "readyReplicas") or 0
        total += ready
        canary += ready if meta.pod_hash(rs) == view.status.current_pod_hash else 0
    if view.status.abort:
        asked = 0
    elif view.status.stable_rs == view.status.current_pod_hash or not view.status.stable_rs:
        asked = maximum
    else:
        asked = weight_at(view.steps, view.status.current_step_index, maximum)
    told = view.status.weights if view.routing is not None else None
    return {
        "asked": _percent(asked, maximum),
        "canaryPods": canary,
        "totalPods": total,
        "configured": None if told is None else _percent(told.part(view.status.current_pod_hash), maximum),
        "routers": [router.name for router in table.in_use(view)],
    }


def _percent(weight: int, maximum: int) -> float:
    """A whole number where it is one."""
    share = round(100 * weight / maximum, 2) if maximum else 0.0
    return int(share) if share == int(share) else share


def _gateway_shares(observed: Observed) -> dict[str, float]:
    """The measured share of each hash through the gateway."""
    endpoints: Counter[str] = Counter()
    for _, service in observed.own_services():
        endpoints |= _hashes(observed, meta.name(service))
    return _by_hash(observed, endpoints, routed.traffic_of(observed))


def _service(observed: Observed, memory: Memory, role: str, service: Json, gate: Json | None) -> Json:
    name = meta.name(service)
    traffic = _traffic(observed, name, gate)
    port, address = service_address(service, observed.addresses)
    via, via_pod = service_via(service, observed.addresses)
    changed = memory.changed.get(name)
    return {
        "name": name,
        "role": role,
        "port": port,
        "address": address,
        "via": via,
        "viaPod": via_pod,
        "selectorHash": selector_hash(service),
        "changedAt": None if changed is None else observed.t(changed),
        "requests": traffic.requests,
        "failed": traffic.failed,
        "shares": _shares(observed, name, traffic),
        "versions": dict(traffic.versions),
        "window": {
            "since": observed.t(traffic.since) if traffic.since else 0.0,
            "n": sum(traffic.versions.values()),
        },
        "endpoints": len(observed.ready_pods(name)),
    }


def _traffic(observed: Observed, service: str, gate: Json | None = None) -> Traffic:
    """What was counted at a Service itself, else what came there through the gateway."""
    found = observed.traffic.get(service)
    passed = routed.came_by(gate, service, observed.versions())
    if found is not None or gate is None:
        return found or Traffic()
    requests, failed = routed.through(gate, service) or (sum(passed.values()), 0)
    return Traffic(requests, failed, routed.traffic_of(observed).since, passed)


def _hashes(observed: Observed, service: str) -> Counter[str]:
    """How many ready endpoints of the Service each hash has."""
    by_name = {meta.name(pod): meta.pod_hash(pod) for pod in observed.pods}
    return Counter(by_name.get(pod, "") for pod in observed.ready_pods(service))


def _shares(observed: Observed, service: str, traffic: Traffic) -> dict[str, float]:
    """Measured share of each hash: answers name a version, endpoints say which hash has it."""
    return _by_hash(observed, _hashes(observed, service), traffic)


def _by_hash(observed: Observed, endpoints: Counter[str], traffic: Traffic) -> dict[str, float]:
    total = sum(traffic.versions.values())
    if not total:
        return {}
    versions = observed.versions()
    shares: dict[str, float] = {}
    for version, count in traffic.versions.items():
        here = {h: n for h, n in endpoints.items() if versions.get(h) == version}
        if not here:
            known = [h for h, v in versions.items() if v == version]
            here = {known[-1]: 1} if known else {}
        for hash_, n in here.items():
            shares[hash_] = round(count / total * n / sum(here.values()), 4)
    return shares


def _routes(observed: Observed, service: str, gate: Json | None) -> list[Json]:
    by_name = {meta.name(pod): meta.pod_hash(pod) for pod in observed.pods}
    pods = observed.ready_pods(service)
    shares = _shares(observed, service, _traffic(observed, service, gate))
    endpoints = Counter(by_name.get(pod, "") for pod in pods)
    routes = []
    for pod in pods:
        hash_ = by_name.get(pod, "")
        share = shares.get(hash_, 0.0) / endpoints[hash_] if shares else 1 / len(pods)
        routes.append({"service": service, "pod": pod, "share": round(share, 4), "measured": bool(shares)})
    return routes


def _replica_set(observed: Observed, memory: Memory, rs: Json) -> Json:
    version = version_of(rs)
    return {
        "name": meta.name(rs),
        "hash": meta.pod_hash(rs),
        "revision": meta.revision(rs),
        "version": version,
        "role": _role(observed, meta.pod_hash(rs)),
        "colour": memory.colours.get(version, 0),
        "replicas": fields.integer(rs, "spec", "replicas") or 0,
        "ready": fields.integer(rs, "status", "readyReplicas") or 0,
        "available": fields.integer(rs, "status", "availableReplicas") or 0,
    }


def _role(observed: Observed, hash_: str) -> str:
    view, status = observed.view, observed.view.status
    if view.blue_green is not None:
        selected = {role: selector_hash(service) for role, service in observed.own_services()}
        if hash_ == selected.get("active"):
            return "active"
        return "preview" if hash_ in (selected.get("preview"), status.current_pod_hash) else "old"
    if hash_ == status.stable_rs:
        return "stable"
    return "canary" if hash_ == status.current_pod_hash else "old"


def _pod(versions: Mapping[str, str], memory: Memory, pod: Json) -> Json:
    state, reason = pod_state(pod)
    hash_ = meta.pod_hash(pod)
    version = versions.get(hash_, "")
    statuses = fields.objects(pod, "status", "containerStatuses")
    return {
        "name": meta.name(pod),
        "hash": hash_,
        "version": version,
        "colour": memory.colours.get(version, 0),
        "state": state,
        "reason": reason,
        "restarts": sum(fields.integer(c, "restartCount") or 0 for c in statuses),
    }


def _phases(observed: Observed, memory: Memory) -> list[Json]:
    shown: list[Json] = []
    since: float | None = None
    now_given = False
    for phase in phases(observed):
        reached = memory.reached.get(phase.id)
        if phase.reached:
            state, t = "done", reached
        else:
            state, t = ("todo", None) if now_given else ("now", since)
            now_given = True
        since = reached if reached is not None else since
        shown.append(
            {
                "id": phase.id,
                "key": phase.key,
                "state": state,
                "t": None if t is None else observed.t(t),
                "params": dict(phase.params),
            }
        )
    return shown


def _actions(observed: Observed) -> Json:
    rollout = observed.rollout
    found = {}
    for action in Action:
        judged = verdict(action, rollout, observed.replica_sets)
        shown = command(action, rollout) if rollout is not None else ""
        plain = kubectl_command(action, rollout, observed.replica_sets) if rollout is not None else ""
        found[action.value] = {
            "ok": judged.ok,
            "code": judged.code,
            "params": judged.params,
            "command": shown,
            "kubectl": plain,
        }
    return found
