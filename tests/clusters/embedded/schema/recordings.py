"""The recorded requests whose outcome follows from the objects alone, as values for the schema tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[4] / "tests/data/transcripts"
NAMESPACE = "recorded"
NOW_TEXT = "2020-01-01T00:00:00Z"
CLUSTER_WIDE = frozenset(
    {"Namespace", "Node", "CustomResourceDefinition", "IngressClass", "PersistentVolume", "StorageClass"}
)
UID = "22222222-2222-2222-2222-22222222222"


@dataclass(frozen=True, slots=True)
class Step:
    """One request: what was sent, what the object was before (for PATCH), what came back."""

    name: str
    method: str
    path: str
    content_type: str
    query: dict[str, Any]
    body: Any
    old: dict[str, Any] | None
    status: int
    answer: Any
    warnings: tuple[str, ...]

    @property
    def causes(self) -> list[tuple[str, str, str]]:
        """(field, message, reason) of a 422 answer."""
        details = self.answer.get("details") if isinstance(self.answer, dict) else None
        found = (details or {}).get("causes") or [] if self.status == 422 else []
        return [(c.get("field", ""), c["message"], c["reason"]) for c in found]


def concrete(value: Any) -> Any:
    """Placeholders of requests and answers replaced by values that are valid where they stand."""
    text = json.dumps(value)
    text = text.replace("${ns}", NAMESPACE).replace("<ns>", NAMESPACE)
    text = text.replace('"<time>"', f'"{NOW_TEXT}"').replace('"<microtime>"', '"2020-01-01T00:00:00.000001Z"')
    text = re.sub(r"\$\{repeat\.x\.(\d+)\}", lambda m: "x" * int(m[1]), text)
    text = re.sub(r'"<nodePort:(\d)>"', r"3000\1", text)
    text = re.sub(r"<clusterIP:(\d)>", r"10.96.0.\1", text)
    text = re.sub(r"<uid:(\d+)>", lambda m: UID + m[1], text)
    text = re.sub(r"<rv:(\d+)\+?>", r"\1", text)
    return json.loads(text)


@cache
def cases() -> list[dict[str, Any]]:
    found = []
    for path in sorted(FOLDER.glob("*.jsonl")):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return [case for case in found if "steps" in case]


@cache
def steps() -> list[Step]:
    """All requests of all cases without controllers, in order."""
    return [step for case in cases() if case["controllers"] == "none" for step in _steps(case)]


def _steps(case: dict[str, Any]) -> Iterator[Step]:
    current: dict[str, Any] = {}
    for index, raw in enumerate(case["steps"]):
        expect = raw.get("expect")
        if "method" not in raw or not isinstance(expect, dict) or "status" not in expect:
            continue
        path = concrete(raw["path"])
        base = re.sub(r"/(status|finalize)$", "", path)
        answer = concrete(expect.get("body"))
        yield Step(
            name=f"{case['topic']}/{case['id']}#{index}",
            method=raw["method"],
            path=path,
            content_type=(raw.get("headers") or {}).get("Content-Type") or "application/json",
            query=raw.get("query") or {},
            body=concrete(raw.get("body", raw.get("bodyText"))),
            old=current.get(base),
            status=expect["status"],
            answer=answer,
            warnings=tuple(expect.get("warnings") or ()),
        )
        if expect["status"] < 300 and isinstance(answer, dict):
            name = (answer.get("metadata") or {}).get("name")
            if name and answer.get("kind") not in ("Scale", "Table", "PartialObjectMetadata", "Status"):
                (answer.get("metadata") or {}).pop("managedFields", None)
                current[base if base.endswith(f"/{name}") else f"{base}/{name}"] = answer


def without(obj: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key not in keys}


def plain(answer: Any) -> Any:
    """An answer without what the store adds: versions, generation, managed fields."""
    if not isinstance(answer, dict) or "metadata" not in answer:
        return answer
    added = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp", "namespace")
    return {**answer, "metadata": without(answer["metadata"], *added)}
