"""A run for people: each row of the timeline that means something becomes a line, with its reason. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollout_lab.api import fields
from rollout_lab.api.names import ROLLOUT_HASH_LABEL
from rollout_lab.cli.words import tell
from rollout_lab.client.images import image_tag
from rollout_lab.messages import explain
from rollout_lab.observe.rebuilt import state_of

Json = Mapping[str, Any]


def stopwatch(seconds: float) -> str:
    """Seconds as ``0:05`` or ``1:02:03``."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `style` is ``action``, ``why``, ``warning``, ``traffic`` or ``change``."""

    t: float
    style: str
    text: str


class Narrator:
    """Turns rows into lines, in order; keeps what is needed to say only what changed."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._versions: dict[str, str] = {}
        self._last: dict[tuple[str, str], object] = {}

    def line(self, row: Json) -> Line | None:
        """The line of a row, or None where nothing changed that a person would want to read."""
        style, text = self._text(row)
        return Line(float(row.get("until", row.get("t", 0.0))), style, text) if text else None

    def _text(self, row: Json) -> tuple[str, str]:
        match row.get("type"), row.get("kind"):
            case "SCENARIO", _:
                objects = fields.objects(row, "objects")
                return "action", self._say("scenario", name=fields.text(row, "name"), n=len(objects))
            case "ACTION", _:
                return "action", f"▶ {fields.text(row, 'action')}"
            case "WHY", _:
                code = fields.text(row, "code")
                if code == "deadline":
                    return "why", ""
                return "why", explain(self._lang, f"why.{code}", fields.mapping(row, "params"), code)
            case _, "Event":
                return "warning", fields.text(row, "message") if row["type"] == "Warning" else ""
            case _, "Rollout":
                return "change", self._rollout(row)
            case _, "ReplicaSet":
                return "change", self._replica_set(row)
            case _, "Service":
                return "change", self._service(row)
            case _, "Pod":
                return "change", self._pod(row)
            case _, "Probe":
                return "traffic", self._probe(row)
        return "change", ""

    def _say(self, key: str, **params: Any) -> str:
        return tell(self._lang, key, **params)

    def _changed(self, kind: str, row: Json, value: object) -> bool:
        key = (kind, str(row["name"]))
        if self._last.get(key) == value:
            return False
        self._last[key] = value
        return True

    def _rollout(self, row: Json) -> str:
        phase, message = fields.text(row, "status", "phase"), fields.text(row, "status", "message")
        if not phase or not self._changed("Rollout", row, (phase, message)):
            return ""
        key = message.lower().replace(" ", "-")
        shown = explain(self._lang, f"message.{key}", {}, message) if message else ""
        named = explain(self._lang, f"rollout.{phase}", {}, phase)
        return self._say("rollout.phase", name=row["name"], phase=named, message=shown and f"— {shown}")

    def _replica_set(self, row: Json) -> str:
        hash_ = fields.text(row, "labels", ROLLOUT_HASH_LABEL)
        version = image_tag(fields.text(row, "image"))
        self._versions[hash_] = version
        before = self._last.get(("ReplicaSet", str(row["name"])), 0)
        size = fields.integer(row, "replicas") or 0
        if row["type"] == "DELETED" or not self._changed("ReplicaSet", row, size) or size == before:
            return ""
        return self._say("replicaset.size", hash=hash_, version=version, **{"from": before, "to": size})

    def _service(self, row: Json) -> str:
        hash_ = fields.text(row, "selector", ROLLOUT_HASH_LABEL)
        if row["type"] == "DELETED" or not hash_ or not self._changed("Service", row, hash_):
            return ""
        version = self._versions.get(hash_, "?")
        return self._say("service.selector", name=row["name"], hash=hash_, version=version)

    def _pod(self, row: Json) -> str:
        if row["type"] == "DELETED":
            key = "gone"
        elif row.get("deleting"):
            key = "deleting"
        elif row["type"] == "ADDED":
            key = "new"
        else:
            key = {"ready": "ready", "failing": "failing"}.get(state_of(row), "")
        if not key or not self._changed("Pod", row, key):
            return ""
        version = self._versions.get(fields.text(row, "labels", ROLLOUT_HASH_LABEL), "?")
        return self._say(f"pod.{key}", name=row["name"], version=version, reason=row.get("reason", ""))

    def _probe(self, row: Json) -> str:
        """Only when the versions that answer, or the fact that some fail, changed."""
        versions, failed = fields.mapping(row, "versions"), fields.integer(row, "failed") or 0
        kinds = (tuple(sorted(versions)), bool(failed))
        if not self._changed("Probe", row, kinds):
            return ""
        total = sum(versions.values())
        shares = ", ".join(f"v{v} {round(100 * n / total)} %" for v, n in sorted(versions.items()))
        text = self._say("probe", name=row["name"], port=row.get("port", "?"), n=total, shares=shares or "-")
        return text + (self._say("probe.failed", failed=failed) if failed else "")
