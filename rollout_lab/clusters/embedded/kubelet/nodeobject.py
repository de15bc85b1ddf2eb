"""The one node of the lab as the API shows it, and its heartbeat. Pods are not here (`kubelet.py`).

# upstream: pkg/kubelet/kubelet_node_status.go; component-helpers apimachinery/lease (renewed every 10 s)
"""

from __future__ import annotations

import logging
import os
import platform
import sys
from importlib.metadata import version
from typing import Any

from rollout_lab.api.times import rfc3339, rfc3339_micro
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.kubelet.status import HOST_IP
from rollout_lab.clusters.embedded.resources import LEASES, NODES
from rollout_lab.errors import ApiError, NotFound

log = logging.getLogger(__name__)

KUBELET_VERSION = "v1.34.4"
VERSION = version("rollout-lab")
LEASE_NAMESPACE = "kube-node-lease"
LEASE_SECONDS = 40
HEARTBEAT = 10.0  # lab seconds
LEAST_HEARTBEAT = 2.0  # wall seconds, so that a fast clock does not fill the log with leases
_GOOD = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node_object(name: str, pod_cidr: str, now: float) -> dict[str, Any]:
    """The Node. What can be ordered is generous: the Pods of the lab use next to nothing."""
    system, machine = platform.system().lower(), _go_arch(platform.machine())
    amounts = {"cpu": "64", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "512"}
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine,
        "node-role.kubernetes.io/control-plane": "",
    }
    time = rfc3339(now)
    conditions = [
        {
            "type": kind,
            "status": value,
            "reason": reason,
            "message": text,
            "lastHeartbeatTime": time,
            "lastTransitionTime": time,
        }
        for kind, value, reason, text in _GOOD
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": pod_cidr, "podCIDRs": [pod_cidr], "providerID": f"rollout-lab://{name}"},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": HOST_IP},
                {"type": "Hostname", "address": name},
            ],
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": conditions,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
            "nodeInfo": {
                "architecture": machine,
                "bootID": "",
                "containerRuntimeVersion": f"rollout-lab://{VERSION}",
                "kernelVersion": platform.release(),
                "kubeProxyVersion": "",
                "kubeletVersion": KUBELET_VERSION,
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": f"rollout-lab {VERSION} on {system}, Python {sys.version.split()[0]}",
                "systemUUID": "",
            },
        },
    }


def register(api: Api, name: str, pod_cidr: str) -> dict[str, Any]:
    """The stored Node: made now, or the one of an earlier process with a fresh status."""
    wanted = node_object(name, pod_cidr, api.clock.now())
    found = api.find(NODES, None, name)
    if found is None:
        return api.create(NODES, None, wanted)
    return api.update(NODES, None, name, {**found, "status": wanted["status"]}, subresource="status")


def renew_lease(api: Api, name: str) -> None:
    """Say that the node is alive. Quietly nothing while the lease namespace is not there."""
    now = api.clock.now()
    spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": rfc3339_micro(now)}
    try:
        try:
            api.patch(LEASES, LEASE_NAMESPACE, name, {"spec": spec}, "merge")
        except NotFound:
            meta = {"name": name, "namespace": LEASE_NAMESPACE}
            body = {"apiVersion": LEASES.api_version, "kind": "Lease", "metadata": meta, "spec": spec}
            api.create(LEASES, LEASE_NAMESPACE, body)
    except ApiError as error:
        log.debug("the lease of node %s (process %d) was not renewed: %s", name, os.getpid(), error)


def _go_arch(machine: str) -> str:
    return {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}.get(machine, machine)
