"""The rules of the smaller kinds: ConfigMap, Secret, Event, Lease, Ingress, autoscaler, disruption budget.

# upstream: pkg/apis/{core,coordination,networking,autoscaling,policy}/validation
"""

from __future__ import annotations

import ipaddress
from typing import Any

from . import causes, names, selector_rules, workload_rules
from .causes import Cause, Raw
from .meta_rules import IMMUTABLE, not_negative

Object = dict[str, Any]

_MAX_DATA = 1024 * 1024
_SEALED = "field is immutable when `immutable` is set"
_SECRET_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def config_map(obj: Object) -> list[Cause]:
    found: list[Cause] = []
    size = 0
    for part in ("data", "binaryData"):
        for key, value in sorted((obj.get(part) or {}).items()):
            found += [causes.invalid(f"{part}[{key}]", key, text) for text in names.config_key(key)]
            if part == "data" and key in (obj.get("binaryData") or {}):
                detail = "duplicate of key present in binaryData"
                found.append(causes.invalid(f"data[{key}]", key, detail))
            size += len(value.encode()) if part == "data" else len(value) * 3 // 4
    return [*found, causes.too_long("", _MAX_DATA)] if size > _MAX_DATA else found


def config_map_update(new: Object, old: Object) -> list[Cause]:
    return _sealed(new, old, ("data", "binaryData"))


def secret(obj: Object) -> list[Cause]:
    data = obj.get("data") or {}
    found: list[Cause] = []
    for key in sorted(data):
        found += [causes.invalid(f"data[{key}]", key, text) for text in names.config_key(key)]
    if sum(len(value or "") * 3 // 4 for value in data.values()) > _MAX_DATA:
        found.append(causes.too_long("data", _MAX_DATA))
    kind = obj.get("type") or ""
    for key in _SECRET_KEYS.get(kind, ()):
        if key not in data:
            found.append(causes.required(f"data[{key}]"))
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
        found += [causes.required(f"data[{key}]") for key in ("username", "password")]
    name = "kubernetes.io/service-account.name"
    if kind == "kubernetes.io/service-account-token" and not (obj["metadata"].get("annotations") or {}).get(
        name
    ):
        found.append(causes.required(f"metadata.annotations[{name}]"))
    return found


def secret_update(new: Object, old: Object) -> list[Cause]:
    found: list[Cause] = []
    if new.get("type") != old.get("type"):
        found.append(causes.invalid("type", new.get("type") or "", IMMUTABLE))
    return found + _sealed(new, old, ("data",))


def _sealed(new: Object, old: Object, parts: tuple[str, ...]) -> list[Cause]:
    if not old.get("immutable"):
        return []
    found: list[Cause] = []
    if not new.get("immutable"):
        found.append(causes.forbidden("immutable", _SEALED))
    for part in parts:
        if (new.get(part) or {}) != (old.get(part) or {}):
            found.append(causes.forbidden(part, _SEALED))
    return found


def event(obj: Object) -> list[Cause]:
    modern = obj.get("apiVersion") == "events.k8s.io/v1"
    target = obj.get("regarding" if modern else "involvedObject") or {}
    namespace = (obj.get("metadata") or {}).get("namespace") or ""
    given, found = target.get("namespace") or "", []
    if given != namespace and not (not given and namespace == "default"):
        found.append(causes.invalid("involvedObject.namespace", given, "does not match event.namespace"))
    if modern:
        if not obj.get("eventTime"):
            found.append(causes.required("eventTime"))
        kind = obj.get("type") or ""
        if kind not in ("Normal", "Warning"):
            found.append(causes.invalid("type", "", f"has invalid value: {kind}"))
    return found


def event_update(new: Object, old: Object) -> list[Cause]:
    """Events of the newer API only change their series."""
    if new.get("apiVersion") != "events.k8s.io/v1":
        return []
    found: list[Cause] = []
    for field, mine, core in (
        ("involvedObject", "regarding", "involvedObject"),
        ("reason", "reason", "reason"),
        ("message", "note", "message"),
        ("source", "deprecatedSource", "source"),
        ("count", "deprecatedCount", "count"),
        ("type", "type", "type"),
        ("eventTime", "eventTime", "eventTime"),
        ("action", "action", "action"),
    ):
        before = old.get(mine, old.get(core))
        if (new.get(mine) or None) != (before or None):
            found.append(causes.invalid(field, new.get(mine), IMMUTABLE))
    return found


def lease(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    found: list[Cause] = []
    if spec.get("holderIdentity") == "":
        found.append(causes.invalid("spec.holderIdentity", "", "must not be empty"))
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        found.append(causes.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    return found + not_negative(spec.get("leaseTransitions"), "spec.leaseTransitions")


def ingress(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    found: list[Cause] = []
    rules = spec.get("rules") or []
    if not rules and not spec.get("defaultBackend"):
        detail = "either `defaultBackend` or `rules` must be specified"
        return [causes.invalid("spec", None, detail)]
    if isinstance(backend := spec.get("defaultBackend"), dict):
        found += _backend(backend, "spec.defaultBackend")
    for index, rule in enumerate(rules):
        where, host = f"spec.rules[{index}]", rule.get("host") or ""
        if host:
            found += _host(host, f"{where}.host")
        for number, path in enumerate((rule.get("http") or {}).get("paths") or []):
            found += _path(path, f"{where}.http.paths[{number}]")
    return found


def _host(host: str, field: str) -> list[Cause]:
    found: list[Cause] = []
    try:
        ipaddress.ip_address(host)
        found.append(causes.invalid(field, host, "must be a DNS name, not an IP address"))
    except ValueError:
        pass
    rule = names.wildcard_subdomain if "*" in host else names.dns_subdomain
    return found + [causes.invalid(field, host, text) for text in rule(host)]


def _path(path: Object, field: str) -> list[Cause]:
    kind, value = path.get("pathType"), path.get("path") or ""
    kinds = ("Exact", "ImplementationSpecific", "Prefix")
    if kind is None:
        found = [causes.required(f"{field}.pathType", "pathType must be specified")]
    elif kind not in kinds:
        found = [causes.not_supported(f"{field}.pathType", kind, kinds)]
    elif not value.startswith("/") and (kind != "ImplementationSpecific" or value):
        found = [causes.invalid(f"{field}.path", value, "must be an absolute path")]
    else:
        found = []
    return found + _backend(path.get("backend") or {}, f"{field}.backend")


def _backend(backend: Object, field: str) -> list[Cause]:
    service = backend.get("service")
    if not isinstance(service, dict):
        if backend.get("resource"):
            return []
        return [causes.required(field, "resource or service backend is required")]
    found: list[Cause] = []
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        found.append(causes.required(f"{field}.service.name"))
    else:
        texts = names.dns_1035_label(name)
        found += [causes.invalid(f"{field}.service.name", name, text) for text in texts]
    if not port.get("name") and not port.get("number"):
        found.append(causes.required(field, "port name or number is required"))
    return found


def autoscaler(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    found: list[Cause] = []
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if low is not None and low < 1:
        found.append(causes.invalid("spec.minReplicas", low, "must be greater than or equal to 1"))
    if high < 1:
        found.append(causes.invalid("spec.maxReplicas", high, "must be greater than 0"))
    if low is not None and high < low:
        detail = "must be greater than or equal to `minReplicas`"
        found.append(causes.invalid("spec.maxReplicas", high, detail))
    target = spec.get("scaleTargetRef") or {}
    for key in ("kind", "name"):
        if not target.get(key):
            found.append(causes.required(f"spec.scaleTargetRef.{key}"))
    version = target.get("apiVersion") or ""
    if "/" not in version and (not version or version != "v1"):
        detail = "apiVersion must specify API group"
        found.append(causes.invalid("spec.scaleTargetRef.apiVersion", version, detail))
    return found


def disruption_budget(obj: Object) -> list[Cause]:
    spec = obj.get("spec") or {}
    low, high = spec.get("minAvailable"), spec.get("maxUnavailable")
    found: list[Cause] = []
    if low is not None and high is not None:
        selector = causes.shown(selector_rules.shown(spec.get("selector")))
        shown = (
            f'{{"MinAvailable":{causes.shown(low)},"Selector":{selector},'
            f'"MaxUnavailable":{causes.shown(high)},"UnhealthyPodEvictionPolicy":null}}'
        )
        detail = "minAvailable and maxUnavailable cannot be both set"
        found.append(causes.invalid("spec", Raw(shown), detail))
    for key in ("minAvailable", "maxUnavailable"):
        if spec.get(key) is not None:
            found += workload_rules.int_or_percent(spec[key], f"spec.{key}")
    if spec.get("selector"):
        found += selector_rules.check(spec["selector"], "spec.selector")
    return found
