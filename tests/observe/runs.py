"""Runs for the tests of moments, replay, figures and export: recorded, predicted, and watched as live."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from rollout_lab.api import manifest
from rollout_lab.lab.forecast import predict
from rollout_lab.observe.moments import Moments
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.picture import picture
from rollout_lab.observe.replay import Recording, load
from rollout_lab.observe.track import Track
from rollout_lab.simulate.pods import Timing
from rollout_lab.simulate.world import START, Hooks, World

ROOT = Path(__file__).resolve().parents[2]
TRACES = sorted((ROOT / "tests" / "data" / "traces").glob("*.jsonl"))
Json = dict[str, Any]


@cache
def objects(name: str) -> tuple[Json, ...]:
    """The objects of ``manifests/NAME.yaml``."""
    path = ROOT / "manifests" / f"{name}.yaml"
    return tuple(manifest.load(path.read_text(encoding="utf-8"), str(path)))


def changed(name: str, **spec: Any) -> list[Json]:
    """Those objects with other fields in the spec of the Rollout or Deployment."""
    return [
        {**o, "spec": {**o["spec"], **spec}} if o["kind"] in ("Rollout", "Deployment") else o
        for o in objects(name)
    ]


@cache
def predicted(name: str) -> Recording:
    return predict(objects(name), name=name)


@cache
def recorded(name: str) -> Recording:
    """One of the peer's runs."""
    return load(ROOT / "tests" / "data" / "traces" / f"{name}.jsonl")


class Watched:
    """A world recorded as the recorder does it, with the live picture after each change.

    `seen` are (number of rows, t, picture); `track` has the rows.
    """

    def __init__(self, name: str) -> None:
        self.objects = objects(name)
        self.name = next(o["metadata"]["name"] for o in self.objects if o["kind"] == "Rollout")
        self.track = Track(self.name, START, name, self.objects)
        self.seen: list[tuple[int, float, Json]] = []
        hooks = Hooks(self._changed, lambda plan: self._look(plan.why))
        self.world = World(Timing(), hooks=hooks, namespace="anotherclass-223")

    def play(self, actions: Sequence[str]) -> None:
        for obj in sorted(self.objects, key=lambda o: o["kind"] == "Rollout"):
            if obj["kind"] in ("Service", "Rollout"):
                self.world.apply(obj)
        for words in actions:
            self.world.run_until(lambda moment: moment.settled)
            self.world.act(words)
        self.world.run(400)

    def _changed(self, type_: str, obj: Json) -> None:
        self.track.change(self.world.now, type_, obj, self._observed())
        self._look(())

    def _look(self, why: Sequence[Any]) -> None:
        observed = self._observed()
        self.track.note(observed, why)
        rows = len(self.track.timeline.rows)
        self.seen.append((rows, observed.now - START, picture(observed, self.track.history.memory())))

    def _observed(self) -> Observed:
        store = self.world.store
        kinds = ("ReplicaSet", "Service", "Pod", "EndpointSlice")
        sets, services, pods, slices = (tuple(store.of_kind(kind)) for kind in kinds)
        rollout = store.get("Rollout", self.name)
        return Observed(self.world.now, START, rollout, sets, services, pods, slices)


def plain(found: Json) -> Json:
    """A picture in an order that does not depend on that of EndpointSlices."""
    return {**found, "routes": sorted(found["routes"], key=lambda route: (route["service"], route["pod"]))}


def from_rows(rows: Sequence[Json], t: float) -> Json:
    return plain(Moments(rows, addresses={}).at(t))
