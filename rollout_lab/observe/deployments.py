"""Deployments in the form in which everything here records, draws and compares: that of a Rollout.

`as_rollout` and `labelled` translate single objects, `Translator` a stream of changes, and
`DeploymentRecorder` follows Deployments as `Recorder` follows Rollouts. What is translated is only looked
at; nothing of it is ever sent to an API server.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rollout_lab.api import fields, meta, names
from rollout_lab.api.names import API_VERSION, Phase
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.mirror import Mirror
from rollout_lab.client.resources import DEPLOYMENTS, ENDPOINTSLICES, PODS, REPLICASETS, SERVICES
from rollout_lab.clock import Clock
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.probe import PERIOD
from rollout_lab.observe.recorder import Recorder
from rollout_lab.observe.track import Track
from rollout_lab.observe.ways import Ways

Json = dict[str, Any]
KINDS: Final = (DEPLOYMENTS, REPLICASETS, SERVICES, PODS, ENDPOINTSLICES)
HASH_LABEL: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"
DEADLINE_EXCEEDED: Final = "ProgressDeadlineExceeded"


def as_rollout(obj: Json) -> Json:
    """A Deployment, or a ReplicaSet of one, as a Rollout's; its strategy stays as it is written."""
    if obj.get("kind") != "Deployment":
        owner = meta.controller_of(obj)
        if owner is not None and owner.get("kind") == "Deployment":
            about = {**obj["metadata"], "ownerReferences": [{**owner, "kind": "Rollout"}]}
            return {**obj, "metadata": about}
        return obj
    spec = fields.mapping(obj, "spec")
    strategy = {"type": "RollingUpdate", **fields.mapping(spec, "strategy")}
    return {**obj, "apiVersion": API_VERSION, "kind": "Rollout", "spec": {**spec, "strategy": strategy}}


def labelled(obj: Json) -> Json:
    """A ReplicaSet or Pod with its hash and revision also under the names a Rollout's have."""
    about = fields.mapping(obj, "metadata")
    labels, notes = meta.labels(obj), meta.annotations(obj)
    if HASH_LABEL in labels:
        labels = {**labels, names.ROLLOUT_HASH_LABEL: labels[HASH_LABEL]}
    if REVISION in notes:
        notes = {**notes, names.REVISION_ANNOTATION: notes[REVISION]}
    return {**obj, "metadata": {**about, "labels": labels, "annotations": notes}}


class Translator:
    """Changes of Deployments, ReplicaSets and Pods as those of Rollouts. Not thread-safe.

    A Deployment does not say which ReplicaSet is its new one, so a change of a ReplicaSet may be one of
    its Deployment as well.
    """

    def __init__(self) -> None:
        self._deployments: dict[str, Json] = {}
        self._sets: dict[str, Json] = {}
        self._stable: dict[str, str] = {}
        self._current: dict[str, str] = {}

    def take(self, type_: str, obj: Json) -> list[tuple[str, Json]]:
        """What the change of one object is here: (type, object) in order."""
        kind, name = obj.get("kind"), meta.name(obj)
        if kind == "Deployment":
            self._keep(self._deployments, type_, name, obj)
            return [(type_, self._told(obj))]
        if kind == "ReplicaSet":
            self._keep(self._sets, type_, name, obj)
            found = [(type_, as_rollout(labelled(obj)))]
            owner = self._deployments.get(str((meta.controller_of(obj) or {}).get("name")))
            return [*found, ("MODIFIED", self._told(owner))] if owner is not None else found
        return [(type_, labelled(obj) if kind == "Pod" else obj)]

    @staticmethod
    def _keep(kept: dict[str, Json], type_: str, name: str, obj: Json) -> None:
        if type_ == "DELETED":
            kept.pop(name, None)
        else:
            kept[name] = obj

    def _told(self, deployment: Json) -> Json:
        name = meta.name(deployment)
        revision = meta.annotations(deployment).get(REVISION, "")
        mine = [rs for rs in self._sets.values() if meta.is_controlled_by(rs, deployment)]
        new = next((rs for rs in mine if meta.annotations(rs).get(REVISION) == revision), None)
        if new is not None and _seen(deployment):
            self._current[name] = meta.labels(new).get(HASH_LABEL, "")
        current = self._current.get(name, "")
        phase, message = phase_of(deployment)
        if phase is Phase.HEALTHY or name not in self._stable:
            self._stable[name] = current
        status = {
            **fields.mapping(deployment, "status"),
            "phase": str(phase),
            "message": message,
            "currentPodHash": current,
            "stableRS": self._stable[name],
            "observedGeneration": str(fields.integer(deployment, "status", "observedGeneration") or 0),
        }
        return {**as_rollout(labelled(deployment)), "status": status}


def phase_of(deployment: Mapping[str, Any]) -> tuple[Phase, str]:
    """How far a Deployment's update is, as ``kubectl rollout status`` decides it, and a message.

    # https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
    """
    counts = ("replicas", "updatedReplicas", "availableReplicas")
    replicas, updated, available = (fields.integer(deployment, "status", key) or 0 for key in counts)
    wanted = fields.integer(deployment, "spec", "replicas")
    progressing = meta.condition(meta.conditions(deployment), "Progressing") or {}
    if not _seen(deployment):
        return Phase.PROGRESSING, "waiting for the Deployment's controller"
    if progressing.get("reason") == DEADLINE_EXCEEDED:
        return Phase.DEGRADED, DEADLINE_EXCEEDED
    if replicas == updated == available == (1 if wanted is None else wanted):
        return Phase.HEALTHY, ""
    return Phase.PROGRESSING, "more replicas need to be updated"


def _seen(deployment: Mapping[str, Any]) -> bool:
    """Whether the controller has seen what is asked for now."""
    return (fields.integer(deployment, "status", "observedGeneration") or 0) >= meta.generation(deployment)


class DeploymentRecorder(Recorder):
    """Follows the Deployments that were begun with `begin`; others of the namespace are none of its runs.

    The objects of `observed` are translated ones. There are no reasons: no engine of ours is at work.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        clock: Clock,
        *,
        period: float = PERIOD,
        ways: Ways | None = None,
    ) -> None:
        super().__init__(client, namespace, clock, period=period, ways=ways)
        self._mirrors = [Mirror(client, kind, namespace, on_error=self._failed) for kind in KINDS]
        self._translator = Translator()
        self._turn = threading.Lock()  # each kind is watched on a thread of its own

    def rollouts(self) -> list[str]:
        """Names of the Deployments that were begun."""
        with self._lock:
            return sorted(self._tracks)

    def _on_event(self, type_: str, obj: Json) -> None:
        with self._turn:
            for changed, told in self._translator.take(type_, obj):
                super()._on_event(changed, told)

    def _adopt(self, name: str, now: float) -> None:
        """Nobody else's Deployment is followed."""

    def _note(self, rollout: str, track: Track, observed: Observed) -> None:
        for row in track.note(observed, NO_REASONS):
            self._tell(rollout, row)


NO_REASONS: Final[Sequence[Any]] = ()
