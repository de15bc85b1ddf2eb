"""When another controller owns the Rollouts, and when it only looks so."""

from __future__ import annotations

from typing import Any

import pytest

from rollout_lab.api.times import rfc3339_micro
from rollout_lab.clusters import peer
from rollout_lab.clusters.peer import Peer, owner
from rollout_lab.errors import ApiError, NotFound

Json = dict[str, Any]
NOW = 1_800_000_000.0


def lease(name: str = peer.LEASE, holder: str = "argo-rollouts-7c_uuid", age: float = 3.0) -> Json:
    spec = {"holderIdentity": holder, "renewTime": rfc3339_micro(NOW - age), "leaseDurationSeconds": 15}
    return {"metadata": {"name": name, "namespace": "argo-rollouts"}, "spec": spec}


def deployment(name: str = "argo-rollouts", ready: int = 1, namespace: str = "argo", **more: Any) -> Json:
    labels = more.get("labels", {})
    containers = [{"args": more.get("args", [])}]
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"template": {"spec": {"containers": containers}}},
        "status": {"readyReplicas": ready} if ready else {},
    }


NAMED = {"app.kubernetes.io/name": "argo-rollouts"}
DASHBOARD = {**NAMED, "app.kubernetes.io/component": "rollouts-dashboard"}


@pytest.mark.parametrize(
    ("leases", "deployments", "what"),
    [
        ([], [], None),
        ([lease()], [], "lease"),
        ([lease(age=19)], [], "lease"),
        ([lease(age=60)], [], None),
        ([lease(holder="")], [], None),
        ([lease(name="argo-rollouts-controller-lock-team-a")], [], None),
        ([lease(name="rollout-lab-engine-lock")], [], None),
        ([{"metadata": {"name": peer.LEASE}, "spec": {"holderIdentity": "x"}}], [], None),
        ([], [deployment()], "deployment"),
        ([], [deployment(ready=0)], None),
        ([], [deployment(name="cd-argo-rollouts", labels=NAMED)], "deployment"),
        ([], [deployment(name="cd-dashboard", labels=DASHBOARD)], None),
        ([], [deployment(name="other")], None),
        ([], [deployment(args=["--instance-id", "team-a"])], None),
        ([], [deployment(args=["--namespaced"])], None),
        ([], [deployment(args=["--namespaced"], namespace="here")], "deployment"),
        ([lease(age=60)], [deployment()], "deployment"),
    ],
)
def test_who_owns_the_rollouts_of_a_namespace(
    leases: list[Json], deployments: list[Json], what: str | None
) -> None:
    """A lock left behind or a scaled-down chart must not keep a class from starting; a working one must."""
    found = owner(leases, deployments, NOW, "here")
    assert (found.what if found else None) == what


class Guarded:
    """A cluster that lets us look into some namespaces only."""

    def __init__(self, allowed: dict[str, list[Json]]) -> None:
        self._allowed = allowed

    def list(self, res: Any, namespace: str | None = None, field_selector: str = "") -> Json:
        if namespace is None:
            raise ApiError(403, "Forbidden", "not the whole cluster")
        if namespace not in self._allowed:
            raise NotFound(404, "NotFound", "no such namespace")
        return {"items": self._allowed[namespace] if res.kind == "Lease" else []}


def test_without_the_right_to_look_everywhere_the_usual_places_are_asked() -> None:
    """Somebody else's cluster gives a student one namespace; that is no reason to fail."""
    assert peer.find(Guarded({"argo-rollouts": [lease()]}), NOW, "mine") is not None  # type: ignore[arg-type]
    assert peer.find(Guarded({"mine": [lease()]}), NOW, "mine") is not None  # type: ignore[arg-type]
    assert peer.find(Guarded({}), NOW, "mine") is None  # type: ignore[arg-type]


def test_the_refusal_names_the_controller_and_both_ways_out() -> None:
    """Two engines on one Rollout would look like a bug of either."""
    with pytest.raises(peer.OwnedByPeer) as caught:
        peer.refuse(Guarded({"argocd": [lease()]}), NOW)  # type: ignore[arg-type]
    said = str(caught.value)
    assert "argo-rollouts-7c_uuid" in said and "--engine argo" in said and "--replicas 0" in said
    assert Peer("deployment", "argo", "argo-rollouts").words == "the Deployment argo/argo-rollouts runs"
