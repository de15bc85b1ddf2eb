"""The moments of a run that are worth a stop: what people did, steps, switches, phases, warnings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rollout_lab.api import fields, names
from rollout_lab.client.images import image_tag
from rollout_lab.observe.history import Memory
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.phases import phases
from rollout_lab.observe.states import step_text

Json = dict[str, Any]
Row = Mapping[str, Any]
KEPT: Final = 1000
STOPS: Final = ("action", "step", "switch", "reached", "phase", "end")
"""Kinds of marks that are steps of the slider; the others (``event``) only stand on the time axis."""


class Marks:
    """Collects marks from the rows of one run. Each has ``t``, ``kind``, ``text`` and, by kind:

    ``action``   text as in the recording; ``assumed`` {code, seconds} where a prediction supposed it
    ``step``     ``index`` (of the step that begins; the number of steps when all are done), ``count``
    ``switch``   ``service``, ``hash``, ``version``: a Service leads to another version
    ``reached``  ``key``, ``params``: a phase of the update as in the picture's ``phases``
    ``phase``    text is the rollout's phase, ``message``
    ``event``    ``reason``: a Warning
    ``end``      the last row
    """

    def __init__(self) -> None:
        self._found: list[Json] = []
        self._versions: dict[str, str] = {}
        self._selected: dict[str, str] = {}
        self._step: tuple[str, int | None] = ("", None)
        self._phase = ""

    def found(self) -> tuple[Json, ...]:
        """All marks in order of time."""
        return tuple(sorted(self._found, key=lambda mark: float(mark["t"])))

    def take(self, row: Row) -> None:
        t = float(row.get("t") or 0.0)
        match row.get("type"), row.get("kind"):
            case "ACTION", _:
                assumed = {"assumed": row["assumed"]} if row.get("assumed") else {}
                self._add(t, "action", str(row.get("action")), **assumed)
            case "END", _:
                self._add(t, "end", str(row.get("ended") or ""))
            case "Warning", "Event":
                self._add(t, "event", str(row.get("message")), reason=str(row.get("reason")))
            case "DELETED", _:
                return
            case _, "ReplicaSet":
                hash_ = fields.text(row, "labels", names.ROLLOUT_HASH_LABEL)
                self._versions[hash_] = image_tag(fields.text(row, "image"))
            case _, "Service":
                self._service(t, row)
            case _, "Rollout":
                self._rollout(t, row)

    def reached(self, t: float, observed: Observed, memory: Memory, before: Memory) -> None:
        """Phases that are reached with this moment; a canary's steps are told by `stepped`."""
        for phase in phases(observed):
            new = memory.reached.get(phase.id) != before.reached.get(phase.id) and phase.id in memory.reached
            if new and not phase.id.startswith("step-"):
                self._add(t, "reached", phase.key, key=phase.key, params=dict(phase.params))

    def stepped(self, t: float, observed: Observed) -> None:
        """The canary step that begins with this moment, if one does."""
        view = observed.view
        index, hash_ = view.status.current_step_index, view.status.current_pod_hash
        if view.steps and index is not None and self._step != (hash_, index):
            self._step = (hash_, index)
            if view.status.stable_rs and view.status.stable_rs != hash_:
                text = step_text(view.steps[index]) if index < len(view.steps) else ""
                self._add(t, "step", text, index=index, count=len(view.steps))

    def _service(self, t: float, row: Row) -> None:
        name, hash_ = fields.text(row, "name"), fields.text(row, "selector", names.ROLLOUT_HASH_LABEL)
        if hash_ and self._selected.get(name) != hash_:
            version = self._versions.get(hash_, "")
            self._add(t, "switch", f"{name} → {version or hash_}", service=name, hash=hash_, version=version)
        self._selected[name] = hash_

    def _rollout(self, t: float, row: Row) -> None:
        phase, message = fields.text(row, "status", "phase"), fields.text(row, "status", "message")
        seen = fields.text(row, "status", "observedGeneration") == str(row.get("generation"))
        if phase and seen and phase != self._phase:
            self._phase = phase
            self._add(t, "phase", phase, message=message)

    def _add(self, t: float, kind: str, text: str, **more: Any) -> None:
        self._found.append({"t": round(t, 2), "kind": kind, "text": text, **more})
        del self._found[:-KEPT]
