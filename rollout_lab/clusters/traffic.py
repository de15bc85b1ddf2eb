"""Which gateway or ingress controller a cluster has, what it obeys, and where requests come in to it.

The decision is pure (`controllers`, `choose`, `entry`); `look` asks the cluster for what it decides on.
Real controllers are known by how they install themselves; none could be run where this was made, so the
tables of the tests are made after their documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import (
    DAEMONSETS,
    DEPLOYMENTS,
    GATEWAYCLASSES,
    GATEWAYS,
    INGRESSCLASSES,
    SERVICES,
    Resource,
)
from rollout_lab.errors import ClusterUnavailable, LabError
from rollout_lab.gateway.objects import CONTROLLER, NGINX_CONTROLLER

Json = dict[str, Any]
Key = tuple[str, str]

NAMESPACE: Final = "rollout-lab"
NAME: Final = "rollout-lab-gateway"
"""Our Deployment and its Service."""
_ENVOY: Final = "gateway.envoyproxy.io/gatewayclass-controller"
_ISTIO: Final = "istio.io/gateway-controller"
_CLOUD: Final = "kind.sigs.k8s.io/gateway-controller"
_INGRESS, _ROUTE, _VIRTUAL = "Ingress", "HTTPRoute", "VirtualService"


class Who(StrEnum):
    """Controllers the lab knows."""

    OURS = "ours"
    NGINX = "ingress-nginx"
    ENVOY = "envoy-gateway"
    ISTIO = "istio"
    CLOUD = "cloud-provider-kind"


@dataclass(frozen=True, slots=True)
class Controller:
    """One that is there. `obeys`: kind of object -> the class to name in it (``""``: none needed).

    `service` is where requests come in, ``("", "")`` where each Gateway has a Service of its own or none
    is seen; `ready`: it has running Pods, or says itself that it works.
    """

    who: Who
    obeys: Mapping[str, str] = field(default_factory=dict)
    service: Key = ("", "")
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """What a cluster has of each kind that tells of controllers; empty where that cannot be seen."""

    ingress_classes: Sequence[Json] = ()
    gateway_classes: Sequence[Json] = ()
    gateways: Sequence[Json] = ()
    workloads: Sequence[Json] = ()  # Deployments and DaemonSets
    services: Sequence[Json] = ()


def controllers(seen: Seen) -> tuple[Controller, ...]:
    """Every known controller of a cluster: real ones first, ours last."""
    found = (_nginx(seen), _envoy(seen), _istio(seen), _cloud(seen), _ours(seen))
    return tuple(one for one in found if one is not None)


def choose(found: Iterable[Controller], kind: str) -> Controller | None:
    """Who is to obey objects of a kind (Ingress with NGINX's annotations, HTTPRoute, VirtualService).

    A real one wins over ours also while it is not ready: two must not obey the same objects.
    """
    return next((one for one in found if kind in one.obeys), None)


def _nginx(seen: Seen) -> Controller | None:
    workload = _first(
        w
        for w in seen.workloads
        if meta.labels(w).get("app.kubernetes.io/name") == "ingress-nginx"
        and meta.labels(w).get("app.kubernetes.io/component", "controller") == "controller"
    )
    if workload is None:
        return None
    flags = [word for word in _arguments(workload) if word.startswith("--controller-class=")]
    named = flags[0].partition("=")[2] if flags else NGINX_CONTROLLER
    cls = _class(seen.ingress_classes, "controller", named)
    service = _service(seen, meta.namespace(workload), {"app.kubernetes.io/name": "ingress-nginx"})
    obeys = {_INGRESS: meta.name(cls)} if cls is not None else {}
    return Controller(Who.NGINX, obeys, service, _running(workload))


def _envoy(seen: Seen) -> Controller | None:
    workload = _first(w for w in seen.workloads if meta.labels(w).get("control-plane") == "envoy-gateway")
    cls = _class(seen.gateway_classes, "controllerName", _ENVOY)
    if workload is None and (cls is None or not _accepted(cls)):
        return None  # a class somebody forgot: nobody works by it
    ready = _running(workload) if workload is not None else True
    return Controller(Who.ENVOY, {_ROUTE: meta.name(cls)} if cls is not None else {}, ready=ready)


def _istio(seen: Seen) -> Controller | None:
    workload = _first(w for w in seen.workloads if meta.labels(w).get("app") == "istiod")
    if workload is None:
        return None
    obeys = {_VIRTUAL: ""}
    cls = _class(seen.gateway_classes, "controllerName", _ISTIO)
    if cls is not None:
        obeys[_ROUTE] = meta.name(cls)
    service = _service(seen, None, {"istio": "ingressgateway"})
    if service == ("", ""):
        service = _service(seen, None, {"istio": "ingress"})
    return Controller(Who.ISTIO, obeys, service, _running(workload))


def _cloud(seen: Seen) -> Controller | None:
    """A program beside the cluster: only its class tells of it. It does not read NGINX's annotations."""
    cls = _class(seen.gateway_classes, "controllerName", _CLOUD)
    if cls is None:
        return None
    return Controller(Who.CLOUD, {_ROUTE: meta.name(cls)}, ready=_accepted(cls))


def _ours(seen: Seen) -> Controller | None:
    workload = _first(w for w in seen.workloads if (meta.namespace(w), meta.name(w)) == (NAMESPACE, NAME))
    if workload is None:
        return None
    obeys = {_VIRTUAL: ""}
    for kind, classes, word in (
        (_INGRESS, seen.ingress_classes, "controller"),
        (_ROUTE, seen.gateway_classes, "controllerName"),
    ):
        cls = _class(classes, word, CONTROLLER)
        if cls is not None:
            obeys[kind] = meta.name(cls)
    return Controller(Who.OURS, obeys, (NAMESPACE, NAME), _running(workload))


def entry(found: Controller, seen: Seen, mapped: Mapping[int, str]) -> str:
    """``host:port`` of this machine where requests come in; ``""`` where none is known to lead there.

    `mapped`: NodePort, or port of the node, -> ``host:port`` of this machine.
    """
    service = next((s for s in _entries(found, seen)), None)
    for port in fields.objects(service, "spec", "ports") if service is not None else ():
        address = mapped.get(fields.integer(port, "nodePort") or 0)
        if address and port.get("name") not in ("https", "status-port"):
            return address
    if found.who == Who.NGINX and 80 in mapped:  # its manifest for kind listens on the node itself
        return mapped[80]
    if found.who == Who.CLOUD:  # its proxies are containers beside the node, with addresses of their own
        for gateway in seen.gateways:
            if fields.text(gateway, "spec", "gatewayClassName") == found.obeys.get(_ROUTE):
                address = next(
                    (
                        str(a["value"])
                        for a in fields.objects(gateway, "status", "addresses")
                        if a.get("value")
                    ),
                    "",
                )
                listeners = fields.objects(gateway, "spec", "listeners")
                number = (fields.integer(listeners[0], "port") if listeners else None) or 80
                return f"{address}:{number}" if address else ""
    return ""


def _entries(found: Controller, seen: Seen) -> list[Json]:
    """The Services requests come in by: the controller's own, else those made for its Gateways."""
    if found.service != ("", ""):
        return [s for s in seen.services if (meta.namespace(s), meta.name(s)) == found.service]
    owners = ("gateway.envoyproxy.io/owning-gateway-name", "gateway.networking.k8s.io/gateway-name")
    ours = {
        meta.name(g)
        for g in seen.gateways
        if fields.text(g, "spec", "gatewayClassName") == found.obeys.get(_ROUTE)
    }
    return [s for s in seen.services if ours & {meta.labels(s).get(label) for label in owners}]


def _first(found: Iterable[Json]) -> Json | None:
    return next(iter(found), None)


def _class(classes: Iterable[Json], word: str, controller: str) -> Json | None:
    return _first(c for c in classes if fields.text(c, "spec", word) == controller)


def _accepted(cls: Json) -> bool:
    found = meta.condition(meta.conditions(cls), "Accepted")
    return found is not None and found.get("status") == "True"


def _running(workload: Json) -> bool:
    status = workload.get("status") or {}
    return bool(status.get("readyReplicas") or status.get("numberReady"))


def _arguments(workload: Json) -> list[str]:
    containers = fields.objects(workload, "spec", "template", "spec", "containers")
    return [str(word) for c in containers for word in (*(c.get("command") or ()), *(c.get("args") or ()))]


def _service(seen: Seen, namespace: str | None, labels: Mapping[str, str]) -> Key:
    """The Service with these labels (None: of any namespace) that has a port for plain HTTP."""
    for service in seen.services:
        names = {port.get("name") for port in fields.objects(service, "spec", "ports")}
        numbers = {port.get("port") for port in fields.objects(service, "spec", "ports")}
        fits = namespace in (None, meta.namespace(service)) and labels.items() <= meta.labels(service).items()
        if fits and (80 in numbers or names & {"http", "http2"}):
            return meta.namespace(service), meta.name(service)
    return "", ""


def look(client: KubeClient) -> Seen:
    """Ask the cluster; kinds it does not know or does not show count as none. Raises ClusterUnavailable."""
    return Seen(
        ingress_classes=_listed(client, INGRESSCLASSES),
        gateway_classes=_listed(client, GATEWAYCLASSES),
        gateways=_listed(client, GATEWAYS),
        workloads=[*_listed(client, DEPLOYMENTS), *_listed(client, DAEMONSETS)],
        services=_listed(client, SERVICES),
    )


def _listed(client: KubeClient, res: Resource) -> list[Json]:
    try:
        found: list[Json] = client.list(res)["items"]
    except ClusterUnavailable:
        raise
    except LabError:
        return []
    return found
