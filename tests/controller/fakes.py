"""A client that notes what it is asked and answers from a small store; no network."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, cast

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import Resource
from rollout_lab.errors import ApiError, NotFound
from rollout_lab.simulate.store import merged

Json = dict[str, Any]


class FakeClient:
    """Refuses what `refuse` names: (verb, kind) -> error, once each time it is listed."""

    def __init__(self, *objects: Json) -> None:
        self.objects: dict[tuple[str, str], Json] = {
            (str(o["kind"]), str(o["metadata"]["name"])): o for o in objects
        }
        self.calls: list[tuple[str, str, str, Any]] = []
        self.refuse: dict[tuple[str, str], ApiError] = {}
        self._versions = itertools.count(100)

    @property
    def client(self) -> KubeClient:
        return cast(KubeClient, self)

    def _note(self, verb: str, kind: str, name: str, body: Any) -> None:
        self.calls.append((verb, kind, name, body))
        problem = self.refuse.get((verb, kind))
        if problem is not None:
            raise problem

    def _stamp(self, obj: Json) -> Json:
        about = {**obj["metadata"], "resourceVersion": str(next(self._versions))}
        return {**obj, "metadata": about}

    def get(self, res: Resource, ns: str | None, name: str) -> Json:
        self._note("get", res.kind, name, None)
        found = self.objects.get((res.kind, name))
        if found is None:
            raise NotFound(404, "NotFound", f"{res.plural} {name} not found")
        return found

    def create(self, res: Resource, ns: str | None, body: Mapping[str, Any]) -> Json:
        name = str(body["metadata"]["name"])
        self._note("create", res.kind, name, dict(body))
        self.objects[(res.kind, name)] = self._stamp({**body, "kind": res.kind})
        return self.objects[(res.kind, name)]

    def patch(
        self,
        res: Resource,
        ns: str | None,
        name: str,
        body: Any,
        kind: str = "merge",
        subresource: str = "",
    ) -> Json:
        self._note("patch", res.kind, name, body)
        found = self.objects.get((res.kind, name))
        if found is None:
            raise NotFound(404, "NotFound", f"{res.plural} {name} not found")
        self.objects[(res.kind, name)] = self._stamp(merged(found, body))
        return self.objects[(res.kind, name)]

    def delete(self, res: Resource, ns: str | None, name: str, propagation: str | None = None) -> Json:
        self._note("delete", res.kind, name, propagation)
        self.objects.pop((res.kind, name), None)
        return {}

    def evict(self, ns: str, name: str) -> Json:
        self._note("evict", "Pod", name, None)
        return {}


def obj(kind: str, name: str, version: int = 1, **more: Any) -> Json:
    metadata = {"name": name, "namespace": "n", "uid": f"u-{name}", "resourceVersion": str(version)}
    metadata |= more.pop("metadata", {})
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def owned(rollout: Json) -> Json:
    reference = {"kind": "Rollout", "name": rollout["metadata"]["name"], "uid": rollout["metadata"]["uid"]}
    return {"ownerReferences": [{**reference, "controller": True}]}
