"""A cluster that is there already: which kubeconfig and context, does it answer, may rollouts live there.

Nothing here starts or stops a cluster; that is `spawn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.api.names import GROUP, PLURAL
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import CRDS
from rollout_lab.errors import ClusterUnavailable, LabError, NotFound

CRD_NAME = f"{PLURAL}.{GROUP}"


def connect(kubeconfig: str | None = None, context: str | None = None) -> KubeClient:
    """A client of a cluster that answers. Raises ClusterUnavailable."""
    client = KubeClient.from_kubeconfig(kubeconfig, context)
    client.raw_get("/version")
    return client


def ensure_crd(client: KubeClient, crd: Mapping[str, Any]) -> bool:
    """Install a CRD where there is none, leave an existing one alone; whether it was installed."""
    try:
        client.get(CRDS, None, str(crd["metadata"]["name"]))
        return False
    except NotFound:
        client.create(CRDS, None, crd)
        return True


def is_embedded(client: KubeClient) -> bool:
    """Whether this is our own embedded cluster (it tells where its Services answer)."""
    try:
        client.raw_get("/lab/v1/addresses")
    except ClusterUnavailable:
        raise
    except LabError:
        return False
    return True
