"""Custom resources as the API server serves them: which there are, their schemas, their objects' pipeline.

The life of the CustomResourceDefinition objects themselves is in `definitions`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.definitions import CLEANUP, Definitions, resource_of
from rollout_lab.clusters.embedded.resources import CRDS, Resource
from rollout_lab.clusters.embedded.schema import decode, validate
from rollout_lab.clusters.embedded.schema.crd import CustomSchema, compile_version

if TYPE_CHECKING:
    from rollout_lab.clusters.embedded.api import Api
    from rollout_lab.clusters.embedded.decoding import Options

Object = dict[str, Any]

__all__ = ["CLEANUP", "Customs"]


class Customs:
    """Serves what the stored CRDs say. `Api` calls it around every write of a CRD or a custom object."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.definitions = Definitions(api, self)
        self._served: dict[tuple[str, str], Object] = {}
        self._schemas: dict[tuple[str, str, str], CustomSchema] = {}
        self._read: dict[int, tuple[Object, Object]] = {}

    def restore(self) -> None:
        """Serve the CRDs that are in the store already."""
        for crd in self.api.store.items(CRDS.bucket):
            if self.definitions.accepted(crd):
                self.serve(crd)

    def serve(self, crd: Object) -> None:
        """Serve all served versions of a CRD from now on, as it is now."""
        spec = crd["spec"]
        group, plural = spec["group"], spec["names"]["plural"]
        self.forget(group, plural)
        self._served[(group, plural)] = crd
        self.api.registry.add(resource_of(spec, v) for v in spec["versions"] if v.get("served"))

    def forget(self, group: str, plural: str) -> None:
        """Serve a resource no more."""
        self._served.pop((group, plural), None)
        self.api.registry.remove(group, plural)
        for key in [k for k in self._schemas if k[:2] == (group, plural)]:
            del self._schemas[key]
        self._read.clear()

    def definition(self, res: Resource) -> Object | None:
        """The CRD a custom resource comes from."""
        return self._served.get((res.group, res.plural)) if res.custom else None

    def version(self, res: Resource) -> Object:
        """The `spec.versions[]` entry of a custom resource; empty when it is gone."""
        crd = self.definition(res)
        versions: list[Object] = crd["spec"]["versions"] if crd else []
        return next((v for v in versions if v["name"] == res.version), {})

    def selectable(self, res: Resource) -> tuple[str, ...]:
        """The extra paths a field selector may use, without the leading dot."""
        if not res.custom:
            return ()
        return tuple(f["jsonPath"].lstrip(".") for f in self.version(res).get("selectableFields") or [])

    def schema(self, res: Resource) -> CustomSchema:
        """The compiled schema of a custom resource. Raises NotFound when its CRD is gone."""
        key = (res.group, res.plural, res.version)
        found = self._schemas.get(key)
        if found is None:
            crd = self.definition(res)
            if crd is None:
                raise statuses.no_such_path()
            found = self._schemas[key] = compile_version(crd, res.version)
        return found

    # -- the pipeline of custom objects ------------------------------------------------------------

    def decode(self, res: Resource, obj: Object, options: Options) -> Object:
        """A custom object with known fields only and its defaults. Raises 400."""
        from rollout_lab.clusters.embedded.decoding import complain

        schema = self.schema(res)
        try:
            made, unknown = schema.prune(obj)
        except decode.DecodeError as error:
            raise decode.cannot_handle(res.kind, res.version, res.kind, str(error)) from None
        made.setdefault("metadata", {})
        made = plain_numbers(made)
        complain(res.kind, res, [*decode.unknown_texts(unknown), *options.duplicates], options)
        return schema.default(made)

    def validate(self, res: Resource, new: Object, old: Object | None) -> list[Any]:
        """What is wrong with a custom object, one cause each."""
        schema = self.schema(res)
        if old is None:
            found = validate.validate_custom_meta(new, namespaced=res.namespaced)
            return [*found, *schema.validate(new)]
        return [*validate.validate_custom_meta_update(new, old), *schema.validate_update(new, old)]

    def on_read(self, res: Resource, obj: Object) -> Object:
        """An object as this version of its resource shows it: its apiVersion, and defaults added later."""
        if not res.custom or self.definition(res) is None:
            return obj
        kept = self._read.get(id(obj))
        if kept is not None and kept[0] is obj and kept[1]["apiVersion"] == res.api_version:
            return kept[1]
        shown = self.schema(res).default(obj)
        if shown.get("apiVersion") != res.api_version:
            shown = {**shown, "apiVersion": res.api_version}
        if shown == obj:
            shown = obj
        if len(self._read) > 2048:
            self._read.clear()
        self._read[id(obj)] = (obj, shown)
        return shown

    # -- around the writes of Api ------------------------------------------------------------------

    def on_create(self, res: Resource, name: str) -> None:
        """Refuse new objects of a CRD that is going away. Raises 403."""
        crd = self.definition(res)
        if crd is not None and crd["metadata"].get("deletionTimestamp"):
            why = "create not allowed while custom resource definition is terminating"
            raise statuses.forbidden(res, name, why)

    def before_write(self, res: Resource, new: Object, old: Object | None) -> Object:
        """Last changes before an object is stored."""
        return self.definitions.before_write(new, old) if res is CRDS else new

    def after_write(self, res: Resource, stored: Object) -> None:
        if res is CRDS:
            self.definitions.after_write(stored)

    def after_remove(self, res: Resource, gone: Object) -> None:
        if res is CRDS:
            self.forget(gone["spec"]["group"], gone["spec"]["names"]["plural"])
        elif res.custom:
            self.definitions.after_instance(res)


def plain_numbers(value: Any) -> Any:
    """Numbers as Go keeps them in an object without a Go type: 64-bit integers, else doubles, and doubles
    without a fraction written as integers."""
    if isinstance(value, dict):
        return {k: plain_numbers(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain_numbers(v) for v in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(1 << 63) <= value < 1 << 63:
        value = float(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(Decimal(repr(value)))
    return value
