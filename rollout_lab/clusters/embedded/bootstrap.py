"""What a fresh cluster holds before anybody writes to it: the system namespaces and the `kubernetes` Service.

# upstream: pkg/controlplane/controller/systemnamespaces, pkg/controlplane/reconcilers
"""

from __future__ import annotations

from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.resources import ENDPOINTSLICES, NAMESPACES, SERVICES

SYSTEM_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def prepare(api: Api, port: int = 6443, host: str = "127.0.0.1") -> None:
    """Create what is missing; the API server listens at `host` and `port`. Safe to repeat."""
    for name in SYSTEM_NAMESPACES:
        if api.find(NAMESPACES, None, name) is None:
            api.create(NAMESPACES, None, {"metadata": {"name": name}})
    first = str(api.addresses.network[1])
    labels = {"component": "apiserver", "provider": "kubernetes"}
    service = {
        "metadata": {"name": "kubernetes", "labels": labels},
        "spec": {
            "clusterIP": first,
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
    }
    endpoints = {
        "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [host], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
    for res, wanted, changing in ((SERVICES, service, "spec"), (ENDPOINTSLICES, endpoints, "ports")):
        if api.find(res, "default", "kubernetes") is None:
            api.create(res, "default", wanted)
        else:  # a restart may have another port
            api.patch(res, "default", "kubernetes", {changing: wanted[changing]}, "merge")
