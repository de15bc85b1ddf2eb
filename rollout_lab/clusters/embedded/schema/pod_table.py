"""The status column and its neighbours of ``kubectl get pods``, worked out from a Pod's status.

# upstream: pkg/printers/internalversion/printers.go::printPod
"""

from __future__ import annotations

from typing import Any

from rollout_lab.api.times import parse_time

from .ages import age, human_duration

Object = dict[str, Any]

_DONE = {"type": "Completed", "status": "True", "reason": "Succeeded"}
SUCCEEDED = [{**_DONE, "message": "The pod has completed successfully."}]
FAILED = [{**_DONE, "reason": "Failed", "message": "The pod failed."}]


def pod_cells(pod: Object, now: float) -> list[Any]:
    """Name, Ready, Status, Restarts, Age, IP, Node, Nominated Node, Readiness Gates."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    reason, restarts, last, ready = _state(pod, spec, status)
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    total = len(spec.get("containers") or []) + len(sidecars)
    shown = str(restarts)
    if restarts and last:
        shown = f"{restarts} ({human_duration(now - last)} ago)"
    ips = status.get("podIPs") or []
    return [
        pod["metadata"].get("name", ""),
        f"{ready}/{total}",
        reason,
        shown,
        age(pod["metadata"].get("creationTimestamp"), now),
        (ips[0].get("ip") if ips else status.get("podIP")) or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        _gates(spec, status),
    ]


def row_conditions(pod: Object) -> list[Object] | None:
    """What a Table row says about a Pod that has ended."""
    phase = (pod.get("status") or {}).get("phase")
    return SUCCEEDED if phase == "Succeeded" else FAILED if phase == "Failed" else None


def _state(pod: Object, spec: Object, status: Object) -> tuple[str, int, float, int]:
    """Reason, restarts, time of the last restart (0 for none), ready containers."""
    phase = status.get("phase") or ""
    reason = status.get("reason") or phase
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    stopped, ready, sidecar_restarts = "", 0, 0
    restarts, last, sidecar_last = 0, 0.0, 0.0
    sidecars = {c.get("name") for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"}
    for index, container in enumerate(status.get("initContainerStatuses") or []):
        sidecar = container.get("name") in sidecars
        restarts += container.get("restartCount") or 0
        last = max(last, _finished(container))
        if sidecar:
            sidecar_restarts += container.get("restartCount") or 0
            sidecar_last = max(sidecar_last, _finished(container))
        state = container.get("state") or {}
        if "terminated" in state and not (state["terminated"] or {}).get("exitCode"):
            continue
        if sidecar and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        stopped = _init_reason(state, index, len(spec.get("initContainers") or []))
        break
    if stopped:
        reason = stopped
    if not stopped or _condition(status, "Initialized"):
        reason, more, later, count = _running(status, reason)
        restarts, last, ready = sidecar_restarts + more, max(sidecar_last, later), ready + count
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif phase not in ("Succeeded", "Failed"):
            reason = "Terminating"
    return reason, restarts, last, ready


def _running(status: Object, reason: str) -> tuple[str, int, float, int]:
    """As `_state`, for the app containers alone; the first container has the last word on the reason."""
    restarts, last, ready, running = 0, 0.0, 0, False
    for container in reversed(status.get("containerStatuses") or []):
        restarts += container.get("restartCount") or 0
        last = max(last, _finished(container))
        state = container.get("state") or {}
        waiting, ended = state.get("waiting"), state.get("terminated")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = _ended(ended)
        elif container.get("ready") and "running" in state:
            running, ready = True, ready + 1
    if reason == "Completed" and running:
        reason = "Running" if _condition(status, "Ready") else "NotReady"
    return reason, restarts, last, ready


def _init_reason(state: Object, index: int, total: int) -> str:
    ended, waiting = state.get("terminated"), state.get("waiting") or {}
    if ended is not None:
        return "Init:" + _ended(ended)
    if waiting.get("reason") and waiting["reason"] != "PodInitializing":
        return f"Init:{waiting['reason']}"
    return f"Init:{index}/{total}"


def _ended(ended: Object) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _finished(container: Object) -> float:
    """When the container's previous run ended, in seconds since the epoch; 0 when it had none."""
    ended = (container.get("lastState") or {}).get("terminated") or {}
    return parse_time(ended["finishedAt"]) if ended.get("finishedAt") else 0.0


def _condition(status: Object, kind: str) -> bool:
    return any(c.get("type") == kind and c.get("status") == "True" for c in status.get("conditions") or [])


def _gates(spec: Object, status: Object) -> str:
    gates = [g.get("conditionType") for g in spec.get("readinessGates") or []]
    met = sum(_condition(status, str(g)) for g in gates)
    return f"{met}/{len(gates)}" if gates else "<none>"
