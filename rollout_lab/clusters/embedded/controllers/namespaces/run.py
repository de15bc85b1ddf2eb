"""The shell around the namespace decisions, and the end of CRDs that wait for their last object."""

from __future__ import annotations

from rollout_lab.clusters.embedded.controllers.everything import Everything
from rollout_lab.clusters.embedded.controllers.namespaces.decide import (
    DEFAULT_ACCOUNT,
    ROOT_CA,
    default_account,
    emptying_status,
    finalized,
    root_ca,
)
from rollout_lab.clusters.embedded.controllers.objects import (
    Key,
    Object,
    finalizers_of,
    is_terminating,
    key_of,
    meta,
    spec,
    status,
)
from rollout_lab.clusters.embedded.controllers.runtime import Context, Controller
from rollout_lab.clusters.embedded.customs import CLEANUP
from rollout_lab.clusters.embedded.resources import CONFIGMAPS, CRDS, NAMESPACES, SERVICEACCOUNTS, Resource
from rollout_lab.errors import AlreadyExists

LOOK_AGAIN = 5.0  # lab seconds; usually the last deleted object wakes the controller first


class NamespaceController:
    """Reconciles namespaces by ("", name)."""

    def __init__(self, ctx: Context, everything: Everything) -> None:
        self._ctx = ctx
        self._everything = everything
        self.controller = Controller("namespace", ctx, self._reconcile)
        self.controller.on(NAMESPACES, lambda obj, _: [key_of(obj)])
        everything.listen(self._on_change)

    def _on_change(self, res: Resource, kind: str, obj: Object, _: Object | None) -> None:
        """Something of a namespace is gone: it may be empty now, or miss what every namespace has."""
        if kind == "DELETED" and key_of(obj)[0]:
            namespace = self._ctx.cache(NAMESPACES).get("", key_of(obj)[0])
            if namespace is not None and (is_terminating(namespace) or res in (SERVICEACCOUNTS, CONFIGMAPS)):
                self.controller.queue.add(key_of(namespace))

    async def _reconcile(self, key: Key) -> float | None:
        namespace = self._ctx.api.find(NAMESPACES, None, key[1])
        if namespace is None:
            return None
        if is_terminating(namespace):
            return self._empty(namespace)
        self._furnish(key[1])
        return None

    def _furnish(self, name: str) -> None:
        for res, wanted in ((SERVICEACCOUNTS, default_account(name)), (CONFIGMAPS, root_ca(name))):
            known = DEFAULT_ACCOUNT if res is SERVICEACCOUNTS else ROOT_CA
            if self._ctx.api.find(res, name, known) is None:
                try:
                    self._ctx.create(res, name, wanted)
                except AlreadyExists:
                    continue

    def _empty(self, namespace: Object) -> float | None:
        """Delete what is in the namespace; when nothing is left, the namespace itself goes."""
        ctx, name = self._ctx, key_of(namespace)[1]
        resources = [res for res in self._everything.resources if res.namespaced]
        for res in resources:
            for obj in ctx.api.list(res, name)[0]:
                if not is_terminating(obj):
                    ctx.delete(res, obj, propagation="Background")
        left = {_dotted(res): ctx.api.list(res, name)[0] for res in resources}
        if any(left.values()):
            wanted = emptying_status(namespace, left, ctx.now())
            if wanted != status(namespace):
                ctx.write_status(NAMESPACES, namespace, wanted)
            return LOOK_AGAIN
        if "kubernetes" in (spec(namespace).get("finalizers") or []):
            ctx.api.update(NAMESPACES, None, name, finalized(namespace), subresource="finalize")
            ctx.cache(NAMESPACES).refresh(namespace)
        return None


def _dotted(res: Resource) -> str:
    """`pods.`, `replicasets.apps`: how the namespace controller names resources."""
    return f"{res.plural}.{res.group}"


class DefinitionController:
    """Lets a CRD that is being deleted go when its last object is gone."""

    def __init__(self, ctx: Context, everything: Everything) -> None:
        self._ctx = ctx
        self.controller = Controller("definitions", ctx, self._reconcile, workers=1)
        self.controller.on(CRDS, lambda obj, _: [key_of(obj)])
        everything.listen(self._on_change)

    def _on_change(self, res: Resource, kind: str, obj: Object, _: Object | None) -> None:
        if res.custom and kind == "DELETED":
            self.controller.queue.add(("", res.qualified))

    async def _reconcile(self, key: Key) -> float | None:
        api = self._ctx.api
        crd = api.find(CRDS, None, key[1])
        if crd is None or not is_terminating(crd) or CLEANUP not in finalizers_of(crd):
            return None
        group, plural = spec(crd)["group"], spec(crd)["names"]["plural"]
        served = [r for r in api.registry if r.group == group and r.plural == plural]
        if not (served and api.list(served[0])[0]):
            kept = [f for f in finalizers_of(crd) if f != CLEANUP]
            version = meta(crd).get("resourceVersion")
            self._ctx.merge(CRDS, crd, {"metadata": {"finalizers": kept or None, "resourceVersion": version}})
        return None
