"""What a check may look at: one observed moment of a lab and the rows so far. Pure, never changed.

Everything here was seen through the API server or measured at a port; nothing says what a button was
meant to do. The questions below are in the words of the course, so that a check reads as a sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.api import fields, meta
from rollout_lab.api.names import ROLLOUT_HASH_LABEL
from rollout_lab.api.selectors import matches_equality
from rollout_lab.client.images import version_of
from rollout_lab.course.samples import Sample
from rollout_lab.observe.clients import Heard, Total, total
from rollout_lab.observe.observed import SERVICE_NAME_LABEL, Traffic
from rollout_lab.observe.states import pod_state

Json = dict[str, Any]
Row = Mapping[str, Any]
EMPTY: Json = {
    "t": 0.0,
    "rollout": None,
    "services": [],
    "replicaSets": [],
    "pods": [],
    "routes": [],
    "why": [],
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One moment. `picture` is `observe.picture`, `rows` are `observe.timeline`'s of the lesson's rollout.

    `objects`: kind -> raw objects of the lesson's namespace. `engine`: ``running`` | ``stopped`` |
    ``failed`` | ``none`` (not ours). `traffic`: what the curl loop counted, by Service. `memory`: what
    the lesson's `remember` kept of earlier moments. `t`: lab seconds since the scenario was applied.
    `heard`: the last answers of the clients the lesson names, each with its `t`. `samples`: what the lab was
    answered at the gateway, by asker; `gateway`: where that is (``""``: none was found). `logged`: lines
    counted in the logs of the canary's Pods.
    """

    t: float = 0.0
    picture: Json = field(default_factory=lambda: dict(EMPTY))
    rows: Sequence[Row] = ()
    objects: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    engine: str = "running"
    traffic: Mapping[str, Traffic] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    heard: Sequence[Heard] = ()
    samples: Mapping[str, Sample] = field(default_factory=dict)
    gateway: str = ""
    logged: int = 0

    # -- the rollout --------------------------------------------------------------------------

    @property
    def rollout(self) -> Json:
        """The rollout of the picture; empty where there is none."""
        return self.picture["rollout"] or {}

    @property
    def phase(self) -> str:
        return str(self.rollout.get("phase", ""))

    @property
    def version(self) -> str:
        """The version that is written in the rollout."""
        return str(self.rollout.get("version", ""))

    @property
    def revision(self) -> int:
        return int(self.rollout.get("revision", 0))

    @property
    def step(self) -> int | None:
        """The canary step that runs (from 0), None for blue/green."""
        found: int | None = self.rollout.get("stepIndex")
        return found

    @property
    def waits_for_person(self) -> bool:
        """Paused, and no time will end it."""
        return self.phase == "Paused" and self.rollout.get("pauseEndsAt") is None

    def replica_set(self, version: str) -> Json:
        """The rollout's ReplicaSet of a version (the newest); empty where there is none."""
        found = [rs for rs in self.picture["replicaSets"] if rs["version"] == version]
        return found[-1] if found else {}

    def pods(self, version: str | None = None, state: str | None = None) -> list[Json]:
        """The rollout's Pods as the picture has them; those that go away only where `state` asks for them."""
        return [
            pod
            for pod in self.picture["pods"]
            if version in (None, pod["version"])
            and (pod["state"] != "terminating" if state is None else pod["state"] == state)
        ]

    def count(self, version: str) -> int:
        """Ready Pods of a version."""
        return len(self.pods(version, "ready"))

    def rows_of(self, kind: str, name: str | None = None) -> Iterator[Row]:
        """Rows about objects of a kind, in order."""
        return (r for r in self.rows if r.get("kind") == kind and name in (None, r.get("name")))

    def acted(self, words: str) -> int:
        """How often a person did that, in the words of the rows (``promote``, ``undo to 1``, ``abort``)."""
        return sum(
            1 for r in self.rows if r.get("type") == "ACTION" and str(r.get("action")).startswith(words)
        )

    def pods_at(self, version: str, t: float) -> int:
        """How many of the rollout's Pods of a version there were at a moment, those that go away apart."""
        hashes = {rs["hash"] for rs in self.picture["replicaSets"] if rs["version"] == version}
        alive: set[str] = set()
        for row in self.rows_of("Pod"):
            if float(row["t"]) > t or (row.get("labels") or {}).get(ROLLOUT_HASH_LABEL) not in hashes:
                continue
            gone = row["type"] == "DELETED" or row.get("deleting")
            alive = alive - {str(row["name"])} if gone else alive | {str(row["name"])}
        return len(alive)

    def selected_at(self, service: str, version: str) -> float | None:
        """When a Service (by name or role) last began to select a version's hash; None if never."""
        hashes = {rs["hash"] for rs in self.picture["replicaSets"] if rs["version"] == version}
        name, before, found = self.service(service).get("name"), "", None
        for row in self.rows_of("Service", name):
            now = (row.get("selector") or {}).get(ROLLOUT_HASH_LABEL, "")
            if now != before and now in hashes:
                found = float(row["t"])
            before = now
        return found

    # -- Services -----------------------------------------------------------------------------

    def service(self, name: str) -> Json:
        """A Service of the picture by name or role; empty where there is none."""
        found = [s for s in self.picture["services"] if name in (s["name"], s["role"])]
        return found[0] if found else {}

    def leads_to(self, name: str) -> list[str]:
        """The versions of the ready Pods a Service (by name or role) leads to, each once, sorted."""
        service = self.service(name).get("name")
        pods = {pod["name"]: pod["version"] for pod in self.picture["pods"]}
        routes = (r for r in self.picture["routes"] if r["service"] == service)
        return sorted({pods.get(r["pod"], "?") for r in routes})

    def answers(self, name: str) -> list[str]:
        """The versions counted at a Service since its endpoints last changed, sorted."""
        return sorted(v for v, n in (self.service(name).get("versions") or {}).items() if n)

    def counted(self, connection: str, since: float = 0.0) -> Total:
        """What a client (``fresh``, ``keep-alive`` or ``port-forward``) was answered since a moment."""
        return total(self.heard, connection, since)

    def last_heard(self, connection: str) -> Heard | None:
        """The last answer of a client, None before the first."""
        found = [one for one in self.heard if one.connection == connection]
        return found[-1] if found else None

    def asked(self, asker: str) -> Sample:
        """What the gateway answered one kind of user since routes or Pods last changed."""
        return self.samples.get(asker) or Sample()

    # -- raw objects of the namespace ---------------------------------------------------------

    def all(self, kind: str) -> Sequence[Json]:
        """The raw objects of a kind in the lesson's namespace."""
        return self.objects.get(kind, ())

    def named(self, kind: str, name: str) -> Json:
        """A raw object, empty where there is none."""
        return next((o for o in self.all(kind) if meta.name(o) == name), {})

    def owned_pods(self, owner: str) -> list[Json]:
        """Raw Pods of the ReplicaSets of a Deployment or Rollout of that name, also those that go away."""
        sets = {
            meta.uid(rs)
            for rs in self.all("ReplicaSet")
            if (meta.controller_of(rs) or {}).get("name") == owner
        }
        return [p for p in self.all("Pod") if (meta.controller_of(p) or {}).get("uid") in sets]

    def pod_versions(self, owner: str, state: str = "ready") -> Counter[str]:
        """How many Pods of each version a Deployment or Rollout has in `state` (``""``: in any)."""
        sets = {meta.uid(rs): version_of(rs) for rs in self.all("ReplicaSet")}
        return Counter(
            sets.get(str((meta.controller_of(p) or {}).get("uid")), "?")
            for p in self.owned_pods(owner)
            if (pod_state(p)[0] == state if state else pod_state(p)[0] != "terminating")
        )

    def endpoints(self, service: str) -> list[str]:
        """Names of the ready Pods behind a Service of the namespace."""
        found: dict[str, None] = {}
        for piece in self.all("EndpointSlice"):
            if meta.labels(piece).get(SERVICE_NAME_LABEL) == service:
                for endpoint in fields.objects(piece, "endpoints"):
                    if fields.flag(endpoint, "conditions", "ready") is not False:
                        found[fields.text(endpoint, "targetRef", "name")] = None
        return [name for name in found if name]

    def selected(self, service: str) -> list[Json]:
        """Raw Pods whose labels fit a Service's selector, ready or not."""
        selector = fields.strings(self.named("Service", service), "spec", "selector")
        return [p for p in self.all("Pod") if selector and matches_equality(selector, meta.labels(p))]
