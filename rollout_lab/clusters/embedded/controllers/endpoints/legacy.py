"""The Endpoints object of a Service, kept for older kubectl (`describe service`, `get endpoints`). Pure.

# upstream: pkg/controller/endpoint/endpoints_controller.go, pkg/api/endpoints RepackSubsets
"""

from __future__ import annotations

from collections.abc import Sequence

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.endpoints.ports import (
    HEADLESS,
    has_address,
    is_headless,
    ports_of,
    publishes_not_ready,
    target_of,
)
from rollout_lab.clusters.embedded.controllers.endpoints.slices import TRIGGER_TIME
from rollout_lab.clusters.embedded.controllers.objects import (
    Object,
    annotations_of,
    condition_of,
    created_at,
    key_of,
    labels_of,
    meta,
    name_of,
    seconds_of,
    spec,
)
from rollout_lab.clusters.embedded.controllers.pods import ips_of, is_ready, node_of

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
_NOT_COPIED = (TRIGGER_TIME, "endpoints.kubernetes.io/over-capacity")


def endpoints_change(service: Object, pods: Sequence[Object], present: Object | None) -> Object | None:
    """The Endpoints object to write, or None when it is right already (or cannot be written yet).

    A Pod that has an address but no node makes the object invalid on a real server, so nothing is
    written until it is bound or gone.
    """
    counted = [p for p in pods if has_address(p, terminating=publishes_not_ready(service))]
    if any(not node_of(pod) for pod in counted):
        return None
    subsets = subsets_of(service, counted)
    headless = {HEADLESS: ""} if is_headless(service) else {}
    own = {k: v for k, v in labels_of(service).items() if k not in (HEADLESS, MANAGED_BY)}
    labels = {**own, MANAGED_BY: MANAGER, **headless}
    if present is not None and present.get("subsets", []) == subsets and labels_of(present) == labels:
        return None
    kept = {k: v for k, v in annotations_of(present or {}).items() if k not in _NOT_COPIED}
    ready = [condition_of(pod, "Ready") for pod in counted]
    trigger = max([created_at(service), *(seconds_of(c.get("lastTransitionTime")) for c in ready if c)])
    metadata = {
        **meta(present or {}),
        "name": name_of(service),
        "namespace": key_of(service)[0],
        "labels": labels,
        "annotations": {**kept, TRIGGER_TIME: rfc3339(trigger)},
    }
    out: Object = {"apiVersion": "v1", "kind": "Endpoints", **(present or {}), "metadata": metadata}
    out.pop("subsets", None)
    return {**out, "subsets": subsets} if subsets else out


def subsets_of(service: Object, pods: Sequence[Object]) -> list[Object]:
    """Addresses grouped by the ports they serve, ready and not ready apart, in address order."""
    groups: dict[tuple[tuple[tuple[str, object], ...], ...], tuple[list[Object], list[Object]]] = {}
    for pod in pods:
        ports = ports_of(service, pod)
        if not ports and not (is_headless(service) and not spec(service).get("ports")):
            continue
        frozen = tuple(sorted(tuple(sorted(_endpoint_port(port).items())) for port in ports))
        ready, waiting = groups.setdefault(frozen, ([], []))
        address = {"ip": ips_of(pod)[0], "nodeName": node_of(pod), "targetRef": target_of(pod)}
        (ready if is_ready(pod) or publishes_not_ready(service) else waiting).append(address)
    out: list[Object] = []
    for frozen, (ready, waiting) in sorted(groups.items(), key=lambda entry: entry[0]):
        subset: Object = {"ports": [dict(port) for port in frozen]} if frozen else {}
        if ready:
            subset["addresses"] = sorted(ready, key=_by_ip)
        if waiting:
            subset["notReadyAddresses"] = sorted(waiting, key=_by_ip)
        out.append(subset)
    return out


def _endpoint_port(port: Object) -> Object:
    return {k: v for k, v in port.items() if v != ""}


def _by_ip(address: Object) -> tuple[int, ...]:
    return tuple(int(part) for part in str(address["ip"]).split(".") if part.isdigit())
