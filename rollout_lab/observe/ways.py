"""How a Service is reached from this machine: by its NodePort where that is mapped, else by a port-forward.

The embedded cluster says itself where its Services answer. On a real one a NodePort answers here only
where somebody mapped it; every other Service is reached through the API server, and then all answers
come from one Pod at a time. Gives addresses; asking them is `probe`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from rollout_lab.api import fields, meta
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.portforward import PortForward
from rollout_lab.errors import ClusterUnavailable, LabError
from rollout_lab.observe.observed import SERVICE_NAME_LABEL

Json = dict[str, Any]
EMBEDDED = "/lab/v1/addresses"


class Via(StrEnum):
    """By what a Service is reached."""

    NODE_PORT = "node-port"
    CLUSTER_IP = "cluster-ip"
    PORT_FORWARD = "port-forward"


def ready_target(service: Mapping[str, Any], slices: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """(Pod, port) of the ready endpoints of a Service's first port, in order of Pod names."""
    wanted = next(iter(fields.objects(service, "spec", "ports")), {})
    found = set()
    for one in slices:
        if meta.labels(one).get(SERVICE_NAME_LABEL) != meta.name(service):
            continue
        named = [
            p for p in fields.objects(one, "ports") if (p.get("name") or "") == (wanted.get("name") or "")
        ]
        port = fields.integer(named[0], "port") if named else None
        for endpoint in fields.objects(one, "endpoints"):
            pod = fields.text(endpoint, "targetRef", "name")
            if port and pod and fields.flag(endpoint, "conditions", "ready") is not False:
                found.add((pod, port))
    return sorted(found)


def mapped_rows(service: Mapping[str, Any], mapped: Mapping[int, str]) -> list[Json]:
    """The ports of a Service with their address on this machine where the NodePort is mapped, else ``""``."""
    rows: list[Json] = []
    for port in fields.objects(service, "spec", "ports"):
        number = fields.integer(port, "nodePort") or 0
        address = mapped.get(number, "")
        row = {"port": fields.integer(port, "port"), "name": port.get("name") or "", "nodePort": number}
        rows.append({**row, "address": address, "via": Via.NODE_PORT.value if address else ""})
    return rows


class Ways:
    """Addresses of the Services of one cluster. May be asked from any thread; close it at the end.

    `mapped`: NodePort -> ``host:port`` of this machine. `forward` False opens no port-forward.
    """

    def __init__(
        self, client: KubeClient, mapped: Mapping[int, str] | None = None, *, forward: bool = True
    ) -> None:
        self._client = client
        self._mapped = dict(mapped or {})
        self._forward = forward
        self._forwards: dict[str, PortForward] = {}
        self._embedded: bool | None = None  # None: not known yet
        self._lock = threading.Lock()
        self._closed = False

    def addresses(
        self, services: Sequence[Mapping[str, Any]], slices: Sequence[Mapping[str, Any]]
    ) -> Json | None:
        """``{"services": {"ns/name": [{port, name, nodePort, address, via, pod}]}}``; None: nobody answered.

        `via` and `pod` (of a port-forward) are added to what the embedded cluster says of itself.
        """
        if self._embedded is not False:
            try:
                found = self._client.raw_get(EMBEDDED)
                self._embedded = True
                return found
            except ClusterUnavailable:
                return None
            except LabError:
                if self._embedded:
                    return None
                self._embedded = False
        return {"services": {meta.key(s): self._rows(s, slices) for s in services}}

    def _rows(self, service: Mapping[str, Any], slices: Sequence[Mapping[str, Any]]) -> list[Json]:
        rows = mapped_rows(service, self._mapped)
        if not rows or rows[0]["address"] or not self._forward:
            return rows
        way = self._forwarded(service, ready_target(service, slices))
        if way is not None:
            rows[0] = {**rows[0], "address": way.address, "via": Via.PORT_FORWARD.value, "pod": way.pod}
        return rows

    def _forwarded(self, service: Mapping[str, Any], ready: Sequence[tuple[str, int]]) -> PortForward | None:
        """The port-forward of a Service; it stays on its Pod for as long as the Service leads there."""
        key = meta.key(service)
        with self._lock:
            if self._closed:
                return None
            way = self._forwards.get(key)
            if not ready or (way is not None and way.pod in {pod for pod, _ in ready}):
                return way
            if way is not None:
                way.lead(*ready[0])
            else:
                with contextlib.suppress(OSError):
                    way = PortForward(self._client, meta.namespace(service), *ready[0])
                    self._forwards[key] = way
            return way

    def close(self) -> None:
        """End the port-forwards."""
        with self._lock:
            self._closed = True
            ways, self._forwards = list(self._forwards.values()), {}
        for way in ways:
            way.close()
