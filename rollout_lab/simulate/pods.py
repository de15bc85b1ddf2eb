"""ReplicaSets and Pods of a simulated cluster: how many, and when each becomes ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rollout_lab.api import fields, meta
from rollout_lab.api.fields import Json
from rollout_lab.api.times import parse_time, rfc3339
from rollout_lab.simulate.store import Store


@dataclass(frozen=True, slots=True)
class Timing:
    """Virtual seconds of everything that takes time."""

    pod_start: float = 2.5  # from made to ready
    pod_stagger: float = 0.02  # between two Pods becoming ready
    pod_stop: float = 0.03
    controller: float = 0.01  # until a ReplicaSet's controller looks
    engine: float = 0.005  # until the engine looks
    between_passes: float = 0.04
    restart: float = 1.0  # until an engine that died is there again
    pull_share: float = 0.3  # of pod_start, until the container runs
    never_ready: tuple[str, ...] = ()  # images whose Pods start and never get ready
    slower: tuple[tuple[str, float], ...] = ()  # (image, seconds its Pods take longer to get ready)


class ReplicaSets:
    """The controller of ReplicaSets and the kubelet in one: few rules, each at its own time."""

    def __init__(self, store: Store, timing: Timing, at: Callable[[float, Callable[[], None]], None]) -> None:
        self._store = store
        self._timing = timing
        self._at = at
        self._next_ready = 0.0
        self._serial = 0
        self._looking: set[str] = set()

    def look(self, name: str) -> None:
        """Bring a ReplicaSet's Pods and status in line, a moment from now."""
        if name not in self._looking:
            self._looking.add(name)
            self._at(self._store.now() + self._timing.controller, lambda: self._sync(name))

    def resume(self) -> None:
        """Take over Pods and ReplicaSets that are there already: each goes on where it stands."""
        for pod in self._store.of_kind("Pod"):
            name, born = meta.name(pod), fields.text(pod, "metadata", "creationTimestamp")
            since = parse_time(born) if born else self._store.now()
            if meta.being_deleted(pod):
                self._at(self._store.now() + self._timing.pod_stop, lambda name=name: self._gone(name))  # type: ignore[misc]
            elif not _ready(pod) and not self._stays_unready(pod):
                at = max(self._store.now(), since + self._takes(pod))
                self._at(at, lambda name=name: self._become_ready(name))  # type: ignore[misc]
        for rs in self._store.of_kind("ReplicaSet"):
            self.look(meta.name(rs))

    def remove_pod(self, name: str) -> None:
        """Begin to stop a Pod; it is gone a moment later."""
        pod = self._store.get("Pod", name)
        if pod is None or meta.being_deleted(pod):
            return
        now = self._store.now()
        self._store.patch("Pod", name, {"metadata": {"deletionTimestamp": rfc3339(now)}})
        self._at(now + self._timing.pod_stop, lambda: self._gone(name))
        self.look(_owner(pod))

    def _sync(self, name: str) -> None:
        self._looking.discard(name)
        rs = self._store.get("ReplicaSet", name)
        if rs is None:
            return
        pods = [p for p in self._pods(name) if not meta.being_deleted(p)]
        wanted = fields.integer(rs, "spec", "replicas") or 0
        for _ in range(wanted - len(pods)):
            self._start_pod(rs)
        # Pods that are not ready go first, then the youngest.
        youngest_first = pods[::-1]
        for pod in sorted(youngest_first, key=_ready)[: max(0, len(pods) - wanted)]:
            self.remove_pod(meta.name(pod))
        self._write_status(name)

    def _start_pod(self, rs: Json) -> None:
        self._serial += 1
        template = fields.mapping(rs, "spec", "template")
        name = f"{meta.name(rs)}-{self._serial:05d}"
        reference = {**meta.owner_reference(rs), "kind": "ReplicaSet", "apiVersion": "apps/v1"}
        pod: Json = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": meta.labels(template), "ownerReferences": [reference]},
            "spec": fields.mapping(template, "spec"),
            "status": {"phase": "Pending"},
        }
        self._store.create(pod)
        now = self._store.now()
        self._at(now + self._timing.pod_start * self._timing.pull_share, lambda: self._run(name))
        if not self._stays_unready(pod):
            self._next_ready = max(now + self._takes(pod), self._next_ready + self._timing.pod_stagger)
            self._at(self._next_ready, lambda: self._become_ready(name))

    def _stays_unready(self, pod: Json) -> bool:
        return any(image in self._timing.never_ready for image in _images(pod))

    def _takes(self, pod: Json) -> float:
        """Seconds from made to ready."""
        longer = dict(self._timing.slower)
        return self._timing.pod_start + max((longer.get(image, 0.0) for image in _images(pod)), default=0.0)

    def _run(self, name: str) -> None:
        pod = self._store.get("Pod", name)
        if pod is not None and not meta.being_deleted(pod) and not _ready(pod):
            self._store.patch("Pod", name, {"status": _status("False", started=False)})

    def _become_ready(self, name: str) -> None:
        pod = self._store.get("Pod", name)
        if pod is None or meta.being_deleted(pod) or _ready(pod):
            return
        status = _status("True", started=True, since=rfc3339(self._store.now()))
        self._store.patch("Pod", name, {"status": status})
        rs = self._store.get("ReplicaSet", _owner(pod))
        wait = fields.integer(rs, "spec", "minReadySeconds") or 0
        if wait:
            self._at(self._store.now() + wait, lambda: self._write_status(_owner(pod)))
        self._write_status(_owner(pod))

    def _gone(self, name: str) -> None:
        self._store.delete("Pod", name)

    def _write_status(self, name: str) -> None:
        rs = self._store.get("ReplicaSet", name)
        if rs is None:
            return
        pods = [p for p in self._pods(name) if not meta.being_deleted(p)]
        ready = [pod for pod in pods if _ready(pod)]
        latest = self._store.now() - (fields.integer(rs, "spec", "minReadySeconds") or 0)
        available = sum(1 for pod in ready if _ready_since(pod) <= latest)
        status: Json = {"replicas": len(pods), "observedGeneration": meta.generation(rs)}
        if ready:
            status["readyReplicas"] = len(ready)
        if available:
            status["availableReplicas"] = available
        self._store.put({**rs, "status": status})

    def _pods(self, name: str) -> list[Json]:
        return [pod for pod in self._store.of_kind("Pod") if _owner(pod) == name]


def _images(pod: Json) -> list[str]:
    return [fields.text(c, "image") for c in fields.objects(pod, "spec", "containers")]


def _owner(pod: Json) -> str:
    return fields.text(meta.controller_of(pod), "name")


def _ready(pod: Json) -> bool:
    found = meta.condition(meta.conditions(pod), "Ready")
    return found is not None and found.get("status") == "True"


def _ready_since(pod: Json) -> float:
    """When the Pod became ready, in whole seconds; 0 where it does not say."""
    found = meta.condition(meta.conditions(pod), "Ready") or {}
    written = fields.text(found, "lastTransitionTime")
    return parse_time(written) if written else 0.0


def _status(ready: str, *, started: bool, since: str = "") -> Json:
    """The status of a running Pod."""
    condition = {"type": "Ready", "status": ready, **({"lastTransitionTime": since} if since else {})}
    container = {"started": started, "restartCount": 0, "state": {"running": {}}}
    return {"phase": "Running", "conditions": [condition], "containerStatuses": [container]}
