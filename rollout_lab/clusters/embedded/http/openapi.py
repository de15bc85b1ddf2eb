"""OpenAPI documents: recorded ones for built-in groups, a small one made from each CRD, read on first use."""

from __future__ import annotations

import gzip
from functools import lru_cache
from importlib import resources
from typing import Any

import orjson

from rollout_lab.clusters.embedded.customs import Customs
from rollout_lab.clusters.embedded.http.discovery import digest
from rollout_lab.clusters.embedded.resources import Registry, Resource

Object = dict[str, Any]


def index(registry: Registry, customs: Customs) -> Object:
    """`/openapi/v3`: one path per served group and version, with a hash that changes with its contents."""
    paths: Object = {}
    for key in sorted({(r.group, r.version) for r in registry}):
        path = f"apis/{key[0]}/{key[1]}" if key[0] else f"api/{key[1]}"
        found = [r for r in registry if (r.group, r.version) == key]
        if found[0].custom:
            sign = digest(customs.version(r) for r in found)
        else:
            sign = digest([path, "1.34.4"])
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={sign}"}
    return {"paths": paths}


def document(path: str, registry: Registry, customs: Customs) -> bytes | None:
    """The v3 document (JSON) of `api/v1` or `apis/GROUP/VERSION`, or None when nothing is served there."""
    parts = path.split("/")
    group, version = ("", parts[1]) if parts[0] == "api" and len(parts) == 2 else ("", "")
    if parts[0] == "apis" and len(parts) == 3:
        group, version = parts[1], parts[2]
    found = [r for r in registry if r.group == group and r.version == version]
    if not found:
        return None
    if found[0].custom:
        return orjson.dumps(custom_document(found, customs))
    packed = builtin_documents().get(path)
    return gzip.decompress(packed) if packed else None


@lru_cache(maxsize=1)
def builtin_documents() -> dict[str, bytes]:
    """The recorded documents of Kubernetes 1.34 by path, each packed: parsed they would take 20 MiB."""
    data = resources.files("rollout_lab.clusters.embedded.schema") / "data" / "openapi-v3.json.gz"
    loaded: dict[str, Object] = orjson.loads(gzip.decompress(data.read_bytes()))
    return {path: gzip.compress(orjson.dumps(doc), 6, mtime=0) for path, doc in loaded.items()}


def custom_document(found: list[Resource], customs: Customs) -> Object:
    """A v3 document of custom resources: their schemas and the paths with their PATCH parameters."""
    schemas: Object = {}
    paths: Object = {}
    for res in found:
        name = ".".join([*reversed(res.group.split(".")), res.version, res.kind])
        own = (customs.version(res).get("schema") or {}).get("openAPIV3Schema") or {"type": "object"}
        kind = {"group": res.group, "version": res.version, "kind": res.kind}
        meta = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        schemas[name] = {
            **own,
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                **(own.get("properties") or {}),
                "metadata": meta,
            },
            "x-kubernetes-group-version-kind": [kind],
        }
        scope = "namespaces/{namespace}/" if res.namespaced else ""
        path = f"/apis/{res.group}/{res.version}/{scope}{res.plural}"
        options = [
            {"name": n, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for n in ("dryRun", "fieldManager", "fieldValidation")
        ]
        reference = {"schema": {"$ref": f"#/components/schemas/{name}"}}
        answer = {"200": {"description": "OK", "content": {"application/json": reference}}}

        def operation(
            action: str, kind: Object = kind, answer: Object = answer, params: Any = options
        ) -> Object:
            return {
                "responses": answer,
                "parameters": params,
                "x-kubernetes-action": action,
                "x-kubernetes-group-version-kind": kind,
            }

        paths[path] = {"get": operation("list"), "post": operation("post")}
        paths[path + "/{name}"] = {verb: operation(verb) for verb in ("get", "put", "patch", "delete")}
    info = {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}
