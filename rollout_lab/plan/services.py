"""Services: which version each one points to, and when it may be pointed elsewhere. Pure."""

from __future__ import annotations

from rollout_lab.api import meta, names
from rollout_lab.api.names import EventReason
from rollout_lab.api.rollout import Canary
from rollout_lab.plan.actions import PatchService
from rollout_lab.plan.pause import blue_green_completed
from rollout_lab.plan.replicasets import ReplicaSet
from rollout_lab.plan.sizes import preview_size, weighted_elsewhere
from rollout_lab.plan.work import Work, fully_promoted


def switch(work: Work, service: str, hash_: str, code: str) -> None:
    """Point `service` at `hash_`, unless it does already and is marked as ours.

    # upstream: rollout/service.go::switchServiceSelector
    """
    raw = work.snapshot.services.get(service)
    if raw is None or not hash_:
        return
    before = work.hashes.get(service, "")
    managed = names.MANAGED_BY_ANNOTATION in meta.annotations(raw)
    if before == hash_ and managed:
        return
    work.add(PatchService(service, hash_, None if managed else work.rollout.name))
    work.because(
        code,
        f"Service/{service}",
        "spec.selector",
        **{"service": service, "from": before, "to": hash_},
    )
    work.emit(
        EventReason.SWITCH_SERVICE,
        f"Switched selector for service '{service}' from '{before}' to '{hash_}'",
    )
    work.hashes[service] = hash_


def preview(work: Work) -> None:
    """The preview Service follows the new version at once."""
    blue_green, new = work.rollout.blue_green, work.sets.new
    if blue_green is None or new is None or work.rollout.paused or not blue_green.preview_service:
        return
    switch(work, blue_green.preview_service, new.hash, "switch.preview")


def ready_for_pause(work: Work, new: ReplicaSet) -> bool:
    """The new version has the size it should have by now, and all of it is available."""
    wanted = preview_size(work)
    return new.size == wanted and new.available == wanted


def fast_tracked(work: Work, new: ReplicaSet) -> bool:
    """Whether the pause before the switch is skipped: back to Pods that are still up, promote
    --full, the first deploy, or the switch is done already.

    # upstream: rollout/bluegreen.go::isBlueGreenFastTracked
    """
    blue_green = work.rollout.blue_green
    active = work.hashes.get(blue_green.active_service, "") if blue_green is not None else ""
    return new.marked or work.status.promote_full or active in ("", new.hash)


def active(work: Work) -> None:
    """The switch itself, once the new version is complete and nothing holds it back.

    # upstream: rollout/service.go::reconcileActiveService
    """
    blue_green, new, rollout = work.rollout.blue_green, work.sets.new, work.rollout
    if blue_green is None or rollout.paused:
        return
    if work.status.abort:
        switch(work, blue_green.active_service, work.status.stable_rs, "switch.active")
        return
    if new is None or not ready_for_pause(work, new) or not new.saturated(rollout.replicas):
        return
    if fast_tracked(work, new) or blue_green_completed(work):
        switch(work, blue_green.active_service, new.hash, "switch.active")


def stable_and_canary(work: Work) -> None:
    """A canary's two Services, where it names them.

    With a router an abort moves the canary's Service only when its weight is gone (`back_to_stable`).

    # upstream: rollout/service.go::reconcileStableAndCanaryService
    """
    canary = work.rollout.canary
    if canary is None:
        return
    _ping_pong(work, canary)
    _ensure(work, canary.stable_service, work.sets.stable, "switch.stable")
    if canary.routing is None:
        target = work.sets.stable if work.aborted else work.sets.new
        _ensure(work, canary.canary_service, target, "switch.canary")
    elif not work.aborted and not rolling_back(work) and not weighted_elsewhere(work):
        _ensure(work, canary.canary_service, work.sets.new, "switch.canary")


def back_to_stable(work: Work) -> None:
    """After an abort: what still reaches the canary's Service goes to stable Pods."""
    canary = work.rollout.canary
    if canary is not None:
        _ensure(work, canary.canary_service, work.sets.stable, "switch.canary")


def _ping_pong(work: Work, canary: Canary) -> None:
    """Of ping and pong the one that is not stable follows the new version, Pods or not, as soon as the
    routers were told of it: then neither a weight nor a route by header leads there.

    # upstream: rollout/service.go::reconcilePingAndPongService
    """
    new = work.sets.new
    if canary.ping_pong is None or new is None or fully_promoted(work):
        return
    sent = work.status.weights
    if sent is not None and sent.canary.hash not in ("", new.hash):
        return
    ping, pong = canary.ping_pong
    idle = pong if work.status.stable_ping_pong == "ping" else ping
    if work.hashes.get(idle, "") != new.hash:
        switch(work, idle, new.hash, "switch.canary")


def rolling_back(work: Work) -> str:
    """The version the weights still go to while a shrunken stable grows again, ``""`` otherwise.

    Half-way through an update the spec went back to the stable version. Wanted and stable are then
    the same, but stable cannot take all requests yet.

    # upstream: rollout/canary.go::isDynamicallyRollingBackToStable
    """
    canary, new, sent = work.rollout.canary, work.sets.new, work.status.weights
    if canary is None or not canary.dynamic_stable_scale or new is None or not fully_promoted(work):
        return ""
    if sent is None or sent.canary.hash in ("", new.hash) or new.available >= work.rollout.replicas:
        return ""
    return sent.canary.hash


def _ensure(work: Work, service: str, rs: ReplicaSet | None, code: str) -> None:
    """Point the Service at `rs` once that would not point it at nothing.

    Taking a Service over needs every Pod available; moving one that is ours needs one Pod.
    """
    if not service or rs is None or service not in work.snapshot.services:
        return
    before = work.hashes.get(service, "")
    if before == rs.hash:
        return
    ours = bool(before) and names.MANAGED_BY_ANNOTATION in meta.annotations(work.snapshot.services[service])
    enough = 1 if ours else max(1, rs.size)
    if rs.available < enough:
        work.because(
            "wait.service",
            f"Service/{service}",
            "spec.selector",
            service=service,
            replicaset=rs.name,
            available=rs.available,
            wanted=enough,
        )
        return
    switch(work, service, rs.hash, code)
