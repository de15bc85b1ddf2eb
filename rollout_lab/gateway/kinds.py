"""Which kinds of CRDs a gateway follows, the classes it offers, and what is new to say. Pure.

The same for every gateway of ours, however it gets its objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rollout_lab.gateway.objects import CONTROLLER, Object, Problem

GATEWAY_API, ISTIO = "gateway.networking.k8s.io", "networking.istio.io"
CUSTOM = {
    "HTTPRoute": (GATEWAY_API, "httproutes"),
    "Gateway": (GATEWAY_API, "gateways"),
    "GatewayClass": (GATEWAY_API, "gatewayclasses"),
    "VirtualService": (ISTIO, "virtualservices"),
    "DestinationRule": (ISTIO, "destinationrules"),
    "IstioGateway": (ISTIO, "gateways"),
}
"""Kind -> group and plural; the version is the best one that is served (`VERSIONS`)."""
VERSIONS = ("v1", "v1beta1", "v1alpha3", "v1alpha2")
GATEWAY_CLASS = "rollout-lab"
INGRESS_CLASS = "nginx"
"""The class the course's Ingresses name."""
DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
COMPONENT = "rollout-lab-gateway"
REASON = "NotObeyed"
"""Who speaks in Events, and of what."""


def gateway_class(api_version: str = f"{GATEWAY_API}/v1") -> dict[str, Any]:
    """The class to name in a Gateway that is to be ours."""
    return {
        "apiVersion": api_version,
        "kind": "GatewayClass",
        "metadata": {"name": GATEWAY_CLASS},
        "spec": {"controllerName": CONTROLLER},
    }


def ingress_class(controller: str) -> dict[str, Any]:
    """The class the course's Ingresses name, also for those that name none."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": INGRESS_CLASS, "annotations": {DEFAULT_CLASS: "true"}},
        "spec": {"controller": controller},
    }


def labels_matter(pod: Object, previous: Object | None) -> bool:
    """Whether a change of a Pod may change a table: it counts by its labels only, in subsets."""
    return previous is None or pod["metadata"].get("labels") != previous["metadata"].get("labels")


class News:
    """Tells each problem of an object once, for as long as it lasts."""

    def __init__(self) -> None:
        self._told: set[tuple[str, Problem]] = set()

    def of(
        self, problems: Iterable[Problem], live: Callable[[Problem], Object | None]
    ) -> Sequence[tuple[Object, Problem]]:
        """The problems that are new, with their objects; `live` gives None for one that is gone."""
        now: set[tuple[str, Problem]] = set()
        found = []
        for problem in problems:
            obj = live(problem)
            if obj is None:
                continue
            told = str(obj["metadata"].get("uid") or ""), problem
            if told not in self._told and told not in now:
                found.append((obj, problem))
            now.add(told)
        self._told = now
        return found
