"""Watches and probe answers become rows, histories and pictures: the one place that sees everything.

One thread takes in all changes in the order they came; readers get finished, immutable data. What a
row looks like is `timeline`, what a moment looks like is `picture`; nothing is decided here.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rollout_lab.api import meta
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.mirror import Mirror
from rollout_lab.client.resources import (
    ENDPOINTSLICES,
    EVENTS,
    PODS,
    REPLICASETS,
    ROLLOUTS,
    SERVICES,
)
from rollout_lab.clock import Clock
from rollout_lab.errors import LabError
from rollout_lab.observe.gateways import embedded
from rollout_lab.observe.history import Memory
from rollout_lab.observe.observed import SERVICE_NAME_LABEL, Observed
from rollout_lab.observe.picture import picture
from rollout_lab.observe.probe import PERIOD, Probe, targets
from rollout_lab.observe.reasons import reasons
from rollout_lab.observe.routed import asked, probe_name
from rollout_lab.observe.routing import Find, Routing
from rollout_lab.observe.states import service_address
from rollout_lab.observe.track import Track
from rollout_lab.observe.ways import Ways

Json = dict[str, Any]
Row = Mapping[str, Any]
KINDS: Final = (ROLLOUTS, REPLICASETS, SERVICES, PODS, ENDPOINTSLICES, EVENTS)
_OWN_KINDS: Final = frozenset(resource.kind for resource in KINDS)
TICK: Final = 0.1  # wall seconds between two looks when nothing changes
ADDRESS_PERIOD: Final = 1.0  # wall seconds after which addresses are asked for again
GATEWAY_PERIOD: Final = 0.5  # ... and the gateway for what it does


class Recorder:
    """Follows every rollout of `namespace`. Safe to share between threads once started.

    `period` is the rhythm of the curl loop in lab seconds; 0 sends no requests.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        clock: Clock,
        *,
        period: float = PERIOD,
        ways: Ways | None = None,
        gateway: Find | None = None,
    ) -> None:
        self.namespace = namespace
        self._client = client
        self._ways = ways or Ways(client)
        self.probe = Probe(clock, period=period or PERIOD, listener=self._answered)
        self._probing = period > 0
        self._clock = clock
        self._mirrors = [Mirror(client, kind, namespace, on_error=self._failed) for kind in KINDS]
        self._routing = Routing(client, namespace, gateway or (lambda: embedded(client)))
        self._changes: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self._objects: dict[str, dict[str, Json]] = {kind.kind: {} for kind in KINDS}
        self._tracks: dict[str, Track] = {}
        self._led: set[str] = set()
        self._addresses: Json = {}
        self._addresses_due = 0.0
        self._listeners: list[Callable[[str, Row], None]] = []
        self._number = 0
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._stopped = threading.Event()

    # -- running ------------------------------------------------------------------------------

    def start(self, timeout: float = 15.0) -> None:
        """Begin to watch; returns when the first lists are in. Raises ClusterUnavailable after `timeout`."""
        self._learn_addresses()
        for mirror in self._mirrors:
            mirror.on_event(self._on_event)
            mirror.start()
        self._routing.start(self._on_event)
        self._thread.start()
        for mirror in self._mirrors:
            if not mirror.wait_synced(timeout):
                self.close()
                raise LabError(f"{mirror.resource.plural} cannot be watched: {self._trouble or 'no answer'}")

    def close(self) -> None:
        """Stop watching and asking; what was recorded stays readable."""
        self._stopped.set()
        self.probe.close()
        self._ways.close()
        self._routing.stop()
        for mirror in self._mirrors:
            mirror.stop()
        self._changes.put(None)
        if self._thread.is_alive():
            self._thread.join(5.0)
        with self._moved:
            self._moved.notify_all()

    def listen(self, listener: Callable[[str, Row], None]) -> None:
        """Call `listener(rollout, row)` for each new row, on the recorder's thread."""
        with self._lock:
            self._listeners.append(listener)

    # -- what was recorded --------------------------------------------------------------------

    @property
    def number(self) -> int:
        """Goes up with everything that changes what a reader would see."""
        return self._number

    @property
    def trouble(self) -> str:
        """What the last failed list or watch said; ``""`` once all is well again."""
        return self._trouble

    def rollouts(self) -> list[str]:
        """Names of the rollouts there are, and of those that were applied and are to come."""
        with self._lock:
            return sorted({*self._tracks, *self._objects["Rollout"]})

    def begin(self, rollout: str, scenario: str = "", objects: Sequence[Json] = ()) -> None:
        """Start a new track: `t` is 0 now. Call before the objects are applied."""

        def do() -> None:
            track = Track(rollout, self._clock.now(), scenario, objects)
            self._tracks[rollout] = track
            for row in track.timeline.rows:
                self._tell(rollout, row)

        self._in_order(do)

    def forget(self, rollout: str) -> None:
        """Drop the track of a rollout."""

        def do() -> None:
            self._tracks.pop(rollout, None)

        self._in_order(do)

    def action(self, rollout: str, words: str) -> None:
        """Note what a person does, in the words of the recorded runs. Call before it is sent."""

        def do() -> None:
            track = self._tracks.get(rollout)
            if track is not None:
                self._tell(rollout, track.action(self._clock.now(), words))

        self._in_order(do)

    def end(self, rollout: str) -> None:
        """Close the run with its END row."""

        def do() -> None:
            track = self._tracks.get(rollout)
            if track is not None:
                self._tell(rollout, track.end(self._clock.now()))

        self._in_order(do)

    def rows(self, rollout: str, since: int = 0) -> tuple[tuple[Json, ...], int]:
        """The rows of a rollout from number `since` on, and the number to ask for next."""
        with self._lock:
            track = self._tracks.get(rollout)
            return track.timeline.since(since) if track is not None else ((), 0)

    def observed(self, rollout: str) -> Observed:
        """The moment the rollout is in."""
        with self._lock:
            found = self._observe(rollout, self._tracks.get(rollout))
        return self._with_answers(found)

    def picture(self, rollout: str) -> Json:
        """The moment as the page draws it (`observe.picture`)."""
        with self._lock:
            track = self._tracks.get(rollout)
            observed = self._observe(rollout, track)
            memory = track.history.memory() if track is not None else Memory()
        return picture(self._with_answers(observed), memory)

    def t(self, rollout: str) -> float:
        """Lab seconds since the rollout's scenario was applied."""
        track = self._tracks.get(rollout)
        return round(self._clock.now() - track.started, 2) if track is not None else 0.0

    def names(self, rollout: str) -> list[str]:
        """What there still is of a rollout: ``kind/name`` of it, its ReplicaSets and its Pods."""
        with self._lock:
            seen = self._observe(rollout, self._tracks.get(rollout))
            return [f"{o.get('kind')}/{meta.name(o)}" for o in seen.remains(rollout)]

    def address(self, service: str) -> str:
        """``host:port`` where a Service answers on this machine, ``""`` if nobody knows."""
        self._learn_addresses()
        with self._lock:
            found = self._objects["Service"].get(service)
            return service_address(found, self._addresses)[1] if found is not None else ""

    def wait(self, condition: Callable[[], bool], lab_seconds: float) -> bool:
        """Wait until `condition()` holds, asked again after each change; whether it did."""
        end = self._clock.now() + lab_seconds
        with self._moved:
            while not condition():
                left = self._clock.real_seconds(end - self._clock.now())
                if left <= 0 or self._stopped.is_set():
                    return condition()
                self._moved.wait(min(left, 0.25))
        return True

    # -- the recorder's thread ----------------------------------------------------------------

    def _in_order(self, work: Callable[[], None]) -> None:
        """Do `work` after all changes that came before it, and wait for it."""
        if self._stopped.is_set() or not self._thread.is_alive():
            with self._lock:
                work()
            return
        done = threading.Event()

        def do() -> None:
            work()
            done.set()

        self._changes.put(do)
        done.wait(10.0)

    def _failed(self, problem: LabError) -> None:
        self._trouble = str(problem)

    def _on_event(self, type_: str, obj: Json) -> None:
        now = self._clock.now()
        self._changes.put(lambda: self._take(now, type_, obj))

    def _answered(
        self, service: str, port: int, since: float, until: float, versions: dict[str, int], failed: int
    ) -> None:
        def do() -> None:
            for name, track in self._tracks.items():
                if service in asked(self._observe(name, track)):
                    self._tell(name, track.probe(since, until, service, port, dict(versions), failed))

        self._changes.put(do)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                work = self._changes.get(timeout=TICK)
            except queue.Empty:
                work = self._tick
            if work is None:
                return
            with self._moved:
                work()
                self._moved.notify_all()
            if work == self._tick:
                self._ask_gateway()
                self._aim()

    def _take(self, now: float, type_: str, obj: Json) -> None:
        self._number += 1
        self._trouble = ""
        kind, name = str(obj.get("kind")), meta.name(obj)
        if type_ == "DELETED":
            self._objects.setdefault(kind, {}).pop(name, None)
        elif kind != "Event":
            self._objects.setdefault(kind, {})[name] = obj
        if kind == "Rollout" and name not in self._tracks:
            self._adopt(name, now)
        for rollout, track in self._tracks.items():
            observed = replace(self._observe(rollout, track), now=now)
            for row in track.change(now, type_, obj, observed):
                self._tell(rollout, row)
            if kind == "EndpointSlice":
                self._lead(meta.labels(obj).get(SERVICE_NAME_LABEL, ""), observed)
            if kind != "Event":
                self._note(rollout, track, observed)
        if kind in ("Service", "EndpointSlice"):
            self._addresses_due = 0.0
        elif kind not in _OWN_KINDS:
            self._routing.changed()

    def _adopt(self, name: str, now: float) -> None:
        """A rollout somebody else applied: its Services were there before it."""
        track = Track(name, now)
        self._tracks[name] = track
        observed = self._observe(name, track)
        for _, service in observed.own_services():
            for row in track.change(now, "ADDED", service, observed):
                self._tell(name, row)

    def _lead(self, service: str, observed: Observed) -> None:
        """The endpoints of a Service changed: shares are measured anew from here."""
        if observed.ready_pods(service):
            self._led.add(service)
        self.probe.reset_window(service)

    def _note(self, rollout: str, track: Track, observed: Observed) -> None:
        for row in track.note(observed, reasons(observed)):
            self._tell(rollout, row)

    def _tick(self) -> None:
        for rollout, track in self._tracks.items():
            if rollout in self._objects["Rollout"]:
                self._note(rollout, track, self._observe(rollout, track))

    def _learn_addresses(self) -> None:
        """Ask how each Service is reached from this machine."""
        with self._lock:
            services, slices = self._followed(), list(self._objects["EndpointSlice"].values())
        self._addresses = self._ways.addresses(services, slices) or self._addresses

    def _followed(self) -> list[Json]:
        """The Services of all rollouts that are followed, each once."""
        return list({meta.name(s): s for seen in self._all() for _, s in seen.own_services()}.values())

    def _all(self) -> list[Observed]:
        """The moments of all rollouts that are followed."""
        return [self._observe(name, track) for name, track in self._tracks.items()]

    def _aim(self) -> None:
        """Learn where Services answer, and send the curl loop there."""
        now = self._clock.now()
        if now < self._addresses_due:
            return
        self._addresses_due = now + ADDRESS_PERIOD / max(self._clock.real_seconds(1.0), 1e-9)
        self._learn_addresses()
        if not self._probing:
            return
        with self._lock:
            moments = self._all()
            known = [s for s in self._followed() if meta.name(s) in self._led]
        gates = self._routing.targets(moments)
        behind = {name for _, services in gates.values() for name in services}
        direct = [s for s in known if meta.name(s) not in behind]
        wanted = targets(direct, self._addresses)
        self.probe.aim({**wanted, **{target.service: target for target, _ in gates.values()}})

    def _ask_gateway(self) -> None:
        """Learn what the gateway does for each rollout, and note it."""
        with self._lock:
            moments = self._all()
        now = self._clock.now()
        found = self._routing.look(now, GATEWAY_PERIOD / max(self._clock.real_seconds(1.0), 1e-9), moments)
        for seen, sight in found:
            with self._moved:
                track = self._tracks.get(seen.view.name)
                row, new = track.gateway(now, sight) if track is not None else (None, False)
                if row is not None:
                    self._tell(seen.view.name, row)
                if new:
                    self._addresses_due = 0.0
                    for host in sight["hosts"]:
                        self.probe.reset_window(probe_name(host))
                self._moved.notify_all()

    def _observe(self, rollout: str, track: Track | None) -> Observed:
        now = self._clock.now()
        objects = self._objects
        found = objects["Rollout"].get(rollout)
        routes, absent = self._routing.objects(found)
        return Observed(
            now=now,
            started=track.started if track is not None else now,
            rollout=found,
            replica_sets=tuple(objects["ReplicaSet"].values()),
            services=tuple(objects["Service"].values()),
            pods=tuple(objects["Pod"].values()),
            slices=tuple(objects["EndpointSlice"].values()),
            addresses=self._addresses,
            traffic=self.probe.traffic(),
            routes=routes,
            absent=absent,
            gateway=self._routing.seen(rollout),
        )

    def _with_answers(self, observed: Observed) -> Observed:
        return replace(observed, answers=self.probe.answers(asked(observed)))

    def _tell(self, rollout: str, row: Row) -> None:
        self._number += 1
        for listener in self._listeners:
            listener(rollout, row)
