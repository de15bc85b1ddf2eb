"""The status of a Pod from the states of its containers. Pure: no clock, no API.

Here: phase, conditions, containerStatuses as the kubelet writes them. What happens to the
containers is decided in `container.py`.
# upstream: pkg/kubelet/kubelet_pods.go::getPhase, pkg/kubelet/status/generate.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.api.times import rfc3339

Object = dict[str, Any]

HOST_IP = "127.0.0.1"
CREATING: Object = {"waiting": {"reason": "ContainerCreating"}}
INITIALIZING: Object = {"waiting": {"reason": "PodInitializing"}}


@dataclass(slots=True)
class ContainerState:
    """What there is to say about one container; `state` and `last` are the API's own objects."""

    name: str
    image: str
    image_id: str = ""
    container_id: str = ""
    ready: bool = False
    started: bool = False
    restarts: int = 0
    state: Object = field(default_factory=lambda: CREATING)
    last: Object = field(default_factory=dict)

    @property
    def running(self) -> bool:
        return "running" in self.state

    @property
    def ended(self) -> Object | None:
        """The terminated state, if it is in one."""
        return self.state.get("terminated")

    def as_status(self) -> Object:
        """An entry of ``containerStatuses``, complete for strictly typed clients."""
        out: Object = {
            "name": self.name,
            "image": self.image,
            "imageID": self.image_id,
            "lastState": self.last,
            "ready": self.ready,
            "restartCount": self.restarts,
            "started": self.started,
            "state": self.state,
        }
        if self.container_id:
            out["containerID"] = self.container_id
        return out


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What the kubelet knows of a Pod besides its containers. `ip` is "" before the sandbox is there."""

    ip: str
    start_time: float
    inits: Sequence[ContainerState]
    containers: Sequence[ContainerState]
    initialized: bool


def phase(facts: PodFacts, restart_policy: str) -> str:
    """Pending, Running, Succeeded or Failed."""
    if not facts.initialized:
        broken = any(c.ended and c.ended["exitCode"] != 0 for c in facts.inits)
        return "Failed" if broken and restart_policy == "Never" else "Pending"
    waiting = [c for c in facts.containers if "waiting" in c.state and not c.last]
    if waiting:
        return "Pending"
    if any(c.running for c in facts.containers) or restart_policy == "Always":
        return "Running"
    ended = [c.ended for c in facts.containers]
    if all(e is not None and e["exitCode"] == 0 for e in ended):
        return "Succeeded"
    if restart_policy == "Never" and all(e is not None for e in ended):
        return "Failed"
    return "Running"


def pod_status(pod: Mapping[str, Any], facts: PodFacts, now: float, *, final: bool = False) -> Object:
    """The whole status: what others wrote into it (conditions of readiness gates) stays.

    `final`: the Pod has ended for good, so its phase follows the exit codes.
    """
    old = pod.get("status") or {}
    policy = "Never" if final else (pod["spec"].get("restartPolicy") or "Always")
    new_phase = phase(facts, policy)
    status = {k: v for k, v in old.items() if k not in ("reason", "message", "initContainerStatuses")}
    status["phase"] = new_phase
    status["conditions"] = _merged(old.get("conditions") or [], _conditions(pod, facts, new_phase), now)
    status["hostIP"] = HOST_IP
    status["hostIPs"] = [{"ip": HOST_IP}]
    if facts.ip:
        status["podIP"] = facts.ip
        status["podIPs"] = [{"ip": facts.ip}]
    status["startTime"] = rfc3339(facts.start_time)
    if facts.inits:
        status["initContainerStatuses"] = [c.as_status() for c in facts.inits]
    status["containerStatuses"] = [c.as_status() for c in facts.containers]
    return status


def _conditions(pod: Mapping[str, Any], facts: PodFacts, new_phase: str) -> list[Object]:
    done = new_phase == "Succeeded"
    sandbox = bool(facts.ip) and new_phase not in ("Succeeded", "Failed")
    if facts.initialized:
        initialized = _true("Initialized", "PodCompleted" if done else "")
    else:
        open_inits = _names(c for c in facts.inits if not (c.ended and c.ended["exitCode"] == 0))
        text = f"containers with incomplete status: [{open_inits}]"
        initialized = _false("Initialized", "ContainersNotInitialized", text)
    unready = _names(c for c in facts.containers if not c.ready)
    if done:
        containers = _false("ContainersReady", "PodCompleted")
        ready = _false("Ready", "PodCompleted")
    elif unready:
        text = f"containers with unready status: [{unready}]"
        containers = _false("ContainersReady", "ContainersNotReady", text)
        ready = _false("Ready", "ContainersNotReady", text)
    else:
        containers = _true("ContainersReady")
        complaint = _gates(pod)
        ready = _false("Ready", "ReadinessGatesNotReady", complaint) if complaint else _true("Ready")
    sandboxed = _true("PodReadyToStartContainers") if sandbox else _false("PodReadyToStartContainers", "")
    return [sandboxed, initialized, ready, containers, _true("PodScheduled")]


def _gates(pod: Mapping[str, Any]) -> str:
    """What is missing of the Pod's readiness gates; "" when they all hold."""
    have = {c["type"]: c.get("status") for c in (pod.get("status") or {}).get("conditions") or []}
    missing = []
    for gate in pod["spec"].get("readinessGates") or []:
        kind = gate["conditionType"]
        if kind not in have:
            missing.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif have[kind] != "True":
            missing.append(f'the status of pod readiness gate "{kind}" is not "True", but {have[kind]}')
    return ", ".join(missing)


def _names(containers: Iterable[ContainerState]) -> str:
    return " ".join(c.name for c in containers)


def _true(kind: str, reason: str = "") -> Object:
    return {"type": kind, "status": "True", **({"reason": reason} if reason else {})}


def _false(kind: str, reason: str, message: str = "") -> Object:
    out = {"type": kind, "status": "False"}
    return out | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})


def _merged(old: Sequence[Object], ours: Sequence[Object], now: float) -> list[Object]:
    """Ours, with the time of the last change kept where the status did not change; then the others'."""
    before = {c["type"]: c for c in old}
    out = []
    for condition in ours:
        was = before.pop(condition["type"], None)
        same = was is not None and was.get("status") == condition["status"]
        time = was.get("lastTransitionTime") if same and was else None
        out.append({**condition, "lastProbeTime": None, "lastTransitionTime": time or rfc3339(now)})
    return out + [c for c in old if c["type"] in before]
