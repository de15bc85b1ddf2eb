"""One feed of all deletable objects of the cluster, custom ones included, as resources come and go.

Garbage collection and namespace deletion need it; what they do with it is theirs.
"""

from __future__ import annotations

from collections.abc import Callable

from rollout_lab.clusters.embedded.controllers.objects import Object
from rollout_lab.clusters.embedded.controllers.runtime import Context
from rollout_lab.clusters.embedded.resources import CRDS, Resource

Listener = Callable[[Resource, str, Object, Object | None], None]  # (resource, type, object, before)


class Everything:
    """Follows every resource that can be listed, watched and deleted. Listeners hear of each change."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._resources: dict[str, Resource] = {}
        self._listeners: list[Listener] = []
        ctx.cache(CRDS).handlers.append(lambda *_: self._look_again())

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    @property
    def resources(self) -> list[Resource]:
        """What is served now, one version of each kind, in a stable order."""
        served = {res.bucket for res in self._ctx.api.registry}
        return [res for bucket, res in self._resources.items() if bucket in served]

    def follow(self) -> None:
        """Begin to follow what is served now; the caches themselves are opened by their owner."""
        for res in list(self._ctx.api.registry):
            if res.bucket not in self._resources and {"list", "watch", "delete"} <= set(res.verbs):
                self._resources[res.bucket] = res
                self._ctx.cache(res).handlers.append(self._handler(res))

    def _look_again(self) -> None:
        self.follow()
        for res in self._resources.values():
            self._ctx.caches.follow(self._ctx.cache(res))

    def _handler(self, res: Resource) -> Callable[[str, Object, Object | None], None]:
        def handler(kind: str, obj: Object, previous: Object | None) -> None:
            for listener in self._listeners:
                listener(res, kind, obj, previous)

        return handler
