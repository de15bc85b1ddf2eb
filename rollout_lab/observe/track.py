"""One rollout followed through time: its rows, its history and the moment it is in.

A track takes in what the recorder hands it and knows no threads, clock or API server. Other
rollouts of the namespace have tracks of their own, so that a run holds only its own objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.observe import routed
from rollout_lab.observe.history import History, Reason, WhyLine
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.timeline import Timeline, carried, event_row, scenario_object

Json = dict[str, Any]
COUNTS_EVERY: Final = 5.0  # lab seconds between two rows that only tell what a gateway counted
Why = Callable[[Observed], Sequence[Reason]]


class Track:
    """Rows and history of the rollout `name`, from `started` (epoch seconds, lab time) on."""

    def __init__(self, name: str, started: float, scenario: str = "", objects: Sequence[Json] = ()) -> None:
        self.name = name
        self.started = started
        self.scenario = scenario
        self.timeline = Timeline()
        self.history = History()
        self.objects = tuple(objects)
        self._expected = next(
            (o for o in objects if o.get("kind") == "Rollout" and meta.name(o) == name), None
        )
        self._gateway: Json = {}
        self._gateway_at = started
        self._events: set[tuple[str, int]] = set()
        self._specs = {(o.get("kind"), meta.name(o)): carried(o) for o in objects}
        if objects:
            row = {"type": "SCENARIO", "name": scenario, "objects": [scenario_object(o) for o in objects]}
            self.timeline.add(0.0, {**row, "started": started})

    def t(self, now: float) -> float:
        return now - self.started

    def action(self, now: float, action: str) -> Json:
        """What a person did, in the words of the recorded runs."""
        return self.timeline.add(self.t(now), {"type": "ACTION", "action": action})

    def change(self, now: float, type_: str, obj: Json, seen: Observed) -> list[Json]:
        """Take in a change of any object; the rows it made, none if it is not about this rollout."""
        t = self.t(now)
        match obj.get("kind"):
            case "Event":
                return self._event(t, type_, obj)
            case "EndpointSlice":
                service = meta.labels(obj).get("kubernetes.io/service-name", "")
                if not self._leads_here(service, seen):
                    return []
                return _some(self.timeline.endpoints(t, service, seen.ready_pods(service)))
            case "Service":
                mine = any(meta.name(s) == meta.name(obj) for _, s in self._scope(seen, obj).own_services())
            case "Rollout":
                mine = meta.name(obj) == self.name
            case "ReplicaSet":
                owner = meta.controller_of(obj) or {}
                mine = owner.get("kind") == "Rollout" and owner.get("name") == self.name
            case "Pod":
                owner = meta.controller_of(obj) or {}
                mine = any(meta.name(rs) == owner.get("name") for rs in seen.owned_replica_sets())
            case _:
                mine = False
        if not mine:
            return []
        return [*self._spec(t, type_, obj), *_some(self.timeline.change(t, type_, obj))]

    def _spec(self, t: float, type_: str, obj: Json) -> list[Json]:
        """A spec that the scenario did not hold: edited since, or applied by somebody else."""
        key, found = (obj.get("kind"), meta.name(obj)), carried(obj)
        if (
            obj.get("kind") not in ("Rollout", "Service")
            or type_ == "DELETED"
            or self._specs.get(key) == found
        ):
            return []
        self._specs[key] = found
        row = {"kind": "Spec", "type": "SPEC", "of": key[0], "name": key[1], "spec": found}
        where = {"namespace": meta.namespace(obj), "started": self.started}
        return [self.timeline.add(t, {**row, **where})]

    def gateway(self, now: float, seen: Json) -> tuple[Json | None, bool]:
        """Take in what the gateway is and has counted: the row, if it is time for one, and whether what is
        configured there is new."""
        settings = routed.settings(seen)
        new = settings != self._gateway
        if not new and now - self._gateway_at < COUNTS_EVERY:
            return None, False
        self._gateway, self._gateway_at = settings, now
        return self.timeline.gateway(self.t(now), seen), new

    def note(self, observed: Observed, reasons: Sequence[Reason]) -> list[Json]:
        """Take in a moment; the rows of reasons that are new with it."""
        new = self.history.note(observed, reasons)
        return [self.timeline.add(self.t(why.t), _why_row(why)) for why in new]

    def probe(self, since: float, until: float, service: str, port: int, versions: Json, failed: int) -> Json:
        return self.timeline.probe(self.t(since), self.t(until), service, port, versions, failed)

    def end(self, now: float) -> Json:
        return self.timeline.add(self.t(now), {"type": "END"})

    def _scope(self, seen: Observed, *also: Json) -> Observed:
        """The moment with `also` among the Services, and with the rollout that is to come."""
        others = [s for s in seen.services if meta.name(s) not in map(meta.name, also)]
        return replace(seen, rollout=seen.rollout or self._expected, services=(*others, *also))

    def _leads_here(self, service: str, seen: Observed) -> bool:
        return any(meta.name(found) == service for _, found in self._scope(seen).own_services())

    def _event(self, t: float, type_: str, event: Mapping[str, Any]) -> list[Json]:
        """An Event about the rollout, once for each time it was posted."""
        row = event_row(event)
        key = (meta.uid(event) or meta.name(event), fields.integer(event, "count") or 1)
        about_us = row["about"] == "Rollout" and row["name"] == self.name
        if type_ == "DELETED" or not about_us or key in self._events:
            return []
        self._events.add(key)
        return [self.timeline.add(t, row)]


def _some(row: Json | None) -> list[Json]:
    return [] if row is None else [row]


def _why_row(why: WhyLine) -> Json:
    return {
        "type": "WHY",
        "code": why.code,
        "params": dict(why.params),
        "object": why.object,
        "field": why.field,
    }
