"""The cluster as the engine sees it: mirrors of Rollouts, ReplicaSets, Services and routes.

Nothing is decided or written here. What one change means for which Rollout is `concerned`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rollout_lab.api import fields, meta, names, selectors
from rollout_lab.api.fields import Json
from rollout_lab.api.rollout import Rollout
from rollout_lab.client import routes
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.mirror import Mirror, jittered_backoff
from rollout_lab.client.resources import PODS, REPLICASETS, ROLLOUTS, SERVICES, Resource
from rollout_lab.errors import LabError
from rollout_lab.plan.snapshot import Snapshot
from rollout_lab.routers import table
from rollout_lab.routers.model import Kind

Name = tuple[str, str]
"""(namespace, name)."""


def _backoff(failures: int) -> float:
    return min(2.0, jittered_backoff(failures))


class Caches:
    """Live copies of what the engine watches. Pods are asked for only when a plan needs them."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str | None,
        instance_id: str,
        on_error: Callable[[Resource, LabError], None],
        on_kind: Callable[[Kind], None] = lambda kind: None,
    ) -> None:
        self._client = client
        self._instance_id = instance_id

        def mirror(
            resource: Resource,
            trouble: Callable[[LabError], None] = lambda problem: None,
            listed: Callable[[], None] = lambda: None,
        ) -> Mirror:
            def tell(problem: LabError) -> None:
                on_error(resource, problem)
                trouble(problem)

            return Mirror(client, resource, namespace, backoff=_backoff, on_error=tell, on_list=listed)

        self.rollouts = mirror(ROLLOUTS)
        self.replica_sets = mirror(REPLICASETS)
        self.services = mirror(SERVICES)
        self.all = (self.services, self.replica_sets, self.rollouts)
        self.routes = routes.Routes(mirror, on_kind)

    def start(self) -> None:
        for mirror in self.all:
            mirror.start()

    def stop(self) -> None:
        self.routes.stop()
        for mirror in self.all:
            mirror.stop()

    @property
    def synced(self) -> bool:
        return all(mirror.synced for mirror in self.all)

    def ours(self, rollout: Json) -> bool:
        """Whether this engine looks after the Rollout: its instance id, or none where we have none."""
        return meta.labels(rollout).get(names.INSTANCE_ID_LABEL, "") == self._instance_id

    def rollout(self, key: Name) -> Json | None:
        found = self.rollouts.get(*key)
        return found if found is not None and self.ours(found) else None

    def look(self, kind: str, namespace: str, name: str) -> Json | None:
        """The copy of one object of a kind that is mirrored."""
        mirrors = {"Rollout": self.rollouts, "ReplicaSet": self.replica_sets, "Service": self.services}
        mirror = mirrors.get(kind)
        return mirror.get(namespace, name) if mirror else self.routes.look(kind, namespace, name)

    def snapshot(self, rollout: Json, owned: tuple[Json, ...], now: float) -> Snapshot:
        """What a pass looks at. Raises routes.NotLooked."""
        view = Rollout(rollout)
        namespace = meta.namespace(rollout)
        named = {name: self.services.get(namespace, name) for name in view.services.values()}
        services = {name: service for name, service in named.items() if service is not None}
        found, absent = self.routes.gather(table.refs(view))
        return Snapshot(now, rollout, owned, services, self._pods(view, namespace), found, absent)

    def _pods(self, view: Rollout, namespace: str) -> tuple[Json, ...]:
        if not view.restart_at or view.restart_at == view.status.restarted_at:
            return ()
        selector = selectors.text(view.selector)
        return tuple(self._client.list(PODS, namespace, label_selector=selector).get("items") or ())

    def concerned(self, obj: Json) -> Iterator[Name]:
        """The Rollouts that a change of `obj` may matter to."""
        namespace = meta.namespace(obj)
        if obj.get("kind") == names.KIND:
            yield namespace, meta.name(obj)
            return
        if obj.get("kind") == "ReplicaSet":
            owner = meta.controller_of(obj)
            if owner is not None:
                if owner.get("kind") == names.KIND:
                    yield namespace, fields.text(owner, "name")
                return
            for rollout in self.rollouts.list(namespace):
                if selectors.matches(Rollout(rollout).selector or None, meta.labels(obj)):
                    yield namespace, meta.name(rollout)
            return
        if obj.get("kind") != "Service":
            yield from routes.concerned(obj, self.rollouts.list())
            return
        for rollout in self.rollouts.list(namespace):
            if meta.name(obj) in Rollout(rollout).services.values():
                yield namespace, meta.name(rollout)
