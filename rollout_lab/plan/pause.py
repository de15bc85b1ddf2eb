"""Pauses and aborts: is one over, should one begin, what stands in the status then. Pure."""

from __future__ import annotations

from rollout_lab.api.fields import Json
from rollout_lab.api.names import PauseReason
from rollout_lab.api.steps import Pause
from rollout_lab.api.times import rfc3339
from rollout_lab.plan.work import Work, pause_condition


def resumed_by_person(work: Work, reason: str) -> bool:
    """The engine had paused and its note is gone: a person took it away (promote)."""
    return work.status.controller_pause and pause_condition(work, reason) is None


def step_ends_at(work: Work, step: Pause) -> float | None:
    """When a timed pause step that has begun is over; None for one that waits for a person."""
    since = pause_condition(work, PauseReason.CANARY_STEP)
    return None if since is None or step.duration is None else since + step.duration


def step_completed(work: Work, step: Pause) -> bool:
    """# upstream: rollout/pause.go::CompletedCanaryPauseStep"""
    if resumed_by_person(work, PauseReason.CANARY_STEP):
        return True
    ends = step_ends_at(work, step)
    return ends is not None and work.now >= ends


def blue_green_needs_pause(work: Work) -> bool:
    blue_green = work.rollout.blue_green
    if blue_green is None:
        return False
    return not blue_green.auto_promotion_enabled or blue_green.auto_promotion_seconds > 0


def blue_green_ends_at(work: Work) -> float | None:
    """When automatic promotion comes, if the pause has begun and has an end."""
    blue_green, since = work.rollout.blue_green, pause_condition(work, PauseReason.BLUE_GREEN)
    if blue_green is None or since is None or not blue_green.auto_promotion_enabled:
        return None
    return since + blue_green.auto_promotion_seconds


def blue_green_completed(work: Work) -> bool:
    """Whether the pause before the switch is behind us.

    # upstream: rollout/pause.go::CompletedBlueGreenPause
    """
    blue_green = work.rollout.blue_green
    if blue_green is None or work.pause.add:
        return False
    if work.status.scale_up_preview_check_point or not blue_green_needs_pause(work):
        return True
    if blue_green.auto_promotion_enabled:
        ends = blue_green_ends_at(work)
        if ends is None:
            return resumed_by_person(work, PauseReason.BLUE_GREEN)
        return work.now >= ends
    return resumed_by_person(work, PauseReason.BLUE_GREEN)


def into_status(work: Work, status: Json) -> None:
    """Write abort and pause fields of the new status, from the stored ones and this pass's change.

    # upstream: rollout/pause.go::CalculatePauseStatus
    """
    change = work.pause
    for key in ("abort", "abortedAt", "pauseConditions", "controllerPause"):
        status.pop(key, None)
    if change.add_abort or (work.status.abort and not change.remove_abort):
        status["abort"] = True
        status["abortedAt"] = work.status.aborted_at or rfc3339(work.now)
        return
    if change.clear:
        return
    stored = work.status.pause_conditions
    kept: list[Json] = [
        {"reason": c.reason, "startTime": c.start_time} for c in stored if c.reason not in change.remove
    ]
    known = {c.reason for c in stored}
    added = [r for r in dict.fromkeys(change.add) if r not in known]
    kept += [{"reason": reason, "startTime": rfc3339(work.now)} for reason in added]
    if kept:
        status["pauseConditions"] = kept
        if work.status.controller_pause or added:
            status["controllerPause"] = True
