"""Resources that come and go: CustomResourceDefinitions, their objects, and namespaces being deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.resources import (
    CRDS,
    CUSTOM_VERBS,
    NAMESPACES,
    Resource,
    Subresource,
)

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.api import Api, Deletion
    from rollout_lab.clusters.embedded.decoding import Options

Object = dict[str, Any]

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


class Customs:
    """Serves what the stored CRDs say. Called by `Api` around every write of a CRD or custom object."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.definitions: dict[tuple[str, str], Object] = {}

    def restore(self) -> None:
        """Serve the CRDs that are in the store already."""
        for crd in self.api.store.items(CRDS.bucket):
            self._serve(crd)

    def definition(self, res: Resource) -> Object | None:
        return self.definitions.get((res.group, res.plural)) if res.custom else None

    def version(self, res: Resource) -> Object:
        """The `spec.versions[]` entry of a custom resource."""
        crd = self.definition(res) or {"spec": {"versions": []}}
        return next((v for v in crd["spec"]["versions"] if v["name"] == res.version), {})

    def selectable(self, res: Resource) -> tuple[str, ...]:
        """The extra paths a field selector may use, without the leading dot."""
        if not res.custom:
            return ()
        return tuple(f["jsonPath"].lstrip(".") for f in self.version(res).get("selectableFields") or [])

    def decode(self, res: Resource, obj: Object, options: Options, *, patch: bool = False) -> Object:
        """A custom object with known fields only and its defaults."""
        return obj

    def validate(self, res: Resource, new: Object, old: Object | None) -> list[Any]:
        """What is wrong with a custom object, one cause each."""
        return []

    def on_read(self, res: Resource, obj: Object) -> Object:
        """An object as this version of its resource shows it."""
        if res.custom and obj.get("apiVersion") != res.api_version:
            return {**obj, "apiVersion": res.api_version}
        return obj

    def before_write(self, res: Resource, new: Object, old: Object | None) -> Object:
        """Last changes before an object is stored."""
        if res is CRDS:
            return self._established(new, old)
        return new

    def after_write(self, res: Resource, stored: Object) -> None:
        if res is CRDS:
            self._serve(stored)

    def after_remove(self, res: Resource, gone: Object) -> None:
        if res is CRDS:
            spec = gone["spec"]
            self.definitions.pop((spec["group"], spec["names"]["plural"]), None)
            self.api.registry.remove(spec["group"], spec["names"]["plural"])

    def crd_finalizers(self, crd: Object, finalizers: list[str]) -> list[str]:
        """Deleting a CRD deletes its objects first; those with finalizers hold it back."""
        res = self._any_version(crd)
        if res is None:
            return finalizers
        for obj in self.api.store.items(res.bucket):
            meta = obj["metadata"]
            self.api.remove(res, meta.get("namespace"), meta["name"])
        left = self.api.store.items(res.bucket)
        finalizers = [f for f in finalizers if f != CLEANUP]
        return [*finalizers, CLEANUP] if left else finalizers

    def delete_namespace(self, old: Object, now: float, dry: bool) -> Deletion:
        """Mark a namespace as Terminating; the namespace controller empties and finalizes it."""
        from rollout_lab.clusters.embedded.api import Deletion

        meta = old["metadata"]
        if meta.get("deletionTimestamp"):
            return Deletion(old, False)
        made = {
            **old,
            "metadata": {**meta, "deletionTimestamp": rfc3339(now)},
            "status": {**(old.get("status") or {}), "phase": "Terminating"},
        }
        if dry:
            return Deletion(made, False)
        return Deletion(self.api.store.put(NAMESPACES.bucket, ("", meta["name"]), made), False)

    def _any_version(self, crd: Object) -> Resource | None:
        spec = crd["spec"]
        for v in spec["versions"]:
            found = self.api.registry.find(spec["group"], v["name"], spec["names"]["plural"])
            if found:
                return found
        return None

    def _established(self, crd: Object, old: Object | None) -> Object:
        if old is not None and (old.get("status") or {}).get("conditions"):
            return crd
        now = rfc3339(self.api.clock.now())
        spec = crd["spec"]

        def condition(kind: str, reason: str, message: str) -> Object:
            return {
                "type": kind,
                "status": "True",
                "lastTransitionTime": now,
                "reason": reason,
                "message": message,
            }

        status = {
            "conditions": [
                condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
            ],
            "acceptedNames": names(spec),
            "storedVersions": [v["name"] for v in spec["versions"] if v.get("storage")],
        }
        return {**crd, "status": status}

    def _serve(self, crd: Object) -> None:
        spec = crd["spec"]
        accepted = names(spec)
        self.definitions[(spec["group"], accepted["plural"])] = crd
        self.api.registry.remove(spec["group"], accepted["plural"])
        self.api.registry.add(resource_of(spec, v) for v in spec["versions"] if v.get("served"))


def names(spec: Object) -> Object:
    """`spec.names` with the names that follow from the kind."""
    given = spec["names"]
    kind = given["kind"]
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
