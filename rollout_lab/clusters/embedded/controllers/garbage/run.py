"""The shell around the garbage collector: follows all objects, deletes and patches through the Api."""

from __future__ import annotations

from typing import assert_never

from rollout_lab.clusters.embedded.controllers.claims import releasing
from rollout_lab.clusters.embedded.controllers.everything import Everything
from rollout_lab.clusters.embedded.controllers.garbage.decide import (
    Delete,
    DropFinalizer,
    DropOwners,
    LookAt,
    OwnerState,
    ReleaseDependents,
    decide,
)
from rollout_lab.clusters.embedded.controllers.garbage.graph import ORPHAN, Graph, Node, waits_for_dependents
from rollout_lab.clusters.embedded.controllers.objects import (
    Key,
    Object,
    finalizers_of,
    key_of,
    meta,
    owners_of,
    uid_of,
)
from rollout_lab.clusters.embedded.controllers.runtime import Context, Controller
from rollout_lab.clusters.embedded.resources import CRDS, EVENTS, Resource
from rollout_lab.errors import NotFound

KIND = "uid"  # keys of the queue are (KIND, uid)


class GarbageCollector:
    """Looks at objects by uid whenever they, their owners or what they own change."""

    def __init__(self, ctx: Context, everything: Everything) -> None:
        self._ctx = ctx
        self._graph = Graph()
        self._everything = everything
        self._unresolved: set[str] = set()  # objects with an owner of a kind that is not served
        self.controller = Controller("garbage", ctx, self._reconcile, workers=4)
        everything.listen(self._on_change)
        ctx.cache(CRDS).handlers.append(lambda *_: self._retry_unresolved())

    def _on_change(self, res: Resource, kind: str, obj: Object, _: Object | None) -> None:
        if res.bucket == EVENTS.bucket:
            return
        if kind == "DELETED":
            affected = self._graph.remove(uid_of(obj))
        else:
            affected = self._graph.put(Node(res, obj))
        for uid in sorted(affected):
            self.controller.queue.add((KIND, uid))

    def _retry_unresolved(self) -> None:
        for uid in self._unresolved:
            self.controller.queue.add((KIND, uid))
        self._unresolved.clear()

    async def _reconcile(self, key: Key) -> float | None:
        uid = key[1]
        node = self._graph.get(uid)
        if node is None:
            return None
        obj = self._ctx.api.find(node.res, *key_of(node.object))
        if obj is None or uid_of(obj) != uid:
            return None
        states = [self._state(key_of(obj)[0], owner) for owner in owners_of(obj)]
        if OwnerState.UNKNOWN in states:
            self._unresolved.add(uid)
        dependents = [d.object for d in self._graph.dependents(uid)]
        try:
            self._apply(node.res, obj, decide(obj, states, dependents))
        except NotFound:
            return None
        return None

    def _state(self, namespace: str, owner: Object) -> OwnerState:
        """What has become of an owner, asked of the API itself."""
        api = self._ctx.api
        res = api.registry.by_kind(str(owner.get("apiVersion")), str(owner.get("kind")))
        if res is None or (res.namespaced and not namespace):
            return OwnerState.UNKNOWN
        found = api.find(res, namespace if res.namespaced else None, str(owner.get("name")))
        if found is None or uid_of(found) != owner.get("uid"):
            return OwnerState.ABSENT
        return OwnerState.WAITING if waits_for_dependents(found) else OwnerState.PRESENT

    def _apply(
        self,
        res: Resource,
        obj: Object,
        action: Delete | DropOwners | ReleaseDependents | DropFinalizer | LookAt | None,
    ) -> None:
        match action:
            case None:
                return
            case Delete(propagation, unblock):
                if unblock:
                    obj = self._ctx.merge(res, obj, _unblocking(obj))
                self._ctx.delete(res, obj, propagation=propagation)
            case DropOwners(uids):
                kept = [o for o in owners_of(obj) if o.get("uid") not in uids]
                self._ctx.merge(res, obj, _exactly(obj, {"ownerReferences": kept or None}))
            case ReleaseDependents():
                self._release_dependents(obj)
                self._drop_finalizer(res, obj, ORPHAN)
            case DropFinalizer(name):
                self._drop_finalizer(res, obj, name)
            case LookAt(uids):
                for uid in sorted(uids):
                    self.controller.queue.add((KIND, uid))
            case _:
                assert_never(action)

    def _release_dependents(self, owner: Object) -> None:
        """Read from the API, not from the graph: one that was missed would be deleted afterwards."""
        namespace = key_of(owner)[0]
        for res in self._everything.resources:
            if namespace and not res.namespaced:
                continue
            for obj in self._ctx.api.list(res, namespace or None)[0]:
                if any(o.get("uid") == uid_of(owner) for o in owners_of(obj)):
                    self._ctx.merge(res, obj, releasing(owner, obj))

    def _drop_finalizer(self, res: Resource, obj: Object, name: str) -> None:
        kept = [f for f in finalizers_of(obj) if f != name]
        self._ctx.merge(res, obj, _exactly(obj, {"finalizers": kept or None}))


def _exactly(obj: Object, metadata: Object) -> Object:
    """A merge patch of lists in metadata, valid only for the state that was read."""
    return {"metadata": {**metadata, "resourceVersion": meta(obj).get("resourceVersion")}}


def _unblocking(obj: Object) -> Object:
    references = [{**o, "blockOwnerDeletion": False} for o in owners_of(obj)]
    return _exactly(obj, {"ownerReferences": references})
