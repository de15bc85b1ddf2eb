"""Where the gateway of the lab's cluster is: the one question that page, verbs and recorder ask.

Each kind of cluster answers in its own way; what a gateway does is `observe.gateways` and `observe.routed`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from rollout_lab.api.rollout import Rollout
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import ROLLOUTS
from rollout_lab.client.routes import resource_of
from rollout_lab.clock import Clock, ScaledClock
from rollout_lab.clusters import traffic
from rollout_lab.errors import LabError, NotFound, UsageError
from rollout_lab.lab.parts import Base
from rollout_lab.observe.gateways import Place, embedded, hosts, report
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.routed import sight
from rollout_lab.routers import table
from rollout_lab.routers.model import Ref

Json = dict[str, Any]
SEAT: Final = "seat-"  # how the namespaces of seats begin
LOCAL: Final = ".localhost"
REPORT: Final = (
    f"/api/v1/namespaces/{traffic.NAMESPACE}/services/{traffic.NAME}-status:status/proxy/lab/v1/gateway"
)
"""What our gateway in a cluster does, asked through the API server."""
REST: Final = 10.0  # wall seconds between two looks for one on a cluster of others


def find_gateway(client: KubeClient, mapped: Mapping[int, str] | None = None) -> Place | None:
    """The gateway of the cluster behind `client`; None where there is none.

    `mapped`: NodePort -> ``host:port`` of this machine, as `opening.mapped_ports` gives it. Of several
    the lab's own is given, which is only brought in for what no other obeys, and tells what it does.
    """
    place = embedded(client)
    if place is not None:
        return place
    try:
        seen = traffic.look(client)
    except LabError:
        return None
    found = [one for one in traffic.controllers(seen) if one.obeys]
    ours = [one for one in found if one.who == traffic.Who.OURS]
    if ours:
        return Place(traffic.entry(ours[0], seen, mapped or {}), REPORT)
    if found:
        return Place(traffic.entry(found[0], seen, mapped or {}), "", found[0].who)
    return None


class Finder:
    """Looks for the gateway of one cluster, and does not look again within `rest` wall seconds.

    A look lists all Services and Deployments: on a cluster of others that must not be done all the time.
    """

    def __init__(self, client: KubeClient, mapped: Mapping[int, str], clock: Clock, rest: float) -> None:
        self._client, self._mapped, self._clock, self._rest = client, mapped, clock, rest
        self._found: Place | None = None
        self._due = 0.0

    @staticmethod
    def of(base: Base) -> Finder:
        """Of a lab's cluster; one that is the lab's own is looked at whenever somebody asks."""
        rest = REST if base.name.startswith("context:") else 0.0
        return Finder(base.client, base.mapped, ScaledClock(), rest)

    def find(self) -> Place | None:
        """As `find_gateway`; what was seen a moment ago where that is not long enough ago."""
        now = self._clock.now()
        if now >= self._due:
            self._due = now + self._rest
            self._found = find_gateway(self._client, self._mapped)
        return self._found


def route_hosts(client: KubeClient, namespace: str, rollout: str = "") -> list[str]:
    """The host names for which users reach a rollout (default: any of the namespace) through a gateway."""
    if rollout:
        raws = [client.get(ROLLOUTS, namespace, rollout)]
    else:
        raws = client.list(ROLLOUTS, namespace).get("items") or []
    found = {ref: obj for raw in raws for ref, obj in routes_of(client, raw).items()}
    return hosts(found.values())


def routes_of(client: KubeClient, rollout: Mapping[str, Any]) -> dict[Ref, Json]:
    """What the routers of a Rollout read and write, of what is there."""
    found: dict[Ref, Json] = {}
    for ref in table.refs(Rollout(dict(rollout))):
        with contextlib.suppress(NotFound):
            obj = client.get(resource_of(ref.kind), ref.namespace, ref.name)
            found[ref] = {"apiVersion": ref.kind.api_version, "kind": ref.kind.name, **obj}
    return found


def seen_now(client: KubeClient, mapped: Mapping[int, str], observed: Observed) -> Observed:
    """A moment with its routes and what the gateway does for them, asked once."""
    if observed.rollout is None or not table.in_use(observed.view):
        return observed
    observed = replace(observed, routes=routes_of(client, observed.rollout))
    place = find_gateway(client, mapped)
    if place is None:
        return observed
    return replace(observed, gateway=sight(report(client, place), place, observed))


def one_host(client: KubeClient, namespace: str, wanted: str = "", rollout: str = "") -> str:
    """The host name to ask the gateway for. Raises UsageError where there is none, or more than one."""
    if wanted:
        return host_in(namespace, wanted)
    found = route_hosts(client, namespace, rollout)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            f"no Ingress, HTTPRoute or VirtualService of a Rollout in namespace {namespace} names a host; "
            "apply a Rollout with a traffic router (such as manifests/canary-nginx.yaml), or give --host"
        )
    raise UsageError(f"the gateway serves more than one host; name one with --host: {', '.join(found)}")


def host_in(namespace: str, host: str) -> str:
    """A host of a lecture in that namespace: a seat has its own before it, so that seats do not meet.

    >>> host_in("seat-min-ji", "demo.localhost"), host_in("anotherclass-223", "demo.localhost")
    ('seat-min-ji.demo.localhost', 'demo.localhost')
    """
    own = not namespace.startswith(SEAT) or not host.endswith(LOCAL) or host.startswith(f"{namespace}.")
    return host if own else f"{namespace}.{host}"


def there(place: Place | None) -> Place:
    """The gateway, if it can be asked from this machine. Raises LabError with the remedy."""
    if place is None:
        raise LabError(
            "this cluster has no gateway: a lab on kind brings one for a Rollout with a traffic router, as "
            "`rollout-lab up --cluster kind --scenario canary-nginx` does; the embedded lab always has one"
        )
    if not place.address:
        named = f" ({place.name})" if place.name else ""
        raise LabError(
            f"the gateway of this cluster{named} is not reached from here: "
            "none of its ports is mapped to this machine. A kind cluster of an older lab has no port for it: "
            "`rollout-lab down`, then `up`, makes it anew"
        )
    return place
