"""The shell around the ReplicaSet decisions: reads the caches, writes Pods, status and Events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from rollout_lab.clusters.embedded.controllers.claims import adopting, claims, releasing
from rollout_lab.clusters.embedded.controllers.events import Recorder
from rollout_lab.clusters.embedded.controllers.objects import (
    Key,
    Object,
    controller_of,
    is_controlled_by,
    is_terminating,
    key_of,
    labels_of,
    matches,
    name_of,
    owners_of,
    spec,
    uid_of,
)
from rollout_lab.clusters.embedded.controllers.pods import is_active, is_ready, ready_since
from rollout_lab.clusters.embedded.controllers.replicaset.decide import (
    Change,
    Failure,
    batches,
    needs_write,
    new_status,
    next_availability,
    pod_change,
    pod_of,
)
from rollout_lab.clusters.embedded.controllers.runtime import Context, Controller
from rollout_lab.clusters.embedded.resources import PODS, REPLICASETS
from rollout_lab.errors import ApiError, NotFound


class ReplicaSetController:
    """Reconciles ReplicaSets by namespace and name."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._events = Recorder(ctx, "replicaset-controller", "apps/v1", "ReplicaSet")
        self.controller = Controller("replicaset", ctx, self._reconcile, workers=4)
        self.controller.on(REPLICASETS, lambda obj, _: [key_of(obj)])
        self.controller.on(PODS, self._keys_of_pod)

    def _keys_of_pod(self, pod: Object, previous: Object | None) -> list[Key]:
        """The owner, the former owner, and for a Pod without one everybody who may want it."""
        if previous is not None and _counted(pod) == _counted(previous):
            return []
        keys: list[Key] = []
        for version in (pod, previous):
            owner = controller_of(version) if version else None
            if owner and owner.get("kind") == "ReplicaSet":
                keys.append((key_of(pod)[0], str(owner.get("name"))))
        if controller_of(pod) is None and not is_terminating(pod):
            for rs in self._ctx.cache(REPLICASETS).all(key_of(pod)[0]):
                if matches(spec(rs).get("selector"), labels_of(pod)):
                    keys.append(key_of(rs))
        return keys

    async def _reconcile(self, key: Key) -> float | None:
        rs = self._ctx.cache(REPLICASETS).get(*key)
        if rs is None:
            return None
        pods = [pod for pod in self._claim(rs) if is_active(pod)]
        error, failure = await self._apply(rs, pods, pod_change(rs, pods, self._related(rs), self._ctx.now()))
        wanted = new_status(rs, pods, failure, self._ctx.now())
        if needs_write(rs, wanted):
            try:
                self._ctx.write_status(REPLICASETS, rs, wanted)
            except NotFound:
                return None
        if error is not None:
            raise error
        return next_availability(rs, pods, self._ctx.now())

    def _claim(self, rs: Object) -> list[Object]:
        """The Pods of this ReplicaSet after adopting strays and letting go of the relabelled."""
        found = claims(rs, self._ctx.cache(PODS).all(key_of(rs)[0]))
        for pod in found.release:
            try:
                self._ctx.merge(PODS, pod, releasing(rs, pod))
            except NotFound:
                continue
        adopted = [
            self._ctx.merge(PODS, pod, adopting(rs, pod, "apps/v1", "ReplicaSet"))
            for pod in found.adopt
            if is_active(pod) and self._still_there(rs)
        ]
        return [*found.mine, *adopted]

    def _still_there(self, rs: Object) -> bool:
        """Nobody adopts for an owner that is going or was replaced since it was read."""
        live = self._ctx.api.find(REPLICASETS, *key_of(rs))
        return live is not None and uid_of(live) == uid_of(rs) and not is_terminating(live)

    def _related(self, rs: Object) -> Iterator[Object]:
        """The Pods of all ReplicaSets of the same owner, this one's included; read only when asked for."""
        owner, namespace = controller_of(rs), key_of(rs)[0]
        family = {uid_of(rs)}
        if owner is not None:
            for other in self._ctx.cache(REPLICASETS).all(namespace):
                found = controller_of(other)
                if found is not None and found.get("uid") == owner.get("uid"):
                    family.add(uid_of(other))
        for pod in self._ctx.cache(PODS).all(namespace):
            found = controller_of(pod)
            if found is not None and found.get("uid") in family:
                yield pod

    async def _apply(
        self, rs: Object, pods: list[Object], change: Change
    ) -> tuple[ApiError | None, Failure | None]:
        """Make or delete Pods; the first error, and the same as a status tells it."""
        error: ApiError | None = None
        if change.create:
            error = await self._create(rs, change.create)
            return error, Failure("FailedCreate", error.message) if error else None
        for pod in change.delete:
            if not is_controlled_by(pod, rs):
                continue
            try:
                self._ctx.delete(PODS, pod)
            except ApiError as problem:
                error = error or problem
                self._events.warning(rs, "FailedDelete", f"Error deleting: {problem.message}")
                continue
            self._events.normal(rs, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
        return error, Failure("FailedDelete", error.message) if error else None

    async def _create(self, rs: Object, count: int) -> ApiError | None:
        """Pods in growing batches; a batch with an error is the last. A closing namespace is no error."""
        for size in batches(count):
            for _ in range(size):
                try:
                    pod = self._ctx.create(PODS, key_of(rs)[0], pod_of(rs))
                except ApiError as problem:
                    if is_namespace_closing(problem):
                        return None
                    self._events.warning(rs, "FailedCreate", f"Error creating: {problem.message}")
                    return problem
                self._events.normal(rs, "SuccessfulCreate", f"Created pod: {name_of(pod)}")
            await asyncio.sleep(0)
        return None


def _counted(pod: Object) -> tuple[object, ...]:
    """What a ReplicaSet's claims and status depend on."""
    return owners_of(pod), labels_of(pod), is_active(pod), is_ready(pod), ready_since(pod)


def is_namespace_closing(error: ApiError) -> bool:
    """Whether a write was refused because the namespace is being deleted."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in error.details.get("causes") or [])
