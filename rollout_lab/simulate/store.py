"""Objects of a simulated cluster: versions, generations and patches, and who hears of a change.

Only what the engine and its ReplicaSets need; the real thing is `clusters.embedded`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rollout_lab.api import fields, meta
from rollout_lab.api.fields import Json
from rollout_lab.api.times import rfc3339

Key = tuple[str, str]
"""(kind, name): a world has one namespace."""


def merged(obj: Any, patch: Any) -> Any:
    """`obj` after a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return patch
    found = dict(obj) if isinstance(obj, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


class Store:
    """Objects by kind and name. `listener(type, object)` hears each change after it is made."""

    def __init__(
        self, namespace: str, now: Callable[[], float], listener: Callable[[str, Json], None]
    ) -> None:
        self.namespace = namespace
        self.objects: dict[Key, Json] = {}
        self.now = now
        self._listener = listener
        self._version = 0

    def get(self, kind: str, name: str) -> Json | None:
        return self.objects.get((kind, name))

    def of_kind(self, kind: str) -> list[Json]:
        return [obj for (k, _), obj in self.objects.items() if k == kind]

    def create(self, obj: Json) -> bool:
        """Add an object; False if one of that name is there."""
        key = (str(obj["kind"]), meta.name(obj))
        if key in self.objects:
            return False
        self._version += 1
        about = {
            **fields.mapping(obj, "metadata"),
            "namespace": self.namespace,
            "uid": f"uid-{self._version}",
            "creationTimestamp": rfc3339(self.now()),
            "generation": 1,
            "resourceVersion": str(self._version),
        }
        self.objects[key] = {**obj, "metadata": about}
        self._listener("ADDED", self.objects[key])
        return True

    def adopt(self, obj: Json) -> None:
        """Add an object that is there already, as it is."""
        self._version += 1
        self.objects[(str(obj["kind"]), meta.name(obj))] = obj
        self._listener("ADDED", obj)

    def patch(self, kind: str, name: str, patch: Json) -> bool:
        """Merge-patch; whether the object is there. A changed spec raises its generation."""
        old = self.objects.get((kind, name))
        if old is None:
            return False
        return self.put(merged(old, patch))

    def put(self, obj: Json) -> bool:
        key = (str(obj["kind"]), meta.name(obj))
        old = self.objects.get(key)
        if old is None:
            return False
        if old == obj:
            return True
        self._version += 1
        generation = meta.generation(old) + (old.get("spec") != obj.get("spec"))
        about = {**obj["metadata"], "generation": generation, "resourceVersion": str(self._version)}
        self.objects[key] = {**obj, "metadata": about}
        self._listener("MODIFIED", self.objects[key])
        return True

    def delete(self, kind: str, name: str) -> None:
        gone = self.objects.pop((kind, name), None)
        if gone is not None:
            self._listener("DELETED", gone)
