"""The life of CustomResourceDefinitions: names accepted, established, and their end with all their objects.

Runs inside the API server, as in Kubernetes: a CRD works without any controller. What follows a write
happens in the next turn of the event loop (at once where there is none).
# upstream: apiextensions-apiserver/pkg/controller/{status,establish,finalizer}
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.deleting import Deletion, remove
from rollout_lab.clusters.embedded.resources import CRDS, CUSTOM_VERBS, Resource, Subresource

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.api import Api
    from rollout_lab.clusters.embedded.customs import Customs

Object = dict[str, Any]

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_PENDING = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"


class Definitions:
    """Keeps the status of CRDs and deletes their objects with them."""

    def __init__(self, api: Api, customs: Customs) -> None:
        self.api = api
        self.customs = customs
        self._settling: set[str] = set()

    def before_write(self, new: Object, old: Object | None) -> Object:
        """The status a CRD starts with."""
        if old is not None:
            return new
        stored = [v["name"] for v in new["spec"].get("versions") or [] if v.get("storage")]
        status = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored}
        return {**new, "status": status}

    def after_write(self, crd: Object) -> None:
        """Serve an accepted CRD as it is now, and bring its status up to date soon."""
        if self.accepted(crd) or not self._conflicts(crd)[1]:
            self.customs.serve(crd)
        self._soon(crd["metadata"]["name"])

    def after_instance(self, res: Resource) -> None:
        """An object of a custom resource is gone: its CRD may be waiting for that."""
        crd = self.customs.definition(res)
        if crd is not None and crd["metadata"].get("deletionTimestamp"):
            self._soon(crd["metadata"]["name"])

    @staticmethod
    def accepted(crd: Object) -> bool:
        """Whether the CRD's names are accepted."""
        conditions = (crd.get("status") or {}).get("conditions") or []
        return any(c["type"] == "NamesAccepted" and c["status"] == "True" for c in conditions)

    def delete(self, crd: Object, now: float, dry: bool) -> Deletion:
        """Mark a CRD for deletion; its objects go first."""
        meta = crd["metadata"]
        if meta.get("deletionTimestamp"):
            return Deletion(crd, False)
        finalizers = [f for f in meta.get("finalizers") or [] if f != CLEANUP] + [CLEANUP]
        made = {**crd, "metadata": {**meta, "deletionTimestamp": rfc3339(now), "finalizers": finalizers}}
        made = self._with(made, "Terminating", "True", "InstanceDeletionPending", _PENDING)
        if dry:
            return Deletion(made, False)
        stored = self.api.store.put(CRDS.bucket, ("", meta["name"]), made)
        self.after_write(stored)
        return Deletion(stored, False)

    def _soon(self, name: str) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._settle(name)
        else:
            loop.call_soon(self._settle, name)

    def _settle(self, name: str) -> None:
        """Bring one CRD one step further: status, or the next step of its deletion."""
        if name in self._settling:
            return  # deleting its objects tells us of each
        self._settling.add(name)
        try:
            self._step(name)
        finally:
            self._settling.discard(name)

    def _step(self, name: str) -> None:
        crd = self.api.store.get(CRDS.bucket, ("", name))
        if crd is None:
            return
        if crd["metadata"].get("deletionTimestamp") and CLEANUP in (crd["metadata"].get("finalizers") or []):
            self._empty(crd)
            return
        made = self._judged(crd)
        if made.get("status") != crd.get("status"):
            stored = self.api.store.put(CRDS.bucket, ("", name), made)
            if self.accepted(stored):
                self.customs.serve(stored)

    def _empty(self, crd: Object) -> None:
        """Delete the objects of a CRD; let it go when there are none left."""
        name = crd["metadata"]["name"]
        reason, text = "InstanceDeletionInProgress", "CustomResource deletion is in progress"
        res = next((r for r in self.api.registry if r.custom and r.qualified == name), None)
        if not any(c.get("reason") == reason for c in (crd.get("status") or {}).get("conditions") or []):
            crd = self.api.store.put(
                CRDS.bucket, ("", name), self._with(crd, "Terminating", "True", reason, text)
            )
            if res is not None:
                for obj in self.api.store.items(res.bucket):
                    meta = obj["metadata"]
                    remove(self.api, res, meta.get("namespace"), meta["name"], None, None, None, None)
        if res is not None and self.api.store.items(res.bucket):
            return
        kept = [f for f in crd["metadata"]["finalizers"] if f != CLEANUP]
        meta = {**crd["metadata"], "finalizers": kept}
        if kept:
            self.api.store.put(CRDS.bucket, ("", name), {**crd, "metadata": meta})
            return
        meta.pop("finalizers")
        self.api.take_out(CRDS, {**crd, "metadata": meta})

    def _judged(self, crd: Object) -> Object:
        """The CRD with accepted names and conditions as they should be."""
        accepted, conflict = self._conflicts(crd)
        if conflict:
            reason, text = conflict
            made = self._with(crd, "NamesAccepted", "False", reason, text)
            if not self._established(crd):
                made = self._with(made, "Established", "False", "NotAccepted", "not all names are accepted")
        else:
            made = self._with(crd, "NamesAccepted", "True", "NoConflicts", "no conflicts found")
            initial = "InitialNamesAccepted"
            made = self._with(made, "Established", "True", initial, "the initial names have been accepted")
        status = {**made["status"], "acceptedNames": accepted}
        stored = list(status.get("storedVersions") or [])
        for v in crd["spec"]["versions"]:
            if v.get("storage") and v["name"] not in stored:
                stored.append(v["name"])
        return {**made, "status": {**status, "storedVersions": stored}}

    @staticmethod
    def _established(crd: Object) -> bool:
        conditions = (crd.get("status") or {}).get("conditions") or []
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

    def _conflicts(self, crd: Object) -> tuple[Object, tuple[str, str] | None]:
        """The names that may be used, and the last reason why others may not."""
        group, own = crd["spec"]["group"], crd["metadata"]["name"]
        taken: set[str] = set()
        kinds: set[str] = set()
        for other in self.api.store.items(CRDS.bucket):
            if other["spec"]["group"] == group and other["metadata"]["name"] != own:
                found = (other.get("status") or {}).get("acceptedNames") or {}
                taken |= {
                    found.get("plural", ""),
                    found.get("singular", ""),
                    *(found.get("shortNames") or ()),
                }
                kinds |= {found.get("kind", ""), found.get("listKind", "")}
        wanted = names(crd["spec"])
        accepted: Object = {"plural": "", "kind": ""}
        conflict: tuple[str, str] | None = None
        for key, reason, used in (
            ("plural", "PluralConflict", taken),
            ("singular", "SingularConflict", taken),
            ("shortNames", "ShortNamesConflict", taken),
            ("kind", "KindConflict", kinds),
            ("listKind", "ListKindConflict", kinds),
        ):
            value = wanted.get(key)
            if not value:
                continue
            clash = [v for v in ([value] if isinstance(value, str) else value) if v in used]
            if clash:
                conflict = reason, f'"{clash[0]}" is already in use'
            else:
                accepted[key] = value
        if wanted.get("categories"):
            accepted["categories"] = wanted["categories"]
        return accepted, conflict

    def _with(self, crd: Object, kind: str, value: str, reason: str, message: str) -> Object:
        """The CRD with a condition set; its time changes only when its status does."""
        status = crd.get("status") or {}
        found = list(status.get("conditions") or [])
        made = {"type": kind, "status": value, "reason": reason, "message": message}
        made["lastTransitionTime"] = rfc3339(self.api.clock.now())
        for index, old in enumerate(found):
            if old["type"] == kind:
                if old["status"] == value:
                    made["lastTransitionTime"] = old["lastTransitionTime"]
                found[index] = made
                break
        else:
            found.append(made)
        return {**crd, "status": {**status, "conditions": found}}


def names(spec: Object) -> Object:
    """`spec.names` with the names that follow from the kind."""
    given, kind = spec["names"], spec["names"]["kind"]
    return {
        **given,
        "singular": given.get("singular") or kind.lower(),
        "listKind": given.get("listKind") or kind + "List",
    }


def resource_of(spec: Object, version: Object) -> Resource:
    """The served resource of one version of a CRD."""
    accepted = names(spec)
    has = version.get("subresources") or {}
    subs = []
    if "status" in has:
        subs.append(Subresource("status", accepted["kind"], group=spec["group"], version=version["name"]))
    if "scale" in has:
        subs.append(Subresource("scale", "Scale", group="autoscaling", version="v1"))
    storage = next((v["name"] for v in spec["versions"] if v.get("storage")), version["name"])
    return Resource(
        spec["group"],
        version["name"],
        accepted["plural"],
        accepted["kind"],
        namespaced=spec.get("scope") == "Namespaced",
        singular=accepted["singular"],
        short_names=tuple(accepted.get("shortNames") or ()),
        categories=tuple(accepted.get("categories") or ()),
        verbs=CUSTOM_VERBS,
        subresources=tuple(subs),
        list_kind=accepted["listKind"],
        custom=True,
        storage=f"{spec['group']}/{storage}",
    )
