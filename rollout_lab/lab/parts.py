"""The parts a lab is put together from: the cluster as a child, the engine as a child, a CRD that is served.

How they work together is `lab`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rollout_lab.api import fields, meta
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import DEPLOYMENTS, ROLLOUTS
from rollout_lab.clock import ScaledClock
from rollout_lab.clusters.spawn import Child
from rollout_lab.errors import ApiError, ClusterUnavailable, LabError
from rollout_lab.lab.scenario import CLUSTER_WIDE

if TYPE_CHECKING:
    from rollout_lab.lab.entrance import Entrance
    from rollout_lab.lab.installed import Installed

Json = dict[str, Any]
READY_PATIENCE: Final = 30.0  # wall seconds a cluster may take until it answers
_NOT_YET: Final = (404, 429, 503)  # "storage is (re)initializing" is a 429
POLL: Final = 0.02  # wall seconds between two looks at a part that starts
PODS_PATIENCE: Final = 120.0  # wall seconds until a program in the cluster has to be ready
PODS_POLL: Final = 0.5


@dataclass(frozen=True, slots=True)
class Base:
    """A cluster that answers, and where its lab keeps its files. `child` only if the lab started it.

    `mapped`: NodePort -> ``host:port`` of this machine. `installed`: the record of what is made on a
    cluster somebody else runs; its `owner` removes all that when it closes. `namespace_only`: nothing
    outside of the namespace may be touched. `entrance`: who sees to it that routes are obeyed.
    """

    name: str
    client: KubeClient
    clock: ScaledClock
    folder: Path
    kubeconfig: str
    context: str | None = None
    child: Child | None = None
    mapped: Mapping[int, str] = field(default_factory=dict)
    installed: Installed | None = None
    owner: bool = True
    namespace_only: bool = False
    entrance: Entrance | None = None

    def apply(self, obj: Mapping[str, Any]) -> Json:
        """Apply an object, and write it down where that has to be taken away again."""
        if self.entrance is not None:
            obj = self.entrance.fit(obj)
        if self.namespace_only and obj.get("kind") in CLUSTER_WIDE:
            return dict(obj)
        if self.installed is not None:
            return self.installed.apply(self.client, obj)
        return self.client.apply(obj)


class Engine:
    """The engine as a child process: may be stopped, killed and started again at any moment.

    Without a child somebody else does the work: `kind` is ``out`` (ours, a process of this machine),
    ``in-cluster`` (ours, as Pods), ``argo`` (the peer) or ``none``.
    """

    def __init__(self, child: Child | None, kind: str = "") -> None:
        self._child = child
        self.kind = kind or ("none" if child is None else "out")

    @property
    def ours(self) -> bool:
        """Whether this lab runs an engine at all; on a real cluster the peer may do the work."""
        return self._child is not None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None else None

    @property
    def state(self) -> str:
        """``running``, ``stopped``, ``failed`` (ended by itself) or ``none``."""
        if self._child is None:
            return "none"
        if self._child.running:
            return "running"
        return "failed" if self._child.exit_code not in (None, 0, -9, -15) else "stopped"

    def start(self) -> None:
        if self._child is not None:
            self._child.start()

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def turn(self, what: str) -> str:
        """``start`` or ``stop`` it, or with any other word only look; its state afterwards."""
        if what == "start":
            self.start()
        elif what == "stop":
            self.stop()
        return self.state

    def close(self) -> None:
        """The end of the lab: stop what is ours."""
        self.stop()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._child is not None:
            self._child.kill()

    def ended(self) -> LabError | None:
        """The error that says how it ended."""
        return self._child.ended() if self._child is not None else None


def cluster_child(folder: Path, clock: str, port: int = 0) -> Child:
    """The embedded cluster, not started yet; its kubeconfig will be ``folder/kubeconfig``."""
    words = ["cluster", "start", "--port", str(port), "--kubeconfig", str(folder / "kubeconfig")]
    return Child("the embedded cluster", [*words, "--clock", clock], folder / "cluster.log")


def engine_child(folder: Path, clock: str, namespace: str, kubeconfig: str, context: str | None) -> Child:
    """The engine for one namespace, not started yet."""
    words = ["controller", "--namespace", namespace, "--clock", clock]
    words += ["--kubeconfig", kubeconfig] if kubeconfig else []
    words += ["--context", context] if context else []
    return Child("the engine", words, folder / "engine.log")


def wait_ready(child: Child, kubeconfig: Path, patience: float = READY_PATIENCE) -> KubeClient:
    """A client of the cluster once it answers. Raises LabError with the end of its log."""
    pause = threading.Event()
    for _ in range(int(patience / POLL)):
        if not child.running:
            raise child.ended()
        if kubeconfig.exists():
            client = KubeClient.from_kubeconfig(str(kubeconfig))
            try:
                client.raw_get("/version")
                return client
            except ClusterUnavailable:
                client.close()
        pause.wait(POLL)
    raise LabError(f"{child.name} did not answer within {patience:g} s; its log ends with:\n{child.tail()}")


def wait_served(client: KubeClient, namespace: str) -> None:
    """An API server serves a new kind a moment after it accepted the CRD."""
    pause = threading.Event()
    for _ in range(100):
        try:
            client.list(ROLLOUTS, namespace)
            return
        except ApiError as problem:
            if problem.code not in _NOT_YET:
                raise
            pause.wait(0.1)
    raise LabError("the cluster has the Rollout CRD but does not serve it")


def wait_deployments(client: KubeClient, made: Iterable[Mapping[str, Any]], who: str) -> None:
    """Wait until each of these Deployments has a ready Pod of its newest template. Raises LabError."""
    waiting = [(meta.namespace(o), meta.name(o)) for o in made if o.get("kind") == "Deployment"]
    pause = threading.Event()
    for _ in range(int(PODS_PATIENCE / PODS_POLL)):
        live = [client.get(DEPLOYMENTS, ns, name) for ns, name in waiting]
        waiting = [
            (meta.namespace(o), meta.name(o))
            for o in live
            if not (fields.integer(o, "status", "readyReplicas") or 0)
            or (fields.integer(o, "status", "observedGeneration") or 0) < meta.generation(o)
        ]
        if not waiting:
            return
        pause.wait(PODS_POLL)
    left = ", ".join(f"{ns}/{name}" for ns, name in waiting)
    raise LabError(
        f"{who} in the cluster is not ready after {PODS_PATIENCE:g} s: kubectl --namespace "
        f"{waiting[0][0]} describe pods says why ({left})"
    )


def origin(url: str) -> str:
    """``scheme://host:port`` of a URL; its path may hold a secret.

    >>> origin("http://127.0.0.1:6443/secret")
    'http://127.0.0.1:6443'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
