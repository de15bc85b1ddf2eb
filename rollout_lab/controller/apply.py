"""A plan carried out: its writes as requests, in order, stopping at the first that is refused.

Writes on a Rollout and its ReplicaSets hold only if nobody changed the object since it was read
(or since our own last write of this pass): then the pass is stale and is made again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rollout_lab.api import meta, names
from rollout_lab.api.fields import Json
from rollout_lab.api.names import EventReason
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import PODS, REPLICASETS, ROLLOUTS, SERVICES
from rollout_lab.client.routes import resource_of
from rollout_lab.controller.freshness import Freshness
from rollout_lab.errors import AlreadyExists, ApiError, Conflict, Gone, NotFound
from rollout_lab.plan import actions
from rollout_lab.plan.actions import Action, Emit, Plan
from rollout_lab.plan.planner import create_failed
from rollout_lab.plan.snapshot import Snapshot
from rollout_lab.routers.model import Ref

TOO_MANY_REQUESTS = 429


class Retry(Exception):
    """The pass cannot go on; make it again on newer objects."""


class Applier:
    """Carries out the plan of one snapshot. Use once."""

    def __init__(
        self,
        client: KubeClient,
        snapshot: Snapshot,
        freshness: Freshness,
        post: Callable[[Json, Emit], None],
        log: Callable[[str], None],
    ) -> None:
        self._client = client
        self._snapshot = snapshot
        self._freshness = freshness
        self._post = post
        self._log = log
        self._rollout = snapshot.rollout
        self._ns = meta.namespace(snapshot.rollout)
        self._name = meta.name(snapshot.rollout)
        self._versions = {meta.name(rs): meta.resource_version(rs) for rs in snapshot.replica_sets}

    def carry_out(self, plan: Plan) -> None:
        """All actions in order. Raises Retry, Conflict or another LabError; what was written stays."""
        for action in plan.actions:
            self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case actions.Emit():
                self._post(self._rollout, action)
            case actions.CreateReplicaSet(body):
                self._create(body)
            case actions.ScaleReplicaSet(name, size, annotations):
                self._patch_replica_set(name, dict(annotations), {"replicas": size})
            case actions.AnnotateReplicaSet(name, annotations, seconds):
                spec = {} if seconds is None else {"minReadySeconds": seconds}
                self._patch_replica_set(name, dict(annotations), spec)
            case actions.DeleteReplicaSet(name):
                self._delete_replica_set(name)
            case actions.PatchService(name, hash_, managed_by):
                self._patch_service(name, hash_, managed_by)
            case actions.WriteRoute(ref, body, before):
                self._write_route(ref, body, before)
            case actions.EvictPod(name):
                self._evict(name)
            case actions.UpdateRollout(annotations, replicas):
                spec = {} if replicas is None else {"replicas": replicas}
                self._patch_rollout(_changes(dict(annotations), spec))
            case actions.PatchStatus(patch):
                self._patch_rollout({"status": patch}, "status")

    def _patch_rollout(self, body: Json, subresource: str = "") -> None:
        body = {**body, "metadata": {**body.get("metadata", {}), **_precondition(self._rollout)}}
        try:
            found = self._client.patch(ROLLOUTS, self._ns, self._name, body, subresource=subresource)
        except NotFound:
            raise Retry(f"Rollout {self._name} is gone") from None
        self._rollout = found
        self._freshness.wrote(found)

    def _patch_replica_set(self, name: str, annotations: dict[str, Any], spec: Json) -> None:
        body = _changes(annotations, spec)
        body.setdefault("metadata", {})["resourceVersion"] = self._versions.get(name)
        try:
            found = self._client.patch(REPLICASETS, self._ns, name, body)
        except NotFound:
            raise Retry(f"ReplicaSet {name} is gone") from None
        self._versions[name] = meta.resource_version(found)
        self._freshness.wrote(found)

    def _delete_replica_set(self, name: str) -> None:
        old = next((rs for rs in self._snapshot.replica_sets if meta.name(rs) == name), None)
        try:
            self._client.delete(REPLICASETS, self._ns, name, propagation="Background")
        except NotFound:
            return
        if old is not None:
            self._freshness.deleted(old)

    def _patch_service(self, name: str, hash_: str, managed_by: str | None) -> None:
        body: Json = {"spec": {"selector": {names.ROLLOUT_HASH_LABEL: hash_}}}
        if managed_by:
            body["metadata"] = {"annotations": {names.MANAGED_BY_ANNOTATION: managed_by}}
        try:
            self._freshness.wrote(self._client.patch(SERVICES, self._ns, name, body, kind="strategic"))
        except NotFound:
            raise Retry(f"Service {name} is gone") from None

    def _write_route(self, ref: Ref, body: Json, before: Json | None) -> None:
        """A router's object: made, or patched as long as nobody else changed it since it was read.

        A refusal is told in an Event and ends the pass: no Pod goes that requests may still be sent to.
        """
        resource = resource_of(ref.kind)
        try:
            if before is None:
                found = self._client.create(resource, ref.namespace, body)
            else:
                patch = change(before, body)
                patch["metadata"] = {**(patch.get("metadata") or {}), **_precondition(before)}
                found = self._client.patch(resource, ref.namespace, ref.name, patch)
        except (AlreadyExists, NotFound) as problem:
            raise Retry(f"{ref.about}: {problem.message}") from None
        except (Conflict, Gone):
            raise
        except ApiError as problem:
            text = f"{ref.about} could not be written: {problem.message}"
            self._post(self._rollout, Emit(EventReason.TRAFFIC_ROUTING_ERROR, text, "Warning"))
            raise
        self._freshness.wrote({"kind": ref.kind.name, **found})

    def _evict(self, name: str) -> None:
        try:
            self._client.evict(self._ns, name)
        except NotFound:
            try:
                self._client.delete(PODS, self._ns, name)
            except NotFound:
                return
        except ApiError as problem:
            if problem.code != TOO_MANY_REQUESTS:
                raise
            self._log(f"{self._ns}/{self._name} Pod {name} not evicted yet: {problem.message}")

    def _create(self, body: Json) -> None:
        name = meta.name(body)
        try:
            found = self._client.create(REPLICASETS, self._ns, body)
        except AlreadyExists:
            self._meet_existing(name)
            return
        except (Conflict, Gone):
            raise
        except ApiError as problem:
            failed = create_failed(self._snapshot, name, problem.message)
            self.carry_out(failed)
            raise
        self._versions[name] = meta.resource_version(found)
        self._freshness.wrote(found)

    def _meet_existing(self, name: str) -> None:
        """A ReplicaSet of that name is there: our own that the copy does not show yet, one that an
        earlier Rollout of this name leaves to the garbage collector, or a collision of hashes.

        # upstream: rollout/sync.go::createDesiredReplicaSet
        """
        there = self._client.get(REPLICASETS, self._ns, name)
        owner = meta.controller_of(there) or {}
        if owner.get("kind") == names.KIND and owner.get("name") == self._name:
            raise Retry(f"ReplicaSet {name} is there already")
        count = int((self._rollout.get("status") or {}).get("collisionCount") or 0) + 1
        self._patch_rollout({"status": {"collisionCount": count}}, "status")
        self._log(f"{self._ns}/{self._name} ReplicaSet {name} is somebody else's: collisionCount {count}")
        raise Retry(f"ReplicaSet {name} belongs to something else")


def change(before: Json, after: Json) -> Json:
    """The JSON merge patch from one object to another; lists are replaced whole.

    >>> change({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 4, "d": 3}})
    {'a': None, 'b': {'c': 4}}
    """
    patch: Json = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            if inner := change(old, value):
                patch[key] = inner
        elif old != value:
            patch[key] = value
    return patch


def _changes(annotations: dict[str, Any], spec: Json) -> Json:
    body: Json = {}
    if annotations:
        body["metadata"] = {"annotations": annotations}
    if spec:
        body["spec"] = spec
    return body


def _precondition(obj: Json) -> Json:
    return {"resourceVersion": meta.resource_version(obj), "uid": meta.uid(obj)}
