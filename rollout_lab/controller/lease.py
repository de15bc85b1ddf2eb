"""One engine of several works: who may hold the Lease, decided by pure functions of (lease, now, identity).

As Kubernetes clients do it: the holder renews its Lease again and again; who sees it unchanged for the
Lease's whole duration, by its own clock, takes it. Nobody trusts the clock that wrote `renewTime`, so
clocks may differ. Every write carries the resourceVersion that was read, so that of two takers one gets
a Conflict. Waiting, renewing and giving up are in `leading`.

# upstream: k8s.io/client-go tools/leaderelection/leaderelection.go::tryAcquireOrRenew
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from rollout_lab.api import fields
from rollout_lab.api.times import parse_time, rfc3339_micro

Json = dict[str, Any]
LOCK: Final = "rollout-lab-engine-lock"
"""The name of our engines' Lease. The peer's has another: two engines of different kinds see each other
by `clusters.peer`, not by a common Lease."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Lab seconds. `duration`: unrenewed for so long, a Lease is free. `deadline`: the holder that could not
    renew for so long stops working, well before. `retry`: between two tries."""

    duration: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0


USUAL: Final = Timing()


class Verdict(StrEnum):
    """What to do about the Lease now."""

    CREATE = "create"
    TAKE = "take"
    RENEW = "renew"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Seen:
    """A Lease as one engine observed it: what was written, and since when (own clock) it is unchanged."""

    spec: str
    at: float


@dataclass(frozen=True, slots=True)
class Decision:
    """`body` is the whole Lease to write (None for WAIT); `wait` lab seconds until the next look."""

    verdict: Verdict
    body: Json | None
    wait: float
    holder: str


def observe(seen: Seen | None, lease: Mapping[str, Any] | None, now: float) -> Seen | None:
    """What is known after a look: an unchanged Lease keeps the moment it was first seen like this."""
    if lease is None:
        return None
    spec = repr(sorted(fields.mapping(lease, "spec").items()))
    return seen if seen is not None and seen.spec == spec else Seen(spec, now)


def decide(
    lease: Mapping[str, Any] | None,
    seen: Seen | None,
    now: float,
    identity: str,
    timing: Timing = USUAL,
    *,
    namespace: str = "default",
    name: str = LOCK,
) -> Decision:
    """What the engine `identity` does about the Lease it read at `now`; `seen` is `observe`'s answer."""
    if lease is None:
        about = {"name": name, "namespace": namespace}
        new = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": about}
        return Decision(Verdict.CREATE, _held(new, now, identity, timing, first=True), timing.retry, identity)
    holder = fields.text(lease, "spec", "holderIdentity")
    if holder == identity:
        return Decision(Verdict.RENEW, _held(lease, now, identity, timing), timing.retry, identity)
    left = _free_at(lease, seen, timing) - now if holder else 0.0
    if left > 0:
        return Decision(Verdict.WAIT, None, min(timing.retry, left), holder)
    return Decision(Verdict.TAKE, _held(lease, now, identity, timing, first=True), timing.retry, identity)


def released(lease: Mapping[str, Any], now: float) -> Json:
    """The Lease of a holder that ends in order: free at once."""
    spec = {**fields.mapping(lease, "spec"), "leaseDurationSeconds": 1, "renewTime": rfc3339_micro(now)}
    spec.pop("holderIdentity", None)
    return {**lease, "spec": spec}


def holder_at(lease: Mapping[str, Any], now: float, grace: float = 5.0) -> str:
    """Who holds a Lease by its own `renewTime`, ``""`` if nobody does or it was let lapse.

    For a first look only, by somebody who cannot watch it: `now` is compared with another machine's clock,
    which may differ by `grace` seconds.
    """
    try:
        renewed = parse_time(fields.text(lease, "spec", "renewTime"))
    except ValueError:
        return ""
    lasts = fields.integer(lease, "spec", "leaseDurationSeconds") or USUAL.duration
    return fields.text(lease, "spec", "holderIdentity") if now < renewed + lasts + grace else ""


def _free_at(lease: Mapping[str, Any], seen: Seen | None, timing: Timing) -> float:
    lasts = float(fields.integer(lease, "spec", "leaseDurationSeconds") or timing.duration)
    return (seen.at if seen is not None else float("inf")) + lasts


def _held(
    lease: Mapping[str, Any], now: float, identity: str, timing: Timing, *, first: bool = False
) -> Json:
    spec = dict(fields.mapping(lease, "spec"))
    changes = fields.integer(lease, "spec", "leaseTransitions")
    if first:
        spec["acquireTime"] = rfc3339_micro(now)
        spec["leaseTransitions"] = 0 if changes is None else changes + 1
    spec["holderIdentity"] = identity
    spec["renewTime"] = rfc3339_micro(now)
    spec["leaseDurationSeconds"] = max(1, round(timing.duration))
    return {**lease, "spec": spec}
