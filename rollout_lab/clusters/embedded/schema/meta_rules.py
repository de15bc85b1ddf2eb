"""The rules of metadata that hold for objects of every kind, built-in and custom.

# upstream: apimachinery/pkg/api/validation/objectmeta.go
"""

from __future__ import annotations

from typing import Any

from . import causes, names
from .causes import Cause, Raw

Object = dict[str, Any]

MAX_ANNOTATIONS = 256 * 1024
STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
IMMUTABLE = "field is immutable"
_FIXED = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def create(obj: Object, name_rule: names.Rule, *, namespaced: bool, builtin: bool = True) -> list[Cause]:
    """The mistakes in the metadata of a new object. `builtin` adds the stricter rule for finalizers."""
    meta = obj.get("metadata") or {}
    found: list[Cause] = []
    if prefix := meta.get("generateName"):
        rule = names.generated(name_rule)
        found += [causes.invalid("metadata.generateName", prefix, text) for text in rule(prefix)]
    if name := meta.get("name"):
        found += [causes.invalid("metadata.name", name, text) for text in name_rule(name)]
    else:
        found.append(causes.required("metadata.name", "name or generateName is required"))
    if namespaced:
        namespace = meta.get("namespace") or ""
        if not namespace:
            found.append(causes.required("metadata.namespace"))
        else:
            texts = names.dns_label(namespace)
            found += [causes.invalid("metadata.namespace", namespace, text) for text in texts]
    elif meta.get("namespace"):
        found.append(causes.forbidden("metadata.namespace", "not allowed on this type"))
    found += _common(meta)
    finalizers = meta.get("finalizers") or []
    for finalizer in finalizers:
        texts = names.qualified_name(finalizer)
        found += [causes.invalid("metadata.finalizers", finalizer, text) for text in texts]
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        found.append(causes.invalid("metadata.finalizers", finalizers, detail))
    return found + (_standard_finalizers(finalizers) if builtin else [])


def update(new: Object, old: Object) -> list[Cause]:
    """The mistakes of a change of metadata, for any kind."""
    meta, before = new.get("metadata") or {}, old.get("metadata") or {}
    found: list[Cause] = []
    if before.get("deletionTimestamp"):
        extra = sorted(set(meta.get("finalizers") or []) - set(before.get("finalizers") or []))
        if extra:
            shown = ", ".join(causes.shown(name) for name in extra)
            detail = "no new finalizers can be added if the object is being deleted, found new finalizers"
            found.append(causes.forbidden("metadata.finalizers", f"{detail} []string{{{shown}}}"))
    if not meta.get("resourceVersion"):
        detail = "must be specified for an update"
        found.append(causes.invalid("metadata.resourceVersion", meta.get("resourceVersion") or "", detail))
    if meta.get("generation", 0) < before.get("generation", 0):
        detail = "must not be decremented"
        found.append(causes.invalid("metadata.generation", meta.get("generation", 0), detail))
    for key in _FIXED:
        if meta.get(key) != before.get(key):
            empty = "" if key in ("name", "namespace", "uid") else None
            found.append(causes.invalid(f"metadata.{key}", meta.get(key, empty), IMMUTABLE))
    return found + _common(meta)


def update_builtin(new: Object, old: Object) -> list[Cause]:
    """`update`, and the stricter rule for finalizers of built-in kinds."""
    return update(new, old) + _standard_finalizers((new.get("metadata") or {}).get("finalizers") or [])


def label_map(values: Object | None, field: str) -> list[Cause]:
    """A map of labels: keys and values."""
    found: list[Cause] = []
    for key, value in sorted((values or {}).items()):
        found += [causes.invalid(field, key, text) for text in names.qualified_name(key)]
        found += [causes.invalid(field, value, text) for text in names.label_value(value)]
    return found


def annotation_map(values: Object | None, field: str) -> list[Cause]:
    """A map of annotations: keys, and the size of all together."""
    found: list[Cause] = []
    for key in sorted(values or {}):
        found += [causes.invalid(field, key, text) for text in names.qualified_name(key.lower())]
    size = sum(len(k.encode()) + len(v.encode()) for k, v in (values or {}).items())
    return [*found, causes.too_long(field, MAX_ANNOTATIONS)] if size > MAX_ANNOTATIONS else found


def not_negative(value: Any, field: str) -> list[Cause]:
    """Zero or more; a missing number is fine."""
    return [causes.invalid(field, value, names.NOT_NEGATIVE)] if value is not None and value < 0 else []


def _common(meta: Object) -> list[Cause]:
    found = not_negative(meta.get("generation"), "metadata.generation")
    found += label_map(meta.get("labels"), "metadata.labels")
    found += annotation_map(meta.get("annotations"), "metadata.annotations")
    return found + _owners(meta.get("ownerReferences") or [])


def _owners(owners: list[Object]) -> list[Cause]:
    field, found, controller = "metadata.ownerReferences", [], None
    for owner in owners:
        if not str(owner.get("apiVersion") or "").rpartition("/")[2]:
            shown = owner.get("apiVersion") or ""
            found.append(causes.invalid(f"{field}.apiVersion", shown, "version must not be empty"))
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                found.append(causes.invalid(f"{field}.{key}", owner.get(key) or "", "must not be empty"))
        if (owner.get("apiVersion"), owner.get("kind")) == ("v1", "Event"):
            detail = "/v1, Kind=Event is disallowed from being an owner"
            found.append(causes.invalid(field, Raw(_owner(owner)), detail))
        if owner.get("controller"):
            if controller is not None:
                pair = " and ".join(f"{o.get('kind', '')}/{o.get('name', '')}" for o in (controller, owner))
                detail = 'Only one reference can have Controller set to true. Found "true" in references for'
                shown = Raw("[" + ",".join(map(_owner, owners)) + "]")
                found.append(causes.invalid(field, shown, f"{detail} {pair}"))
            controller = owner
    return found


def _owner(owner: Object) -> str:
    """An owner reference as Go writes it."""
    keys = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
    return causes.shown({key: owner[key] for key in keys if key in owner})


def _standard_finalizers(finalizers: list[str]) -> list[Cause]:
    detail = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        causes.invalid(f"metadata.finalizers[{index}]", name, detail)
        for index, name in enumerate(finalizers)
        if "/" not in name and name not in STANDARD_FINALIZERS
    ]
