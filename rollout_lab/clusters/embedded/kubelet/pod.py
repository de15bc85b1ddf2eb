"""The life of one Pod on the node: address, volumes, init containers, containers, end.

Here: what happens to the Pod as a whole, and writing its status (API loop). Containers live in
`container.py`, the shape of the status in `status.py`.
# upstream: pkg/kubelet/pod_workers.go, pkg/kubelet/kubelet.go::SyncPod
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from rollout_lab.clusters.embedded.api import Preconditions
from rollout_lab.clusters.embedded.kubelet.container import Container
from rollout_lab.clusters.embedded.kubelet.runtime import Runtime
from rollout_lab.clusters.embedded.kubelet.status import INITIALIZING, PodFacts, pod_status
from rollout_lab.clusters.embedded.resources import CONFIGMAPS, PODS, SECRETS
from rollout_lab.errors import ApiError, NotFound

log = logging.getLogger(__name__)

MOUNT_RETRY = 5.0
DEFAULT_GRACE = 30


class PodWorker:
    """`start` it when the Pod is bound to the node; tell it of every change."""

    def __init__(self, raw: Mapping[str, Any], runtime: Runtime) -> None:
        self.runtime = runtime
        self.raw = raw
        meta = raw["metadata"]
        self.namespace, self.name, self.uid = str(meta["namespace"]), str(meta["name"]), str(meta["uid"])
        self.ip = ""
        self.start_at = runtime.start_turn()
        self._start_time = runtime.clock.now()
        self._initialized = False
        self._gone = False
        self._address_back = False
        spec = raw["spec"]
        self.inits = [
            Container(self, c, one_shot=c.get("restartPolicy") != "Always")
            for c in spec.get("initContainers") or []
        ]
        self.containers = [Container(self, c) for c in spec["containers"]]
        if self.inits:
            for container in self.containers:
                container.state.state = INITIALIZING
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        _remember(raw, self.inits + self.containers)

    # -- from outside ------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin its life; returns at once."""
        self._task = self._spawn(self._live(), "life")

    def changed(self, raw: Mapping[str, Any]) -> None:
        """The object changed: deletion, another image, a readiness gate."""
        before, self.raw = self.raw, raw
        if raw["metadata"].get("deletionTimestamp"):
            if self._ending is None:
                self._ending = self._spawn(self._terminate(), "end")
            return
        if raw["spec"] != before["spec"]:
            specs = {c["name"]: c for c in raw["spec"]["containers"]}
            for container in self.containers:
                container.respecified(specs[container.state.name])
        if raw["spec"].get("readinessGates"):
            self.publish()

    async def vanished(self) -> None:
        """The object is gone: drop whatever still runs, write nothing."""
        self._gone = True
        await self._halt(abrupt=True)

    def find(self, name: str) -> Container | None:
        """A container by name, init containers included."""
        return next((c for c in self.containers + self.inits if c.state.name == name), None)

    # -- its life ------------------------------------------------------------------------------------

    async def _live(self) -> None:
        await self._mount()
        self.ip = self.runtime.addresses.take(self.namespace, self.name)
        self.publish()
        for container in self.inits:
            container.launch()
            if container.one_shot:
                assert container.task is not None
                await container.task
                if container.state.ended and container.state.ended["exitCode"] != 0:
                    self.publish()
                    return
            else:
                await container.up.wait()
        self._initialized = True
        for container in self.containers:
            container.launch()
        await asyncio.gather(*(c.task for c in self.containers if c.task is not None))

    async def _mount(self) -> None:
        """Wait for the ConfigMaps and Secrets that volumes name; says FailedMount meanwhile."""
        while (missing := self._missing_volume()) is not None:
            self.event("Warning", "FailedMount", missing)
            self.publish()
            await self.runtime.nap(MOUNT_RETRY)

    def _missing_volume(self) -> str | None:
        for volume in self.raw["spec"].get("volumes") or []:
            for field, resource, key, kind in (
                ("configMap", CONFIGMAPS, "name", "configmap"),
                ("secret", SECRETS, "secretName", "secret"),
            ):
                source = volume.get(field)
                if not source or source.get("optional"):
                    continue
                name = source.get(key) or ""
                if self.runtime.api.find(resource, self.namespace, name) is None:
                    return (
                        f'MountVolume.SetUp failed for volume "{volume["name"]}" : {kind} "{name}" not found'
                    )
        return None

    async def _terminate(self) -> None:
        grace = self.raw["metadata"].get("deletionGracePeriodSeconds")
        grace = DEFAULT_GRACE if grace is None else int(grace)
        deadline = self.runtime.clock.now() + grace
        await self._halt(deadline=deadline)
        if self._gone:
            return
        self.publish(final=True)
        try:
            only = Preconditions(uid=self.uid)
            self.runtime.api.delete(PODS, self.namespace, self.name, grace=0, preconditions=only)
        except ApiError as error:
            log.debug("Pod %s/%s went by itself: %s", self.namespace, self.name, error)

    async def _halt(self, deadline: float = 0.0, *, abrupt: bool = False) -> None:
        if self._task is not None and not self._initialized:
            self._task.cancel()
        stops = [c.stop(deadline, abrupt=abrupt) for c in self.inits + self.containers]
        await asyncio.gather(*stops)
        if self._task is not None:
            self._task.cancel()
        if self.ip and not self._address_back:
            self._address_back = True
            self.runtime.addresses.give_back(self.ip)

    # -- what containers call ------------------------------------------------------------------------

    def publish(self, *, final: bool = False) -> None:
        """Write the status if it differs from what the API has."""
        if self._gone:
            return
        api = self.runtime.api
        current = api.find(PODS, self.namespace, self.name)
        if current is None or current["metadata"]["uid"] != self.uid:
            return
        facts = PodFacts(
            ip=self.ip,
            start_time=self._start_time,
            inits=[c.state for c in self.inits],
            containers=[c.state for c in self.containers],
            initialized=self._initialized,
        )
        status = pod_status(current, facts, self.runtime.clock.now(), final=final)
        if status == current.get("status"):
            return
        try:
            self.raw = api.update(
                PODS, self.namespace, self.name, {**current, "status": status}, subresource="status"
            )
        except NotFound:
            return
        except ApiError as error:
            log.warning("the status of Pod %s/%s was refused: %s", self.namespace, self.name, error)

    def event(self, kind: str, reason: str, message: str, container: str = "") -> None:
        """An Event about this Pod, or about one container of it."""
        if self._gone:
            return
        field = "initContainers" if any(c.state.name == container for c in self.inits) else "containers"
        path = f"spec.{field}{{{container}}}" if container else ""
        self.runtime.events.record(self.raw, kind, reason, message, path)

    def _spawn(self, work: Any, what: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self.runtime.loop.create_task(work, name=f"pod-{self.name}-{what}")
        task.add_done_callback(self._report)
        return task

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("Pod %s/%s: %s failed", self.namespace, self.name, task.get_name(), exc_info=error)


def _remember(raw: Mapping[str, Any], containers: list[Container]) -> None:
    """Restart counts of an earlier process: what ran then has ended, unseen, and runs again."""
    status = raw.get("status") or {}
    past = {
        s["name"]: s for key in ("initContainerStatuses", "containerStatuses") for s in status.get(key) or []
    }
    for container in containers:
        was = past.get(container.state.name)
        if was is None:
            continue
        container.state.restarts = int(was.get("restartCount") or 0)
        if (ran := (was.get("state") or {}).get("running")) is not None:
            container.state.restarts += 1
            container.state.last = {
                "terminated": {
                    "exitCode": 137,
                    "reason": "ContainerStatusUnknown",
                    "message": "the container was not there any more when the cluster was started again",
                    **ran,
                }
            }
