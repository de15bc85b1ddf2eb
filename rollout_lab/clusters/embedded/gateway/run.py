"""The gateway of an embedded cluster as a running thing: a listener, a feed of objects, a table.

A change is compiled within a turn of the API loop and handed to the data plane, where the next request
meets it; requests under way keep the table they began with.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.controllers.runtime import Context
from rollout_lab.clusters.embedded.gateway.feed import Feed
from rollout_lab.clusters.embedded.gateway.telling import Telling
from rollout_lab.clusters.embedded.network.dataplane import DataPlane
from rollout_lab.clusters.embedded.network.portmap import Address, Listener, PortMap
from rollout_lab.clusters.embedded.resources import INGRESSCLASSES
from rollout_lab.errors import ApiError
from rollout_lab.gateway.compile import compile_table
from rollout_lab.gateway.counts import Counts, report
from rollout_lab.gateway.kinds import gateway_class, ingress_class
from rollout_lab.gateway.objects import NGINX_CONTROLLER, Problem, Settings
from rollout_lab.gateway.proxy import Gateway
from rollout_lab.gateway.table import Endpoint, Table

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
GATEWAY_PORT = 8800
PATIENCE = 1.0  # wall seconds a problem must last before an Event says so: objects come one by one


class EmbeddedGateway:
    """Made and started on the API loop; carries its requests on the data plane's."""

    def __init__(
        self,
        api: Api,
        plane: DataPlane,
        ports: PortMap,
        *,
        port: int = GATEWAY_PORT,
        seed: int | None = None,
    ) -> None:
        """`port`: another free one is taken where it is not free. `seed` makes every choice repeatable."""
        self._plane, self._ports = plane, ports
        self._wanted, self._seed = Address(HOST, port), seed
        self._ctx = Context(api)
        self._dirty = asyncio.Event()
        self._feed = Feed(self._ctx, self._dirty.set)
        self._telling = Telling(self._ctx, self._feed)
        self._table = Table()
        self._problems: tuple[Problem, ...] = ()
        self._gateway: Gateway | None = None
        self._listener: Listener | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def address(self) -> str:
        """``host:port`` of the listener; ``""`` before it listens."""
        return str(self._listener.actual) if self._listener else ""

    async def start(self) -> None:
        """Listen and follow the API from now on."""
        self._gateway, self._listener = await self._plane.run(self._open())
        self._class(INGRESSCLASSES, ingress_class(NGINX_CONTROLLER))
        self._feed.start()
        self._dirty.set()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._compile(), name="gateway-table"),
            loop.create_task(self._complain(), name="gateway-events"),
        ]

    async def stop(self) -> None:
        """Stop listening, let requests under way end, close the rest. Safe to call twice."""
        for task in self._tasks:
            task.cancel()
        self._ctx.caches.close()
        await asyncio.gather(*self._tasks, *self._ctx.caches.tasks, return_exceptions=True)
        gateway, self._gateway = self._gateway, None
        listener, self._listener = self._listener, None
        if gateway is not None and listener is not None:
            await self._plane.run(self._close(gateway, listener))

    def report(self) -> dict[str, Any]:
        """``{"address", "routes", "unrouted", "retried", "problems"}``, see `rollout_lab.gateway.counts`."""
        counts = self._gateway.counts if self._gateway else Counts()
        problems = [
            {"kind": p.kind, "namespace": p.namespace, "name": p.name, "field": p.field, "message": p.message}
            for p in self._problems
        ]
        return {"address": self.address, **report(self._table, counts), "problems": problems}

    # -- the data plane's side ----------------------------------------------------------------------

    async def _open(self) -> tuple[Gateway, Listener]:
        gateway = Gateway(reach=self._reach, seed=self._seed)
        return gateway, await self._ports.listen(self._wanted, gateway.server)

    async def _close(self, gateway: Gateway, listener: Listener) -> None:
        self._ports.close(listener)
        await gateway.stop()

    def _reach(self, endpoint: Endpoint) -> Endpoint | None:
        """Only what the cluster itself listens at: a manifest never leads a request anywhere else."""
        actual = self._ports.actual(Address(*endpoint))
        return (actual.host, actual.port) if actual else None

    # -- the API's side -----------------------------------------------------------------------------

    async def _compile(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                self._swap()
            except Exception:  # a mistake of ours: the last good table stays in use
                log.exception("the gateway keeps its last table")

    def _swap(self) -> None:
        if self._gateway is None or self._listener is None:
            return
        self._gateway_class()
        where = self._listener.actual
        compiled = compile_table(self._feed.world(), Settings(host=where.host, port=where.port))
        self._table, self._problems = compiled.table, compiled.problems
        self._plane.post(self._gateway.use, compiled.table)
        self._telling.statuses(compiled.statuses)

    async def _complain(self) -> None:
        """Say as an Event what has been wrong for a while."""
        before: frozenset[Problem] = frozenset()
        while True:
            await asyncio.sleep(PATIENCE)
            now = self._problems
            with contextlib.suppress(ApiError):
                self._telling.problems([p for p in now if p in before])
            before = frozenset(now)

    def _gateway_class(self) -> None:
        """A class to name in a Gateway, as soon as the kind is served."""
        res = self._feed.resource("GatewayClass")
        if res is not None:
            self._class(res, gateway_class(res.api_version))

    def _class(self, res: Any, wanted: dict[str, Any]) -> None:
        api = self._ctx.api
        if api.list(res)[0]:
            return  # somebody has brought classes: theirs are the ones to use
        try:
            api.create(res, None, wanted)
        except ApiError as error:
            log.warning("%s %s not made: %s", res.kind, wanted["metadata"]["name"], error)
