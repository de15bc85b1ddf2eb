"""When a fresh real cluster can be used: its API answers, nodes are Ready, every node forwards NodePorts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from rollout_lab.api import meta
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import CONFIGMAPS, DAEMONSETS, NODES
from rollout_lab.errors import LabError, NotFound

Json = dict[str, Any]
PATIENCE: Final = 240.0  # wall seconds
POLL: Final = 0.5
SYSTEM: Final = "kube-system"
MARK: Final = "rollout-lab"


def missing(nodes: list[Json], daemon_sets: list[Json]) -> str:
    """What a cluster still waits for, ``""`` once it can be used. Pure."""
    waiting = [meta.name(n) for n in nodes if not _is_ready(n)]
    if not nodes or waiting:
        return f"nodes that are not Ready: {', '.join(waiting)}" if nodes else "no node yet"
    late = [
        meta.name(d)
        for d in daemon_sets
        if (d.get("status") or {}).get("numberReady", 0)
        < (d.get("status") or {}).get("desiredNumberScheduled", 1)
    ]
    if not daemon_sets or late:
        return f"system Pods that are not ready: {', '.join(late) or 'kube-proxy'}"
    return ""


def _is_ready(node: Json) -> bool:
    found = meta.condition(meta.conditions(node), "Ready")
    return found is not None and found.get("status") == "True"


def wait(client: KubeClient, who: Callable[[], str], patience: float = PATIENCE) -> None:
    """Wait until the cluster can be used. Raises LabError with what is missing."""
    pause = threading.Event()
    said = ""
    for _ in range(int(patience / POLL)):
        try:
            nodes = client.list(NODES)["items"]
            said = missing(nodes, client.list(DAEMONSETS, SYSTEM)["items"])
            if not said:
                return
        except LabError as problem:  # a restarted API server refuses for a while
            said = str(problem)
        pause.wait(POLL)
    raise LabError(
        f"{who()} is not ready after {patience:g} s: {said}. "
        "`rollout-lab down` removes it, then `rollout-lab up --cluster kind` makes a new one."
    )


def sign(client: KubeClient, name: str) -> None:
    """Write into the cluster that the lab made it, so that `down` may delete it."""
    labels = {"app.kubernetes.io/managed-by": "rollout-lab"}
    about = {"name": MARK, "namespace": SYSTEM, "labels": labels}
    client.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"cluster": name}})


def signed(client: KubeClient) -> bool:
    try:
        client.get(CONFIGMAPS, SYSTEM, MARK)
    except NotFound:
        return False
    return True
