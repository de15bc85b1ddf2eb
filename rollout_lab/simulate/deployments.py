"""A Deployment in the simulated cluster: its controller, one pass at a time.

It keeps its status in the words of a Rollout (phase, currentPodHash, stableRS), so that a run of a
Deployment is recorded, drawn and compared like any other. The numbers are in `rolling`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rollout_lab.api import fields, meta, names
from rollout_lab.api.fields import Json
from rollout_lab.api.hashing import pod_template_hash
from rollout_lab.api.intstr import surge_and_unavailable
from rollout_lab.api.names import Phase
from rollout_lab.simulate.pods import Timing
from rollout_lab.simulate.rolling import Room, Size, grown, shrunk
from rollout_lab.simulate.store import Store

DEADLINE: Final = 600  # seconds without progress; the default of progressDeadlineSeconds


class Deployments:
    """The Deployment controller of a world."""

    def __init__(self, store: Store, timing: Timing, at: Callable[[float, Callable[[], None]], None]) -> None:
        self._store = store
        self._timing = timing
        self._at = at
        self._looking = False
        self._progress: dict[str, tuple[float, Json]] = {}

    def look(self) -> None:
        """Bring every Deployment's ReplicaSets and status in line, a moment from now."""
        if not self._looking and self._store.of_kind("Deployment"):
            self._looking = True
            self._at(self._store.now() + self._timing.controller, self._sync)

    def _sync(self) -> None:
        self._looking = False
        for deployment in self._store.of_kind("Deployment"):
            hash_ = pod_template_hash(fields.mapping(deployment, "spec", "template"))
            mine = [rs for rs in self._store.of_kind("ReplicaSet") if meta.is_controlled_by(rs, deployment)]
            new = next((rs for rs in mine if meta.pod_hash(rs) == hash_), None)
            old = [rs for rs in mine if rs is not new]
            if fields.text(deployment, "spec", "strategy", "type") == "Recreate":
                self._recreate(deployment, hash_, new, old)
            else:
                self._roll(deployment, hash_, new, old)
            self._number(deployment, hash_)
            self._write_status(meta.name(deployment), hash_)

    def _roll(self, deployment: Json, hash_: str, new: Json | None, old: list[Json]) -> None:
        wanted, room = _replicas(deployment), room_of(deployment)
        active = [rs for rs in old if _replicas(rs)]
        if new is None:
            size = grown(room, Size(0, 0), [_size(rs) for rs in active])
            self._create(deployment, hash_, size, old)
            return
        size = grown(room, _size(new), [_size(rs) for rs in active])
        if _replicas(new) != wanted and size != _replicas(new):
            self._resize(new, size)
            return
        for rs, left in zip(active, shrunk(room, _size(new), [_size(rs) for rs in active]), strict=True):
            self._resize(rs, left)

    def _recreate(self, deployment: Json, hash_: str, new: Json | None, old: list[Json]) -> None:
        """Empty the old ReplicaSets, wait until their last Pod is gone, then fill the new one."""
        shrinking = [rs for rs in old if _replicas(rs)]
        for rs in shrinking:
            self._resize(rs, 0)
        owners = {meta.uid(rs) for rs in old}
        left = [p for p in self._store.of_kind("Pod") if (meta.controller_of(p) or {}).get("uid") in owners]
        if shrinking or left:
            return
        if new is None:
            self._create(deployment, hash_, _replicas(deployment), old)
        else:
            self._resize(new, _replicas(deployment))

    def _create(self, deployment: Json, hash_: str, size: int, old: list[Json]) -> None:
        template = fields.mapping(deployment, "spec", "template")
        labels = {**meta.labels(template), names.ROLLOUT_HASH_LABEL: hash_}
        revision = max((meta.revision(rs) for rs in old), default=0) + 1
        about = {
            "name": f"{meta.name(deployment)}-{hash_}",
            "labels": labels,
            "annotations": {names.REVISION_ANNOTATION: str(revision)},
            "ownerReferences": [meta.owner_reference(deployment)],
        }
        labelled = {**template, "metadata": {**fields.mapping(template, "metadata"), "labels": labels}}
        spec: Json = {"replicas": size, "template": labelled}
        seconds = fields.integer(deployment, "spec", "minReadySeconds")
        if seconds:
            spec["minReadySeconds"] = seconds
        self._store.create({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": about, "spec": spec})

    def _number(self, deployment: Json, hash_: str) -> None:
        """The present template has the highest revision, also when it was there before."""
        sets = [rs for rs in self._store.of_kind("ReplicaSet") if meta.is_controlled_by(rs, deployment)]
        new = next((rs for rs in sets if meta.pod_hash(rs) == hash_), None)
        if new is None:
            return
        highest = max((meta.revision(rs) for rs in sets if rs is not new), default=0)
        revision = max(meta.revision(new), highest + 1)
        about = {"metadata": {"annotations": {names.REVISION_ANNOTATION: str(revision)}}}
        self._store.patch("ReplicaSet", meta.name(new), about)
        self._store.patch("Deployment", meta.name(deployment), about)

    def _resize(self, rs: Json, size: int) -> None:
        if _replicas(rs) != size:
            self._store.patch("ReplicaSet", meta.name(rs), {"spec": {"replicas": size}})

    def _write_status(self, name: str, hash_: str) -> None:
        deployment = self._store.get("Deployment", name)
        if deployment is None:
            return
        sets = [rs for rs in self._store.of_kind("ReplicaSet") if meta.is_controlled_by(rs, deployment)]
        new = next((rs for rs in sets if meta.pod_hash(rs) == hash_), None)
        counts = ("replicas", "readyReplicas", "availableReplicas")
        numbers: Json = {key: sum(fields.integer(rs, "status", key) or 0 for rs in sets) for key in counts}
        numbers["updatedReplicas"] = fields.integer(new, "status", "replicas") or 0
        wanted = _replicas(deployment)
        done = all(numbers[key] == wanted for key in ("replicas", "updatedReplicas", "availableReplicas"))
        status = {
            **numbers,
            **self._phase(name, {**numbers, "hash": hash_}, done, deployment),
            "currentPodHash": hash_,
            "observedGeneration": str(meta.generation(deployment)),
        }
        if done or not fields.text(deployment, "status", "stableRS"):
            status["stableRS"] = hash_
        self._store.patch("Deployment", name, {"status": status})

    def _phase(self, name: str, state: Json, done: bool, deployment: Json) -> Json:
        """Progressing until all Pods are new and available; Degraded once nothing moved for too long."""
        now = self._store.now()
        since, before = self._progress.get(name, (now, {}))
        if state != before:
            since = now
            self._progress[name] = (now, state)
        deadline = fields.integer(deployment, "spec", "progressDeadlineSeconds") or DEADLINE
        if done:
            return {"phase": str(Phase.HEALTHY), "message": ""}
        if now - since >= deadline:
            return {"phase": str(Phase.DEGRADED), "message": "ProgressDeadlineExceeded"}
        if since == now:
            self._at(now + deadline, self.look)
        return {"phase": str(Phase.PROGRESSING), "message": "more replicas need to be updated"}


def room_of(deployment: Json) -> Room:
    """What maxSurge and maxUnavailable allow; both are 25 % where they are not written."""
    rolling = fields.mapping(deployment, "spec", "strategy", "rollingUpdate")
    replicas = _replicas(deployment)
    surge, unavailable = (rolling.get(key, "25%") for key in ("maxSurge", "maxUnavailable"))
    return Room(replicas, *surge_and_unavailable(surge, unavailable, replicas))


def _replicas(workload: Json) -> int:
    found = fields.integer(workload, "spec", "replicas")
    return 1 if found is None else found


def _size(rs: Json) -> Size:
    return Size(_replicas(rs), fields.integer(rs, "status", "availableReplicas") or 0)
