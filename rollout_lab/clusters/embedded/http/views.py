"""How objects look in an answer: plain, as a Table, as metadata only, in a list or a watch event. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollout_lab.clusters.embedded import statuses
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.http.lists import Page
from rollout_lab.clusters.embedded.http.negotiation import Form
from rollout_lab.clusters.embedded.resources import Resource
from rollout_lab.clusters.embedded.schema import tables

Object = dict[str, Any]

OBJECT_FORMS = ("Table", "PartialObjectMetadata")
LIST_FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_META = "meta.k8s.io/v1"


def partial(obj: Object) -> Object:
    """Only the metadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": obj.get("metadata", {})}


def single(api: Api, res: Resource, obj: Object, form: Form, include: str = "") -> Object:
    """One object in the asked form."""
    if form.kind == "PartialObjectMetadata":
        return partial(obj)
    if form.kind == "Table":
        return table(
            api, res, [obj], {"resourceVersion": obj["metadata"].get("resourceVersion", "")}, include
        )
    return obj


def listed(api: Api, res: Resource, page: Page, form: Form, include: str = "") -> Object:
    """A list in the asked form."""
    if form.kind == "PartialObjectMetadata":
        kind = "unstructured.UnstructuredList" if res.custom else f"core.{res.list_of}"
        text = f"you requested PartialObjectMetadata, but the requested object is a list (*{kind})"
        raise statuses.error(406, "NotAcceptable", text)
    meta = page.metadata(res.custom)
    if form.kind == "PartialObjectMetadataList":
        meta = {k: v for k, v in meta.items() if v != ""}
        items: list[Object] | None = [partial(o) for o in page.items] or None
        return {"kind": form.kind, "apiVersion": _META, "metadata": meta, "items": items}
    if form.kind == "Table":
        return table(api, res, page.items, {k: v for k, v in meta.items() if v != ""}, include)
    shown = page.items if res.custom else [bare(o) for o in page.items]
    return {"kind": res.list_of, "apiVersion": res.api_version, "metadata": meta, "items": shown}


def bare(obj: Object) -> Object:
    """An item of a built-in list: without kind and apiVersion."""
    return {k: v for k, v in obj.items() if k not in ("kind", "apiVersion")}


def table(
    api: Api, res: Resource, objects: Sequence[Object], meta: Object, include: str, *, columns: bool = True
) -> Object:
    """A `Table` whose rows carry the objects as `include` says (Metadata when empty)."""
    if include not in ("", "None", "Metadata", "Object"):
        text = f"includeObject: Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
        raise statuses.bad_request(f"Unable to convert to Table as requested: {text}")
    printer = api.customs.version(res).get("additionalPrinterColumns") if res.custom else None
    made = tables.table(res, objects, api.clock.now(), columns=printer)
    rows = []
    for row, obj in zip(made["rows"], objects, strict=True):
        row = dict(row)
        row["object"] = None if include == "None" else obj if include == "Object" else partial(obj)
        rows.append(row)
    out: Object = {"kind": "Table", "apiVersion": _META, "metadata": meta, "rows": rows}
    out["columnDefinitions"] = made["columnDefinitions"] if columns else None
    return out
