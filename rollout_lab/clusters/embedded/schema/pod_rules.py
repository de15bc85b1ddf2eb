"""The rules of Pods and Pod templates: volumes, policies, names; what of a Pod may change, and its status.

# upstream:
# pkg/apis/core/validation/validation.go::{ValidatePodSpec,ValidatePodUpdate,ValidatePodStatusUpdate}
"""

from __future__ import annotations

import json
from typing import Any

from . import causes, container_rules, meta_rules, names
from .causes import Cause

Object = dict[str, Any]

# In the order the server looks at them: the second one given is the one complained about.
_VOLUME_SOURCES = (
    *(
        "emptyDir",
        "hostPath",
        "gitRepo",
        "gcePersistentDisk",
        "awsElasticBlockStore",
        "secret",
        "nfs",
        "iscsi",
    ),
    *(
        "glusterfs",
        "flocker",
        "persistentVolumeClaim",
        "rbd",
        "cinder",
        "cephfs",
        "quobyte",
        "downwardAPI",
        "fc",
    ),
    *("azureFile", "configMap", "vsphereVolume", "photonPersistentDisk", "projected", "portworxVolume"),
    *("scaleIO", "azureDisk", "storageos", "csi", "ephemeral", "flexVolume", "image"),
)
_REQUIRED_OF_VOLUME = {
    "secret": "secretName",
    "configMap": "name",
    "hostPath": "path",
    "persistentVolumeClaim": "claimName",
}
_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check_spec(spec: Object, field: str) -> list[Cause]:
    """The mistakes of a Pod spec at `field` (``spec`` or ``spec.template.spec``)."""
    volumes = spec.get("volumes") or []
    found = _volumes(volumes, f"{field}.volumes")
    found += container_rules.check_all(spec, [v.get("name", "") for v in volumes], field)
    found += container_rules.choice(
        spec.get("restartPolicy"), f"{field}.restartPolicy", ("Always", "Never", "OnFailure")
    )
    found += container_rules.choice(
        spec.get("dnsPolicy"),
        f"{field}.dnsPolicy",
        ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    )
    found += meta_rules.label_map(spec.get("nodeSelector"), f"{field}.nodeSelector")
    for index, gate in enumerate(spec.get("readinessGates") or []):
        value = gate.get("conditionType") or ""
        where = f"{field}.readinessGates[{index}].conditionType"
        found += [causes.invalid(where, value, text) for text in names.qualified_name(value)]
    for key in ("serviceAccountName", "nodeName"):
        if value := spec.get(key):
            found += [causes.invalid(f"{field}.{key}", value, text) for text in names.dns_subdomain(value)]
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2147483647:
        detail = "must be between 1 and 2147483647, inclusive"
        found.append(causes.invalid(f"{field}.activeDeadlineSeconds", deadline, detail))
    for key in ("hostname", "subdomain"):
        if value := spec.get(key):
            found += [causes.invalid(f"{field}.{key}", value, text) for text in names.dns_label(value)]
    return found + _tolerations(spec.get("tolerations") or [], f"{field}.tolerations")


def check_template(template: Object, field: str) -> list[Cause]:
    """The mistakes of a Pod template at `field`."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    found = meta_rules.label_map(meta.get("labels"), f"{field}.labels")
    found += meta_rules.annotation_map(meta.get("annotations"), f"{field}.annotations")
    found += check_spec(spec, f"{field}.spec")
    if spec.get("ephemeralContainers"):
        detail = "ephemeral containers not allowed in pod template"
        found.append(causes.forbidden(f"{field}.spec.ephemeralContainers", detail))
    return found


def create(pod: Object) -> list[Cause]:
    """The mistakes of a new Pod, apart from its metadata."""
    spec = pod.get("spec") or {}
    found = check_spec(spec, "spec")
    if spec.get("ephemeralContainers"):
        found.append(causes.forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if not spec.get("serviceAccountName"):
        for index, volume in enumerate(spec.get("volumes") or []):
            for number, source in enumerate((volume.get("projected") or {}).get("sources") or []):
                if "serviceAccountToken" in source:
                    where = f"spec.volumes[{index}].projected.sources[{number}].serviceAccountToken"
                    detail = "must not be specified when serviceAccountName is not set"
                    found.append(causes.forbidden(where, detail))
    return found


def update(new: Object, old: Object) -> list[Cause]:
    """What a change of a Pod may not do: images, deadline, new tolerations and metadata may change, no
    more.
    """
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    found: list[Cause] = []
    for kind in ("containers", "initContainers"):
        if len(spec.get(kind) or []) != len(before.get(kind) or []):
            detail = "pod updates may not add or remove containers"
            return [*found, causes.forbidden(f"spec.{kind}", detail)]
        for index, container in enumerate(spec.get(kind) or []):
            if not container.get("image"):
                found.append(causes.required(f"spec.{kind}[{index}].image"))
    deadline, previous = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if deadline is not None and not 0 <= deadline <= 2147483647:
        detail = "must be between 0 and 2147483647, inclusive"
        return [*found, causes.invalid("spec.activeDeadlineSeconds", deadline, detail)]
    if previous is not None and (deadline is None or deadline > previous):
        detail = f"must be less than or equal to previous value {previous}"
        if deadline is None:
            detail = f"must not update from a positive integer to nil value {previous}"
        return [*found, causes.invalid("spec.activeDeadlineSeconds", deadline, detail)]
    found += _added_tolerations(spec.get("tolerations") or [], before.get("tolerations") or [])
    same = _fixed_part(before)
    if _fixed_part(spec) != same:
        detail = f"pod updates may not change fields other than {_UPDATABLE}\n{_difference(same, spec)}"
        found.append(causes.forbidden("spec", detail))
    return found


def update_status(new: Object, old: Object) -> list[Cause]:
    """The mistakes of a Pod's status."""
    status, found = new.get("status") or {}, []
    if (old.get("spec") or {}).get("nodeName") != (new.get("spec") or {}).get("nodeName"):
        detail = "may not be changed directly"
        found.append(causes.forbidden("status.nodeName", detail))
    for index, condition in enumerate(status.get("conditions") or []):
        kind = condition.get("type") or ""
        where = f"status.conditions[{index}].Type"
        found += [causes.invalid(where, kind, text) for text in names.qualified_name(kind)]
    for kind in ("podIPs", "hostIPs"):
        for index, entry in enumerate(status.get(kind) or []):
            ip = entry.get("ip") or ""
            where = f"status.{kind}[{index}]"
            found += [causes.invalid(where, ip, text) for text in names.ip_address(ip)]
    return found


def _volumes(volumes: list[Object], field: str) -> list[Cause]:
    found: list[Cause] = []
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        where = f"{field}[{index}]"
        found += _source(volume, where)
        name = volume.get("name") or ""
        if not name:
            found.append(causes.required(f"{where}.name"))
        else:
            found += [causes.invalid(f"{where}.name", name, text) for text in names.dns_label(name)]
            if name in seen:
                found.append(causes.duplicate(f"{where}.name", name))
        seen.add(name)
    return found


def _source(volume: Object, field: str) -> list[Cause]:
    given = [kind for kind in _VOLUME_SOURCES if volume.get(kind) is not None]
    if not given:
        return [causes.required(field, "must specify a volume type")]
    found = [causes.forbidden(f"{field}.{k}", "may not specify more than 1 volume type") for k in given[1:]]
    key = _REQUIRED_OF_VOLUME.get(given[0])
    if key and not volume[given[0]].get(key):
        found.insert(0, causes.required(f"{field}.{given[0]}.{key}"))
    return found


def _tolerations(tolerations: list[Object], field: str) -> list[Cause]:
    found: list[Cause] = []
    for index, toleration in enumerate(tolerations):
        where, key = f"{field}[{index}]", toleration.get("key") or ""
        operator, effect = toleration.get("operator") or "", toleration.get("effect") or ""
        found += [causes.invalid(f"{where}.key", key, t) for t in (names.qualified_name(key) if key else ())]
        if not key and operator != "Exists":
            detail = (
                'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            )
            found.append(causes.invalid(f"{where}.operator", operator, detail))
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            found.append(causes.invalid(f"{where}.effect", effect, detail))
        if operator not in ("", "Equal", "Exists"):
            found.append(causes.not_supported(f"{where}.operator", operator, ("Equal", "Exists")))
        if effect not in ("", "NoSchedule", "PreferNoSchedule", "NoExecute"):
            allowed = ("NoSchedule", "PreferNoSchedule", "NoExecute")
            found.append(causes.not_supported(f"{where}.effect", effect, allowed))
    return found


def _added_tolerations(new: list[Object], old: list[Object]) -> list[Cause]:
    """Existing tolerations must stay, but for their seconds."""

    def key(toleration: Object) -> str:
        rest = {k: v for k, v in toleration.items() if k != "tolerationSeconds"}
        return json.dumps(rest, sort_keys=True)

    present = {key(t) for t in new}
    if all(key(t) in present for t in old):
        return []
    detail = "existing toleration can not be modified except its tolerationSeconds"
    return [causes.forbidden("spec.tolerations", detail)]


def _fixed_part(spec: Object) -> Object:
    """The spec without everything an update may change."""
    skip = ("activeDeadlineSeconds", "tolerations", "ephemeralContainers")
    fixed = {k: v for k, v in spec.items() if k not in skip}
    for kind in ("containers", "initContainers"):
        if kind in fixed:
            fixed[kind] = [{k: v for k, v in c.items() if k != "image"} for c in fixed[kind] or []]
    grace = fixed.get("terminationGracePeriodSeconds")
    if isinstance(grace, int) and grace < 0:
        fixed["terminationGracePeriodSeconds"] = 1
    return fixed


def _difference(old: Object, spec: Object) -> str:
    """The fields that differ, one a line; the server prints a Go diff here, which no client reads."""
    new = _fixed_part(spec)
    lines = []
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            lines.append(f"- {key}: {causes.shown(old.get(key))}")
            lines.append(f"+ {key}: {causes.shown(new.get(key))}")
    return "\n".join(lines) + "\n"
