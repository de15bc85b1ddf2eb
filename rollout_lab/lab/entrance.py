"""Sees to it that somebody obeys the objects that route requests, before they are applied.

A real controller, where one is installed, is used as it is. Where none is, our gateway is brought into
the cluster as a Pod, with CRDs of our own for kinds the cluster does not know. Who is there is seen by
`clusters.traffic`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

from rollout_lab.api import fields, manifest, meta
from rollout_lab.client.resources import CRDS, of_object
from rollout_lab.clusters import traffic
from rollout_lab.clusters.context import ensure_crd
from rollout_lab.clusters.traffic import Controller, Who
from rollout_lab.errors import ApiError, LabError, NotFound
from rollout_lab.gateway.kinds import GATEWAY_API, GATEWAY_CLASS, ISTIO
from rollout_lab.lab.parts import Base, wait_deployments
from rollout_lab.lab.scenario import manifests_folder, router_crds

Json = dict[str, Any]
Progress = Callable[[str, str], None]
ROUTING: Final[Mapping[tuple[str, str], str]] = {
    ("networking.k8s.io", "Ingress"): "Ingress",
    (GATEWAY_API, "Gateway"): "HTTPRoute",
    (GATEWAY_API, "HTTPRoute"): "HTTPRoute",
    (ISTIO, "Gateway"): "VirtualService",
    (ISTIO, "VirtualService"): "VirtualService",
    (ISTIO, "DestinationRule"): "VirtualService",
}
"""Group and kind of an object that routes -> the kind its controller is chosen by (`traffic.choose`)."""
SERVED: Final = 30.0  # wall seconds until a new kind has to be served
POLL: Final = 0.1
MARK: Final = "rollout-lab/build"


class Entrance:
    """One cluster's. `images` brings our image into its nodes and gives its mark, another for another build.

    None instead: nothing of ours may be brought in.
    """

    def __init__(self, base: Base, images: Callable[[], str] | None, progress: Progress) -> None:
        self._base, self._client = base, base.client
        self._images, self._progress = images, progress
        self._chosen: dict[str, Controller | None] = {}
        self._lock = threading.Lock()

    def fit(self, obj: Mapping[str, Any]) -> Json:
        """The object as it is to be applied here: with the class of the controller that will obey it.

        Raises LabError where our gateway does not start.
        """
        group = str(obj.get("apiVersion") or "").partition("/")[0]
        kind = ROUTING.get((group, str(obj.get("kind"))))
        if kind is None:
            return dict(obj)
        with self._lock:
            if kind not in self._chosen:
                self._chosen[kind] = self._someone(kind)
            return fitted(obj, self._chosen[kind])

    def _someone(self, kind: str) -> Controller | None:
        found = traffic.controllers(traffic.look(self._client))
        chosen = traffic.choose(found, kind)
        if chosen is not None and chosen.who != Who.OURS:
            self._progress("gateway.real", chosen.who)
            return chosen
        if self._images is None:
            return chosen
        self._progress("gateway", traffic.NAME)
        self._bring(self._images())
        return traffic.choose(traffic.controllers(traffic.look(self._client)), kind)

    def _bring(self, mark: str) -> None:
        new = [crd for crd in router_crds() if ensure_crd(self._client, crd)]
        for crd in new:
            if self._base.installed is not None:
                self._base.installed.note({**crd, **self._client.get(CRDS, None, meta.name(crd))})
        for crd in new:
            self._wait_served(crd)
        made = [self._base.apply(marked(obj, mark)) for obj in gateway_objects() if self._is_for_us(obj)]
        wait_deployments(self._client, made, "the gateway")

    def _is_for_us(self, obj: Json) -> bool:
        """A class of that name may be somebody else's: it cannot be changed, and must not be."""
        if obj.get("kind") not in ("IngressClass", "GatewayClass"):
            return True
        try:
            self._client.get(of_object(obj), None, meta.name(obj))
        except NotFound:
            return True
        return False

    def _wait_served(self, crd: Mapping[str, Any]) -> None:
        """An API server serves a new kind a moment after it accepted the CRD."""
        spec = fields.mapping(crd, "spec")
        version = fields.objects(spec, "versions")[0]["name"]
        path = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
        pause = threading.Event()
        for _ in range(int(SERVED / POLL)):
            try:
                self._client.raw_get(path)
                return
            except ApiError as problem:
                if problem.code not in (404, 429, 503):
                    raise
            pause.wait(POLL)
        raise LabError(f"the cluster has the CRD {meta.name(crd)} but does not serve it")


def fitted(obj: Mapping[str, Any], controller: Controller | None) -> Json:
    """An object that names one of our classes, with the class of the controller that will obey it.

    >>> route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
    ...          "spec": {"gatewayClassName": "rollout-lab"}}
    >>> fitted(route, Controller(Who.ENVOY, {"HTTPRoute": "eg"}))["spec"]
    {'gatewayClassName': 'eg'}
    """
    spec = fields.mapping(obj, "spec")
    for kind, word, ours in (
        ("HTTPRoute", "gatewayClassName", GATEWAY_CLASS),
        ("Ingress", "ingressClassName", "nginx"),
    ):
        cls = controller.obeys.get(kind) if controller is not None else ""
        if cls and spec.get(word) == ours != cls:
            return {**obj, "spec": {**spec, word: cls}}
    return dict(obj)


def marked(obj: Json, mark: str) -> Json:
    """A Deployment whose Pods carry the mark of their build: a newer one of the same tag replaces them."""
    if obj.get("kind") != "Deployment":
        return obj
    found = deepcopy(obj)
    found["spec"]["template"]["metadata"].setdefault("annotations", {})[MARK] = mark
    return found


def gateway_objects() -> list[Json]:
    """The objects of `manifests/gateway`, in an order in which they can be created."""
    path: Path = manifests_folder() / "gateway" / "gateway.yaml"
    try:
        return manifest.load(path.read_text(encoding="utf-8"), str(path))
    except OSError:
        raise LabError(f"the manifests of the gateway are missing: expected them in {path}") from None
