"""The engine: watches Rollouts on any API server and carries out their plans until told to stop."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rollout_lab.api import fields, meta, names
from rollout_lab.api.fields import Json
from rollout_lab.api.times import rfc3339
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import ROLLOUTS, Resource
from rollout_lab.client.routes import using
from rollout_lab.clock import Clock
from rollout_lab.controller.caches import Caches
from rollout_lab.controller.events import Poster
from rollout_lab.controller.queue import WorkQueue
from rollout_lab.controller.worker import Key, Worker
from rollout_lab.errors import LabError, NotFound
from rollout_lab.routers.model import Kind


def to_stderr(text: str) -> None:
    """The log of the engine alone: one line each, at once."""
    print(text, file=sys.stderr, flush=True)


def run(
    client: KubeClient,
    *,
    namespace: str | None = None,
    instance_id: str = "",
    clock: Clock,
    stop: threading.Event,
    workers: int = 4,
    log: Callable[[str], None] = to_stderr,
) -> None:
    """Look after the Rollouts of `namespace` (None: all) until `stop` is set.

    Returns within a second or two of `stop`. A cluster that cannot be reached, or that does not
    know Rollouts yet, is asked again; each trouble is logged once.
    """
    with running(
        client,
        namespace=namespace,
        instance_id=instance_id,
        clock=clock,
        workers=workers,
        log=log,
    ):
        stop.wait()


@contextmanager
def running(
    client: KubeClient,
    *,
    namespace: str | None = None,
    instance_id: str = "",
    clock: Clock,
    workers: int = 4,
    log: Callable[[str], None] = to_stderr,
) -> Iterator[None]:
    """The engine at work in threads of this process, for as long as the block lasts."""

    def say(text: str) -> None:
        log(f"{rfc3339(clock.now())} {text}")

    queue: WorkQueue[Key] = WorkQueue(clock, jitter=lambda: 0.5 + random.random())
    poster = Poster(client, clock, say)

    def on_kind(kind: Kind) -> None:
        """A router's kind is there, or is not: whoever waits for that is looked at again."""
        for name in using(kind, caches.rollouts.list()):
            queue.add(("rollout", *name))

    caches = Caches(client, namespace, instance_id, _Troubles(say, client.server), on_kind)
    worker = Worker(client, caches, queue, poster, clock, say)
    started = threading.Event()

    def on_change(type_: str, obj: Json) -> None:
        if type_ == "DELETED":
            worker.forget(obj)
        if started.is_set():
            _enqueue(queue, caches, type_, obj)

    for mirror in (*caches.all, caches.routes):
        mirror.on_event(on_change)
    poster.start()
    caches.start()
    opener = threading.Thread(target=_open, args=(caches, queue, started, say), name="opener", daemon=True)
    opener.start()
    threads = [threading.Thread(target=worker.run, name=f"worker-{n}", daemon=True) for n in range(workers)]
    for thread in threads:
        thread.start()
    say(f"engine started for {namespace or 'all namespaces'} on {client.server}")
    try:
        yield
    finally:
        started.set()
        queue.close()
        caches.stop()
        opener.join(2.0)
        for thread in threads:
            thread.join(2.0)
        poster.stop()
        say("engine stopped")


def _open(
    caches: Caches, queue: WorkQueue[Key], started: threading.Event, say: Callable[[str], None]
) -> None:
    """Begin once every copy is complete: a pass on half of the objects would create what is there."""
    for mirror in caches.all:
        while not mirror.wait_synced(0.5):
            if started.is_set():
                return
    started.set()
    for mirror in caches.all:
        for obj in mirror.list():
            _enqueue(queue, caches, "ADDED", obj)
    say(f"watching {len(caches.rollouts.list())} rollouts")


def _enqueue(queue: WorkQueue[Key], caches: Caches, type_: str, obj: Json) -> None:
    for namespace, name in caches.concerned(obj):
        queue.add(("rollout", namespace, name))
    kind, namespace = obj.get("kind"), meta.namespace(obj)
    if kind == "Service" and names.MANAGED_BY_ANNOTATION in meta.annotations(obj):
        queue.add(("service", namespace, meta.name(obj)))
    elif kind == names.KIND and (type_ == "DELETED" or _renamed(caches, obj)):
        for service in caches.services.list(namespace):
            if meta.annotations(service).get(names.MANAGED_BY_ANNOTATION) == meta.name(obj):
                queue.add(("service", namespace, meta.name(service)))


def _renamed(caches: Caches, rollout: Json) -> bool:
    """Whether the Rollout may have let go of a Service: its status speaks about an older spec."""
    observed = fields.text(rollout, "status", "observedGeneration")
    return observed != str(meta.generation(rollout))


class _Troubles:
    """Says each trouble of a watch once, until another one comes."""

    def __init__(self, say: Callable[[str], None], server: str) -> None:
        self._say = say
        self._server = server
        self._last: dict[str, str] = {}

    def __call__(self, resource: Resource, problem: LabError) -> None:
        text = str(problem)
        if isinstance(problem, NotFound) and resource is ROLLOUTS:
            text = f"{self._server} does not know Rollouts yet; apply manifests/crds/rollouts.yaml"
        if self._last.get(resource.plural) != text:
            self._last[resource.plural] = text
            self._say(f"{resource.plural}: {text}")
