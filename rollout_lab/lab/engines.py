"""Who looks after the Rollouts of a lab, and our engine as Pods of the cluster itself.

What the engine does is `controller`; how its image gets into a node is `clusters.images`.
"""

from __future__ import annotations

import threading
from typing import Final

from rollout_lab.api import manifest
from rollout_lab.client.resources import DEPLOYMENTS
from rollout_lab.clock import ScaledClock
from rollout_lab.clusters import peer
from rollout_lab.errors import ApiError, LabError, NotFound, UsageError
from rollout_lab.lab.opening import EngineKind, Progress
from rollout_lab.lab.parts import (
    PODS_PATIENCE,
    PODS_POLL,
    Base,
    Engine,
    Json,
    engine_child,
    wait_deployments,
)
from rollout_lab.lab.scenario import manifests_folder
from rollout_lab.lab.switch import distant_engine

ENGINE_NAMESPACE: Final = "rollout-lab"
ENGINE_NAME: Final = "rollout-lab-engine"
_FIRST: Final = ("Namespace", "CustomResourceDefinition", "ServiceAccount", "ClusterRole", "Role")


def engine_kind(asked: bool | str) -> EngineKind | None:
    """The kind asked for; None for no engine at all. Raises UsageError."""
    if asked is False or asked == "none":
        return None
    try:
        return EngineKind.OUT if asked is True else EngineKind(asked)
    except ValueError:
        raise UsageError(f'unknown engine "{asked}": say {", ".join(EngineKind)}') from None


def engine_of(base: Base, asked: bool | str, namespace: str) -> Engine:
    """The engine asked for, not started yet; where none is, that of the lab we join. Raises UsageError."""
    kind = engine_kind(asked)
    if kind is None:
        return distant_engine(base, namespace) or Engine(None, "none")
    out = kind == EngineKind.OUT
    child = engine_child(base.folder, base.clock.spec, namespace, base.kubeconfig, base.context)
    return Engine(child if out else None, kind)


def start_engine(base: Base, engine: Engine, namespace: str, progress: Progress) -> None:
    """Start it, unless another controller looks after the Rollouts. Raises `peer.OwnedByPeer`, UsageError."""
    if engine.kind in (EngineKind.OUT, EngineKind.IN_CLUSTER):
        peer.refuse(base.client, ScaledClock().now(), namespace)
    if engine.kind in (EngineKind.OUT, EngineKind.ARGO):
        remove_engine(base)
    progress(f"engine.{engine.kind}", "rollout-lab")
    if engine.kind == EngineKind.IN_CLUSTER:
        if base.name == "embedded":
            raise UsageError("--engine in-cluster needs a real cluster: say --cluster kind as well")
        install_engine(base)
    if engine.ours:
        engine.start()


def remove_engine(base: Base) -> None:
    """Delete our engine in the cluster, from a lab before this one, and wait until its Pods are gone.

    On a cluster of others somebody may rely on it: raises LabError there.
    """
    deployment = (ENGINE_NAMESPACE, ENGINE_NAME)
    try:
        base.client.get(DEPLOYMENTS, *deployment)
    except ApiError:  # not there, or not ours to see
        return
    if base.installed is not None:
        raise LabError(
            f"our engine runs in this cluster already (Deployment {'/'.join(deployment)}): say "
            "`--engine in-cluster`, or remove it: kubectl delete --filename manifests/install"
        )
    base.client.delete(DEPLOYMENTS, *deployment, propagation="Foreground")
    pause = threading.Event()
    for _ in range(int(PODS_PATIENCE / PODS_POLL)):
        try:
            base.client.get(DEPLOYMENTS, *deployment)
        except NotFound:
            return
        pause.wait(PODS_POLL)
    raise LabError(f"the Deployment {'/'.join(deployment)} does not go: kubectl describe it to see why")


def engine_objects() -> list[Json]:
    """The objects of `manifests/install`, in an order in which they can be created."""
    folder = manifests_folder() / "install"
    found = [
        obj
        for path in sorted(folder.glob("*.yaml"))
        for obj in manifest.load(path.read_text(encoding="utf-8"), str(path))
        if obj.get("kind") != "Kustomization"
    ]
    if not found:
        raise LabError(f"the manifests of the engine are missing: expected them in {folder}")
    return sorted(found, key=lambda o: _FIRST.index(o["kind"]) if o["kind"] in _FIRST else len(_FIRST))


def install_engine(base: Base) -> None:
    """Create the engine in the cluster and wait until one of its Pods is ready. Raises LabError."""
    made = [base.apply(obj) for obj in engine_objects()]
    wait_deployments(base.client, made, "the engine")
