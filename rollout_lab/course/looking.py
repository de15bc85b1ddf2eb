"""One look at a lab for the checks of a lesson: picture, rows, objects and the curl loop's counts.

Reads through the API server and the recorder, changes nothing. What a look means is in ``checks.py``.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rollout_lab.api import meta
from rollout_lab.client.mirror import Mirror
from rollout_lab.client.resources import DEPLOYMENTS, ENDPOINTSLICES, PODS, REPLICASETS, SERVICES
from rollout_lab.course.loglines import LogLines
from rollout_lab.course.samples import Asker, Sample
from rollout_lab.course.sampling import Sampling
from rollout_lab.course.seen import EMPTY, Seen
from rollout_lab.errors import LabError
from rollout_lab.lab import Lab
from rollout_lab.lab.gateways import host_in
from rollout_lab.observe.clients import Clients, Heard
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.plain import plain_picture
from rollout_lab.observe.probe import PERIOD, Probe, targets
from rollout_lab.observe.states import service_address
from rollout_lab.observe.timeline import Timeline
from rollout_lab.observe.ways import Ways, ready_target

Json = dict[str, Any]
FOLLOWED: Final = (REPLICASETS, PODS, SERVICES)
LISTED: Final = (DEPLOYMENTS, REPLICASETS, PODS, SERVICES, ENDPOINTSLICES)


class Looking:
    """Looks at a lab for one lesson: at the rollout `rollout`, or (with `namespace`) at plain objects there.

    A lesson without a Rollout has its own curl loop, because the recorder's follows Rollouts only.
    `clients`: the Service (name or role) that clients of all kinds of connections ask as well. `askers` ask
    the gateway; `logs`: words of the lines to count in the logs of the canary's Pods.
    """

    def __init__(
        self,
        lab: Lab,
        rollout: str = "",
        namespace: str = "",
        period: float = PERIOD,
        clients: str = "",
        askers: Sequence[Asker] = (),
        logs: str = "",
    ) -> None:
        self.lab = lab
        self.rollout = rollout
        self.namespace = namespace or lab.namespace
        self._plain = bool(namespace)
        self._probe = Probe(lab.clock, period=period, listener=self._counted) if self._plain else None
        self._ways = Ways(lab.client)
        self._asked = clients
        self._period = period
        self._clients: Clients | None = None
        self._askers = askers
        self._sampling: Sampling | None = None
        self._logs = LogLines(lab.client, lab.namespace, logs) if logs else None
        self._known: dict[str, str] = {}
        self._addresses: Mapping[str, Any] = {}
        self._objects: dict[str, tuple[Json, ...]] = {}
        self._started = lab.clock.now()
        self._lock = threading.Lock()
        self._timeline = Timeline()
        self._mirrors = [Mirror(lab.client, kind, self.namespace) for kind in FOLLOWED] if self._plain else []
        for mirror in self._mirrors:
            mirror.on_event(self._changed)
            mirror.start()

    def close(self) -> None:
        """Stop watching and asking."""
        for mirror in self._mirrors:
            mirror.stop()
        if self._probe is not None:
            self._probe.close()
        if self._clients is not None:
            self._clients.close()
        if self._sampling is not None:
            self._sampling.close()
        self._ways.close()

    def restart(self) -> None:
        """Count from now on."""
        with self._lock:
            self._started = self.lab.clock.now()
            self._timeline = Timeline()
        if self._probe is not None:
            self._probe.restart()
        if self._clients is not None:
            self._clients.restart()
        if self._sampling is not None:
            self._sampling.restart()
        self._known = {}

    def look(self) -> Seen:
        """This moment."""
        engine = self.lab.engine.state
        if self._probe is not None:
            self._list()
            self._aim(self._probe)
            t = round(self.lab.clock.now() - self._started, 2)
            with self._lock:
                rows = self._timeline.rows
            heard = self._heard(self._asked, self._started)
            return Seen(t, dict(EMPTY), rows, dict(self._objects), engine, self._probe.traffic(), heard=heard)
        name = self.rollout or self.lab.current
        picture = self.lab.recorder.picture(name)
        seen = self.lab.recorder.observed(name)
        objects = {
            "ReplicaSet": seen.replica_sets,
            "Pod": seen.pods,
            "Service": seen.services,
            "EndpointSlice": seen.slices,
            "Rollout": (seen.rollout,) if seen.rollout else (),
        }
        for ref, obj in seen.routes.items():
            objects[ref.kind.name] = (*objects.get(ref.kind.name, ()), obj)
        asked = (s["name"] for s in picture["services"] if self._asked in (s["name"], s["role"]))
        heard = self._heard(next(asked, ""), seen.started)
        rows = self.lab.timeline(name)
        found = Seen(picture["t"], picture, rows, objects, engine, seen.traffic, heard=heard)
        samples, logged = self._samples(found, seen), self._logged(picture)
        gateway = self._sampling.found if self._sampling is not None else ""
        return replace(found, samples=samples, gateway=gateway, logged=logged)

    def picture(self) -> Json:
        """The picture of the last look: the rollout's, or that of plain objects (`observe.plain`)."""
        if self._probe is None:
            return self.lab.recorder.picture(self.rollout or self.lab.current)
        now = self.lab.clock.now()
        return plain_picture(
            round(now - self._started, 2),
            self._started,
            dict(self._objects),
            self.rows(),
            self._probe.traffic(),
            self._probe.answers(),
            self._addresses,
        )

    def rows(self) -> tuple[Json, ...]:
        """The rows of the run so far."""
        if self._probe is None:
            return self.lab.timeline(self.rollout or self.lab.current)
        with self._lock:
            return self._timeline.rows

    def _samples(self, look: Seen, seen: Observed) -> Mapping[str, Sample]:
        """What the gateway answered since routes or ready Pods changed; asking begins at the first look."""
        if not self._askers:
            return {}
        if self._sampling is None:
            own = [replace(one, host=host_in(self.lab.namespace, one.host)) for one in self._askers]
            self._sampling = Sampling(own, self._gateway)
        routes = [(str(ref), obj.get("spec"), meta.annotations(obj)) for ref, obj in seen.routes.items()]
        ready = Counter(pod["version"] for pod in look.pods(state="ready"))
        self._sampling.follow((routes, ready))
        return self._sampling.samples()

    def _gateway(self) -> str:
        """``host:port`` of the gateway, ``""`` while nobody knows."""
        try:
            found = self.lab.gateway()
        except LabError:
            return ""
        return found.address if found is not None else ""

    def _logged(self, picture: Json) -> int:
        """Lines in the logs of the ready Pods of what is written now, where it is not stable."""
        about = picture["rollout"] or {}
        if self._logs is None or about.get("currentHash") == about.get("stableHash"):
            return 0
        mine = (pod for pod in picture["pods"] if pod["hash"] == about.get("currentHash"))
        return self._logs.count([pod["name"] for pod in mine if pod["state"] == "ready"])

    def _heard(self, service: str, started: float) -> tuple[Heard, ...]:
        """What the clients of the lesson heard so far, `t` since `started`; they begin at the first look."""
        if self._clients is None:
            if not self._asked or not service:
                return ()
            self._clients = Clients(
                self.lab.client,
                self.namespace,
                lambda: self._lasting(service),
                lambda: self._ready(service),
                self.lab.clock,
                self._period,
            )
        return tuple(replace(one, t=round(one.t - started, 2)) for one in self._clients.heard())

    def _lasting(self, service: str) -> str:
        """`address`, asked for until it is known and not for every request."""
        known = self._known.get(service) or self.address(service)
        self._known = {**self._known, service: known}
        return known

    def _ready(self, service: str) -> Sequence[tuple[str, int]]:
        """(Pod, port) of the ready Pods behind a Service."""
        if self._probe is not None:
            services, slices = self._objects.get("Service", ()), self._objects.get("EndpointSlice", ())
        else:
            seen = self.lab.recorder.observed(self.rollout or self.lab.current)
            services, slices = seen.services, seen.slices
        found = next((s for s in services if meta.name(s) == service), None)
        return ready_target(found, slices) if found is not None else ()

    def address(self, service: str) -> str:
        """``host:port`` where a Service answers on this machine, ``""`` if nobody knows."""
        if self._probe is None:
            return self.lab.recorder.address(service)
        found = next((s for s in self._objects.get("Service", ()) if meta.name(s) == service), None)
        return service_address(found, self._addresses)[1] if found is not None else ""

    def _changed(self, type_: str, obj: Json) -> None:
        """A row for each change, so that nothing between two looks is missed."""
        with self._lock:
            self._timeline.change(self.lab.clock.now() - self._started, type_, obj)

    def _counted(
        self, service: str, port: int, since: float, until: float, versions: dict[str, int], failed: int
    ) -> None:
        """A row for what the curl loop counted in a second of the wall."""
        with self._lock:
            start = self._started
            self._timeline.probe(max(0.0, since - start), until - start, service, port, versions, failed)

    def _list(self) -> None:
        for resource in LISTED:
            try:
                items = self.lab.client.list(resource, self.namespace).get("items") or []
            except LabError:
                continue  # the last list stands; trouble with the cluster is shown by the lab itself
            typed = (i if i.get("kind") else {**i, "kind": resource.kind} for i in items)
            self._objects[resource.kind] = tuple(typed)

    def _aim(self, probe: Probe) -> None:
        services = list(self._objects.get("Service", ()))
        slices = list(self._objects.get("EndpointSlice", ()))
        self._addresses = self._ways.addresses(services, slices) or self._addresses
        probe.aim(targets(services, self._addresses))
