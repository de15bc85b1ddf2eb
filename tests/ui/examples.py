"""Pictures of the shape of `observe.picture`, made by hand: honest examples for builders and for the page.

They are replayed to the page by `ReplayedLab` where a test is about the page and not about a cluster.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
V1, V2, V3 = "c6cbd9b7f", "7884f9b4cd", "5d9f6c8b44"


def replica_set(
    name: str,
    hash_: str,
    revision: int,
    version: str,
    role: str,
    colour: int,
    size: int,
    ready: int | None = None,
) -> Json:
    ready = size if ready is None else ready
    return {
        "name": f"{name}-{hash_}", "hash": hash_, "revision": revision, "version": version, "role": role,
        "colour": colour, "replicas": size, "ready": ready, "available": ready,
    }  # fmt: skip


def pod(
    name: str, hash_: str, version: str, colour: int, end: str, state: str = "ready", reason: str = ""
) -> Json:
    return {
        "name": f"{name}-{hash_}-{end}", "hash": hash_, "version": version, "colour": colour,
        "state": state, "reason": reason, "restarts": 0,
    }  # fmt: skip


def service(
    name: str, role: str, port: int, hash_: str, shares: dict[str, float], n: int, **more: Any
) -> Json:
    return {
        "name": name, "role": role, "port": port, "address": f"127.0.0.1:{port}", "selectorHash": hash_,
        "changedAt": None, "requests": n, "failed": 0, "shares": shares, "versions": {},
        "window": {"since": 0.0, "n": n}, "endpoints": 2, **more,
    }  # fmt: skip


def routes(service_name: str, pods: list[Json], shares: dict[str, float]) -> list[Json]:
    ready = [p for p in pods if p["state"] == "ready"]
    counts = {h: sum(p["hash"] == h for p in ready) for h in shares}
    return [
        {
            "service": service_name,
            "pod": p["name"],
            "share": shares[p["hash"]] / counts[p["hash"]],
            "measured": True,
        }
        for p in ready
        if p["hash"] in shares
    ]


def actions(rollout: str, **states: tuple[bool, str, Json]) -> Json:
    """Every action; off with `nothing-to-abort` and the like unless said otherwise."""
    off: dict[str, tuple[bool, str, Json]] = {
        "promote": (False, "already-promoted", {"version": "1.0.0"}),
        "promote-full": (False, "already-promoted", {"version": "1.0.0"}),
        "abort": (False, "nothing-to-abort", {}),
        "retry": (False, "not-aborted", {}),
        "pause": (True, "pause-rollout", {}),
        "resume": (False, "not-paused", {}),
        "undo": (False, "no-earlier-revision", {}),
        "restart": (True, "restart-pods", {}),
        "set-image": (True, "set-version", {}),
        "scale": (True, "scale-to", {"replicas": None}),
    }
    off.update({k.replace("_", "-"): v for k, v in states.items()})
    plugin = "kubectl argo rollouts"
    words = {
        "set-image": f"set image {rollout} api-tester=1pro/api-tester:VERSION",
        "retry": f"retry rollout {rollout}",
    }
    return {
        key: {
            "ok": ok, "code": code, "params": params,
            "command": f"{plugin} {words.get(key, f'{key} {rollout}')} -n anotherclass-223",
            "kubectl": f"kubectl patch rollout {rollout} -n anotherclass-223",
        }
        for key, (ok, code, params) in off.items()
    }  # fmt: skip


def answers(pairs: list[tuple[int, str]], t: float) -> list[Json]:
    return [
        {
            "t": round(t - len(pairs) + i, 1), "service": str(port), "port": port, "version": version,
            "text": f"[App Version] : Api Tester v{version}", "ok": True,
        }
        for i, (port, version) in enumerate(pairs)
    ]  # fmt: skip


def rollout(name: str, strategy: str, **more: Any) -> Json:
    return {
        "name": name, "namespace": "anotherclass-223", "strategy": strategy, "phase": "Healthy",
        "message": "",
        "revision": 1, "version": "1.0.0", "replicas": 2, "stepIndex": None, "stepCount": 0, "stableHash": V1,
        "currentHash": V1, "steps": [], "pauseEndsAt": None, "scaleDownAt": None, "paused": False,
        "aborted": False, "weight": None, **more,
    }  # fmt: skip


def blue_green_waiting() -> Json:
    """Lecture 2233 in the middle: preview has v2, active still v1, waiting for promote."""
    name = "api-tester-2233"
    pods = [pod(name, V1, "1.0.0", 0, e) for e in ("4xk2p", "9qzrt")]
    pods += [pod(name, V2, "2.0.0", 1, e) for e in ("hh2wl", "m8vsn")]
    phase = [
        ("newReplicaSet", "done", 4.1, {"version": "2.0.0"}),
        ("previewSwitched", "done", 5.0, {"service": f"{name}-preview", "version": "2.0.0"}),
        ("newPodsReady", "done", 8.2, {"version": "2.0.0", "ready": 2, "wanted": 2}),
        ("waitingPromote", "now", 8.2, {"version": "2.0.0", "seconds": None, "endsAt": None}),
        ("activeSwitched", "todo", None, {"service": f"{name}-active", "version": "2.0.0"}),
        ("oldPodsDeleted", "todo", None, {"version": "1.0.0", "seconds": 30, "at": None}),
    ]
    return {
        "t": 49.2,
        "rollout": rollout(
            name, "blueGreen", phase="Paused", message="BlueGreenPause", revision=2, version="2.0.0",
            currentHash=V2,
        ),
        "services": [
            service(f"{name}-active", "active", 32233, V1, {V1: 1.0}, 212),
            service(f"{name}-preview", "preview", 32243, V2, {V2: 1.0}, 88, changedAt=5.0),
        ],
        "replicaSets": [
            replica_set(name, V1, 1, "1.0.0", "active", 0, 2),
            replica_set(name, V2, 2, "2.0.0", "preview", 1, 2),
        ],
        "pods": pods,
        "routes": routes(f"{name}-active", pods, {V1: 1.0}) + routes(f"{name}-preview", pods, {V2: 1.0}),
        "phases": [{"id": k, "key": k, "state": s, "t": t, "params": p} for k, s, t, p in phase],
        "why": [
            {"t": 4.1, "code": "create.replicaset",
             "params": {"replicaset": f"{name}-{V2}", "hash": V2, "revision": 2},
             "object": f"ReplicaSet/{name}-{V2}", "field": "spec.template"},
            {"t": 5.0, "code": "switch.preview",
             "params": {"service": f"{name}-preview", "from": V1, "to": V2},
             "object": f"Service/{name}-preview", "field": "spec.selector"},
            {"t": 8.2, "code": "pause.bluegreen", "params": {}, "object": f"Rollout/{name}",
             "field": "spec.strategy.blueGreen.autoPromotionEnabled"},
        ],
        "actions": actions(
            name,
            promote=(True, "promote-preview", {"version": "2.0.0"}),
            promote_full=(True, "promote-all", {"version": "2.0.0"}),
            abort=(True, "abort-update", {}),
            undo=(True, "undo-to", {"revision": 1, "version": "1.0.0"}),
        ),
        "answers": answers([(32233, "1.0.0"), (32243, "2.0.0")] * 5, 49.0),
    }  # fmt: skip


def canary_waiting() -> Json:
    """Lecture 2234 at its first pause: 33 % of 2 are 1 canary and 2 stable Pods."""
    name = "api-tester-2234"
    pods = [pod(name, V1, "1.0.0", 0, e) for e in ("d94kz", "zdbkp")]
    pods += [pod(name, V2, "2.0.0", 1, "qkrl8")]
    steps = [
        ("setWeight", "setWeight 33", "done"),
        ("pause", "pause", "now"),
        ("setWeight", "setWeight 66", "todo"),
        ("pause", "pause 2m", "todo"),
    ]
    phase = [
        ("step-0", "setWeight", "done", 14.2, {"weight": 33}),
        ("step-1", "pause", "now", 14.2, {}),
        ("step-2", "setWeight", "todo", None, {"weight": 66}),
        ("step-3", "pauseFor", "todo", None, {"seconds": 120.0, "endsAt": None}),
        ("done", "done", "todo", None, {"version": "2.0.0"}),
    ]
    return {
        "t": 62.0,
        "rollout": rollout(
            name, "canary", phase="Paused", message="CanaryPauseStep", revision=2, version="2.0.0",
            currentHash=V2, stepIndex=1, stepCount=4, weight={"asked": 33, "canaryPods": 1, "totalPods": 3},
            steps=[
                {"index": i, "kind": k, "text": x, "state": s, "endsAt": None}
                for i, (k, x, s) in enumerate(steps)
            ],
        ),
        "services": [service(name, "service", 32234, "", {V1: 0.68, V2: 0.32}, 322)],
        "replicaSets": [
            replica_set(name, V1, 1, "1.0.0", "stable", 0, 2),
            replica_set(name, V2, 2, "2.0.0", "canary", 1, 1),
        ],
        "pods": pods,
        "routes": routes(name, pods, {V1: 0.68, V2: 0.32}),
        "phases": [{"id": i, "key": k, "state": s, "t": t, "params": p} for i, k, s, t, p in phase],
        "why": [
            {"t": 12.0, "code": "scale.canary",
             "params": {"replicaset": f"{name}-{V2}", "from": 0, "to": 1, "weight": 33, "replicas": 2,
                        "surge": 1, "unavailable": 0, "canary": 1, "stable": 2, "maxSurge": "25%",
                        "maxUnavailable": "25%"},
             "object": f"ReplicaSet/{name}-{V2}", "field": "spec.strategy.canary.steps[0].setWeight"},
            {"t": 14.2, "code": "pause.indefinite", "params": {"step": 2, "steps": 4},
             "object": f"Rollout/{name}", "field": "spec.strategy.canary.steps[1].pause"},
        ],
        "actions": actions(
            name,
            promote=(True, "promote-step", {"step": 2, "steps": 4}),
            promote_full=(True, "promote-all", {"version": "2.0.0"}),
            abort=(True, "abort-update", {}),
            undo=(True, "undo-to", {"revision": 1, "version": "1.0.0"}),
        ),
        "answers": answers([(32234, "1.0.0"), (32234, "1.0.0"), (32234, "2.0.0")] * 4, 61.0),
    }  # fmt: skip


def rows(name: str, canary: bool) -> list[Json]:
    """Recorded rows that lead to the pictures above: what the charts over time are drawn from."""

    def p(t: float, hash_: str, end: str, type_: str = "ADDED") -> Json:
        return {
            "type": type_,
            "kind": "Pod",
            "t": t,
            "name": f"{name}-{hash_}-{end}",
            "labels": {"rollouts-pod-template-hash": hash_},
        }

    def svc(t: float, role: str, hash_: str) -> Json:
        return {
            "type": "MODIFIED",
            "kind": "Service",
            "t": t,
            "name": name + role,
            "selector": {"rollouts-pod-template-hash": hash_} if hash_ else {},
        }

    def image(t: float, version: str) -> Json:
        return {
            "type": "MODIFIED",
            "kind": "Rollout",
            "t": t,
            "name": name,
            "image": f"1pro/api-tester:{version}",
        }

    first = [
        {"type": "ACTION", "action": "apply", "t": 0.4},
        image(0.4, "1.0.0"),
        p(0.6, V1, "a"),
        p(0.7, V1, "b"),
    ]
    if canary:
        answered = [
            {"type": "PROBE", "kind": "Probe", "t": 1.0 + i, "until": 2.0 + i, "name": name, "port": 32234,
             "failed": 0, "versions": {"1.0.0": 4, "2.0.0": 2} if i > 13 else {"1.0.0": 6}}
            for i in range(60)
        ]  # fmt: skip
        return [
            *first,
            svc(0.5, "", ""),
            {"type": "ACTION", "action": "set image 2.0.0", "t": 11.0},
            image(11.0, "2.0.0"),
            p(12.0, V2, "a"),
            *answered,
        ]
    return [
        *first, svc(0.6, "-active", V1), svc(0.6, "-preview", V1),
        {"type": "ACTION", "action": "set image 2.0.0", "t": 4.0}, image(4.0, "2.0.0"),
        svc(5.0, "-preview", V2), p(5.2, V2, "a"), p(5.4, V2, "b"),
    ]  # fmt: skip


def promoted(picture: Json) -> Json:
    """The picture after a promote: new Pods serve, the old ones terminate, Promote is off."""
    found: Json = {**picture, "rollout": {**picture["rollout"], "phase": "Progressing", "message": ""}}
    new = picture["rollout"]["currentHash"]
    ready = [p for p in picture["pods"] if p["hash"] == new]
    found["pods"] = [p if p["hash"] == new else {**p, "state": "terminating"} for p in picture["pods"]]
    found["routes"] = [r for s in picture["services"] for r in routes(s["name"], ready, {new: 1.0})]
    found["services"] = [{**s, "shares": {new: 1.0}} for s in picture["services"]]
    done = (False, "already-promoted", {"version": "2.0.0"})
    found["actions"] = actions(picture["rollout"]["name"], promote=done, promote_full=done)
    return found


def marks(name: str) -> list[Json]:
    """Moments worth a stop, as `observe.marks` gives them."""
    return [
        {"t": 0.4, "kind": "action", "text": "apply"},
        {"t": 3.0, "kind": "phase", "text": "Healthy", "message": ""},
        {"t": 11.0, "kind": "action", "text": "set image 2.0.0"},
        {"t": 11.02, "kind": "reached", "text": "newReplicaSet", "key": "newReplicaSet", "params": {}},
        {"t": 12.5, "kind": "switch", "text": "", "service": f"{name}-preview", "hash": V2,
         "version": "2.0.0"},
        {"t": 14.0, "kind": "event", "text": "a warning", "reason": "Failed"},
        {"t": 14.2, "kind": "step", "text": "pause", "index": 1, "count": 4},
    ]  # fmt: skip


def forecast_rows(name: str, t: float) -> list[Json]:
    """A prediction from `t` on: one Pod, a second one of it after 3 s, and all is done at 20 s."""

    def p(at: float, end: str) -> Json:
        labels = {"rollouts-pod-template-hash": V1}
        return {"type": "ADDED", "kind": "Pod", "t": at, "name": f"{name}-{V1}-{end}", "labels": labels}

    return [
        p(t, "a"),
        {"type": "ACTION", "action": f"apply Rollout/{name}", "t": t},
        p(t + 3, "b"),
        {"type": "END", "ended": "done", "t": t + 20},
    ]
