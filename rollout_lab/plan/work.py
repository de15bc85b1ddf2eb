"""One pass in the making: what it knows, and what it has decided so far.

Only this object changes during a pass; everything it is made from is immutable. Rules live in the
modules that use it, never here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.api import fields, meta, names
from rollout_lab.api.fields import Json
from rollout_lab.api.names import EventReason
from rollout_lab.api.rollout import Rollout
from rollout_lab.api.status import Status
from rollout_lab.api.times import parse_time
from rollout_lab.plan.actions import Action, Emit, Plan, ScaleReplicaSet
from rollout_lab.plan.replicasets import ReplicaSet, Sets, split
from rollout_lab.plan.snapshot import Snapshot
from rollout_lab.plan.why import CODES, Why


@dataclass(slots=True)
class PauseChange:
    """What the pass decided about pause and abort; written into the status at its end."""

    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    clear: bool = False
    add_abort: bool = False
    remove_abort: bool = False
    abort_message: str = ""


@dataclass(slots=True)
class Work:
    """The state of one pass. `hashes` are the Services' selectors as this pass will have left them,
    `weights` what the routers were told by its end (`status.canary.weights`)."""

    snapshot: Snapshot
    rollout: Rollout
    sets: Sets
    hashes: dict[str, str]
    pause: PauseChange = field(default_factory=PauseChange)
    restarted_at: str = ""
    weights: Json | None = None
    actions: list[Action] = field(default_factory=list)
    reasons: list[Why] = field(default_factory=list)
    requeue: float | None = None

    @staticmethod
    def of(snapshot: Snapshot) -> Work:
        rollout = Rollout(snapshot.rollout)
        hashes = {
            name: fields.text(service, "spec", "selector", names.ROLLOUT_HASH_LABEL)
            for name, service in snapshot.services.items()
        }
        sets = split(rollout, snapshot.replica_sets)
        weights = fields.mapping(rollout.status.raw, "canary", "weights") or None
        return Work(
            snapshot, rollout, sets, hashes, restarted_at=rollout.status.restarted_at, weights=weights
        )

    @property
    def now(self) -> float:
        return self.snapshot.now

    @property
    def status(self) -> Status:
        """The status as stored: decisions see the effects of the pass before, not of this one."""
        return self.rollout.status

    @property
    def aborted(self) -> bool:
        if self.pause.remove_abort:
            return False
        return self.pause.add_abort or self.status.abort

    @property
    def observed(self) -> bool:
        """Whether the stored status speaks about the present spec."""
        return self.status.observed_generation == str(self.rollout.generation)

    def add(self, action: Action) -> None:
        self.actions.append(action)

    def emit(self, reason: EventReason, message: str, type_: str = "Normal") -> None:
        self.actions.append(Emit(reason.value, message, type_))

    def emit_as(self, reason: str, message: str) -> None:
        """An Event whose reason is a router's own."""
        self.actions.append(Emit(reason, message))

    def because(self, code: str, about: str = "", field_: str = "", **params: Any) -> None:
        """Note a reason. `about` is ``Kind/name``; without it the Rollout."""
        if code not in CODES:
            raise KeyError(f"{code} is not listed in plan.why.CODES")
        self.reasons.append(Why(code, params, about or f"Rollout/{self.rollout.name}", field_))

    def look_again(self, seconds: float) -> None:
        """Ask for another pass in so many seconds, or earlier if one was asked for already."""
        seconds = max(0.0, seconds)
        self.requeue = seconds if self.requeue is None else min(self.requeue, seconds)

    def look_again_at(self, time: float) -> None:
        self.look_again(time - self.now)

    def plan(self, status: Json | None = None) -> Plan:
        status = dict(self.status.raw) if status is None else status
        return Plan(tuple(self.actions), status, self.requeue, tuple(self.reasons))


def pause_condition(work: Work, reason: str) -> float | None:
    """Since when the stored status waits for `reason` (seconds since the epoch), or None."""
    for condition in work.status.pause_conditions:
        if condition.reason == reason:
            try:
                return parse_time(condition.start_time)
            except ValueError:
                return work.now
    return None


def scale(work: Work, rs: ReplicaSet, size: int, code: str, params: Mapping[str, Any]) -> bool:
    """Bring one ReplicaSet to `size` and note the size of the whole; whether its size changed.

    # upstream: rollout/sync.go::scaleReplicaSet
    """
    replicas = work.rollout.replicas
    stale_note = rs.desired != replicas
    if rs.size == size and not stale_note:
        return False
    annotations: dict[str, str | None] = {}
    if stale_note:
        annotations[names.DESIRED_REPLICAS_ANNOTATION] = str(replicas)
    if size == 0 and rs.marked and not keeps_mark(work):
        annotations[names.SCALE_DOWN_DEADLINE_ANNOTATION] = None
    work.add(ScaleReplicaSet(rs.name, size, annotations))
    about = f"ReplicaSet/{rs.name}"
    if rs.size == size:
        work.because("scale.desired", about, "metadata.annotations", replicaset=rs.name, replicas=replicas)
        return False
    work.because(
        code, about, "spec.replicas", **{"replicaset": rs.name, "from": rs.size, "to": size}, **params
    )
    direction = "up" if size > rs.size else "down"
    work.emit(
        EventReason.SCALING,
        f"Scaled {direction} ReplicaSet {rs.name} (revision {rs.revision}) from {rs.size} to {size}",
    )
    return True


def keeps_mark(work: Work) -> bool:
    """Whether an abort leaves the new Pods up for a while: blue-green, and a canary with a router; not
    where the delay is 0 (then they stay for good), nor where stable shrinks and no delay is written.

    # upstream: rollout/replicaset.go::shouldDelayScaleDownOnAbort
    """
    if not work.aborted or work.sets.stable is None or abort_delay(work) is None:
        return False
    canary = work.rollout.canary if work.rollout.blue_green is None else None
    if canary is None:
        return True
    return canary.routing is not None and (
        not canary.dynamic_stable_scale or canary.abort_scale_down_delay_set
    )


def abort_delay(work: Work) -> int | None:
    """Seconds the new Pods stay after an abort; None where they stay for good."""
    blue_green, canary = work.rollout.blue_green, work.rollout.canary
    if blue_green is not None:
        return blue_green.abort_scale_down_delay_seconds
    return canary.abort_scale_down_delay_seconds if canary is not None else None


def fully_promoted(work: Work) -> bool:
    """Whether the stored status has the wanted version as the stable one."""
    new = work.sets.new
    return new is not None and work.status.stable_rs == new.hash


def owner(work: Work) -> Json:
    return meta.owner_reference(work.rollout.raw)
