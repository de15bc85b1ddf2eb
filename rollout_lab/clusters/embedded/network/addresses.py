"""Which Pod has which address: 127.10.x.y, one per Pod, given back when it is gone. No sockets.

ClusterIPs and node ports are the API server's (`allocation.py`).
"""

from __future__ import annotations

import ipaddress
from collections import deque

FIRST_PODS = 4  # the first addresses of a range stay free: network, gateway, node


class PodAddresses:
    """Addresses of one range, in order; a freed one is used again as late as possible."""

    def __init__(self, cidr: str = "127.10.0.0/16") -> None:
        """Raises ValueError for a range outside loopback."""
        network = ipaddress.IPv4Network(cidr)
        if not network.is_loopback:
            raise ValueError(f"Pods live on loopback addresses, not in {cidr}")
        self._network = network
        self._next = FIRST_PODS
        self._free: deque[str] = deque()
        self._owners: dict[str, tuple[str, str]] = {}

    def take(self, namespace: str, name: str) -> str:
        """An address for the Pod. Raises RuntimeError when the range is used up."""
        if self._next < self._network.num_addresses - 1:
            ip = str(self._network[self._next])
            self._next += 1
        elif self._free:
            ip = self._free.popleft()
        else:
            raise RuntimeError(f"every Pod address of {self._network} is in use")
        self._owners[ip] = (namespace, name)
        return ip

    def give_back(self, ip: str) -> None:
        if self._owners.pop(ip, None) is not None:
            self._free.append(ip)

    def owners(self) -> dict[str, tuple[str, str]]:
        """``{ip: (namespace, name)}`` of the Pods that have one."""
        return dict(self._owners)
