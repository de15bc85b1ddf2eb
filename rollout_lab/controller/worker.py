"""One key at a time: gather, plan, apply. What went wrong decides when the key comes again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rollout_lab.api import meta
from rollout_lab.api.fields import Json
from rollout_lab.api.rollout import Rollout
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import REPLICASETS, SERVICES
from rollout_lab.client.routes import NotLooked
from rollout_lab.clock import Clock
from rollout_lab.controller import words
from rollout_lab.controller.apply import Applier, Retry
from rollout_lab.controller.caches import Caches
from rollout_lab.controller.claims import Claims, adoption, claims, release
from rollout_lab.controller.cleanup import release_patch
from rollout_lab.controller.events import Poster
from rollout_lab.controller.freshness import Freshness
from rollout_lab.controller.queue import WorkQueue
from rollout_lab.errors import ApiError, Conflict, LabError, NotFound
from rollout_lab.plan.actions import ScaleReplicaSet
from rollout_lab.plan.planner import plan

Key = tuple[str, str, str]
"""("rollout" or "service", namespace, name)."""

STALE_SECONDS = 0.1  # wall; the change itself usually brings the key back sooner
QUICK_SECONDS = 0.02  # wall; after a lost race
GAP_SECONDS = 0.02  # wall; least time from a pass that wrote something to the next one
SETTLE_SECONDS = 0.15  # lab; after a size changed: judge again once Pods have come or gone


class Worker:
    """The work of the engine, shared by its threads: no state of its own but what it has said."""

    def __init__(
        self,
        client: KubeClient,
        caches: Caches,
        queue: WorkQueue[Key],
        poster: Poster,
        clock: Clock,
        log: Callable[[str], None],
    ) -> None:
        self._client = client
        self._caches = caches
        self._queue = queue
        self._poster = poster
        self._clock = clock
        self._log = log
        self._freshness = Freshness()
        self._said: dict[str, tuple[str, ...]] = {}
        self._gaps: dict[Key, float] = {}

    def run(self) -> None:
        """Work until the queue is closed."""
        while (key := self._queue.get()) is not None:
            failed, gap = False, 0.0
            try:
                failed = not self._handle(key)
                gap = self._gaps.pop(key, gap)
            except LabError as problem:
                failed = True
                self._log(f"{key[1]}/{key[2]} {problem}")
            except Exception as problem:  # one bad object must not stop the others
                failed = True
                self._log(f"{key[1]}/{key[2]} internal error {type(problem).__name__}: {problem}")
            finally:
                self._queue.done(key, failed=failed, gap=gap)

    def _handle(self, key: Key) -> bool:
        """One pass; False where it should come again after a back-off."""
        kind, namespace, name = key
        if kind == "service":
            self._tidy_service(namespace, name)
            return True
        rollout = self._caches.rollout((namespace, name))
        if rollout is None:
            self._queue.forget(key)
            self._said.pop(f"{namespace}/{name}", None)
            return True
        stale = self._freshness.stale(namespace, lambda k, n: self._caches.look(k, namespace, n))
        if stale:
            self._queue.add_wall(key, STALE_SECONDS)
            return True
        found = claims(Rollout(rollout), self._caches.replica_sets.list(namespace))
        if found.adopt or found.release:
            self._claim(Rollout(rollout), found)
            return True
        return self._pass(key, rollout, found.owned)

    def _pass(self, key: Key, rollout: Json, owned: tuple[Json, ...]) -> bool:
        try:
            snapshot = self._caches.snapshot(rollout, owned, self._clock.now())
        except NotLooked:
            self._queue.add_wall(key, STALE_SECONDS)
            return True
        decided = plan(snapshot)
        about = meta.key(rollout)
        self._say(about, words.lines(decided.why))
        log = partial(self._log_about, about)
        applier = Applier(self._client, snapshot, self._freshness, self._poster.post, log)
        try:
            applier.carry_out(decided)
        except (Conflict, Retry):
            self._queue.add_wall(key, QUICK_SECONDS)
            return True
        except ApiError as problem:
            log(f"the API server refused: {problem.message}")
            return False
        if any(isinstance(action, ScaleReplicaSet) for action in decided.actions):
            self._gaps[key] = max(GAP_SECONDS, self._clock.real_seconds(SETTLE_SECONDS))
        elif decided.writes:
            self._gaps[key] = GAP_SECONDS
        if decided.requeue_after is not None:
            self._queue.add(key, decided.requeue_after)
        return True

    def _claim(self, rollout: Rollout, found: Claims) -> None:
        for rs, patch in (
            *((rs, adoption(rollout, rs)) for rs in found.adopt),
            *((rs, release(rollout, rs)) for rs in found.release),
        ):
            try:
                answer = self._client.patch(REPLICASETS, rollout.namespace, meta.name(rs), patch)
            except (Conflict, NotFound):
                continue
            self._freshness.wrote(answer)
            word = "adopted" if rs in found.adopt else "released"
            self._log(f"{rollout.namespace}/{rollout.name} {word} ReplicaSet/{meta.name(rs)}")
        self._queue.add_wall(("rollout", rollout.namespace, rollout.name), STALE_SECONDS)

    def _tidy_service(self, namespace: str, name: str) -> None:
        service = self._caches.services.get(namespace, name)
        if service is None:
            return
        patch = release_patch(service, self._caches.rollouts.list(namespace))
        if patch is None:
            return
        try:
            self._client.patch(SERVICES, namespace, name, patch)
        except NotFound:
            return
        self._log(f"{namespace}/{name} no Rollout names this Service any more: hash and mark removed")

    def forget(self, obj: Json) -> None:
        """Somebody deleted an object: its last own write need not show any more."""
        self._freshness.forget(str(obj.get("kind")), meta.namespace(obj), meta.name(obj))

    def _say(self, about: str, said: tuple[str, ...]) -> None:
        """Log the reasons that were not given in the pass before."""
        before = self._said.get(about, ())
        for text in said:
            if text not in before:
                self._log(f"{about} {text}")
        self._said[about] = said

    def _log_about(self, about: str, text: str) -> None:
        self._log(f"{about} {text}")
