"""Where the gateway of a cluster answers, what it tells of itself, and which host names it serves.

A gateway is what stands before the Services of a Rollout with a traffic router. Reads only; what its
report means for one rollout is `routed`, asking through it is `probe`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from rollout_lab.api import fields
from rollout_lab.client.kube import KubeClient
from rollout_lab.errors import LabError

Json = dict[str, Any]
ADDRESSES: Final = "/lab/v1/addresses"
STATUS: Final = "/lab/v1/gateway"
PATIENCE: Final = 3.0  # wall seconds for a report
_DIRECT: Final = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Place:
    """A gateway that is there.

    `address`: ``host:port`` where it answers on this machine, ``""`` if it cannot be reached from here.
    `status`: where its report is read: a path of the API server (``/...``), a URL of this machine, or
    ``""`` for a gateway that tells nothing of itself. `name`: as people call it, ``""`` for the lab's own.
    """

    address: str
    status: str = ""
    name: str = ""


def embedded(client: KubeClient) -> Place | None:
    """The gateway inside an embedded cluster; None on any other, and while nobody answers."""
    try:
        address = client.raw_get(ADDRESSES).get("gateway")
    except LabError:
        return None
    return Place(str(address), STATUS) if address else None


def report(client: KubeClient, place: Place) -> Json | None:
    """What the gateway says it does (`rollout_lab.gateway.counts.report`); None if it says nothing."""
    try:
        if place.status.startswith("/"):
            return client.raw_get(place.status)
        if place.status:
            with _DIRECT.open(place.status, timeout=PATIENCE) as answer:
                found = json.load(answer)
                return found if isinstance(found, dict) else None
    except (LabError, URLError, OSError, ValueError):
        return None
    return None


def hosts(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """The host names that Ingresses, HTTPRoutes and VirtualServices are for, each once; stars left out.

    >>> hosts([{"kind": "HTTPRoute", "spec": {"hostnames": ["a.test", "*.test"]}}])
    ['a.test']
    """
    found: dict[str, None] = {}
    for obj in objects:
        match obj.get("kind"):
            case "Ingress":
                names = [rule.get("host") for rule in fields.objects(obj, "spec", "rules")]
            case "HTTPRoute":
                names = list(fields.items(obj, "spec", "hostnames"))
            case "VirtualService":
                names = list(fields.items(obj, "spec", "hosts"))
            case _:
                continue
        found |= dict.fromkeys(name for name in names if isinstance(name, str) and name and "*" not in name)
    return list(found)
