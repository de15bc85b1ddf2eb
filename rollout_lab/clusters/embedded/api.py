"""The API server without HTTP: the one door through which every object is read and written.

`Api` runs the whole pipeline of a request (decode, defaults, the kind's strategy, validation, optimistic
concurrency, deletion rules) synchronously on the event loop: no await inside a write, so no locks.
HTTP, controllers and kubelet use the same methods. Which rules a kind has is not decided here
(`strategies`, `schema/`), how objects travel neither (`http/`).
"""

from __future__ import annotations

from typing import Any

from rollout_lab.clock import Clock
from rollout_lab.clusters.embedded import (
    admission,
    cautions,
    deleting,
    objectmeta,
    podactions,
    statuses,
    strategies,
    views,
)
from rollout_lab.clusters.embedded.allocation import Allocations
from rollout_lab.clusters.embedded.customs import Customs
from rollout_lab.clusters.embedded.decoding import Decoder, Options
from rollout_lab.clusters.embedded.deleting import Deletion, Preconditions
from rollout_lab.clusters.embedded.resources import (
    BINDINGS,
    CRDS,
    EVENTS_V1,
    NAMESPACES,
    PODS,
    SERVICES,
    Registry,
    Resource,
)
from rollout_lab.clusters.embedded.selectors import matcher
from rollout_lab.clusters.embedded.store import Store
from rollout_lab.clusters.embedded.subresources import Subresources
from rollout_lab.clusters.embedded.watching import Watch

Object = dict[str, Any]

__all__ = ["Api", "Deletion", "Options", "Preconditions"]


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
        return self.shown(res, self.stored(res, ns, name))

    def find(self, res: Resource, ns: str | None, name: str) -> Object | None:
        """One object, or None when it is not there."""
        found = self.store.get(res.bucket, self.key(res, ns, name))
        return None if found is None else self.shown(res, found)

    def list(
        self, res: Resource, ns: str | None = None, label_selector: str = "", field_selector: str = ""
    ) -> tuple[list[Object], str]:
        """The matching objects in name order and the resourceVersion of the list; `ns=None` is everywhere."""
        matches = self.matcher(res, label_selector, field_selector)
        found = [self.shown(res, o) for o in self.store.items(res.bucket, ns or None)]
        return [o for o in found if matches is None or matches(o)], str(self.store.rv)

    def watch(
        self,
        res: Resource,
        ns: str | None = None,
        since: int | str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> Watch:
        """Changes after resourceVersion `since`; without it (or with 0) the present objects come first.

        Raises `watching.Compacted` when `since` is too old.
        """
        matches = self.matcher(res, label_selector, field_selector)
        if matches is not None and res is EVENTS_V1:
            wanted = matches
            matches = lambda obj: wanted(views.shown(res, obj))  # noqa: E731
        start = None if since is None or int(since) == 0 else int(since)
        return Watch(self.store, res.bucket, ns, matches, start)

    def shown(self, res: Resource, obj: Object) -> Object:
        """A stored object as this version of its resource shows it."""
        return self.customs.on_read(res, obj) if res.custom else views.shown(res, obj)

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
        if res is BINDINGS:
            target = self.decoder.decode(res, body, options)["metadata"].get("name", "")
            return self.subresources.create(PODS, ns, target, "binding", body, options)
        obj = objectmeta.without_double_owners(self.decoder.decode(res, body, options), options.warnings)
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
        with self.addresses.transaction(options.dry_run) as allocation:
            if res is SERVICES:
                made = allocation.for_create(made)
            causes = self.decoder.validate_create(res, made)
            if causes:
                raise statuses.invalid(views.named(res), final, causes)
            options.warnings.extend(cautions.of(res, made))
            if self.store.get(res.bucket, (ns, final)) is not None:
                raise statuses.already_exists(res, final)
            if options.dry_run:
                return self.shown(res, made)
            allocation.commit()
        stored = self.store.put(res.bucket, (ns, final), views.stored(res, made))
        self.customs.after_write(res, stored)
        return self.shown(res, stored)

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
            raise self._renamed(name, meta["name"])
        if not meta.get("name"):
            raise statuses.bad_request("name must be provided")
        self._request_namespace(res, ns, obj)
        old = self.stored(res, ns, name)
        if meta.get("uid") and meta["uid"] != old["metadata"]["uid"]:
            raise statuses.conflict(res, name, self._uid_text(res, ns, name, meta["uid"], old))
        if not meta.get("resourceVersion"):
            if res.custom or res.kind in strategies.UNCONDITIONAL_REFUSED:
                text = "must be specified for an update"
                causes = [statuses.invalid_value("metadata.resourceVersion", "0", text)]
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
        old = self.stored(res, ns, name)
        current = self.shown(res, old)
        obj = self.decoder.patched(res, current, patch, kind, options)
        meta = obj.get("metadata") or {}
        own = old["metadata"].get("namespace", "")
        if meta.get("namespace", own) != own:
            text = "the namespace of the object ({}) does not match the namespace on the request ({})"
            raise statuses.bad_request(text.format(meta["namespace"], own))
        if meta.get("resourceVersion", "") not in ("", old["metadata"]["resourceVersion"]):
            raise statuses.conflict(res, name)
        if meta.get("uid") and meta["uid"] != old["metadata"]["uid"]:
            twice = [statuses.invalid_value("metadata.uid", f'"{meta["uid"]}"', "field is immutable")] * 2
            raise statuses.invalid(res, name, twice)
        return self.write(res, obj, old, subresource, options)

    def write(self, res: Resource, obj: Object, old: Object, subresource: str, options: Options) -> Object:
        """The shared end of PUT and PATCH: from a decoded object to the stored one, as `res` shows it."""
        before = self.shown(res, old)
        ns, name = old["metadata"].get("namespace", ""), old["metadata"]["name"]
        made = objectmeta.for_update(obj, before)
        if made["metadata"].get("name") != name:
            raise self._renamed(name, made["metadata"].get("name", ""))
        made = strategies.prepare_update(res, made, before, subresource)
        made = self.customs.before_write(res, made, before)
        if strategies.keeps_generation(res) and strategies.spec_changed(res, made, before, subresource):
            made = objectmeta.bumped(made)
        with self.addresses.transaction(options.dry_run) as allocation:
            if res is SERVICES and not subresource:
                made = allocation.for_update(made, before)
            causes = self.decoder.validate_update(res, made, before, subresource)
            if subresource == "resize":
                causes = [*causes, *podactions.resize_causes(made)]
            if causes:
                raise statuses.invalid(views.named(res), name, causes)
            if self._ends(res, made, before):
                if not options.dry_run:
                    self.take_out(res, old)
                return made
            if objectmeta.same(made, before):
                return before
            if options.dry_run:
                return made
            allocation.commit()
        stored = self.store.put(res.bucket, (ns, name), views.stored(res, made))
        self.customs.after_write(res, stored)
        return self.shown(res, stored)

    @staticmethod
    def _ends(res: Resource, new: Object, old: Object) -> bool:
        """Whether an update takes away the last thing that kept a deleted object."""
        meta = new["metadata"]
        if not meta.get("deletionTimestamp") or meta.get("finalizers"):
            return False
        if meta.get("deletionGracePeriodSeconds"):
            return False
        if res is NAMESPACES:
            return not (new.get("spec") or {}).get("finalizers")
        return bool(old["metadata"].get("finalizers")) or res is CRDS

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
        return deleting.remove(self, res, ns, name, propagation, grace, preconditions, options)

    def take_out(self, res: Resource, last: Object) -> Object:
        """Remove an object without any of the rules; its last state with the deletion's version."""
        meta = last["metadata"]
        gone = self.store.remove(res.bucket, (meta.get("namespace", ""), meta["name"]), last)
        if res is SERVICES:
            self.addresses.release(gone)
        self.customs.after_remove(res, gone)
        return gone

    # -- small things ----------------------------------------------------------------------------

    def stored(self, res: Resource, ns: str | None, name: str) -> Object:
        """An object as it is kept. Raises NotFound."""
        found = self.store.get(res.bucket, self.key(res, ns, name))
        if found is None:
            raise statuses.not_found(res, name)
        return found

    @staticmethod
    def key(res: Resource, ns: str | None, name: str) -> tuple[str, str]:
        """Where the store keeps an object."""
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

    def _uid_text(self, res: Resource, ns: str | None, name: str, uid: str, old: Object) -> str:
        group = f"{res.group}/" if res.custom else ""
        key = f"/registry/{group}{res.plural}/" + (f"{ns}/" if res.namespaced else "") + name
        return (
            f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: "
            f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
        )

    @staticmethod
    def _renamed(name: str, other: str) -> Exception:
        text = f"the name of the object ({other}) does not match the name on the URL ({name})"
        return statuses.bad_request(text)
