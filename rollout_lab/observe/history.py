"""What a single moment cannot show: since when, in which order, and the reasons given so far.

Fed with every moment by the recorder; knows no clock and no API server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from rollout_lab.api import meta
from rollout_lab.observe.observed import Json, Observed, selector_hash
from rollout_lab.observe.phases import phases

WHY_KEPT: Final = 200
FORGOTTEN_AFTER: Final = 1.0  # lab seconds a reason may be gone and still count as the same one


TIMES: Final = ("at", "endsAt")


class Reason(Protocol):
    """What the planner gives as reason (`plan.actions.Why`)."""

    @property
    def code(self) -> str: ...
    @property
    def params(self) -> Mapping[str, Any]: ...
    @property
    def object(self) -> str: ...
    @property
    def field(self) -> str: ...


@dataclass(frozen=True, slots=True)
class WhyLine:
    """A reason and the moment (epoch seconds) it first held; times in `params` are since the start."""

    t: float
    code: str
    params: Json
    object: str
    field: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What `History` knows at one moment; times are epoch seconds.

    `colours`: order of first appearance of each version. `changed`: when a Service's selector hash
    last changed. `reached`: when each phase (by id) of this update was reached.
    """

    colours: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, float] = field(default_factory=dict)
    reached: Mapping[str, float] = field(default_factory=dict)
    why: tuple[WhyLine, ...] = ()


class History:
    """Remembers one rollout. Not thread-safe: the recorder's thread owns it."""

    def __init__(self) -> None:
        self._colours: dict[str, int] = {}
        self._selectors: dict[str, str] = {}
        self._changed: dict[str, float] = {}
        self._reached: dict[str, float] = {}
        self._update = ""
        self._why: list[WhyLine] = []
        self._why_seen: dict[str, float] = {}
        self._noted = 0.0

    def note(self, observed: Observed, reasons: Sequence[Reason] = ()) -> list[WhyLine]:
        """Take in one moment; the reasons that are new with it."""
        for version in observed.versions().values():
            self._colours.setdefault(version, len(self._colours))
        for _, service in observed.own_services():
            self._note_selector(observed.now, meta.name(service), selector_hash(service))
        self._note_phases(observed)
        return self._note_reasons(observed, reasons)

    def memory(self) -> Memory:
        return Memory(dict(self._colours), dict(self._changed), dict(self._reached), tuple(self._why))

    def _note_selector(self, now: float, service: str, found: str) -> None:
        if self._selectors.get(service, found) != found:
            self._changed[service] = now
        self._selectors[service] = found

    def _note_phases(self, observed: Observed) -> None:
        update = observed.view.status.current_pod_hash + f"/{observed.view.revision}"
        if update != self._update:
            self._update = update
            self._reached = {}
        reached = {phase.id for phase in phases(observed) if phase.reached}
        self._reached = {id_: t for id_, t in self._reached.items() if id_ in reached}
        for id_ in reached:
            self._reached.setdefault(id_, observed.now)

    def _note_reasons(self, observed: Observed, reasons: Sequence[Reason]) -> list[WhyLine]:
        new, now = [], observed.now
        for reason in reasons:
            timeless = {k: v for k, v in reason.params.items() if k not in TIMES}
            key = f"{reason.code} {reason.object} {sorted(timeless.items(), key=str)}"
            seen = self._why_seen.get(key)
            self._why_seen[key] = now
            if seen is None or self._noted - seen > FORGOTTEN_AFTER:
                params = {k: _since_start(observed, k, v) for k, v in reason.params.items()}
                new.append(WhyLine(now, reason.code, params, reason.object, reason.field))
        self._noted = now
        self._why_seen = {k: t for k, t in self._why_seen.items() if now - t <= FORGOTTEN_AFTER}
        self._why = [*self._why, *new][-WHY_KEPT:]
        return new


def _since_start(observed: Observed, key: str, value: Any) -> Any:
    """The planner's times are epoch seconds; whoever shows them counts from the start of the run."""
    return observed.t(value) if key in TIMES and isinstance(value, int | float) else value
