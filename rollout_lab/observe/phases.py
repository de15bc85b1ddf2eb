"""How far an update is, in the words of its strategy: the strip above the picture. Pure.

A phase is reached by facts (selectors, Pods, step index), never by a button. When it was reached
is kept by `history`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.api.names import SCALE_DOWN_DEADLINE_ANNOTATION, ConditionReason, ConditionType
from rollout_lab.api.names import Phase as RolloutPhase
from rollout_lab.api.rollout import BlueGreen
from rollout_lab.api.steps import Pause, SetCanaryScale, SetRoute, SetWeight
from rollout_lab.api.times import parse_time
from rollout_lab.client.images import version_of
from rollout_lab.observe.observed import Json, Observed, selector_hash

PHASE_KEYS: Final = (
    "newReplicaSet",  # params: version
    "previewSwitched",  # params: service, version
    "newPodsReady",  # params: version, ready, wanted
    "waitingPromote",  # params: version, seconds (None: until a person promotes), endsAt
    "activeSwitched",  # params: service, version
    "oldPodsDeleted",  # params: version, seconds, at
    "setWeight",  # params: weight
    "canaryPods",  # params: replicas; a fixed number of canary Pods
    "canaryPodsFor",  # params: weight; as many canary Pods as another weight needs
    "canaryPodsMatch",  # params: none; as many canary Pods as the weight needs, again
    "setHeaderRoute",  # params: name
    "setMirrorRoute",  # params: name
    "endRoute",  # params: name; a header or mirror route is taken away
    "pause",  # params: none; until a person promotes
    "pauseFor",  # params: seconds, endsAt
    "unsupportedStep",  # params: kind
    "done",  # params: version
    "aborted",  # params: version, message
)
"""Every `key` a phase can have; the message catalogue has ``phase.<key>`` for each."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: `id` is unique in the strip, `key` names its message, `reached` is a fact."""

    id: str
    key: str
    reached: bool
    params: Json = field(default_factory=dict)


def phases(observed: Observed) -> list[Phase]:
    """The phases of the update that runs, or ran last, in order. Times in params are seconds since start."""
    view = observed.view
    if observed.rollout is not None and fields.text(view.spec, "strategy", "type"):
        return _in_order(_first_deploy(observed))  # a predicted Deployment
    if observed.rollout is None or not (view.blue_green or view.canary):
        return []
    if view.status.abort:
        return _aborted(observed)
    if view.revision <= 1:
        return _in_order(_first_deploy(observed))
    found = _blue_green(observed, view.blue_green) if view.blue_green else _canary(observed)
    rs = current(observed)
    if rs is not None and meta.revision(rs) != view.revision:
        # The update has its number and the status still tells of the one before: nothing is reached.
        return [Phase(p.id, p.key, False, p.params) for p in found]
    return _in_order(found)


def _in_order(found: list[Phase]) -> list[Phase]:
    """A phase before a reached one is reached too, also when its fact is gone by now."""
    last = max((i for i, phase in enumerate(found) if phase.reached), default=-1)
    return [Phase(p.id, p.key, i <= last, p.params) for i, p in enumerate(found)]


def current(observed: Observed) -> Json | None:
    """The ReplicaSet of the version asked for."""
    wanted = observed.view.status.current_pod_hash
    return next((rs for rs in observed.owned_replica_sets() if meta.pod_hash(rs) == wanted), None)


def scale_down_at(observed: Observed) -> float | None:
    """Epoch seconds when the next old ReplicaSet that waits out its delay is scaled down."""
    found = []
    for rs in observed.owned_replica_sets():
        at = _time(meta.annotations(rs).get(SCALE_DOWN_DEADLINE_ANNOTATION, ""))
        if at is not None and fields.integer(rs, "spec", "replicas"):
            found.append(at)
    return min(found, default=None)


def pause_ends_at(observed: Observed) -> float | None:
    """Epoch seconds when the pause ends by itself; None while not paused or waiting for a person."""
    view = observed.view
    waiting = view.status.pause_conditions
    if not waiting or not waiting[0].start_time:
        return None
    seconds: float | None = None
    index = view.status.current_step_index or 0
    if view.blue_green is not None:
        seconds = view.blue_green.auto_promotion_seconds or None
    elif index < len(view.steps):
        step = view.steps[index]
        seconds = step.duration if isinstance(step, Pause) else None
    since = _time(waiting[0].start_time)
    return None if seconds is None or since is None else since + seconds


def _time(text: str) -> float | None:
    """Epoch seconds; None for what is no time: anybody may have written it."""
    try:
        return parse_time(text)
    except ValueError:
        return None


def deadline_at(observed: Observed) -> float | None:
    """Epoch seconds when the update has failed unless it makes progress; None while that does not count.

    It does not count while paused, aborted, done, or while old Pods wait out their delay.
    """
    view = observed.view
    status = view.status
    found = status.condition(ConditionType.PROGRESSING)
    waits = view.paused or status.pause_conditions or status.abort or scale_down_at(observed) is not None
    if found is None or waits or status.phase != RolloutPhase.PROGRESSING:
        return None
    if found.get("reason") in (ConditionReason.TIMED_OUT, ConditionReason.ABORTED):
        return None
    try:
        return parse_time(fields.text(found, "lastUpdateTime")) + view.progress_deadline_seconds
    except ValueError:
        return None


def _available(observed: Observed) -> int:
    return fields.integer(current(observed) or {}, "status", "availableReplicas") or 0


def _up(observed: Observed, wanted: int) -> list[Phase]:
    """The new ReplicaSet, and its Pods ready."""
    rs = current(observed)
    version = version_of(observed.rollout or {})
    ready = _available(observed)
    return [
        Phase("newReplicaSet", "newReplicaSet", rs is not None, {"version": version}),
        Phase(
            "newPodsReady",
            "newPodsReady",
            rs is not None and ready >= wanted,
            {"version": version, "ready": ready, "wanted": wanted},
        ),
    ]


def _first_deploy(observed: Observed) -> list[Phase]:
    """The first version goes straight to all Pods: no preview to look at, no steps."""
    view = observed.view
    done = view.status.phase == "Healthy" and view.status.stable_rs == view.status.current_pod_hash
    version = version_of(observed.rollout or {})
    return [*_up(observed, view.replicas), Phase("done", "done", done, {"version": version})]


def _points_at_current(observed: Observed, service: str) -> bool:
    wanted = observed.view.status.current_pod_hash
    return bool(wanted) and any(
        meta.name(s) == service and selector_hash(s) == wanted for s in observed.services
    )


def _blue_green(observed: Observed, way: BlueGreen) -> list[Phase]:
    view = observed.view
    version = version_of(observed.rollout or {})
    params: Json
    active = _points_at_current(observed, way.active_service)
    wanted = way.preview_replica_count if way.preview_replica_count is not None else view.replicas
    created, ready = _up(observed, wanted)
    found = [created]
    if way.preview_service:
        preview = _points_at_current(observed, way.preview_service)
        params = {"service": way.preview_service, "version": version}
        found.append(Phase("previewSwitched", "previewSwitched", preview, params))
    found.append(ready)
    seconds = way.auto_promotion_seconds or None
    if seconds or not way.auto_promotion_enabled:
        ends = pause_ends_at(observed)
        params = {
            "version": version,
            "seconds": seconds,
            "endsAt": None if ends is None else observed.t(ends),
        }
        found.append(Phase("waitingPromote", "waitingPromote", active, params))
    params = {"service": way.active_service, "version": version}
    found.append(Phase("activeSwitched", "activeSwitched", active, params))
    at = scale_down_at(observed)
    old = _old_version(observed)
    params = {
        "version": old,
        "seconds": way.scale_down_delay_seconds,
        "at": None if at is None else observed.t(at),
    }
    found.append(Phase("oldPodsDeleted", "oldPodsDeleted", active and not _old_pods(observed), params))
    return found


def _old_pods(observed: Observed) -> list[Json]:
    wanted = observed.view.status.current_pod_hash
    return [pod for pod in observed.own_pods() if meta.pod_hash(pod) != wanted]


def _old_version(observed: Observed) -> str:
    """The version before this one: of the newest other ReplicaSet that still counts."""
    wanted = observed.view.status.current_pod_hash
    others = [rs for rs in observed.owned_replica_sets() if meta.pod_hash(rs) != wanted]
    return version_of(others[-1]) if others else ""


def _canary(observed: Observed) -> list[Phase]:
    view = observed.view
    index = view.status.current_step_index
    at = len(view.steps) if index is None else index
    found = []
    for i, step in enumerate(view.steps):
        params: dict[str, Any] = {}
        match step:
            case SetWeight(weight):
                key, params = "setWeight", {"weight": weight}
            case Pause(None):
                key = "pause"
            case Pause(duration):
                ends = pause_ends_at(observed) if i == at else None
                key = "pauseFor"
                params = {"seconds": duration, "endsAt": None if ends is None else observed.t(ends)}
            case SetCanaryScale(weight, replicas):
                key, params = _scale_phase(weight, replicas)
            case SetRoute(field_, name, match_):
                key, params = field_ if match_ else "endRoute", {"name": name}
            case _:
                key, params = "unsupportedStep", {"kind": step.kind}
        found.append(Phase(f"step-{i}", key, i < at, params))
    promoted = view.status.stable_rs == view.status.current_pod_hash and at >= len(view.steps)
    done = promoted and not _old_pods(observed) and _available(observed) >= view.replicas
    return [*found, Phase("done", "done", done, {"version": version_of(observed.rollout or {})})]


def _scale_phase(weight: int | None, replicas: int | None) -> tuple[str, Json]:
    if replicas is not None:
        return "canaryPods", {"replicas": replicas}
    return ("canaryPodsMatch", {}) if weight is None else ("canaryPodsFor", {"weight": weight})


def _aborted(observed: Observed) -> list[Phase]:
    """What is still true of the update, then the abort; nothing comes after it but retry or undo."""
    view = observed.view
    version = version_of(observed.rollout or {})
    created = Phase("newReplicaSet", "newReplicaSet", current(observed) is not None, {"version": version})
    found = [created]
    if view.blue_green is not None and view.blue_green.preview_service:
        service = view.blue_green.preview_service
        if _points_at_current(observed, service):
            found.append(
                Phase("previewSwitched", "previewSwitched", True, {"service": service, "version": version})
            )
    return [*found, Phase("aborted", "aborted", False, {"version": version, "message": view.status.message})]
