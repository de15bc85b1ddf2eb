"""Where everything of the cluster answers on this machine, in one answer. Nothing is opened here."""

from __future__ import annotations

from typing import Any

from rollout_lab.clusters.embedded.network.addresses import PodAddresses
from rollout_lab.clusters.embedded.network.portmap import PortMap
from rollout_lab.clusters.embedded.network.services import ServiceProxies


class Network:
    """A view over proxies and Pod addresses."""

    def __init__(self, proxies: ServiceProxies, pods: PodAddresses, ports: PortMap) -> None:
        self._proxies, self._pods, self._ports = proxies, pods, ports

    def addresses(self) -> dict[str, Any]:
        """Where to connect to, from this machine.

        ``{"services": {"ns/name": [{"port", "name", "nodePort", "address", "clusterAddress"}]},
        "pods": {"ns/name": {"8080": "127.10.0.5:8080"}}}``
        """
        owners = self._pods.owners()
        pods: dict[str, dict[str, str]] = {}
        for wanted, actual in sorted(self._ports.snapshot().items()):
            if (owner := owners.get(wanted.host)) is not None:
                pods.setdefault("/".join(owner), {})[str(wanted.port)] = str(actual)
        return {"services": self._proxies.addresses(), "pods": pods}

    def listening(self) -> list[str]:
        """Every address that something of the cluster answers at, as it was asked for."""
        return [str(address) for address in sorted(self._ports.snapshot())]
