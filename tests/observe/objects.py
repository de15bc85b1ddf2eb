"""Objects of the course's namespace as a cluster would have them, for hand-made moments."""

from __future__ import annotations

from typing import Any

from rollout_lab.api.times import rfc3339
from rollout_lab.observe.observed import Answer

T0 = 1_795_000_000.0
NS = "anotherclass-223"
HASH = {"1.0.0": "c6cbd9b7f", "2.0.0": "7884f9b4cd", "3.0.0": "5d9c8fd97b"}
V1, V2 = HASH["1.0.0"], HASH["2.0.0"]
Json = dict[str, Any]


def labels(app: str, version: str = "") -> Json:
    found = {"part-of": "k8s-anotherclass", "name": "api-tester", "instance": app}
    return {**found, **({"rollouts-pod-template-hash": HASH[version]} if version else {})}


def template(app: str, version: str) -> Json:
    container = {"name": "api-tester", "image": f"1pro/api-tester:{version}"}
    return {"metadata": {"labels": labels(app)}, "spec": {"containers": [container]}}


def rollout(
    app: str, strategy: Json, version: str, revision: int, status: Json, spec: Json | None = None
) -> Json:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            "name": app,
            "namespace": NS,
            "uid": f"uid-{app}",
            "generation": revision,
            "annotations": {"rollout.argoproj.io/revision": str(revision)},
        },
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"instance": app}},
            "strategy": strategy,
            "template": template(app, version),
            **(spec or {}),
        },
        "status": {"observedGeneration": str(revision), **status},
    }


def replica_set(
    app: str, version: str, revision: int, replicas: int, ready: int, deadline: float = 0
) -> Json:
    name = f"{app}-{HASH[version]}"
    annotations = {"rollout.argoproj.io/revision": str(revision)}
    if deadline:
        annotations["scale-down-deadline"] = rfc3339(deadline)
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": NS,
            "uid": f"uid-{name}",
            "labels": labels(app, version),
            "annotations": annotations,
            "ownerReferences": [{"kind": "Rollout", "name": app, "uid": f"uid-{app}", "controller": True}],
        },
        "spec": {
            "replicas": replicas,
            "template": {**template(app, version), "metadata": {"labels": labels(app, version)}},
        },
        "status": {"replicas": replicas, "readyReplicas": ready, "availableReplicas": ready},
    }


def pod(app: str, version: str, end: str, state: str = "ready", at: float = T0) -> Json:
    owner = f"{app}-{HASH[version]}"
    container: Json = {"name": "api-tester", "restartCount": 0, "started": True, "state": {"running": {}}}
    meta: Json = {
        "name": f"{owner}-{end}",
        "namespace": NS,
        "creationTimestamp": rfc3339(at),
        "labels": labels(app, version),
        "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "uid": f"uid-{owner}", "controller": True}],
    }
    if state == "pulling":
        container |= {"started": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
    elif state == "starting":
        container["started"] = False
    elif state == "failing":
        container |= {"started": False, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    elif state == "terminating":
        meta["deletionTimestamp"] = rfc3339(at + 30)
    ready = "True" if state in ("ready", "terminating") else "False"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "status": {
            "phase": "Running" if "running" in container["state"] else "Pending",
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [container],
        },
    }


def service(name: str, app: str, node_port: int, version: str = "") -> Json:
    port = {"name": "http", "port": 80, "nodePort": node_port, "targetPort": "http"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NS},
        "spec": {
            "type": "NodePort",
            "clusterIP": "10.96.0.10",
            "ports": [port],
            "selector": labels(app, version),
        },
    }


def endpoints(of: str, *pods: Json) -> Json:
    """The slice of a Service: one endpoint for each Pod, ready as the Pod is."""
    found = [
        {
            "conditions": {
                "ready": p["status"]["conditions"][0]["status"] == "True"
                and "deletionTimestamp" not in p["metadata"]
            },
            "targetRef": {"kind": "Pod", "name": p["metadata"]["name"]},
        }
        for p in pods
    ]
    meta = {"name": f"{of}-x", "namespace": NS, "labels": {"kubernetes.io/service-name": of}}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta,
        "endpoints": found,
    }


def answers(t: float, *seen: tuple[str, int, str]) -> tuple[Answer, ...]:
    return tuple(
        Answer(t - (len(seen) - i) * 0.5, name, port, version, f"[App Version] : Api Tester v{version}", True)
        for i, (name, port, version) in enumerate(seen)
    )
