"""The EndpointSlices a Service should have, as changes to those it has. Pure.

# upstream: staging/src/k8s.io/endpointslice/reconciler.go
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.endpoints.ports import (
    HEADLESS,
    has_address,
    is_headless,
    ports_of,
    publishes_not_ready,
    target_of,
)
from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    annotations_of,
    condition_of,
    controller_reference,
    created_at,
    is_terminating,
    key_of,
    labels_of,
    meta,
    name_of,
    seconds_of,
    spec,
)
from rollout_lab.clusters.embedded.controllers.pods import ips_of, is_ready, node_of

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
LARGEST = 100  # endpoints in one slice

_Ports = tuple[tuple[tuple[str, object], ...], ...]


@dataclass(frozen=True, slots=True)
class SliceChanges:
    """Whole objects to create and to replace, and slices to delete."""

    create: tuple[Object, ...] = ()
    update: tuple[Object, ...] = ()
    delete: tuple[Object, ...] = ()


def endpoint_of(service: Object, pod: Object) -> Object:
    """One Pod behind the Service. `serving` is the Pod's own readiness; `ready` is false while it terminates.

    # upstream: staging/src/k8s.io/endpointslice/utils.go::podToEndpoint
    """
    serving, terminating = is_ready(pod), is_terminating(pod)
    ready = publishes_not_ready(service) or (serving and not terminating)
    endpoint: Object = {
        "addresses": ips_of(pod)[:1],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": target_of(pod),
    }
    if node_of(pod):
        endpoint["nodeName"] = node_of(pod)
    hostname = spec(pod).get("hostname")
    if hostname and spec(pod).get("subdomain") == name_of(service):
        endpoint["hostname"] = hostname
    return endpoint


def wanted_endpoints(service: Object, pods: Iterable[Object]) -> dict[_Ports, list[Object]]:
    """The endpoints by the ports they serve. A Pod without a node counts only when the Service publishes
    addresses that are not ready; a terminating Pod stays, marked, until it is gone."""
    groups: dict[_Ports, list[Object]] = {}
    for pod in sorted(pods, key=key_of):
        if not has_address(pod, terminating=True) or not (node_of(pod) or publishes_not_ready(service)):
            continue
        groups.setdefault(_frozen(ports_of(service, pod)), []).append(endpoint_of(service, pod))
    return groups


def slice_changes(service: Object, pods: Sequence[Object], present: Iterable[Object]) -> SliceChanges:
    """What to write so that the slices of `service` show exactly `pods` (those its selector takes).

    Endpoints stay in the slice they are in, so one change of one Pod is one write of one slice; a slice
    whose ports no Pod serves any more is reused for a new set of ports, so addresses never vanish between.
    """
    groups = wanted_endpoints(service, pods) or {(): []}
    mine = [s for s in present if s.get("addressType") == "IPv4" and not is_terminating(s)]
    foreign = [s for s in present if s.get("addressType") != "IPv4"]
    spare = [s for s in sorted(mine, key=key_of) if _frozen(s.get("ports") or []) not in groups]
    create: list[Object] = []
    update: list[Object] = []
    trigger = _trigger_time(service, pods)
    for ports, endpoints in groups.items():
        usable = [s for s in mine if _frozen(s.get("ports") or []) == ports]
        for chunk, current in _arrange(endpoints, sorted(usable, key=key_of)):
            if current is None and spare:
                current = spare.pop(0)
            if current is None:
                create.append(_new_slice(service, ports, chunk, trigger))
            elif not chunk and ports:
                spare.append(current)
            elif changed := _replaced(service, current, ports, chunk, trigger):
                update.append(changed)
    return SliceChanges(tuple(create), tuple(update), (*spare, *foreign))


def _arrange(endpoints: list[Object], slices: list[Object]) -> list[tuple[list[Object], Object | None]]:
    """The endpoints spread over the present slices and, where they are full, new ones (None)."""
    left = {_identity(e): e for e in endpoints}
    out: list[tuple[list[Object], Object | None]] = []
    for current in slices:
        kept = [left.pop(k) for e in current.get("endpoints") or [] if (k := _identity(e)) in left]
        out.append((kept, current))
    rest = list(left.values())
    for chunk, _ in out:
        room = LARGEST - len(chunk)
        chunk.extend(rest[:room])
        rest = rest[room:]
    out.extend((rest[i : i + LARGEST], None) for i in range(0, len(rest), LARGEST))
    return out or [([], None)]


def _identity(endpoint: Object) -> tuple[object, ...]:
    return (endpoint.get("targetRef") or {}).get("uid"), *(endpoint.get("addresses") or [])


def _frozen(ports: Iterable[Object]) -> _Ports:
    return tuple(sorted(tuple(sorted(port.items())) for port in ports))


def _labels(service: Object) -> dict[str, str]:
    own = {k: v for k, v in labels_of(service).items() if k not in (SERVICE_NAME, MANAGED_BY, HEADLESS)}
    headless = {HEADLESS: ""} if is_headless(service) else {}
    return {**own, MANAGED_BY: MANAGER, SERVICE_NAME: name_of(service), **headless}


def _new_slice(service: Object, ports: _Ports, endpoints: list[Object], trigger: str) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": name_of(service) + "-",
            "namespace": key_of(service)[0],
            "labels": _labels(service),
            "annotations": {TRIGGER_TIME: trigger},
            "ownerReferences": [controller_reference(service, "v1", "Service")],
        },
        "addressType": "IPv4",
        **_content(ports, endpoints),
    }


def _content(ports: _Ports, endpoints: list[Object]) -> Object:
    """Empty lists are null, as Go writes a list that was never made."""
    return {"endpoints": endpoints or None, "ports": [dict(port) for port in ports] or None}


def _replaced(
    service: Object, current: Object, ports: _Ports, endpoints: list[Object], trigger: str
) -> Object | None:
    """The slice with its new content, or None when nothing differs."""
    content, labels = _content(ports, endpoints), _labels(service)
    same_ports = _frozen(current.get("ports") or []) == ports
    same = same_ports and (current.get("endpoints") or None) == content["endpoints"]
    if same and dict(labels_of(current)) == labels:
        return None
    if same_ports:
        content["ports"] = current.get("ports")
    annotations = {**annotations_of(current), TRIGGER_TIME: trigger}
    return {**current, **content, "metadata": {**meta(current), "labels": labels, "annotations": annotations}}


def _trigger_time(service: Object, pods: Iterable[Object]) -> str:
    """When the newest reason for a change happened: the Service's creation or a Pod's change of readiness."""
    conditions = [condition_of(pod, "Ready") for pod in pods]
    changes = [seconds_of(c.get("lastTransitionTime")) for c in conditions if c]
    return rfc3339(max([created_at(service), *changes]))
