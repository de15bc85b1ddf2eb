"""The built-in controllers of the embedded cluster, started together on one Api.

Each controller is a package or module of two halves: decisions (pure functions on raw objects) and a
shell (`run`) that reads caches and writes through the Api. Nothing here knows what a Rollout is.
"""

from __future__ import annotations

import asyncio

from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.controllers.deployment.run import DeploymentController
from rollout_lab.clusters.embedded.controllers.endpoints.run import (
    EndpointsController,
    EndpointSliceController,
)
from rollout_lab.clusters.embedded.controllers.events import EventExpiry
from rollout_lab.clusters.embedded.controllers.everything import Everything
from rollout_lab.clusters.embedded.controllers.garbage.run import GarbageCollector
from rollout_lab.clusters.embedded.controllers.namespaces.run import DefinitionController, NamespaceController
from rollout_lab.clusters.embedded.controllers.replicaset.run import ReplicaSetController
from rollout_lab.clusters.embedded.controllers.runtime import Context, Controller


class Controllers:
    """All built-in controllers on one Api. `start` needs a running event loop; `stop` ends every task."""

    def __init__(self, api: Api) -> None:
        self.ctx = Context(api)
        everything = Everything(self.ctx)
        self._parts: list[Controller] = [
            EndpointSliceController(self.ctx).controller,
            ReplicaSetController(self.ctx).controller,
            DeploymentController(self.ctx).controller,
            EndpointsController(self.ctx).controller,
            GarbageCollector(self.ctx, everything).controller,
            NamespaceController(self.ctx, everything).controller,
            DefinitionController(self.ctx, everything).controller,
            EventExpiry(self.ctx).controller,
        ]
        everything.follow()
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> list[asyncio.Task[None]]:
        """Fill the caches (at once) and work from now on; the running tasks."""
        self.ctx.caches.open()
        self._workers = [task for part in self._parts for task in part.start()]
        return self.tasks

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        return [*self.ctx.caches.tasks, *self._workers]

    @property
    def idle(self) -> bool:
        """Whether no controller has work right now."""
        return all(part.queue.idle for part in self._parts)

    async def stop(self) -> None:
        """End all tasks and wait for them; no timer of a controller fires afterwards."""
        for part in self._parts:
            part.close()
        tasks = self.tasks
        self.ctx.caches.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def start(api: Api) -> list[asyncio.Task[None]]:
    """Start all built-in controllers. Cancelling the returned task (and awaiting it) stops them cleanly."""
    controllers = Controllers(api)
    controllers.start()
    return [asyncio.create_task(_until_cancelled(controllers), name="controllers")]


async def _until_cancelled(controllers: Controllers) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await controllers.stop()


__all__ = ["Controllers", "start"]
