"""What one object says of itself in a word: a rollout's phase, a Pod's state, a Service's address.

Pure reading of a single object; what several objects mean together is `picture` and `phases`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.api.duration import spoken
from rollout_lab.api.names import ConditionType, Phase
from rollout_lab.api.rollout import Rollout
from rollout_lab.api.steps import Pause, SetCanaryScale, SetRoute, SetWeight, Step

Json = dict[str, Any]
_FAILING: Final = ("CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "OOMKilled")


def phase_and_message(rollout: Json) -> tuple[str, str]:
    """The phase as a client tells it: what the controller has not seen yet counts as progressing.

    # upstream: pkg/kubectl-argo-rollouts/info utils/rollout/rolloututil.go::GetRolloutPhase
    """
    view = Rollout(rollout)
    status = view.status
    if str(view.generation) != status.observed_generation:
        if status.condition(ConditionType.INVALID_SPEC) is None:
            return Phase.PROGRESSING, "waiting for rollout spec update to be observed"
    elif status.controller_pause and not status.pause_conditions:
        return Phase.PROGRESSING, "waiting for rollout to unpause"
    return status.phase or Phase.PROGRESSING, status.message


def pod_state(pod: Mapping[str, Any]) -> tuple[str, str]:
    """(state, reason) of a Pod by its status alone.

    # https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
    """
    if meta.being_deleted(pod):
        return "terminating", ""
    statuses = fields.objects(pod, "status", "containerStatuses")
    for container in statuses:
        waiting = fields.text(container, "state", "waiting", "reason")
        if waiting in _FAILING or waiting.endswith("Error"):
            return "failing", waiting
        if fields.value(container, "state", "terminated") is not None:
            return "failing", fields.text(container, "state", "terminated", "reason") or "Terminated"
    if fields.text(pod, "status", "phase") == "Failed":
        return "failing", fields.text(pod, "status", "reason") or "Failed"
    ready = meta.condition(meta.conditions(pod), "Ready")
    if ready is not None and ready.get("status") == "True":
        return "ready", ""
    running = [c for c in statuses if fields.value(c, "state", "running") is not None]
    if not running:
        waits = next((fields.text(c, "state", "waiting", "reason") for c in statuses), "")
        return "pulling", waits or fields.text(pod, "status", "reason")
    if any(fields.flag(c, "started") is False for c in running):
        return "starting", ""
    return "running", fields.text(ready or {}, "reason")


def step_text(step: Step) -> str:
    """A step as people write it.

    >>> step_text(SetWeight(33)), step_text(Pause(120.0)), step_text(Pause())
    ('setWeight 33', 'pause 2m', 'pause')
    """
    match step:
        case SetWeight(weight):
            return f"setWeight {weight}"
        case Pause(None):
            return "pause"
        case Pause(float(duration)):
            return f"pause {spoken(duration)}"
        case SetCanaryScale(_, int(replicas)):
            return f"setCanaryScale {replicas} Pods"
        case SetCanaryScale(int(weight), _):
            return f"setCanaryScale weight {weight}"
        case SetRoute(field, name):
            return f"{field} {name}"
        case _:
            return step.kind


def service_address(service: Mapping[str, Any], addresses: Mapping[str, Any]) -> tuple[int, str]:
    """(port, ``host:port``) by which the first port of a Service answers on this machine.

    The embedded cluster says so in ``/lab/v1/addresses``, and then only that counts: the NodePort may
    belong to another lab. Elsewhere it is the NodePort on loopback, else the cluster's own address.
    """
    ports = fields.objects(service, "spec", "ports")
    first = ports[0] if ports else {}
    node_port = fields.integer(first, "nodePort")
    port = node_port or fields.integer(first, "port") or 0
    known = fields.objects(fields.mapping(addresses, "services"), meta.key(service))
    if known:
        address = fields.text(known[0], "address") or fields.text(known[0], "clusterAddress")
        return port, address
    if "services" in addresses:
        return port, ""
    if node_port:
        return port, f"127.0.0.1:{node_port}"
    cluster_ip = fields.text(service, "spec", "clusterIP")
    return port, f"{cluster_ip}:{port}" if cluster_ip not in ("", "None") else ""


def service_via(service: Mapping[str, Any], addresses: Mapping[str, Any]) -> tuple[str, str]:
    """(how, Pod) the first port of a Service is reached: ``node-port``, ``cluster-ip``, ``port-forward``.

    ``""`` where nobody knows a way. The Pod is the only one a port-forward leads to, else ``""``.
    """
    known = fields.objects(fields.mapping(addresses, "services"), meta.key(service))
    first = known[0] if known else {}
    if "via" in first:
        return fields.text(first, "via"), fields.text(first, "pod")
    if not service_address(service, addresses)[1]:
        return "", ""
    return ("node-port" if service_port_of_node(service) else "cluster-ip"), ""


def service_port_of_node(service: Mapping[str, Any]) -> int:
    """The NodePort of the first port of a Service, 0 where it has none."""
    ports = fields.objects(service, "spec", "ports")
    return fields.integer(ports[0], "nodePort") or 0 if ports else 0
