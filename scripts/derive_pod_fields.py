"""Make `rollout_lab/api/data/pod_fields.json` from the recorded Go field order.

Run from the root of the project after the recorded data changed:

    python scripts/derive_pod_fields.py

Each struct becomes a list of fields in marshalling order, one string a field: the name, its marks
and its type. Marks: ``?`` left out when empty, ``*`` a pointer (so zero differs from absent),
``0`` left out when zero although it is a struct. Types: ``[]T`` list, ``{}T`` map with string keys,
a struct by name, or string, bool, int32, int64, quantity, intOrString, time, raw.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tests/data/transcripts/go-field-order.json.gz"
TARGET = ROOT / "rollout_lab/api/data/pod_fields.json"


def type_text(found: Any) -> str:
    """The notation for one recorded type."""
    if isinstance(found, str):
        return "raw" if found == "rawJSON" else found
    if "struct" in found:
        return str(found["struct"])
    if "list" in found:
        return "[]" + type_text(found["list"])
    return "{}" + type_text(found["map"])


def field_text(field: dict[str, Any]) -> str:
    marks = "".join(
        mark for mark, key in (("?", "omitempty"), ("*", "pointer"), ("0", "omitzero")) if field.get(key)
    )
    return f"{field['name']}{marks} {type_text(field['type'])}"


def derived() -> str:
    """The text of the data file: one struct a line, so that a change reads well in a diff."""
    recorded = json.loads(gzip.decompress(SOURCE.read_bytes()))
    lines = [
        f"  {json.dumps(name)}: {json.dumps([field_text(f) for f in fields])}"
        for name, fields in sorted(recorded["structs"].items())
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(derived(), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size} bytes")
