"""The kubelet and the scheduler of the lab's one node: follows Pods, starts and ends their workers.

Here: who gets a worker, binding, reading logs (API loop). A Pod's life is in `pod.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

from rollout_lab.clusters.embedded.kubelet import nodeobject, scheduling
from rollout_lab.clusters.embedded.kubelet.container import Container
from rollout_lab.clusters.embedded.kubelet.events import EventRecorder
from rollout_lab.clusters.embedded.kubelet.logs import LogOptions, LogReader
from rollout_lab.clusters.embedded.kubelet.pod import PodWorker
from rollout_lab.clusters.embedded.kubelet.runtime import Runtime
from rollout_lab.clusters.embedded.resources import NODES, PODS
from rollout_lab.clusters.embedded.statuses import bad_request
from rollout_lab.clusters.embedded.watching import Compacted
from rollout_lab.errors import ApiError

log = logging.getLogger(__name__)
Object = dict[str, Any]


class Kubelet:
    """`start` and `stop` on the API loop."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._api = runtime.api
        self._name = runtime.options.node_name
        self._scheduler = EventRecorder(self._api, "default-scheduler")
        self._workers: dict[str, PodWorker] = {}  # by uid
        self._unplaced: dict[str, tuple[str, str]] = {}  # uid -> (namespace, name)
        self._node: Object = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Register the node and begin to follow Pods; returns at once."""
        self._node = nodeobject.register(self._api, self._name, self._runtime.options.pod_cidr)
        spawn = asyncio.get_running_loop().create_task
        self._tasks = [
            spawn(self._follow_pods(), name="kubelet-pods"),
            spawn(self._follow_node(), name="kubelet-node"),
            spawn(self._heartbeat(), name="kubelet-heartbeat"),
        ]

    async def stop(self) -> None:
        """End every Pod's program at once. Their objects stay as they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.vanished() for worker in self._workers.values()))
        self._workers.clear()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def logs(
        self, ns: str, pod: str, container: str | None = None, options: LogOptions | None = None
    ) -> AsyncIterator[bytes]:
        """The log of a container, as an async iterator of encoded lines.

        Raises at once, before the first line: NotFound for the Pod, ApiError 400 for the container.
        # upstream: pkg/registry/core/pod/strategy.go::LogLocation, pkg/kubelet/kubelet_pods.go
        """
        options = options or LogOptions()
        obj = self._api.get(PODS, ns, pod)
        worker = self._workers.get(obj["metadata"]["uid"])
        names = [c["name"] for c in obj["spec"]["containers"]]
        inits = [c["name"] for c in obj["spec"].get("initContainers") or []]
        if not container:
            if len(names) > 1:
                more = f" or one of the init containers: [{' '.join(inits)}]" if inits else ""
                text = f"a container name must be specified for pod {pod}, choose one of: [{' '.join(names)}]"
                raise bad_request(text + more)
            container = names[0]
        if container not in names + inits:
            raise bad_request(f"container {container} is not valid for pod {pod}")
        found = worker.find(container) if worker else None
        if found is None:
            raise bad_request(
                f'container "{container}" in pod "{pod}" is waiting to start: {_why(obj, container)}'
            )
        return aiter(LogReader(self._ring(found, pod, options), options, self._api.clock.now()))

    @staticmethod
    def _ring(container: Container, pod: str, options: LogOptions) -> Any:
        name, state = container.state.name, container.state
        if options.previous:
            ring = container.previous_log
            if ring is None and "waiting" in state.state and state.last:
                ring = container.log
            if ring is None:
                raise bad_request(f'previous terminated container "{name}" in pod "{pod}" not found')
            return ring
        if "waiting" in state.state and not state.last:
            reason = state.state["waiting"].get("reason") or "ContainerCreating"
            text = f'container "{name}" in pod "{pod}" is waiting to start: '
            creating = reason in ("ContainerCreating", "PodInitializing")
            raise bad_request(text + (reason if creating else _pull_words(reason)))
        return container.log

    # -- following the API --------------------------------------------------------------------------

    async def _follow_pods(self) -> None:
        while True:
            watch = self._api.watch(PODS)
            try:
                listed = watch.pending()
                there = {obj["metadata"]["uid"] for _, obj, _ in listed}
                for uid in [uid for uid in self._workers if uid not in there]:
                    self._drop(uid)
                for kind, obj, _ in listed:
                    self._pod_event(kind, obj)
                async for kind, obj, _ in watch:
                    self._pod_event(kind, obj)
                return
            except Compacted:
                continue
            finally:
                watch.close()

    def _pod_event(self, kind: str, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        try:
            if kind == "DELETED":
                self._drop(uid)
            elif (worker := self._workers.get(uid)) is not None:
                worker.changed(obj)
            elif not obj["spec"].get("nodeName"):
                self._schedule(obj)
            elif obj["spec"]["nodeName"] == self._name:
                self._admit(obj)
        except Exception:
            log.exception("Pod %s: an event was not handled", obj["metadata"].get("name"))

    def _admit(self, obj: Object) -> None:
        if (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return
        self._unplaced.pop(obj["metadata"]["uid"], None)
        worker = self._workers[obj["metadata"]["uid"]] = PodWorker(obj, self._runtime)
        if obj["metadata"].get("deletionTimestamp"):
            worker.changed(obj)
        else:
            worker.start()

    def _drop(self, uid: str) -> None:
        self._unplaced.pop(uid, None)
        worker = self._workers.pop(uid, None)
        if worker is not None:
            task = asyncio.get_running_loop().create_task(worker.vanished())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    # -- the scheduler ------------------------------------------------------------------------------

    def _schedule(self, obj: Object) -> None:
        meta, spec = obj["metadata"], obj["spec"]
        if meta.get("deletionTimestamp") or spec.get("schedulingGates"):
            return
        complaint = scheduling.why_not(obj, self._node)
        if spec.get("schedulerName", "default-scheduler") != "default-scheduler":
            return  # somebody else's
        if complaint is not None:
            if meta["uid"] not in self._unplaced:
                self._unplaced[meta["uid"]] = (meta["namespace"], meta["name"])
                self._scheduler.record(obj, "Warning", "FailedScheduling", complaint)
                self._say_unschedulable(obj, complaint)
            return
        target = {"apiVersion": "v1", "kind": "Node", "name": self._name}
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
            "target": target,
        }
        try:
            self._api.create(PODS, meta["namespace"], binding, subresource="binding", name=meta["name"])
        except ApiError as error:
            log.debug("Pod %s/%s was not bound: %s", meta["namespace"], meta["name"], error)
            return
        self._unplaced.pop(meta["uid"], None)
        text = f"Successfully assigned {meta['namespace']}/{meta['name']} to {self._name}"
        self._scheduler.record(obj, "Normal", "Scheduled", text)

    def _say_unschedulable(self, obj: Object, message: str) -> None:
        from rollout_lab.api.times import rfc3339

        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": message,
            "lastProbeTime": None,
            "lastTransitionTime": rfc3339(self._api.clock.now()),
        }
        meta, status = obj["metadata"], obj.get("status") or {}
        others = [c for c in status.get("conditions") or [] if c["type"] != "PodScheduled"]
        body = {"status": {"conditions": [*others, condition]}}
        try:
            self._api.patch(PODS, meta["namespace"], meta["name"], body, "merge", subresource="status")
        except ApiError as error:
            log.debug("Pod %s/%s: %s", meta["namespace"], meta["name"], error)

    async def _follow_node(self) -> None:
        """A node that is tainted, labelled or cordoned may fit Pods it did not fit before."""
        watch = self._api.watch(NODES, field_selector=f"metadata.name={self._name}")
        try:
            async for kind, obj, _ in watch:
                if kind == "DELETED":
                    continue
                changed = obj["spec"] != self._node.get("spec") or (
                    obj["metadata"].get("labels") != self._node["metadata"].get("labels")
                )
                self._node = obj
                if changed:
                    for namespace, name in list(self._unplaced.values()):
                        pod = self._api.find(PODS, namespace, name)
                        if pod is not None:
                            self._schedule(pod)
        finally:
            watch.close()

    async def _heartbeat(self) -> None:
        while True:
            nodeobject.renew_lease(self._api, self._name)
            pause = self._runtime.clock.real_seconds(nodeobject.HEARTBEAT)
            await asyncio.sleep(max(pause, nodeobject.LEAST_HEARTBEAT))


def _why(pod: Mapping[str, Any], container: str) -> str:
    for status in (pod.get("status") or {}).get("containerStatuses") or []:
        if status["name"] == container:
            return str((status.get("state", {}).get("waiting") or {}).get("reason") or "ContainerCreating")
    return "ContainerCreating"


def _pull_words(reason: str) -> str:
    """# upstream: pkg/kubelet/kubelet_pods.go::validateContainerLogStatus"""
    if reason == "ErrImagePull":
        return "image can't be pulled"
    if reason in ("ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"):
        return f"trying and failing to pull image ({reason})"
    return reason
