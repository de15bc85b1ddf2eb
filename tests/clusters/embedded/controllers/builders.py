"""Small raw objects for the tests of the controllers, and a running set of controllers without HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rollout_lab.api.times import rfc3339
from rollout_lab.clock import FakeClock
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.controllers import Controllers
from rollout_lab.clusters.embedded.resources import NAMESPACES, PODS

Object = dict[str, Any]
NOW = 1_700_000_000.0
NS = "default"


def template(image: str = "app:1", **labels: str) -> Object:
    return {
        "metadata": {"labels": {"app": "web", **labels}},
        "spec": {"containers": [{"name": "c", "image": image}]},
    }


def pod(
    name: str = "p",
    *,
    ready: bool | None = None,
    phase: str = "Running",
    node: str = "n1",
    ip: str = "10.1.0.1",
    since: float = NOW - 100,
    created: float = NOW - 200,
    gone: bool = False,
    cost: int | None = None,
    restarts: int = 0,
    owner: Object | None = None,
    labels: dict[str, str] | None = None,
    ports: list[Object] | None = None,
) -> Object:
    """A Pod; `ready` None means it never reported. `since` is when its readiness last changed."""
    meta: Object = {
        "name": name,
        "namespace": NS,
        "uid": f"uid-{name}",
        "resourceVersion": "5",
        "creationTimestamp": rfc3339(created),
        "labels": {"app": "web"} if labels is None else labels,
    }
    if gone:
        meta["deletionTimestamp"] = rfc3339(NOW)
    if cost is not None:
        meta["annotations"] = {"controller.kubernetes.io/pod-deletion-cost": str(cost)}
    if owner is not None:
        meta["ownerReferences"] = [reference(owner)]
    status: Object = {"phase": phase, "podIP": ip, "podIPs": [{"ip": ip}]} if ip else {"phase": phase}
    if ready is not None:
        value = "True" if ready else "False"
        status["conditions"] = [{"type": "Ready", "status": value, "lastTransitionTime": rfc3339(since)}]
    if restarts:
        status["containerStatuses"] = [{"name": "c", "restartCount": restarts}]
    spec: Object = {"containers": [{"name": "c", "image": "app:1", "ports": ports or []}]}
    if node:
        spec["nodeName"] = node
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}


def reference(owner: Object, *, controller: bool = True, block: bool = True) -> Object:
    return {
        "apiVersion": owner.get("apiVersion", "apps/v1"),
        "kind": owner.get("kind", "ReplicaSet"),
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": controller,
        "blockOwnerDeletion": block,
    }


def replica_set(
    name: str = "rs",
    replicas: int = 1,
    *,
    status: int = 0,
    ready: int = 0,
    available: int | None = None,
    image: str = "app:1",
    revision: int = 0,
    desired: int | None = None,
    most: int | None = None,
    created: float = NOW - 100,
    min_ready: int = 0,
    labels: dict[str, str] | None = None,
) -> Object:
    """A ReplicaSet whose status counts `status` Pods, `ready` and `available` (default: the ready)."""
    annotations: dict[str, str] = {}
    for key, value in (("revision", revision or None), ("desired-replicas", desired), ("max-replicas", most)):
        if value is not None:
            annotations["deployment.kubernetes.io/" + key] = str(value)
    meta = {
        "name": name,
        "namespace": NS,
        "uid": f"uid-{name}",
        "resourceVersion": "7",
        "generation": 1,
        "creationTimestamp": rfc3339(created),
        "labels": labels if labels is not None else {"app": "web"},
        "annotations": annotations,
    }
    spec: Object = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(image),
    }
    if min_ready:
        spec["minReadySeconds"] = min_ready
    counts: Object = {"replicas": status, "readyReplicas": ready, "observedGeneration": 1}
    counts["availableReplicas"] = ready if available is None else available
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": spec, "status": counts}


def deployment(
    replicas: int = 4, *, image: str = "app:1", status: Object | None = None, **spec: Any
) -> Object:
    """A Deployment as stored: defaults filled in unless `spec` says otherwise."""
    full: Object = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template(image),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        **spec,
    }
    meta = {
        "name": "web",
        "namespace": NS,
        "uid": "uid-web",
        "generation": 1,
        "resourceVersion": "9",
        "creationTimestamp": rfc3339(NOW - 300),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": full,
        "status": status or {},
    }


def rolling(surge: int | str, unavailable: int | str) -> Object:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def service(**spec: Any) -> Object:
    meta = {"name": "s", "namespace": NS, "uid": "uid-s", "creationTimestamp": rfc3339(NOW - 300)}
    full = {
        "selector": {"app": "web"},
        "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}],
        **spec,
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": full}


def bare(kind: str, name: str, **spec: Any) -> Object:
    """A ReplicaSet or Deployment as a person writes it."""
    full = {"selector": {"matchLabels": {"app": "web"}}, "template": template(), **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": full}


@asynccontextmanager
async def cluster() -> AsyncIterator[tuple[Api, Controllers, FakeClock]]:
    """An Api with all controllers running on a clock that stands still, and the namespace `default`."""
    clock = FakeClock(NOW)
    api = Api(clock)
    if api.find(NAMESPACES, None, NS) is None:
        api.create(NAMESPACES, None, {"metadata": {"name": NS}})
    controllers = Controllers(api)
    controllers.start()
    await settle(api, controllers)
    try:
        yield api, controllers, clock
    finally:
        await controllers.stop()


async def settle(api: Api, controllers: Controllers) -> None:
    """Wait until nothing is written and no controller has work, for many turns of the loop in a row."""
    calm, rv = 0, -1
    async with asyncio.timeout(20):
        while calm < 200:
            await asyncio.sleep(0 if controllers.idle else 0.001)
            calm = calm + 1 if controllers.idle and api.store.rv == rv else 0
            rv = api.store.rv


def make_ready(api: Api, name: str, ip: str, ready: bool = True) -> None:
    """What a kubelet does: bind the Pod, run it, report its readiness."""
    found = api.get(PODS, NS, name)
    if not found["spec"].get("nodeName"):
        target = {"kind": "Node", "name": "n1"}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        api.create(PODS, NS, body, subresource="binding", name=name)
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": rfc3339(api.clock.now()),
    }
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]}
    api.patch(PODS, NS, name, {"status": status}, "merge", subresource="status")
