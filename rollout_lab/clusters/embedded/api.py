"""The API server without HTTP: the one door through which every object is read and written.

`Api` runs the whole pipeline of a request (decode, defaults, the kind's strategy, validation, optimistic
concurrency, deletion rules) synchronously on the event loop: no await inside a write, so no locks.
HTTP, controllers and kubelet use the same methods. Which rules a kind has is not decided here
(`strategies`, `schema/`), how objects travel neither (`http/`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rollout_lab.api.times import rfc3339
from rollout_lab.clock import Clock
from rollout_lab.clusters.embedded import admission, objectmeta, statuses, strategies
from rollout_lab.clusters.embedded.allocation import Allocations
from rollout_lab.clusters.embedded.customs import Customs
from rollout_lab.clusters.embedded.decoding import Decoder, Options
from rollout_lab.clusters.embedded.resources import CRDS, NAMESPACES, SERVICES, Registry, Resource
from rollout_lab.clusters.embedded.selectors import matcher
from rollout_lab.clusters.embedded.store import Store
from rollout_lab.clusters.embedded.subresources import Subresources
from rollout_lab.clusters.embedded.watching import Watch

Object = dict[str, Any]


@dataclass(slots=True)
class Preconditions:
    """What must hold for a DELETE to happen."""

    uid: str | None = None
    resource_version: str | None = None


@dataclass(slots=True)
class Deletion:
    """What a DELETE did: the last state, and whether the object is gone."""

    object: Object
    gone: bool
    warnings: list[str] = field(default_factory=list)


class Api:
    """The objects of one cluster. All methods answer plain dicts that must be treated as immutable.

    `service_cidr` is where ClusterIPs come from; `validate=False` is for objects of an earlier process only.
    """

    def __init__(
        self, clock: Clock, *, service_cidr: str = "127.96.0.0/16", store: Store | None = None
    ) -> None:
        self.clock = clock
        self.store = store or Store()
        self.registry = Registry.builtin()
        self.customs = Customs(self)
        self.decoder = Decoder(self.customs)
        self.addresses = Allocations(service_cidr)
        self.subresources = Subresources(self)
        self.customs.restore()
        for service in self.store.items(SERVICES.bucket):
            self.addresses.adopt(service)

    # -- reading ---------------------------------------------------------------------------------

    def get(self, res: Resource, ns: str | None, name: str) -> Object:
        """One object. Raises NotFound."""
        return self.customs.on_read(res, self._stored(res, ns, name))

    def find(self, res: Resource, ns: str | None, name: str) -> Object | None:
        """One object, or None when it is not there."""
        found = self.store.get(res.bucket, self._key(res, ns, name))
        return None if found is None else self.customs.on_read(res, found)

    def list(
        self, res: Resource, ns: str | None = None, label_selector: str = "", field_selector: str = ""
    ) -> tuple[list[Object], str]:
        """The matching objects in name order and the resourceVersion of the list; `ns=None` is everywhere."""
        matches = self.matcher(res, label_selector, field_selector)
        found = [self.customs.on_read(res, o) for o in self.store.items(res.bucket, ns or None)]
        return [o for o in found if matches is None or matches(o)], str(self.store.rv)

    def watch(
        self,
        res: Resource,
        ns: str | None = None,
        since: int | str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Watch:
        """Changes after resourceVersion `since`; without it the present objects come first, as ADDED.

        Raises `watching.Compacted` when `since` is too old.
        """
        matches = self.matcher(res, label_selector, field_selector)
        return Watch(self.store, res.bucket, ns, matches, None if since is None else int(since))

    def matcher(self, res: Resource, label_selector: str, field_selector: str) -> Any:
        return matcher(res, label_selector, field_selector, self.customs.selectable(res))

    # -- writing ---------------------------------------------------------------------------------

    def create(
        self,
        res: Resource,
        ns: str | None,
        body: Object,
        *,
        subresource: str = "",
        name: str = "",
        options: Options | None = None,
    ) -> Object:
        """Create an object (or POST to a subresource of the object `name`); the stored object."""
        options = options or Options()
        if subresource:
            return self.subresources.create(res, ns, name, subresource, body, options)
        obj = self.decoder.decode(res, body, options)
        ns = self._request_namespace(res, ns, obj)
        obj = admission.on_create(self, res, ns, obj)
        if res.custom:
            self.customs.on_create(res, obj["metadata"].get("name") or "")
        if obj.get("metadata", {}).get("resourceVersion"):
            raise statuses.error(500, "", "resourceVersion should not be set on objects to be created")
        generation = strategies.keeps_generation(res)
        for attempt in range(8):
            made = objectmeta.for_create(obj, ns, self.clock.now(), generation=generation)
            made = self.customs.before_write(res, strategies.prepare_create(res, made), None)
            final = made["metadata"].get("name", "")
            generated = not obj.get("metadata", {}).get("name")
            if not generated or attempt == 7 or not self.store.get(res.bucket, (ns, final)):
                break
        with self.addresses.transaction() as allocation:
            if res is SERVICES:
                made = allocation.for_create(made)
            causes = self.decoder.validate_create(res, made)
            if causes:
                raise statuses.invalid(res, final, causes)
            if self.store.get(res.bucket, (ns, final)) is not None:
                raise statuses.already_exists(res, final)
            if options.dry_run:
                return self.customs.on_read(res, made)
            allocation.commit()
        stored = self.store.put(res.bucket, (ns, final), made)
        self.customs.after_write(res, stored)
        return stored

    def update(
        self,
        res: Resource,
        ns: str | None,
        name: str,
        body: Object,
        *,
        subresource: str = "",
        options: Options | None = None,
    ) -> Object:
        """Replace an object (PUT), or its status or scale; the stored object."""
        options = options or Options()
        if subresource and subresource not in ("status", "finalize"):
            return self.subresources.update(res, ns, name, subresource, body, options)
        obj = self.decoder.decode(res, body, options)
        meta = obj.get("metadata") or {}
        if meta.get("name", name) != name:
            text = f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
            raise statuses.bad_request(text)
        if not meta.get("name"):
            raise statuses.bad_request(
                "name must be provided" if not meta.get("generateName") else "name must be provided"
            )
        self._request_namespace(res, ns, obj)
        old = self._stored(res, ns, name)
        if meta.get("uid") and meta["uid"] != old["metadata"]["uid"]:
            raise statuses.conflict(res, name, self._uid_text(res, ns, name, meta["uid"], old))
        if not meta.get("resourceVersion"):
            if res.custom or res.kind in strategies.UNCONDITIONAL_REFUSED:
                shown = "0" if res.custom else "0"
                causes = [
                    statuses.invalid_value(
                        "metadata.resourceVersion", shown, "must be specified for an update"
                    )
                ]
                raise statuses.invalid(res, name, causes, kind=res.plural)
        elif meta["resourceVersion"] != old["metadata"]["resourceVersion"]:
            raise statuses.conflict(res, name)
        return self.write(res, obj, old, subresource, options)

    def patch(
        self,
        res: Resource,
        ns: str | None,
        name: str,
        patch: Any,
        kind: str,
        *,
        subresource: str = "",
        options: Options | None = None,
    ) -> Object:
        """Change an object by a patch of `kind` json, merge or strategic; the stored object."""
        options = options or Options()
        if subresource and subresource not in ("status", "finalize", "ephemeralcontainers", "resize"):
            return self.subresources.patch(res, ns, name, subresource, patch, kind, options)
        old = self._stored(res, ns, name)
        current = self.customs.on_read(res, old)
        obj = self.decoder.patched(res, current, patch, kind, options)
        meta = obj.get("metadata") or {}
        if meta.get("resourceVersion", "") not in ("", old["metadata"]["resourceVersion"]):
            raise statuses.conflict(res, name)
        if meta.get("uid") and meta["uid"] != old["metadata"]["uid"]:
            twice = [statuses.invalid_value("metadata.uid", f'"{meta["uid"]}"', "field is immutable")] * 2
            raise statuses.invalid(res, name, twice)
        return self.write(res, obj, old, subresource, options)

    def write(self, res: Resource, obj: Object, old: Object, subresource: str, options: Options) -> Object:
        """The shared end of PUT and PATCH: from a decoded object to the stored one."""
        ns, name = old["metadata"].get("namespace", ""), old["metadata"]["name"]
        made = objectmeta.for_update(obj, old)
        if made["metadata"].get("name") != name:
            raise self._renamed(res, name, made["metadata"].get("name", ""))
        made = strategies.prepare_update(res, made, old, subresource)
        made = admission.on_update(self, res, made, old)
        made = self.customs.before_write(res, made, old)
        if strategies.keeps_generation(res) and strategies.spec_changed(res, made, old, subresource):
            made = objectmeta.bumped(made)
        with self.addresses.transaction() as allocation:
            if res is SERVICES and not subresource:
                made = allocation.for_update(made, old)
            causes = self.decoder.validate_update(res, made, old, subresource)
            if causes:
                raise statuses.invalid(res, name, causes)
            meta = made["metadata"]
            gone = bool(meta.get("deletionTimestamp")) and not meta.get("finalizers")
            gone = gone and not meta.get("deletionGracePeriodSeconds") and not self._holds(res, made)
            if gone and (old["metadata"].get("finalizers") or res is NAMESPACES or res is CRDS):
                if not options.dry_run:
                    self._remove(res, old)
                return made
            if objectmeta.same(made, old):
                return old
            if options.dry_run:
                return made
            allocation.commit()
        stored = self.store.put(res.bucket, (ns, name), made)
        self.customs.after_write(res, stored)
        return stored

    # -- deleting --------------------------------------------------------------------------------

    def delete(
        self,
        res: Resource,
        ns: str | None,
        name: str,
        *,
        propagation: str | None = None,
        grace: int | None = None,
        preconditions: Preconditions | None = None,
        options: Options | None = None,
    ) -> Object:
        """Delete an object; its last state (marked as terminating when it has to wait)."""
        return self.remove(
            res, ns, name, propagation=propagation, grace=grace, preconditions=preconditions, options=options
        ).object

    def remove(
        self,
        res: Resource,
        ns: str | None,
        name: str,
        *,
        propagation: str | None = None,
        grace: int | None = None,
        preconditions: Preconditions | None = None,
        options: Options | None = None,
    ) -> Deletion:
        """As `delete`, and whether the object is gone now."""
        dry = bool(options and options.dry_run)
        old = self._stored(res, ns, name)
        self._check(res, ns, name, old, preconditions)
        meta, now = old["metadata"], self.clock.now()
        warnings: list[str] = []
        default_orphan = res.kind == "Job" and not res.custom and propagation is None
        finalizers = objectmeta.deletion_finalizers(old, propagation, default_orphan)
        seconds = strategies.grace_period(res, old, grace)
        if res is NAMESPACES:
            return self._delete_namespace(old, now, dry)
        if res is CRDS:
            return self.customs.definitions.delete(old, now, dry)
        already = bool(meta.get("deletionTimestamp"))
        made = old
        if finalizers != list(meta.get("finalizers") or []):
            made = {**made, "metadata": objectmeta.clean({**made["metadata"], "finalizers": finalizers})}
        if not already:
            made = objectmeta.terminating(made, now, seconds)
        elif res.kind == "Pod" and not res.custom:
            left = meta.get("deletionGracePeriodSeconds", 0)
            if (grace is not None or seconds == 0) and seconds < left:
                marked = objectmeta.terminating({**made, "metadata": {**made["metadata"]}}, now, seconds)
                made = {**marked, "metadata": {**marked["metadata"], "generation": meta.get("generation", 1)}}
            else:
                seconds = left
        waits = seconds > 0 or bool(finalizers)
        if not waits:
            if res.custom or res.kind != "Pod":
                made = old
            if dry:
                return Deletion(made, True, warnings)
            if not objectmeta.same(made, old):
                made = self.store.put(res.bucket, self._key(res, ns, name), made)
            return Deletion(self._remove(res, made), True, warnings)
        if objectmeta.same(made, old) or dry:
            return Deletion(made, False, warnings)
        stored = self.store.put(res.bucket, self._key(res, ns, name), made)
        self.customs.after_write(res, stored)
        return Deletion(stored, False, warnings)

    def _delete_namespace(self, old: Object, now: float, dry: bool) -> Deletion:
        """Mark a namespace as Terminating; the namespace controller empties and finalizes it."""
        meta = old["metadata"]
        if meta.get("deletionTimestamp"):
            return Deletion(old, False)
        made = {
            **old,
            "metadata": {**meta, "deletionTimestamp": rfc3339(now)},
            "status": {**(old.get("status") or {}), "phase": "Terminating"},
        }
        return Deletion(made if dry else self.store.put(NAMESPACES.bucket, ("", meta["name"]), made), False)

    def _remove(self, res: Resource, last: Object) -> Object:
        meta = last["metadata"]
        gone = self.store.remove(res.bucket, (meta.get("namespace", ""), meta["name"]), last)
        if res is SERVICES:
            self.addresses.release(gone)
        self.customs.after_remove(res, gone)
        return gone

    def purge(self, res: Resource, obj: Object) -> None:
        """Take an object out without any of the rules (the resource itself is going away)."""
        self._remove(res, obj)

    # -- small things ----------------------------------------------------------------------------

    def _stored(self, res: Resource, ns: str | None, name: str) -> Object:
        found = self.store.get(res.bucket, self._key(res, ns, name))
        if found is None:
            raise statuses.not_found(res, name)
        return found

    @staticmethod
    def _key(res: Resource, ns: str | None, name: str) -> tuple[str, str]:
        return (ns or "") if res.namespaced else "", name

    @staticmethod
    def _request_namespace(res: Resource, ns: str | None, obj: Object) -> str:
        own = (obj.get("metadata") or {}).get("namespace") or ""
        if not res.namespaced:
            return ""
        if ns and own and own != ns:
            raise statuses.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        return ns or own

    @staticmethod
    def _holds(res: Resource, obj: Object) -> bool:
        return res is NAMESPACES and bool((obj.get("spec") or {}).get("finalizers"))

    def _uid_text(self, res: Resource, ns: str | None, name: str, uid: str, old: Object) -> str:
        group = f"{res.group}/" if res.custom else ""
        key = f"/registry/{group}{res.plural}/" + (f"{ns}/" if res.namespaced else "") + name
        return (
            f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
            f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
        )

    def _renamed(self, res: Resource, name: str, other: str) -> Exception:
        text = f"the name of the object ({other}) does not match the name on the URL ({name})"
        return statuses.bad_request(text)

    def _check(
        self, res: Resource, ns: str | None, name: str, old: Object, wanted: Preconditions | None
    ) -> None:
        if wanted is None:
            return
        if wanted.uid is not None and wanted.uid != old["metadata"]["uid"]:
            raise _unmet(
                res,
                name,
                f"the UID in the precondition ({wanted.uid}) does not match the UID in record "
                f"({old['metadata']['uid']}). The object might have been deleted and then recreated",
            )
        version = old["metadata"]["resourceVersion"]
        if wanted.resource_version is not None and wanted.resource_version != version:
            raise _unmet(
                res,
                name,
                f"the ResourceVersion in the precondition ({wanted.resource_version}) does not match the "
                f"ResourceVersion in record ({version}). The object might have been modified",
            )


def _unmet(res: Resource, name: str, why: str) -> Exception:
    """409 for a precondition of a DELETE; it names the kind, not the resource."""
    details = {"name": name, **({"group": res.group} if res.group else {}), "kind": res.kind}
    kind = f"{res.kind}.{res.group}" if res.group else res.kind
    text = f'Operation cannot be fulfilled on {kind} "{name}": {why}'
    return statuses.error(409, "Conflict", text, details)
