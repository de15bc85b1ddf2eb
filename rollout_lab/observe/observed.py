"""What was seen of one rollout at one moment: objects, addresses and counted answers. Pure.

Only holds and selects; what it looks like is `picture`, how far the update is `phases`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.api import fields, meta, names
from rollout_lab.api.rollout import Rollout
from rollout_lab.api.selectors import matches, matches_equality
from rollout_lab.client.images import version_of
from rollout_lab.routers.model import Ref

Json = dict[str, Any]
SERVICE_NAME_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the curl loop. `t` in epoch seconds; `version` is ``""`` for a failure."""

    t: float
    service: str
    port: int
    version: str
    text: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the probe counted at one Service.

    `requests` and `failed` since the lab began; `versions` are counts by version in the window that
    began at `since` (epoch seconds), when the endpoints of the Service last changed.
    """

    requests: int = 0
    failed: int = 0
    since: float = 0.0
    versions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """One moment. `now` and `started` in epoch seconds (lab time); objects are shared, never changed.

    `rollout` is None before anything was applied. `addresses` is the answer of ``/lab/v1/addresses``
    (empty on a real cluster). `routes` are what the rollout's routers read and write, `absent` the kinds of
    them that the API server does not give (as in `plan.snapshot`). `gateway` is what of the gateway before
    its Services is the rollout's (`routed.sight`), None where nobody told.
    """

    now: float
    started: float
    rollout: Json | None
    replica_sets: tuple[Json, ...] = ()
    services: tuple[Json, ...] = ()
    pods: tuple[Json, ...] = ()
    slices: tuple[Json, ...] = ()
    addresses: Mapping[str, Any] = field(default_factory=dict)
    traffic: Mapping[str, Traffic] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    routes: Mapping[Ref, Json] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    gateway: Json | None = None

    @property
    def view(self) -> Rollout:
        """The typed view of the rollout (of an empty one if there is none)."""
        return Rollout(self.rollout or {})

    def t(self, seconds: float) -> float:
        """Epoch seconds as seconds since the start, to a hundredth."""
        return round(seconds - self.started, 2)

    def owned_replica_sets(self) -> list[Json]:
        """The rollout's own ReplicaSets, oldest revision first."""
        rollout = self.rollout
        if rollout is None:
            return []
        mine = (rs for rs in self.replica_sets if meta.is_controlled_by(rs, rollout))
        return sorted(mine, key=lambda rs: (meta.revision(rs), meta.name(rs)))

    def own_pods(self) -> list[Json]:
        """The Pods of those ReplicaSets, oldest first."""
        revisions = {meta.uid(rs): meta.revision(rs) for rs in self.owned_replica_sets()}
        found = []
        for pod in self.pods:
            owner = meta.controller_of(pod)
            if owner is not None and owner.get("uid") in revisions:
                created = fields.text(pod, "metadata", "creationTimestamp")
                found.append(((revisions[str(owner["uid"])], created, meta.name(pod)), pod))
        return [pod for _, pod in sorted(found, key=lambda pair: pair[0])]

    def remains(self, rollout: str) -> list[Json]:
        """What there is of the rollout of that name: itself, its ReplicaSets, and their Pods, also of
        ReplicaSets that went before them."""
        sets = [rs for rs in self.replica_sets if (meta.controller_of(rs) or {}).get("name") == rollout]
        own = {meta.uid(rs) for rs in sets}
        pods = [pod for pod in self.pods if _belongs(pod, rollout, own)]
        return [*([self.rollout] if self.rollout is not None else []), *sets, *pods]

    def own_services(self) -> list[tuple[str, Json]]:
        """(role, Service) of those that lead here: named by the rollout, then choosing its Pods."""
        view = self.view
        roles = {
            service: key.rpartition(".")[2].removesuffix("Service")
            for key, service in reversed(view.services.items())
        }
        labels = meta.labels(view.template)
        found = []
        for service in self.services:
            selector = fields.strings(service, "spec", "selector")
            plain = {k: v for k, v in selector.items() if k != names.ROLLOUT_HASH_LABEL}
            role = roles.get(meta.name(service), "")
            if role or (labels and matches_equality(plain, labels)):
                found.append((role or "service", service))
        order = list(reversed(roles.values()))
        return sorted(
            found, key=lambda pair: (order.index(pair[0]) if pair[0] in order else 9, meta.name(pair[1]))
        )

    def ready_pods(self, service: str) -> list[str]:
        """Names of the Pods an EndpointSlice of the Service leads to, each once."""
        found: dict[str, None] = {}
        for endpoint in self._endpoints(service):
            if fields.flag(endpoint, "conditions", "ready") is not False:
                found[fields.text(endpoint, "targetRef", "name")] = None
        return [pod for pod in found if pod]

    def _endpoints(self, service: str) -> Iterator[Json]:
        for found in self.slices:
            if meta.labels(found).get(SERVICE_NAME_LABEL) == service:
                yield from fields.objects(found, "endpoints")

    def selects(self, pod: Mapping[str, Any]) -> bool:
        """Whether the rollout's selector chooses the Pod."""
        return matches(self.view.selector, meta.labels(pod))

    def versions(self) -> dict[str, str]:
        """The version (image tag) of each Pod-template hash."""
        return {meta.pod_hash(rs): version_of(rs) for rs in self.owned_replica_sets()}


def _belongs(pod: Json, rollout: str, replica_sets: set[str]) -> bool:
    """Whether a Pod is of one of those ReplicaSets, or of one that went before it."""
    owner = meta.controller_of(pod) or {}
    return owner.get("uid") in replica_sets or (
        bool(meta.pod_hash(pod)) and str(owner.get("name")) == f"{rollout}-{meta.pod_hash(pod)}"
    )


def selector_hash(service: Mapping[str, Any]) -> str:
    """The Pod-template hash a Service selects, ``""`` where it selects none."""
    return fields.strings(service, "spec", "selector").get(names.ROLLOUT_HASH_LABEL, "")
