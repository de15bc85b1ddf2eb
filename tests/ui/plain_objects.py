"""Raw objects of a namespace with two Deployments and a Service, as an API server gives them; no Rollout."""

from __future__ import annotations

from typing import Any

from rollout_lab.observe.observed import Answer, Traffic
from rollout_lab.observe.plain import plain_picture

Json = dict[str, Any]
STARTED = 1_000.0


def replica_set(name: str, hash_: str, version: str, size: int, revision: int = 1) -> Json:
    template = {"spec": {"containers": [{"name": "app", "image": f"1pro/api-tester:{version}"}]}}
    owner = {"kind": "Deployment", "name": name, "uid": f"d-{name}", "controller": True}
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name}-{hash_}",
            "uid": f"rs-{name}-{hash_}",
            "labels": {"pod-template-hash": hash_},
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [owner],
        },
        "spec": {"replicas": size, "template": template},
        "status": {"readyReplicas": size, "availableReplicas": size},
    }


def pod(owner: Json, end: str, colour: str, ready: bool = True) -> Json:
    name = owner["metadata"]["name"]
    reference = {"kind": "ReplicaSet", "name": name, "uid": owner["metadata"]["uid"], "controller": True}
    return {
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-{end}",
            "labels": {"name": "api-tester", "blue-green-no": colour},
            "ownerReferences": [reference],
        },
        "spec": owner["spec"]["template"]["spec"],
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [{"state": {"running": {}}, "started": ready, "restartCount": 0}],
        },
    }


def service(name: str, port: int, colour: str) -> Json:
    return {
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": {"name": "api-tester", "blue-green-no": colour},
            "ports": [{"port": 80, "nodePort": port}],
        },
    }


def piece(of: str, pods: list[Json]) -> Json:
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": f"{of}-x", "labels": {"kubernetes.io/service-name": of}},
        "endpoints": [
            {"targetRef": {"name": p["metadata"]["name"]}, "conditions": {"ready": True}} for p in pods
        ],
    }


def by_hand() -> dict[str, list[Json]]:
    """Blue/green by hand: two Deployments, the users' Service on blue."""
    blue, green = (
        replica_set("api-tester-1", "aaa", "1.0.0", 2),
        replica_set("api-tester-2", "bbb", "2.0.0", 2),
    )
    blues, greens = [pod(blue, e, "1") for e in ("x1", "x2")], [pod(green, e, "2") for e in ("y1", "y2")]
    return {
        "ReplicaSet": [green, blue],
        "Pod": [*greens, *blues],
        "Service": [service("api-tester", 32213, "1"), service("api-tester-2", 32223, "2")],
        "EndpointSlice": [piece("api-tester", blues), piece("api-tester-2", greens)],
    }


def selected(t: float, colour: str) -> Json:
    return {"t": t, "type": "MODIFIED", "kind": "Service", "name": "api-tester", "selector": {"no": colour}}


def rows() -> list[Json]:
    """Blue first; Pods as they came."""
    found: list[Json] = [
        {"t": 0.1, "type": "ADDED", "kind": "ReplicaSet", "name": "api-tester-1-aaa", "image": "a:1.0.0"}
    ]
    for t, name in ((0.2, "1-aaa-x1"), (0.2, "1-aaa-x2"), (5.0, "2-bbb-y1"), (5.0, "2-bbb-y2")):
        found.append({"t": t, "type": "ADDED", "kind": "Pod", "name": f"api-tester-{name}", "labels": {}})
    return found


def answers(version: str, n: int, at: str = "api-tester", start: float = STARTED) -> list[Answer]:
    return [Answer(start + i, at, 32213, version, f"Api Tester v{version}", True) for i in range(n)]


def picture() -> Json:
    """The picture of `by_hand` at 9 seconds."""
    counted = {"api-tester": Traffic(20, 1, STARTED, {"1.0.0": 19})}
    return plain_picture(9.0, STARTED, by_hand(), rows(), counted, answers("1.0.0", 5))
