"""What a run will look like: the planner under virtual time, recorded as a real run is.

A prediction is a `Recording` like any other: the page draws it, compares it and exports it without
knowing that it never happened. What was only assumed is marked in its rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from rollout_lab.api import meta
from rollout_lab.errors import UsageError
from rollout_lab.observe.deployments import as_rollout
from rollout_lab.observe.figures import ready_seconds as measured_ready_seconds
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.replay import Recording
from rollout_lab.observe.track import Track
from rollout_lab.plan.actions import Plan
from rollout_lab.simulate.forecast import Assumption, play
from rollout_lab.simulate.pods import Timing
from rollout_lab.simulate.world import ROUTE_KINDS, START, Hooks, World

if TYPE_CHECKING:
    from rollout_lab.lab.lab import Lab

Json = dict[str, Any]
Act = str | Mapping[str, Any]
READY_SECONDS: Final = 2.5
PROMOTE_AFTER: Final = 30.0
AFTER_END: Final = 1.0  # seconds a prediction goes on after its last change
UPDATE: Final = ("set image 2.0.0",)
_FOLLOWED: Final = ("Rollout", "Deployment")
_SIMULATED: Final = (*_FOLLOWED, "Service", *ROUTE_KINDS)


def predict(
    objects: Sequence[Json],
    actions: Sequence[Act] = UPDATE,
    *,
    start: Observed | None = None,
    ready_seconds: float = READY_SECONDS,
    promote_after: float | None = PROMOTE_AFTER,
    never_ready: Sequence[str] = (),
    slower: Mapping[str, float] = MappingProxyType({}),
    name: str = "prediction",
) -> Recording:
    """The run of `objects` with `actions`, to its end.

    `objects` are one Rollout or Deployment, its Services and what its routers need. Without `start`
    they are applied at t = 0 and each action is done once the run has settled. With `start`
    (`Recorder.observed`) it goes on from there: the first action is done at once, and `t` counts as in
    the observed run. An action is words as in a recording ("set image 2.0.0", "scale 5", "promote",
    "abort" …) or an edited object to apply.

    `ready_seconds`: from making a Pod to its being ready. `promote_after`: seconds until a pause
    without an end is promoted; None stops there. `never_ready`: images whose Pods stay unready; `slower`:
    how many seconds longer than others the Pods of an image take.
    The recording's `ended` is ``done``, ``waiting``, ``failed`` or ``unfinished``, `assumptions` what
    nobody asked for. Raises UsageError where nothing or too much is to be followed, LabError where
    the run never settles.
    """
    followed = _followed(objects, start)
    timing = Timing(
        pod_start=ready_seconds, never_ready=tuple(never_ready), slower=tuple(sorted(slower.items()))
    )
    run = _Run(followed, name, objects, start, timing)
    return run.play(actions, promote_after)


def predict_from(
    lab: Lab,
    actions: Sequence[Act] = (),
    rollout: str | None = None,
    *,
    promote_after: float | None = PROMOTE_AFTER,
    ready_seconds: float | None = None,
) -> Recording:
    """How the running lab goes on from this moment if `actions` are done now; `t` is the lab's own.

    `ready_seconds` None takes what the Pods of this run took so far.
    """
    name = rollout or lab.current
    seen = lab.recorder.observed(name)
    if seen.rollout is None:
        raise UsageError(f'there is no rollout "{name}" to predict')
    seconds = ready_seconds if ready_seconds is not None else measured_ready_seconds(lab.timeline(name))
    return predict(
        (),
        actions,
        start=seen,
        ready_seconds=seconds or READY_SECONDS,
        promote_after=promote_after,
        name=name,
    )


def _followed(objects: Sequence[Json], start: Observed | None) -> str:
    found = [meta.name(o) for o in objects if o.get("kind") in _FOLLOWED]
    if start is not None and start.rollout is not None:
        return meta.name(start.rollout)
    if len(found) != 1:
        raise UsageError(f"{len(found)} Rollouts and Deployments to predict: name one file with exactly one")
    return found[0]


class _Run:
    """One world, and the track that records it."""

    def __init__(
        self, name: str, scenario: str, objects: Sequence[Json], start: Observed | None, timing: Timing
    ) -> None:
        now = START if start is None else start.now
        self._name = name
        self._started = START if start is None else start.started
        self._start = start
        self._objects = [o for o in objects if o.get("kind") in _SIMULATED]
        place = next((meta.namespace(o) for o in objects if o.get("kind") in _FOLLOWED), "")
        if start is not None and start.rollout is not None:
            place = meta.namespace(start.rollout)
        written = objects if start is None else _written(start)
        self._track = Track(name, self._started, scenario, written)
        self._world = World(
            timing,
            hooks=Hooks(self._changed, self._planned),
            now=now,
            started=self._started,
            namespace=place or "default",
        )

    def play(self, actions: Sequence[Act], promote_after: float | None) -> Recording:
        world, start = self._world, self._start
        if start is None:
            self._told("apply", None)
            for obj in sorted(self._objects, key=lambda o: o.get("kind") in _FOLLOWED):
                world.apply(_placed(obj))
        else:
            world.load(_there(start))
            actions = [*self._objects, *actions]
        ended = play(
            world,
            actions,
            promote_after=promote_after,
            told=self._told,
            at_once=start is not None,
        )
        timeline = self._track.timeline
        timeline.add(timeline.rows[-1]["t"] + AFTER_END, {"type": "END", "ended": str(ended)})
        rows = json.loads(json.dumps(timeline.rows))  # plain values, as from an API server
        return Recording(rows, name=self._track.scenario or self._name, predicted=True)

    def _told(self, words: str, assumption: Assumption | None) -> None:
        row: Json = {"type": "ACTION", "action": words}
        if assumption is not None:
            row["assumed"] = {"code": assumption.code, "seconds": assumption.seconds}
        self._track.timeline.add(self._track.t(self._world.now), row)

    def _changed(self, type_: str, obj: Json) -> None:
        self._track.change(self._world.now, type_, as_rollout(obj), self._observed())

    def _planned(self, plan: Plan) -> None:
        self._track.note(self._observed(), plan.why)

    def _observed(self) -> Observed:
        store = self._world.store
        found = [
            as_rollout(o) for kind in _FOLLOWED for o in store.of_kind(kind) if meta.name(o) == self._name
        ]
        return Observed(
            now=self._world.now,
            started=self._started,
            rollout=found[0] if found else None,
            replica_sets=tuple(store.of_kind("ReplicaSet")),
            services=tuple(store.of_kind("Service")),
            pods=tuple(store.of_kind("Pod")),
            slices=tuple(store.of_kind("EndpointSlice")),
        )


def _placed(obj: Json) -> Json:
    """A copy without what an API server would have written."""
    return {k: v for k, v in obj.items() if k != "status"}


def _there(start: Observed) -> list[Json]:
    """The objects of the observed run as they stand, owners first."""
    services = [service for _, service in start.own_services()]
    rollout = [start.rollout] if start.rollout is not None else []
    routes = start.routes.values()
    return [*services, *routes, *rollout, *start.owned_replica_sets(), *start.own_pods()]


def _written(start: Observed) -> list[Json]:
    """What a person applied, as far as the observed objects show it."""
    rollout = [start.rollout] if start.rollout is not None else []
    return [*(service for _, service in start.own_services()), *rollout]
