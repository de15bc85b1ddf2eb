"""A whole cluster in virtual time: plans are applied, Pods come and go, and nothing waits.

It plays a recorded scenario in milliseconds, with the engine's own planner. Kubernetes is a small
model here: ReplicaSets make and remove Pods one by one, a Pod is ready some seconds after it was
made, one after another. Requests and addresses are not simulated. A plain Deployment may stand in
for the Rollout. Who wants more than the recorded rows listens to the changes themselves (`Hooks`).
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rollout_lab.api import fields, meta, names
from rollout_lab.api.fields import Json
from rollout_lab.api.rollout import Rollout
from rollout_lab.client.requests import Action, requests
from rollout_lab.errors import LabError, UsageError
from rollout_lab.plan import actions
from rollout_lab.plan.actions import Plan
from rollout_lab.plan.events import Budget
from rollout_lab.plan.planner import plan
from rollout_lab.plan.snapshot import Snapshot
from rollout_lab.routers import table
from rollout_lab.simulate.deployments import Deployments
from rollout_lab.simulate.endpoints import Endpoints
from rollout_lab.simulate.pods import ReplicaSets, Timing
from rollout_lab.simulate.rows import row
from rollout_lab.simulate.script import Follower, Moment, Script, action_of
from rollout_lab.simulate.store import Store

START = 1_764_000_000.0
ROUTE_KINDS = ("Ingress", "VirtualService", "DestinationRule", "HTTPRoute")
SETTLE = 1.0
"""Seconds without a change before a person acts."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When to give a run up: virtual seconds to wait for one moment, and passes in all."""

    patience: float = 1200.0
    passes: int = 5000


@dataclass(frozen=True, slots=True)
class Hooks:
    """Whom a world tells: `changed(type, object)` after each change and Event, `planned()` after each pass.

    With hooks EndpointSlices are kept too; a world that only plays recordings does without.
    """

    changed: Callable[[str, Json], None]
    planned: Callable[[Plan], None]


class Stuck(LabError):
    """The world did not get where the script expects it."""


class World:
    """One namespace with one Rollout. `rows` is the recording so far.

    `survives(write number) -> bool` decides after each write whether the engine lives on; where it
    dies, the rest of the pass is lost and it starts again a little later, knowing nothing.
    """

    def __init__(
        self,
        timing: Timing | None = None,
        *,
        survives: Callable[[int], bool] = lambda write: True,
        limits: Limits | None = None,
        hooks: Hooks | None = None,
        now: float = START,
        started: float | None = None,
        namespace: str = "simulated",
    ) -> None:
        self.timing = timing or Timing()
        self.rows: list[Json] = []
        self.plans: list[Plan] = []
        self.now = now
        self.started = now if started is None else started
        self.writes = 0
        self._limits = limits or Limits()
        self._survives = survives
        self._follower = Follower()
        self._order = itertools.count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._pass_at: float | None = None
        self._free_at = now
        self._hooks = hooks
        self._events = itertools.count()
        self._budget = Budget()
        self.store = Store(namespace, lambda: self.now, self._changed)
        self._sets = ReplicaSets(self.store, self.timing, self._at)
        self._endpoints = Endpoints(self.store, self.timing, self._at)
        self._deployments = Deployments(self.store, self.timing, self._at)

    @property
    def moment(self) -> Moment:
        return self._follower.moment

    def apply(self, obj: Json) -> None:
        """Create an object, or merge it into the one that is there."""
        if not self.store.create(obj):
            self.store.patch(str(obj["kind"]), meta.name(obj), obj)

    def load(self, objects: Iterable[Json]) -> None:
        """Begin with objects as they stand in a cluster: each goes on from there."""
        for obj in objects:
            self.store.adopt(obj)
        if self._hooks is not None:
            self._endpoints.sync()
        self._sets.resume()

    def act(self, words: str) -> None:
        """Do what a person does, in the words of a recording."""
        self._note({"type": "ACTION", "action": words})
        action, args = action_of(words, self.now)
        if not self.store.of_kind("Rollout"):
            self._act_on_deployment(action, args)
            return
        for request in requests(action, self.rollout.raw, self.store.of_kind("ReplicaSet"), **args):
            if request.verb == "replace":
                self.store.put(request.body)
            elif request.patch_kind == "json":
                template = request.body[0]["value"]
                spec = {**fields.mapping(self.rollout.raw, "spec"), "template": template}
                self.store.put({**self.rollout.raw, "spec": spec})
            else:
                self.store.patch("Rollout", self.rollout.name, request.body)

    def _act_on_deployment(self, action: Action, args: Json) -> None:
        """A Deployment knows fewer actions: another image, another size."""
        found = self.rollout.raw
        if action not in (Action.SET_IMAGE, Action.SCALE):
            raise UsageError(f"a Deployment has no {action.value}: only set image TAG and scale N")
        for request in requests(action, found, (), **args):
            if request.verb == "replace":
                self.store.put(request.body)
            else:
                self.store.patch("Deployment", self.rollout.name, request.body)

    @property
    def rollout(self) -> Rollout:
        """What is rolled out: the Rollout, or the Deployment in its place."""
        found = self.store.of_kind("Rollout") or self.store.of_kind("Deployment")
        return Rollout(found[0])

    @property
    def idle(self) -> bool:
        """Whether nothing would ever happen again without a person."""
        return not self._agenda

    def step(self) -> None:
        """Go on to the next thing that happens."""
        self._step()

    @property
    def next_at(self) -> float:
        """When the next thing happens, in epoch seconds; the present where nothing will."""
        return self._agenda[0][0] if self._agenda else self.now

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        end = self.now + seconds
        while self._agenda and self._agenda[0][0] <= end:
            self._step()
        self.now = end

    def run_until(self, done: Callable[[Moment], bool], patience: float | None = None) -> bool:
        """Let time pass until `done` holds and nothing has changed for `SETTLE`; whether it came to that."""
        end = self.now + (self._limits.patience if patience is None else patience)
        while True:
            if done(self.moment):
                seen = len(self.rows)
                until = self.now + SETTLE
                while self._agenda and self._agenda[0][0] <= until and len(self.rows) == seen:
                    self._step()
                if len(self.rows) == seen:
                    self.now = until
                    return True
                continue
            if not self._agenda or self._agenda[0][0] > end:
                return False
            self._step()

    def play(self, script: Script) -> list[Json]:
        """Play the script from the first apply to its end; the rows of the run. Raises Stuck."""
        self._note({"type": "SCENARIO", "name": script.name, "objects": list(script.objects)})
        self._note({"type": "ACTION", "action": "apply"})
        for obj in script.objects:
            self.apply(obj)
        for act in script.acts:
            self.reach(act.before, f"before {act.words!r}")
            self.act(act.words)
        self.reach(script.final, "at the end")
        self._note({"type": "END"})
        return self.rows

    def reach(self, wanted: Moment, where: str) -> None:
        """Wait for a moment of the recording: all of it, else what was decided in it."""
        if self.run_until(lambda m: m == wanted, self._limits.patience / 2):
            return
        if not self.run_until(lambda m: m.settled and m.decided_as(wanted), SETTLE):
            raise Stuck(f"{where}: the run is at {self.moment}, the recording at {wanted}")

    # -- the engine ---------------------------------------------------------------------------

    def _wake(self, seconds: float) -> None:
        at = max(self.now + seconds, self._free_at)
        if self._pass_at is not None and self._pass_at <= at:
            return
        self._pass_at = at
        self._at(at, self._pass)

    def _pass(self) -> None:
        if self._pass_at is None or self._pass_at > self.now or not self.store.of_kind("Rollout"):
            return
        self._pass_at = None
        if len(self.plans) >= self._limits.passes:
            raise Stuck(f"more than {self._limits.passes} passes; the last one: {self.plans[-1]}")
        found = plan(self._snapshot())
        self.plans.append(found)
        if self._hooks is not None:
            self._hooks.planned(found)
        self._free_at = self.now + self.timing.between_passes
        for action in found.actions:
            self._do(action)
            if isinstance(action, actions.Emit):
                continue
            self.writes += 1
            if not self._survives(self.writes):
                self._pass_at = None
                self._budget = Budget()
                self._wake(self.timing.restart)
                return
        if found.requeue_after is not None:
            self._wake(max(found.requeue_after, self.timing.between_passes))

    def _snapshot(self) -> Snapshot:
        rollout = self.rollout
        named = set(rollout.services.values())
        services = {meta.name(s): s for s in self.store.of_kind("Service") if meta.name(s) in named}
        owned = [rs for rs in self.store.of_kind("ReplicaSet") if meta.is_controlled_by(rs, rollout.raw)]
        pods = tuple(self.store.of_kind("Pod"))
        asked = {ref: self.store.get(ref.kind.name, ref.name) for ref in table.refs(rollout)}
        routes = {ref: body for ref, body in asked.items() if body is not None}
        return Snapshot(self.now, rollout.raw, tuple(owned), services, pods, routes)

    def _do(self, action: actions.Action) -> None:
        store, rollout = self.store, self.rollout.name
        match action:
            case actions.CreateReplicaSet(body):
                store.create(body)
            case actions.ScaleReplicaSet(name, size, annotations):
                about = {"annotations": dict(annotations)} if annotations else {}
                store.patch("ReplicaSet", name, {"metadata": about, "spec": {"replicas": size}})
            case actions.AnnotateReplicaSet(name, annotations, seconds):
                spec = {} if seconds is None else {"minReadySeconds": seconds}
                store.patch(
                    "ReplicaSet", name, {"metadata": {"annotations": dict(annotations)}, "spec": spec}
                )
            case actions.DeleteReplicaSet(name):
                store.delete("ReplicaSet", name)
            case actions.PatchService(name, hash_, managed_by):
                about = {"annotations": {names.MANAGED_BY_ANNOTATION: managed_by}} if managed_by else {}
                selector = {names.ROLLOUT_HASH_LABEL: hash_}
                store.patch("Service", name, {"metadata": about, "spec": {"selector": selector}})
            case actions.WriteRoute(_, body, before):
                if before is None:
                    store.create(body)
                else:
                    store.put(body)
            case actions.EvictPod(name):
                self._sets.remove_pod(name)
            case actions.UpdateRollout(annotations, replicas):
                spec = {} if replicas is None else {"replicas": replicas}
                about = {"annotations": dict(annotations)} if annotations else {}
                store.patch("Rollout", rollout, {"metadata": about, "spec": spec})
            case actions.PatchStatus(patch):
                store.patch("Rollout", rollout, {"status": patch})
            case actions.Emit(reason, message, type_):
                self._emit(reason, message, type_)

    def _emit(self, reason: str, message: str, type_: str) -> None:
        posted, self._budget = self._budget.spend(self.now)
        if posted:
            about = {"kind": "Rollout", "name": self.rollout.name}
            event: Json = {"kind": "Event", "reason": reason, "message": message, "type": type_}
            event["involvedObject"] = about
            found = row(self.now - self.started, type_, event)
            if found is not None:
                self._take(found)
            if self._hooks is not None:
                named = {**event, "metadata": {"name": f"{self.rollout.name}.{next(self._events)}"}}
                self._hooks.changed("ADDED", named)

    # -- time and changes ---------------------------------------------------------------------

    def _at(self, time: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (time, next(self._order), work))

    def _step(self) -> None:
        time, _, work = heapq.heappop(self._agenda)
        self.now = max(self.now, time)
        work()

    def _changed(self, type_: str, obj: Json) -> None:
        found = row(self.now - self.started, type_, obj)
        if found is not None:
            self._take(found)
        if self._hooks is not None:
            self._hooks.changed(type_, obj)
            if obj["kind"] in ("Pod", "Service"):
                self._endpoints.look()
        kind = obj["kind"]
        if kind == "ReplicaSet":
            self._sets.look(meta.name(obj))
        if kind in ("Rollout", "ReplicaSet", "Service", *ROUTE_KINDS):
            self._wake(self.timing.engine)
        if kind in ("Deployment", "ReplicaSet") or (kind == "Pod" and type_ == "DELETED"):
            self._deployments.look()

    def _note(self, found: Json) -> None:
        self._take({**found, "t": round(self.now - self.started, 2)})

    def _take(self, found: Json) -> None:
        self.rows.append(found)
        self._follower.take(found)
