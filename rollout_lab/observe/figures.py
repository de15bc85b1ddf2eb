"""A run in numbers: how long, how many Pods, how few available, who got no answer. Pure, from rows.

All figures are of the update: from the moment the image was set (`aligned_at`) until the last old
Pod was gone. They come from Pods and endpoints, so a run without counted answers has them too.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.api import fields, names
from rollout_lab.api.status import Weights
from rollout_lab.client.images import image_tag
from rollout_lab.observe.rebuilt import WORKLOADS, state_of
from rollout_lab.observe.routed import probe_name

Json = dict[str, Any]
GATE = probe_name("")
Row = Mapping[str, Any]


@dataclass(slots=True)
class _World:
    """The few facts that figures need, as of the last row taken."""

    pods: dict[str, tuple[str, str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    led: dict[str, list[str]] = field(default_factory=dict)
    rollout: Row = field(default_factory=dict)

    def take(self, row: Row) -> None:
        kind, name, gone = row.get("kind"), fields.text(row, "name"), row.get("type") == "DELETED"
        hash_ = fields.text(row, "labels", names.ROLLOUT_HASH_LABEL)
        if kind == "Pod" and gone:
            self.pods.pop(name, None)
        elif kind == "Pod":
            self.pods[name] = (hash_, state_of(row))
        elif kind == "ReplicaSet":
            self.versions[hash_] = image_tag(fields.text(row, "image"))
        elif kind == "EndpointSlice":
            self.led[name] = [pod for pod in fields.items(row, "pods") if isinstance(pod, str)]
        elif kind == "Rollout":
            self.rollout = row

    def counts(self, service: str) -> Json:
        """Pods that are to stay, ready Pods and the Service's endpoints by version."""
        version = {name: self.versions.get(hash_, "") for name, (hash_, _) in self.pods.items()}
        ready = [name for name, (_, state) in self.pods.items() if state == "ready"]
        ends = [pod for pod in self.led.get(service, ()) if pod in version]
        there = [version[name] for name, (_, state) in self.pods.items() if state != "terminating"]
        return {
            "pods": dict(Counter(there)),
            "ready": dict(Counter(version[name] for name in ready)),
            "endpoints": dict(Counter(version[name] for name in ends)),
            "weights": self.weights(),
        }

    def weights(self) -> dict[str, float]:
        """Each version's part of the requests as routers were told it, 0 to 1; {} without a router."""
        status = fields.mapping(self.rollout, "status")
        told = Weights.of(fields.mapping(status, "canary"))
        found: Counter[str] = Counter()
        for side in (told.stable, told.canary) if told is not None else ():
            version = self.versions.get(side.hash or fields.text(status, "currentPodHash"), "")
            found[version] += side.weight
        return {v: round(n / found.total(), 4) for v, n in found.items() if n}

    @property
    def size(self) -> int:
        """Pods that count against a surge: all but those that are terminating."""
        return sum(state != "terminating" for _, state in self.pods.values())

    @property
    def finished(self) -> bool:
        """Healthy on the wanted version, and nothing of another one left."""
        status = fields.mapping(self.rollout, "status")
        wanted = fields.text(status, "currentPodHash")
        seen = fields.text(status, "observedGeneration") == str(self.rollout.get("generation"))
        alone = all(hash_ == wanted for hash_, _ in self.pods.values())
        return seen and status.get("phase") == "Healthy" and alone


def aligned_at(rows: Sequence[Row]) -> float | None:
    """When the update began: the first "set image", else the first other image; None without an update."""
    first = ""
    for row in rows:
        if row.get("type") == "ACTION" and str(row.get("action")).startswith("set image"):
            return float(row["t"])
        if row.get("kind") == "Rollout":
            image = fields.text(row, "image")
            if first and image != first:
                return float(row["t"])
            first = first or image
    return None


def user_service(rows: Sequence[Row]) -> str:
    """The Service users reach: the active one, the stable one, else the first; ``""`` without any."""
    services: list[str] = []
    for row in rows:
        for obj in fields.objects(row, "objects"):
            found = _named(fields.mapping(obj, "spec")) if obj.get("kind") in WORKLOADS else ""
            if found:
                return found
        if row.get("kind") == "Spec" and row.get("of") == "Rollout":
            found = _named(fields.mapping(row, "spec"))
            if found:
                return found
        if row.get("kind") in ("Service", "EndpointSlice"):
            services.append(fields.text(row, "name"))
    return services[0] if services else ""


def _named(spec: Json) -> str:
    strategy = fields.mapping(spec, "strategy")
    active = fields.text(strategy, "blueGreen", "activeService")
    return active or fields.text(strategy, "canary", "stableService")


def ready_seconds(rows: Sequence[Row]) -> float | None:
    """What the median Pod of the run took from being made to being ready; None before one was."""
    born: dict[str, float] = {}
    took: list[float] = []
    for row in rows:
        if row.get("kind") != "Pod":
            continue
        name = fields.text(row, "name")
        if row.get("type") == "ADDED":
            born[name] = float(row["t"])
        if name in born and state_of(row) == "ready":
            took.append(float(row["t"]) - born.pop(name))
    return round(statistics.median(took), 2) if took else None


def figures(rows: Sequence[Row]) -> Json:
    """The update in numbers; seconds are lab seconds, "after" means since `t0`.

    t0 (None without an update: then all is from the first row), from, version, replicas, service,
    finished, phase, duration (until the last old Pod was gone, or the last row), usersOnNewAfter
    (until users reached only the new version: by endpoints, or with a router by what it was told; None:
    never), maxPods (as maxSurge counts: without
    those that are terminating), extraPods (over replicas), extraPodSeconds, minAvailable (ready Pods
    of any version), downtime (seconds without a ready endpoint behind `service`), requests, failed
    (of the curl loop), and ``series``: [{t (after), pods, ready, endpoints: {version: count}}]
    wherever one of them changes.
    """
    t0 = aligned_at(rows)
    start = t0 if t0 is not None else min((float(r.get("t") or 0.0) for r in rows), default=0.0)
    service = user_service(rows)
    world, tally = _World(), _Tally(start, t0 is None)
    for row in rows:
        t = float(row.get("t") or 0.0)
        if row.get("kind") == "Probe":
            tally.probe(row, service)
            continue
        if t >= start:
            tally.until(t, world, service)
        world.take(row)
        if t0 is None or t > t0 or row.get("type") == "ACTION":
            tally.see(t, world, service)
    return tally.result(t0, world, service)


def _version(world: _World) -> str:
    image = fields.text(world.rollout, "image")
    return image_tag(image) if image else ""


class _Tally:
    """Sums over time. `until` closes the span before a row, `see` opens the next one."""

    def __init__(self, start: float, first: bool) -> None:
        self.first = first  # nothing is updated: the first version comes up
        self.start = self.now = self.end = start
        self.series: list[Json] = []
        self.max_pods = 0
        self.min_available: int | None = None
        self.extra_seconds = 0.0
        self.downtime = 0.0
        self.requests = self.failed = 0
        self.done_at: float | None = None
        self.users_at: float | None = None
        self.old = ""
        self.moved = False

    def until(self, t: float, world: _World, service: str) -> None:
        """Count the time from the last row to this one in the state it had."""
        span, self.now, self.end = max(0.0, t - self.now), max(self.now, t), max(self.end, t)
        if self.done_at is not None:
            return
        replicas = fields.integer(world.rollout, "replicas") or 0
        self.extra_seconds += span * max(0, world.size - replicas)
        if service and world.rollout and not world.led.get(service):
            self.downtime += span

    def see(self, t: float, world: _World, service: str) -> None:
        if t < self.start:
            return
        counts = world.counts(service)
        after = {"t": round(t - self.start, 2), **counts}
        if not self.series or {**self.series[-1], "t": 0} != {**after, "t": 0}:
            if self.series and self.series[-1]["t"] == after["t"]:
                self.series.pop()
            self.series.append(after)
        image = _version(world)
        self.old = self.old or image
        self.moved = self.moved or image != self.old
        if self.done_at is not None:
            if world.finished:
                return
            self.done_at = None
        self.max_pods = max(self.max_pods, world.size)
        ready = sum(counts["ready"].values())
        self.min_available = ready if self.min_available is None else min(self.min_available, ready)
        if set(counts["weights"] or counts["endpoints"]) != {image}:
            self.users_at = None
        elif self.users_at is None and (image != self.old or self.first):
            self.users_at = t
        if world.finished and (self.moved or self.first):
            self.done_at = t

    def probe(self, row: Row, service: str) -> None:
        """Count what users were answered: at their Service, or where a gateway is, through it."""
        name = fields.text(row, "name")
        if (name == service or name.startswith(GATE)) and float(row.get("until") or 0.0) > self.start:
            failed = fields.integer(row, "failed") or 0
            self.failed += failed
            self.requests += failed + sum(fields.mapping(row, "versions").values())

    def result(self, t0: float | None, world: _World, service: str) -> Json:
        end = self.done_at if self.done_at is not None else self.end
        replicas = fields.integer(world.rollout, "replicas") or 0
        users = None if self.users_at is None else round(self.users_at - self.start, 2)
        return {
            "t0": t0,
            "from": "" if self.first else self.old,
            "version": _version(world),
            "replicas": replicas,
            "service": service,
            "finished": self.done_at is not None,
            "phase": fields.text(world.rollout, "status", "phase"),
            "duration": round(end - self.start, 2),
            "usersOnNewAfter": users,
            "maxPods": self.max_pods,
            "extraPods": max(0, self.max_pods - replicas),
            "extraPodSeconds": round(self.extra_seconds, 2),
            "minAvailable": self.min_available or 0,
            "downtime": round(self.downtime, 2),
            "requests": self.requests,
            "failed": self.failed,
            "series": self.series,
        }
