"""The objects a gateway needs, as the API has them now. Kinds of CRDs are followed once they are served."""

from __future__ import annotations

from collections.abc import Callable

from rollout_lab.clusters.embedded.controllers.objects import Object
from rollout_lab.clusters.embedded.controllers.runtime import Context
from rollout_lab.clusters.embedded.resources import (
    CRDS,
    ENDPOINTSLICES,
    INGRESSCLASSES,
    INGRESSES,
    NAMESPACES,
    PODS,
    SERVICES,
    Resource,
)
from rollout_lab.gateway.kinds import CUSTOM, VERSIONS, labels_matter
from rollout_lab.gateway.objects import World

BUILTIN = {
    "Ingress": INGRESSES,
    "IngressClass": INGRESSCLASSES,
    "Service": SERVICES,
    "EndpointSlice": ENDPOINTSLICES,
    "Pod": PODS,
    "Namespace": NAMESPACES,
}


class Feed:
    """Calls `changed()` whenever something happens that may change the table."""

    def __init__(self, ctx: Context, changed: Callable[[], None]) -> None:
        self._ctx = ctx
        self._changed = changed
        self._resources: dict[str, Resource] = {}
        for kind, res in BUILTIN.items():
            self._listen(kind, res)
        ctx.cache(CRDS).handlers.append(lambda *_: self.look_again())

    def start(self) -> None:
        """Fill everything now and follow it."""
        self._ctx.caches.open()
        self.look_again()

    def look_again(self) -> None:
        """Follow the custom kinds that are served now."""
        for kind, (group, plural) in CUSTOM.items():
            found = (self._ctx.api.registry.find(group, version, plural) for version in VERSIONS)
            res = next((r for r in found if r is not None), None)
            if res is not None and kind not in self._resources:
                self._listen(kind, res)
                self._ctx.caches.follow(self._ctx.cache(res))
                self._changed()

    def resource(self, kind: str) -> Resource | None:
        """The resource of a kind; None while no CRD brings it."""
        return self._resources.get(kind)

    def all(self, kind: str) -> list[Object]:
        """The objects of a kind, none while it is not served."""
        res = self._resources.get(kind)
        return self._ctx.cache(res).all() if res is not None else []

    def world(self) -> World:
        """Everything as it is now; Pods only where subsets may ask for their labels."""
        without = () if self.all("DestinationRule") else ("Pod",)
        return World.of({kind: self.all(kind) for kind in self._resources if kind not in without})

    def _listen(self, kind: str, res: Resource) -> None:
        self._resources[kind] = res
        handler = self._labels_changed if kind == "Pod" else lambda *_: self._changed()
        self._ctx.cache(res).handlers.append(handler)

    def _labels_changed(self, _: str, pod: Object, previous: Object | None) -> None:
        """A Pod matters by its labels only, and only where a subset may ask for them."""
        if not self.all("DestinationRule"):
            return
        if labels_matter(pod, previous):
            self._changed()
