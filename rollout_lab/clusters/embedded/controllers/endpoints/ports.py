"""Ports of a Service as a Pod serves them, and which Pods a Service counts. Pure.

# upstream: pkg/api/v1/pod/util.go::FindPort, staging/src/k8s.io/endpointslice/utils.go
"""

from __future__ import annotations

from collections.abc import Iterable

from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    is_terminating,
    key_of,
    labels_of,
    name_of,
    spec,
    uid_of,
)
from rollout_lab.clusters.embedded.controllers.pods import ips_of, is_finished

HEADLESS = "service.kubernetes.io/headless"


def is_headless(service: Object) -> bool:
    return spec(service).get("clusterIP") == "None"


def publishes_not_ready(service: Object) -> bool:
    return bool(spec(service).get("publishNotReadyAddresses"))


def is_selecting(service: Object) -> bool:
    """Whether this Service finds its Pods by labels (an ExternalName or a manual one does not)."""
    return bool(spec(service).get("selector")) and spec(service).get("type") != "ExternalName"


def selects(service: Object, pod: Object) -> bool:
    wanted, labels = spec(service).get("selector") or {}, labels_of(pod)
    return is_selecting(service) and all(labels.get(k) == v for k, v in wanted.items())


def has_address(pod: Object, *, terminating: bool) -> bool:
    """Whether the Pod can stand behind a Service; one on its way out only where `terminating` ones may."""
    return bool(ips_of(pod)) and not is_finished(pod) and (terminating or not is_terminating(pod))


def port_number(pod: Object, port: Object) -> int | None:
    """The container port a Service port leads to on this Pod; None when the Pod has no port of that name."""
    target = port.get("targetPort") or port.get("port")
    if isinstance(target, int):
        return target
    for container in _long_running(pod):
        for offered in container.get("ports") or []:
            same = offered.get("protocol", "TCP") == port.get("protocol", "TCP")
            if offered.get("name") == target and same:
                return int(offered["containerPort"])
    return None


def _long_running(pod: Object) -> Iterable[Object]:
    yield from spec(pod).get("containers") or []
    for container in spec(pod).get("initContainers") or []:
        if container.get("restartPolicy") == "Always":
            yield container


def ports_of(service: Object, pod: Object) -> list[Object]:
    """The Service's ports with the numbers of this Pod, in the order of the Service."""
    found: list[Object] = []
    for port in spec(service).get("ports") or []:
        number = port_number(pod, port)
        if number is None:
            continue
        entry = {"name": port.get("name") or "", "port": number, "protocol": port.get("protocol") or "TCP"}
        if port.get("appProtocol"):
            entry["appProtocol"] = port["appProtocol"]
        found.append(entry)
    return found


def target_of(pod: Object) -> Object:
    """The reference an address carries to its Pod."""
    return {"kind": "Pod", "namespace": key_of(pod)[0], "name": name_of(pod), "uid": uid_of(pod)}
