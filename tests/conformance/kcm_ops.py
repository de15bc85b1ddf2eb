"""The `op` steps of recorded cases with controllers (`tests/data/transcripts/README.md`): the part of a
kubelet that marks Pods, and snapshots of what the controllers made of it. Everything goes over HTTP.

`run_op(session, step)` is called by the common runner (`transcript_runner.Session`).
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from rollout_lab.api.times import rfc3339

Object = dict[str, Any]

PATHS = {
    "pods": "/api/v1/namespaces/${ns}/pods",
    "configmaps": "/api/v1/namespaces/${ns}/configmaps",
    "endpoints": "/api/v1/namespaces/${ns}/endpoints",
    "events": "/api/v1/namespaces/${ns}/events",
    "deployments": "/apis/apps/v1/namespaces/${ns}/deployments",
    "replicasets": "/apis/apps/v1/namespaces/${ns}/replicasets",
    "statefulsets": "/apis/apps/v1/namespaces/${ns}/statefulsets",
    "jobs": "/apis/batch/v1/namespaces/${ns}/jobs",
    "poddisruptionbudgets": "/apis/policy/v1/namespaces/${ns}/poddisruptionbudgets",
    "endpointslices": "/apis/discovery.k8s.io/v1/namespaces/${ns}/endpointslices",
}
NO_CONTROLLER = {"jobs", "statefulsets", "poddisruptionbudgets"}  # served, but nothing acts on them yet
QUIET = 0.2  # wall seconds without a write; the recorder waited 1.6 s for a control plane in three processes
LONGEST = 20.0
HASHED = re.compile(r'(ReplicaSet "[\w.-]+-)(?:[a-z0-9]{6,10}|<pth:\d+>)(?=")')
NOTED = "deployment.kubernetes.io/"


async def run_op(session: Any, step: Object) -> Object:
    """Do one op; what is to be compared with its `expect`."""
    if step["op"] == "settle":
        return await _settle(session, step)
    pods = await _chosen(session, step)
    for pod in pods:
        await ACTIONS[step["op"]](session, pod, step)
    if step["op"] == "markReady" and len(pods) > 1:
        session.state["together"] = True
    return {"affected": len(pods)}


async def _call(session: Any, method: str, path: str, body: Any = None, patch: str = "", **query: str) -> Any:
    step: Object = {"method": method, "path": path, "query": query}
    if body is not None:
        step["body"] = body
    if patch:
        step["headers"] = {"Content-Type": f"application/{patch}+json"}
    answer, found = await session.request(step)
    assert answer["status"] < 300 or answer["status"] == 404, (method, path, answer)
    return found


async def _list(session: Any, kind: str, **query: str) -> list[Object]:
    return (await _call(session, "GET", PATHS[kind], **query)).get("items") or []


def mask(value: Any) -> Any:
    """Answers without the hash in a Deployment's messages: Go's is made from its own memory layout, ours
    only has to be stable."""
    if isinstance(value, dict):
        return {k: mask(v) for k, v in value.items()}
    if isinstance(value, list):
        return [mask(v) for v in value]
    return HASHED.sub(r"\1<pth>", value) if isinstance(value, str) else value


# -- the kubelet's part ---------------------------------------------------------------------------


def _condition(pod: Object, kind: str) -> str:
    found = (pod.get("status") or {}).get("conditions") or []
    return next((c["status"] for c in found if c["type"] == kind), "")


def _live(pod: Object) -> bool:
    finished = pod["status"].get("phase") in ("Succeeded", "Failed")
    return not finished and "deletionTimestamp" not in pod["metadata"]


WHO: dict[str, Callable[[Object], bool]] = {
    "markReady": lambda pod: _live(pod) and _condition(pod, "Ready") != "True",
    "markNotReady": lambda pod: _live(pod) and _condition(pod, "Ready") == "True",
    "finish": _live,
    "bind": lambda pod: _live(pod) and not pod["spec"].get("nodeName"),
    "terminate": lambda pod: "deletionTimestamp" in pod["metadata"],
    "deletePods": lambda pod: "deletionTimestamp" not in pod["metadata"],
    "labelPods": lambda pod: "deletionTimestamp" not in pod["metadata"],
}


async def _chosen(session: Any, step: Object) -> list[Object]:
    """The Pods an op touches, oldest first."""
    selector = {"labelSelector": step["selector"]} if step.get("selector") else {}
    pods = [pod for pod in await _list(session, "pods", **selector) if WHO[step["op"]](pod)]
    pods.sort(key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
    return pods[: step.get("count", len(pods))]


def _path(pod: Object, subresource: str = "") -> str:
    return f"{PATHS['pods']}/{pod['metadata']['name']}" + (f"/{subresource}" if subresource else "")


async def _status(session: Any, pod: Object, status: Object) -> None:
    await _call(session, "PATCH", _path(pod, "status"), {"status": status}, "strategic-merge-patch")


async def _mark_ready(session: Any, pod: Object, step: Object) -> None:
    status: Object = {
        "phase": "Running",
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": _now(session)}
            for kind in ("Initialized", "ContainersReady", "Ready", "PodScheduled")
        ],
        "containerStatuses": [
            {
                "name": c["name"],
                "image": c["image"],
                "imageID": "",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "lastState": {},
                "state": {"running": {"startedAt": None}},
            }
            for c in pod["spec"]["containers"]
        ],
    }
    if not pod["status"].get("podIP"):
        count = session.state["addresses"] = session.state.get("addresses", 0) + 1
        status["podIP"] = f"10.1.0.{count}"
        status["podIPs"] = [{"ip": status["podIP"]}]
    await _status(session, pod, status)


def _now(session: Any) -> str:
    """Now, by the clock of the server."""
    return rfc3339(session.state["api"].clock.now())


async def _mark_not_ready(session: Any, pod: Object, step: Object) -> None:
    condition = {"type": "Ready", "status": "False", "lastTransitionTime": _now(session)}
    await _status(session, pod, {"conditions": [condition]})


async def _finish(session: Any, pod: Object, step: Object) -> None:
    code = 0 if step["phase"] == "Succeeded" else 1
    ended = {"exitCode": code, "startedAt": _now(session), "finishedAt": _now(session)}
    statuses = [
        {
            "name": c["name"],
            "image": c["image"],
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": {"terminated": ended},
        }
        for c in pod["spec"]["containers"]
    ]
    await _status(session, pod, {"phase": step["phase"], "containerStatuses": statuses})


async def _bind(session: Any, pod: Object, step: Object) -> None:
    name = pod["metadata"]["name"]
    target = {"apiVersion": "v1", "kind": "Node", "name": "n1"}
    body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
    await _call(session, "POST", _path(pod, "binding"), body)


async def _terminate(session: Any, pod: Object, step: Object) -> None:
    await _call(session, "DELETE", _path(pod), {"gracePeriodSeconds": 0})


async def _delete(session: Any, pod: Object, step: Object) -> None:
    await _call(session, "DELETE", _path(pod))


async def _label(session: Any, pod: Object, step: Object) -> None:
    metadata = {k: step[k] for k in ("labels", "annotations") if step.get(k)}
    await _call(session, "PATCH", _path(pod), {"metadata": metadata}, "merge-patch")


ACTIONS = {
    "markReady": _mark_ready,
    "markNotReady": _mark_not_ready,
    "finish": _finish,
    "bind": _bind,
    "terminate": _terminate,
    "deletePods": _delete,
    "labelPods": _label,
}


# -- snapshots ------------------------------------------------------------------------------------


async def _settle(session: Any, step: Object) -> Object:
    """Wait until nothing is written any more; then the snapshot and how the ReplicaSets changed size."""
    missing = NO_CONTROLLER & set(step["snapshot"])
    assert not missing, f"no controller for {', '.join(sorted(missing))}"
    await _quiet(session)
    snapshot = {kind: await _snapshot(session, kind) for kind in step["snapshot"]}
    out: Object = {"snapshot": snapshot}
    sizes = await _sizes(session)
    if sizes or "replicasets" in step["snapshot"]:
        out["sizes"] = _as_recorded(session, sizes, (step.get("expect") or {}).get("sizes") or [])
    session.state["together"] = False
    return out


async def _quiet(session: Any) -> None:
    """Lists carry the resourceVersion of the whole cluster: wait until it rests."""
    loop = asyncio.get_running_loop()
    end = loop.time() + LONGEST
    last, since = "", loop.time()
    while loop.time() < end:
        found = await _call(session, "GET", PATHS["configmaps"], limit="1")
        version = found["metadata"]["resourceVersion"]
        if version != last:
            last, since = version, loop.time()
        elif loop.time() - since >= QUIET:
            return
        await asyncio.sleep(0.03)
    raise AssertionError(f"the controllers were still writing after {LONGEST:g} s")


async def _sizes(session: Any) -> list[list[Any]]:
    """[revision or name, spec.replicas or "deleted"] for every change since the last settle."""
    state = session.state
    known: dict[str, int] = state.setdefault("known", {})
    query = {"watch": "1", "resourceVersion": state.get("seen", "1")}
    watch = {"events": 1_000_000, "maxSeconds": 0.05}
    answer, _ = await session.request(
        {"method": "GET", "path": PATHS["replicasets"], "query": query, "watch": watch}
    )
    out: list[list[Any]] = []
    for event in answer["events"]:
        rs = event["object"]
        name, size = rs["metadata"]["name"], rs["spec"]["replicas"]
        state["seen"] = rs["metadata"]["resourceVersion"]
        state.setdefault("born", {})[_label_of(rs)] = rs["metadata"]["creationTimestamp"]
        if event["type"] == "DELETED":
            known.pop(name, None)
            out.append([_label_of(rs), "deleted"])
        elif known.get(name) != size:
            known[name] = size
            out.append([_label_of(rs), size])
    return out


def _as_recorded(session: Any, sizes: list[list[Any]], wanted: list[list[Any]]) -> list[list[Any]]:
    """`wanted` where only its timing differs: several Pods became ready at once (then the last size of each
    counts), or ReplicaSets born in the same second are scaled by age (the recorder was never that quick)."""
    if session.state.get("together") and dict(sizes) == dict(wanted):
        return wanted
    born = session.state.get("born", {})
    same_age = len({born.get(name) for name, _ in sizes}) == 1
    return wanted if same_age and sorted(sizes, key=str) == sorted(wanted, key=str) else sizes


def _label_of(rs: Object) -> str:
    return str((rs["metadata"].get("annotations") or {}).get(NOTED + "revision") or rs["metadata"]["name"])


def _by_type(obj: Object) -> list[Object]:
    found = (obj.get("status") or {}).get("conditions") or []
    shown = [{k: c[k] for k in ("type", "status", "reason") if k in c} for c in found]
    return sorted(shown, key=lambda c: str(c["type"]))


def _counts(obj: Object) -> Object:
    return {k: v for k, v in (obj.get("status") or {}).items() if k != "conditions"}


async def _snapshot(session: Any, kind: str) -> list[Any]:
    objects = await _list(session, kind)
    if kind == "pods":
        return _pods(objects, await _list(session, "replicasets"))
    if kind == "events":
        hashes = {_hash(rs) for rs in await _list(session, "replicasets")} - {""}
        return _events(objects, hashes)
    show = SHOW.get(kind, _other)
    return sorted((show(obj) for obj in objects), key=lambda shown: _order(kind, shown))


def _order(kind: str, shown: Object) -> tuple[Any, ...]:
    name = str(shown.get("revision") or shown.get("name") or shown.get("generateName"))
    return (int(name), "") if name.isdigit() else (0, name)


def _deployment(obj: Object) -> Object:
    annotations = obj["metadata"].get("annotations") or {}
    return {
        "name": obj["metadata"]["name"],
        "annotations": {k: v for k, v in annotations.items() if k.startswith(NOTED)},
        "generation": obj["metadata"]["generation"],
        "replicas": obj["spec"]["replicas"],
        "status": _counts(obj),
        "conditions": _by_type(obj),
    }


def _replica_set(obj: Object) -> Object:
    annotations = obj["metadata"].get("annotations") or {}
    sizes = ("desired-replicas", "max-replicas")
    return {
        "revision": _label_of(obj),
        "annotations": {k: annotations[NOTED + k] for k in sizes if NOTED + k in annotations},
        "replicas": obj["spec"]["replicas"],
        "image": obj["spec"]["template"]["spec"]["containers"][0]["image"],
        "owned": bool(obj["metadata"].get("ownerReferences")),
        "status": _counts(obj),
        "conditions": _by_type(obj),
        "terminating": "deletionTimestamp" in obj["metadata"],
    }


def _slice(obj: Object) -> Object:
    endpoints = [
        {
            "addresses": e["addresses"],
            "conditions": e["conditions"],
            "nodeName": e.get("nodeName"),
            "targetKind": (e.get("targetRef") or {}).get("kind"),
        }
        for e in obj.get("endpoints") or []
    ]
    return {
        "generateName": obj["metadata"]["generateName"],
        "labels": obj["metadata"]["labels"],
        "addressType": obj["addressType"],
        "endpoints": sorted(endpoints, key=lambda e: str(e["addresses"])),
        "ports": obj.get("ports") or [],
    }


def _endpoints(obj: Object) -> Object:
    metadata = obj["metadata"]
    return {"name": metadata["name"], "labels": metadata.get("labels"), "subsets": obj.get("subsets") or []}


def _config_map(obj: Object) -> Object:
    metadata = obj["metadata"]
    gone = "deletionTimestamp" in metadata
    return {"name": metadata["name"], "finalizers": metadata.get("finalizers"), "terminating": gone}


def _other(obj: Object) -> Object:
    counts = {k: v for k, v in _counts(obj).items() if k not in ("startTime", "completionTime")}
    return {**_config_map(obj), "status": counts, "conditions": _by_type(obj)}


SHOW = {
    "deployments": _deployment,
    "replicasets": _replica_set,
    "endpointslices": _slice,
    "endpoints": _endpoints,
    "configmaps": _config_map,
}


def _pods(pods: list[Object], sets: list[Object]) -> list[Object]:
    """Pods counted by owner (a revision, or a name), phase, readiness and whether they are leaving."""
    revisions = {rs["metadata"]["name"]: _label_of(rs) for rs in sets}
    groups: Counter[tuple[str, str, bool, bool]] = Counter()
    for pod in pods:
        owners = pod["metadata"].get("ownerReferences") or []
        owner = owners[0]["name"] if owners else "-"
        ready, gone = _condition(pod, "Ready") == "True", "deletionTimestamp" in pod["metadata"]
        groups[revisions.get(owner, owner), pod["status"].get("phase", ""), ready, gone] += 1
    keys = ("owner", "phase", "ready", "terminating")
    return [dict(zip(keys, group, strict=True)) | {"count": n} for group, n in sorted(groups.items())]


def _hash(rs: Object) -> str:
    return str((rs["metadata"].get("labels") or {}).get("pod-template-hash", ""))


def _events(events: list[Object], hashes: set[str]) -> list[list[str]]:
    """Distinct [kind, type, reason, message, component]; generated names replaced."""
    out = set()
    for e in events:
        message = str(e["message"])
        for value in hashes:
            message = message.replace(value, "<pth>")
        message = re.sub(r"(Created pod: .*-)[a-z0-9]{5}$", r"\1<gen>", message)
        component = (e.get("source") or {}).get("component") or e.get("reportingComponent", "")
        out.add((e["involvedObject"]["kind"], e["type"], e["reason"], message, component))
    return [list(entry) for entry in sorted(out)]
