"""The shells around the endpoint decisions: one controller for EndpointSlices, one for Endpoints."""

from __future__ import annotations

from rollout_lab.clusters.embedded.controllers.endpoints.legacy import endpoints_change
from rollout_lab.clusters.embedded.controllers.endpoints.ports import has_address, is_selecting, selects
from rollout_lab.clusters.embedded.controllers.endpoints.slices import (
    MANAGED_BY,
    MANAGER,
    SERVICE_NAME,
    slice_changes,
)
from rollout_lab.clusters.embedded.controllers.objects import (
    Key,
    Object,
    is_terminating,
    key_of,
    labels_of,
    spec,
)
from rollout_lab.clusters.embedded.controllers.pods import ips_of, is_ready, node_of
from rollout_lab.clusters.embedded.controllers.runtime import Context, Controller
from rollout_lab.clusters.embedded.resources import ENDPOINTS, ENDPOINTSLICES, PODS, SERVICES


def services_of(ctx: Context, pod: Object, previous: Object | None) -> list[Key]:
    """The Services that take the Pod, or took it before; none when nothing changed that they show."""
    namespace = key_of(pod)[0]
    if previous is not None and _shown(pod) == _shown(previous):
        return []
    versions = [v for v in (pod, previous) if v is not None]
    return [key_of(s) for s in ctx.cache(SERVICES).all(namespace) if any(selects(s, v) for v in versions)]


def _shown(pod: Object) -> tuple[object, ...]:
    """What endpoints show of a Pod; for one without an address its labels do not matter either.

    # upstream: staging/src/k8s.io/endpointslice/util/controller_utils.go::podEndpointsChanged
    """
    if not has_address(pod, terminating=True):
        return ()
    hostname = (spec(pod).get("hostname"), spec(pod).get("subdomain"))
    return ips_of(pod), is_ready(pod), is_terminating(pod), node_of(pod), labels_of(pod), hostname


def pods_of(ctx: Context, service: Object) -> list[Object]:
    return [pod for pod in ctx.cache(PODS).all(key_of(service)[0]) if selects(service, pod)]


class EndpointSliceController:
    """Keeps the slices of every Service that selects Pods."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.controller = Controller("endpointslice", ctx, self._reconcile)
        self.controller.on(SERVICES, lambda obj, _: [key_of(obj)])
        self.controller.on(PODS, lambda pod, previous: services_of(ctx, pod, previous))
        self.controller.on(ENDPOINTSLICES, self._keys_of_slice)

    @staticmethod
    def _keys_of_slice(slice_: Object, _: Object | None) -> list[Key]:
        labels = labels_of(slice_)
        if labels.get(MANAGED_BY) != MANAGER or not labels.get(SERVICE_NAME):
            return []
        return [(key_of(slice_)[0], labels[SERVICE_NAME])]

    async def _reconcile(self, key: Key) -> float | None:
        ctx = self._ctx
        service = ctx.cache(SERVICES).get(*key)
        present = [
            s
            for s in ctx.cache(ENDPOINTSLICES).all(key[0])
            if labels_of(s).get(SERVICE_NAME) == key[1] and labels_of(s).get(MANAGED_BY) == MANAGER
        ]
        if service is None:
            for slice_ in present:
                ctx.delete(ENDPOINTSLICES, slice_)
            return None
        if not is_selecting(service) or is_terminating(service):
            return None
        changes = slice_changes(service, pods_of(ctx, service), present)
        for slice_ in changes.create:
            ctx.create(ENDPOINTSLICES, key[0], slice_)
        for slice_ in changes.update:
            ctx.update(ENDPOINTSLICES, slice_)
        for slice_ in changes.delete:
            ctx.delete(ENDPOINTSLICES, slice_)
        return None


class EndpointsController:
    """Keeps the Endpoints object of every Service that selects Pods."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.controller = Controller("endpoints", ctx, self._reconcile)
        self.controller.on(SERVICES, lambda obj, _: [key_of(obj)])
        self.controller.on(PODS, lambda pod, previous: services_of(ctx, pod, previous))
        self.controller.on(ENDPOINTS, lambda obj, _: [key_of(obj)])

    async def _reconcile(self, key: Key) -> float | None:
        ctx = self._ctx
        service, present = ctx.cache(SERVICES).get(*key), ctx.cache(ENDPOINTS).get(*key)
        if service is None:
            if present is not None and not is_terminating(present):
                ctx.delete(ENDPOINTS, present)
            return None
        if not is_selecting(service):
            return None
        wanted = endpoints_change(service, pods_of(ctx, service), present)
        if wanted is None:
            return None
        if present is None:
            ctx.create(ENDPOINTS, key[0], wanted)
        else:
            ctx.update(ENDPOINTS, wanted)
        return None
