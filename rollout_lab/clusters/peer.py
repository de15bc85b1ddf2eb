"""Whether another controller already looks after the Rollouts of a cluster: two must never do so at once.

The decision is pure (`owner`); `find` asks the cluster for what it decides on. A cluster that does not
let us look gives no answer, and then none is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.api.times import parse_time
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import DEPLOYMENTS, LEASES, Resource
from rollout_lab.errors import ClusterUnavailable, LabError

Json = dict[str, Any]
# upstream: argo-rollouts controller/controller.go (a controller with an instance id appends it to the name)
LEASE: Final = "argo-rollouts-controller-lock"
PART: Final = "argo-rollouts"
USUAL_NAMESPACES: Final = ("argo-rollouts", "argocd")
GRACE: Final = 5.0  # seconds a lease may be late before it counts as let go


@dataclass(frozen=True, slots=True)
class Peer:
    """Another controller. `what`: ``lease`` (held now) or ``deployment`` (has running Pods)."""

    what: str
    namespace: str
    name: str
    holder: str = ""

    @property
    def words(self) -> str:
        if self.what == "lease":
            return f"the Lease {self.namespace}/{self.name} is held by {self.holder}"
        return f"the Deployment {self.namespace}/{self.name} runs"


class OwnedByPeer(LabError):
    """Our engine does not start beside another controller."""

    def __init__(self, peer: Peer) -> None:
        super().__init__(
            f"another controller looks after the Rollouts of this cluster: {peer.words}. Two would undo each "
            "other's work, so our engine does not start. Say `--engine argo` to only look on and let that "
            "controller work, or scale it to 0 first: "
            f"kubectl --namespace {peer.namespace} scale deployment {PART} --replicas 0"
        )
        self.peer = peer


def owner(
    leases: Iterable[Mapping[str, Any]],
    deployments: Iterable[Mapping[str, Any]],
    now: float,
    namespace: str | None = None,
) -> Peer | None:
    """The controller that owns the Rollouts of `namespace` (None: all), or None. Pure; `now` in wall seconds.

    A Lease counts while it is renewed, a Deployment of Argo Rollouts while it has Pods; one that only
    looks after its own namespace or its own instance id does not count elsewhere.
    """
    for lease in leases:
        if meta.name(lease) == LEASE and _held(lease, now):
            return Peer("lease", meta.namespace(lease), LEASE, fields.text(lease, "spec", "holderIdentity"))
    for deployment in deployments:
        if _is_argo(deployment) and (fields.integer(deployment, "status", "readyReplicas") or 0) > 0:
            flags = _arguments(deployment)
            elsewhere = "--namespaced" in flags and namespace not in (None, meta.namespace(deployment))
            if not elsewhere and not any(flag.startswith("--instance-id") for flag in flags):
                return Peer("deployment", meta.namespace(deployment), meta.name(deployment))
    return None


def _held(lease: Mapping[str, Any], now: float) -> bool:
    if not fields.text(lease, "spec", "holderIdentity"):
        return False
    try:
        renewed = parse_time(fields.text(lease, "spec", "renewTime"))
    except ValueError:
        return False
    lasts = fields.integer(lease, "spec", "leaseDurationSeconds") or 15
    return now <= renewed + lasts + GRACE


def _is_argo(deployment: Mapping[str, Any]) -> bool:
    labels = meta.labels(deployment)
    named = labels.get("app.kubernetes.io/name") == PART or meta.name(deployment) == PART
    part = labels.get("app.kubernetes.io/component", "rollouts-controller")
    return named and part == "rollouts-controller"


def _arguments(deployment: Mapping[str, Any]) -> list[str]:
    containers = fields.objects(deployment, "spec", "template", "spec", "containers")
    return [str(word) for c in containers for word in (*(c.get("command") or ()), *(c.get("args") or ()))]


def find(client: KubeClient, now: float, namespace: str | None = None) -> Peer | None:
    """Ask the cluster. `now` in wall seconds. Raises ClusterUnavailable only."""
    places = list(dict.fromkeys([*USUAL_NAMESPACES, *([namespace] if namespace else [])]))
    leases = _listed(client, LEASES, places, f"metadata.name={LEASE}")
    return owner(leases, _listed(client, DEPLOYMENTS, places), now, namespace)


def refuse(client: KubeClient, now: float, namespace: str | None = None) -> None:
    """Raises OwnedByPeer where our engine must not start."""
    peer = find(client, now, namespace)
    if peer is not None:
        raise OwnedByPeer(peer)


def _listed(client: KubeClient, res: Resource, places: list[str], field_selector: str = "") -> list[Json]:
    """All objects of the cluster, or those of the usual namespaces where only that is allowed."""
    try:
        found: list[Json] = client.list(res, None, field_selector=field_selector)["items"]
        return found
    except ClusterUnavailable:
        raise
    except LabError:
        found = []
    for place in places:
        try:
            found += client.list(res, place, field_selector=field_selector)["items"]
        except ClusterUnavailable:
            raise
        except LabError:
            continue
    return found
