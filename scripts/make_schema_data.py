"""Make the package data of the embedded cluster's schema side from the recorded documents.

Reads ``schema.json.gz`` (OpenAPI v2 definitions: patch strategies, list types), ``protobuf-fields.json.gz``
(Go field tables: pointer, omitempty) and ``openapi-v3.json.gz`` from ``tests/data/transcripts`` and writes
``rollout_lab/clusters/embedded/schema/data``. Run it again when the recordings change:

    python scripts/make_schema_data.py
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tests/data/transcripts"
TARGET = ROOT / "rollout_lab/clusters/embedded/schema/data"
OPENAPI_PREFIX, PROTO_PREFIX = "io.k8s.", "k8s.io."


def read(name: str) -> Any:
    with gzip.open(SOURCE / name) as file:
        return json.load(file)


def write(name: str, value: Any) -> None:
    """Deterministic gzip (no time stamp), so that running twice changes nothing."""
    data = json.dumps(value, separators=(",", ":"), sort_keys=False).encode()
    (TARGET / name).write_bytes(gzip.compress(data, 9, mtime=0))


def openapi_name(proto: str) -> str:
    return (OPENAPI_PREFIX + proto.removeprefix(PROTO_PREFIX)).replace("apiextensions_", "apiextensions-")


def proto_name(openapi: str) -> str:
    return (PROTO_PREFIX + openapi.removeprefix(OPENAPI_PREFIX)).replace("apiextensions-", "apiextensions_")


def fields_of(name: str, messages: dict[str, Any]) -> dict[str, Any]:
    """The JSON fields of one Go struct, embedded structs flattened, in declaration order."""
    out: dict[str, Any] = {}
    for field in messages[name].values():
        if field.get("inline"):
            out.update(fields_of(field["type"], messages))
            continue
        kind = field["type"]
        entry: dict[str, Any] = {"t": openapi_name(kind) if kind.startswith(PROTO_PREFIX) else kind}
        for long, short in (("repeated", "l"), ("map", "m"), ("pointer", "p"), ("omitempty", "o")):
            if field.get(long):
                entry[short] = 1
        out[field.get("json", field["name"])] = entry
    return out


def type_meta(definition: dict[str, Any]) -> dict[str, Any]:
    """``kind`` and ``apiVersion`` are no protobuf fields: they travel in the envelope."""
    return {
        n: {"t": "string", "o": 1} for n in ("kind", "apiVersion") if n in definition.get("properties", {})
    }


def annotate(fields: dict[str, Any], definition: dict[str, Any]) -> None:
    """Add what only OpenAPI knows: patch strategy, merge key, list type and keys, required, enum."""
    required = definition.get("required", [])
    for name, entry in fields.items():
        prop = definition.get("properties", {}).get(name, {})
        for long, short in (
            ("x-kubernetes-patch-strategy", "s"),
            ("x-kubernetes-patch-merge-key", "k"),
            ("x-kubernetes-list-type", "lt"),
            ("x-kubernetes-list-map-keys", "lk"),
            ("enum", "e"),
        ):
            if long in prop:
                entry[short] = prop[long]
        if name in required:
            entry["q"] = 1


def table_columns() -> dict[str, Any]:
    """The recorded columnDefinitions by ``group/plural``; an empty group for the core kinds."""
    found: dict[str, Any] = {}
    for path in sorted(SOURCE.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            for step in json.loads(line).get("steps", []):
                body = step.get("expect", {}).get("body")
                if isinstance(body, dict) and body.get("kind") == "Table":
                    parts = step["path"].replace("/namespaces/${ns}", "").strip("/").split("/")
                    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
                    found[f"{group}/{rest[0] if rest else 'namespaces'}"] = body["columnDefinitions"]
    custom = ("argoproj.io/", "lab.example.com/")
    kept = {key: value for key, value in sorted(found.items()) if not key.startswith(custom)}
    return kept | {"fallback": kept.pop("apiextensions.k8s.io/customresourcedefinitions")}


def main() -> None:
    protobuf, openapi = read("protobuf-fields.json.gz"), read("schema.json.gz")
    messages, special = protobuf["messages"], set(protobuf["special"])
    types: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    todo = sorted(openapi["definitions"])
    while todo:
        name = todo.pop()
        if name in types or proto_name(name) in special:
            continue
        definition = openapi["definitions"].get(name, {})
        fields = type_meta(definition) | fields_of(proto_name(name), messages)
        annotate(fields, definition)
        types[name] = fields
        for gvk in definition.get("x-kubernetes-group-version-kind", []):
            kinds[f"{gvk['group']}/{gvk['version']}/{gvk['kind']}"] = name
        todo += [f["t"] for f in fields.values() if f["t"].startswith(OPENAPI_PREFIX)]
    TARGET.mkdir(parents=True, exist_ok=True)
    write("builtin.json.gz", {"kinds": dict(sorted(kinds.items())), "types": dict(sorted(types.items()))})
    write("columns.json.gz", table_columns())
    documents = read("openapi-v3.json.gz")["documents"]
    write("openapi-v3.json.gz", {k: v for k, v in documents.items() if "example.com" not in k})


if __name__ == "__main__":
    main()
