"""Restarting Pods: which of them are older than `restartAt`, and how many may go now. Pure."""

from __future__ import annotations

from rollout_lab.api import fields, meta
from rollout_lab.api.fields import Json
from rollout_lab.api.intstr import surge_and_unavailable
from rollout_lab.api.times import parse_time
from rollout_lab.plan.actions import EvictPod
from rollout_lab.plan.work import Work

CHECK_SECONDS = 30.0
"""Eviction may be refused and nothing then changes, so look again after this long."""


def restart_pods(work: Work) -> None:
    """Evict Pods older than `spec.restartAt` as far as availability allows; note when all are newer.

    # upstream: rollout/restart.go::RolloutPodRestarter.Reconcile
    """
    rollout, wanted = work.rollout, work.rollout.restart_at
    if not wanted or wanted == work.status.restarted_at:
        return
    try:
        at = parse_time(wanted)
    except ValueError:
        return
    if work.now < at:
        work.look_again_at(at)
        return
    pods = _pods_in_order(work)
    up = sum(1 for pod in pods if _available(pod))
    total = max(rollout.replicas, sum(rs.size for rs in work.sets.all))
    allowed = up - (total - max(1, _unavailable(work)))
    older = [pod for pod in pods if _created(pod) < at]
    evicted = 0
    for pod in older:
        if allowed <= evicted or meta.being_deleted(pod):
            continue
        name = meta.name(pod)
        work.add(EvictPod(name))
        work.because("restart.pod", f"Pod/{name}", restart_field(), pod=name, restartAt=at, allowed=allowed)
        evicted += 1
    if len(older) > evicted:
        work.because("wait.restart", field_=restart_field(), pods=len(older) - evicted)
        work.look_again(CHECK_SECONDS)
    else:
        work.restarted_at = wanted


def restart_field() -> str:
    return "spec.restartAt"


def _unavailable(work: Work) -> int:
    rollout = work.rollout
    if rollout.canary is not None:
        return rollout.canary.room(rollout.replicas)[1]
    raw = rollout.blue_green.raw if rollout.blue_green is not None else {}
    limit = fields.integer(raw, "maxUnavailable")
    return surge_and_unavailable(1, limit if limit is not None else "25%", rollout.replicas)[1]


def _pods_in_order(work: Work) -> list[Json]:
    """Pods of the owned ReplicaSets: stable first, then new, then the rest."""
    rank = {rs.name: 2 for rs in work.sets.all}
    if work.sets.new is not None:
        rank[work.sets.new.name] = 1
    if work.sets.stable is not None:
        rank[work.sets.stable.name] = 0
    owned = [(rank[name], meta.name(p), p) for p in work.snapshot.pods if (name := _owner(p)) in rank]
    return [pod for *_, pod in sorted(owned, key=lambda item: item[:2])]


def _owner(pod: Json) -> str:
    return fields.text(meta.controller_of(pod), "name")


def _available(pod: Json) -> bool:
    ready = meta.condition(meta.conditions(pod), "Ready")
    return ready is not None and ready.get("status") == "True" and not meta.being_deleted(pod)


def _created(pod: Json) -> float:
    try:
        return parse_time(fields.text(pod, "metadata", "creationTimestamp"))
    except ValueError:
        return 0.0
