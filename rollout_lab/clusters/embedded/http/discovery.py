"""Which groups, versions and resources are served, in the legacy and the aggregated form. Pure.

# upstream: apiserver/pkg/endpoints/discovery
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from rollout_lab.clusters.embedded.resources import Registry, Resource, Subresource

Object = dict[str, Any]

VERSION: Object = {
    "major": "1",
    "minor": "34",
    "emulationMajor": "1",
    "emulationMinor": "34",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "33",
    "gitVersion": "v1.34.4",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.24.0",
    "compiler": "gc",
    "platform": "linux/amd64",
}


def groups(registry: Registry) -> dict[str, list[str]]:
    """The served groups in order, each with its versions, the preferred one first."""
    out: dict[str, list[str]] = {}
    for res in registry:
        versions = out.setdefault(res.group, [])
        if res.version not in versions:
            versions.append(res.version)
    return {g: sorted(v, key=_version_rank) if _custom(registry, g) else v for g, v in out.items()}


def _custom(registry: Registry, group: str) -> bool:
    return any(r.custom for r in registry if r.group == group)


def _version_rank(version: str) -> tuple[int, int, int]:
    """The order of Kubernetes versions: v2, v1, v1beta2, v1alpha1, anything else.

    # upstream: apimachinery/pkg/version/helpers.go
    """
    import re

    found = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if not found:
        return 3, 0, 0
    stage = {None: 0, "beta": 1, "alpha": 2}[found[2]]
    return stage, -int(found[1]), -int(found[3] or 0)


def api_versions(address: str) -> Object:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": _cidrs(address)}


def _cidrs(address: str) -> list[Object]:
    return [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]


def group_list(registry: Registry) -> Object:
    found = [_group(g, v) for g, v in groups(registry).items() if g]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(registry: Registry, name: str) -> Object | None:
    """The `APIGroup` object, or None when the group is not served."""
    versions = groups(registry).get(name) if name else None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def _group(name: str, versions: list[str]) -> Object:
    entries = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def resource_list(registry: Registry, group_name: str, version: str) -> Object | None:
    """The `APIResourceList` of a version, or None when it is not served."""
    found = _of(registry, group_name, version)
    if not found:
        return None
    rows: list[Object] = []
    for res in found:
        rows.append(_legacy(res))
        rows.extend(_legacy_sub(res, sub) for sub in sorted(res.subresources, key=lambda s: s.name))
    text = f"{group_name}/{version}" if group_name else version
    out: Object = {"kind": "APIResourceList"}
    if group_name:
        out["apiVersion"] = "v1"
    return {**out, "groupVersion": text, "resources": rows}


def _of(registry: Registry, group_name: str, version: str) -> list[Resource]:
    found = [r for r in registry if r.group == group_name and r.version == version]
    return sorted(found, key=lambda r: r.plural)


def _legacy(res: Resource) -> Object:
    out: Object = {
        "name": res.plural,
        "singularName": res.singular_name,
        "namespaced": res.namespaced,
        "kind": res.kind,
        "verbs": list(res.verbs),
    }
    if res.short_names:
        out["shortNames"] = list(res.short_names)
    if res.categories:
        out["categories"] = list(res.categories)
    if "list" in res.verbs and res.plural != "componentstatuses":
        out["storageVersionHash"] = res.storage_hash
    return out


def _legacy_sub(res: Resource, sub: Subresource) -> Object:
    out: Object = {
        "name": f"{res.plural}/{sub.name}",
        "singularName": "",
        "namespaced": res.namespaced,
        "kind": sub.kind,
        "verbs": list(sub.verbs),
    }
    if sub.group and sub.group != res.group:
        out |= {"group": sub.group, "version": sub.version}
    return out


def aggregated(registry: Registry, *, core: bool) -> Object:
    """`APIGroupDiscoveryList` of `/api` (core) or `/apis`."""
    items = []
    for name, versions in groups(registry).items():
        if (name == "") != core:
            continue
        entries = [
            {
                "version": v,
                "resources": [_discovered(r) for r in _of(registry, name, v)],
                "freshness": "Current",
            }
            for v in versions
        ]
        items.append({"metadata": {"name": name} if name else {}, "versions": entries})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _discovered(res: Resource) -> Object:
    out: Object = {
        "resource": res.plural,
        "responseKind": _kind(res.group, res.version, res.kind, res.custom),
        "scope": "Namespaced" if res.namespaced else "Cluster",
        "singularResource": res.singular_name,
        "verbs": list(res.verbs),
    }
    if res.short_names:
        out["shortNames"] = list(res.short_names)
    if res.categories:
        out["categories"] = list(res.categories)
    if res.subresources:
        out["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": {"group": sub.group, "version": sub.version, "kind": sub.kind},
                "verbs": list(sub.verbs),
            }
            for sub in res.subresources
        ]
    return out


def _kind(group_name: str, version: str, kind: str, custom: bool) -> Object:
    if not custom:
        group_name = version = ""
    return {"group": group_name, "version": version, "kind": kind}


def digest(values: Iterable[Any]) -> str:
    """A short text that changes when the values do (ETags, document hashes)."""
    return hashlib.sha512(orjson.dumps(list(values))).hexdigest().upper()
