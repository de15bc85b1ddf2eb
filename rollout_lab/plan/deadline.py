"""The progress deadline: does it count now, has it run out, and what an automatic abort needs. Pure."""

from __future__ import annotations

from rollout_lab.api.fields import Json
from rollout_lab.api.names import ConditionReason, ConditionType
from rollout_lab.api.status import Status
from rollout_lab.api.steps import Pause
from rollout_lab.plan import conditions
from rollout_lab.plan.work import Work


def counts(work: Work) -> bool:
    """Whether time without progress counts: not while paused, at a pause step, aborted, or while old
    Pods wait out their delay."""
    status, rollout = work.status, work.rollout
    if rollout.paused or status.pause_conditions or status.abort:
        return False
    index = status.current_step_index or 0
    if index < len(rollout.steps) and isinstance(rollout.steps[index], Pause):
        return False
    return not any(rs.marked and rs.size for rs in work.sets.old)


def exceeded(work: Work, status: Json) -> bool:
    """Whether the deadline has run out, now or in an earlier pass."""
    found = conditions.get(status, ConditionType.PROGRESSING)
    if found is not None and found.get("reason") == ConditionReason.TIMED_OUT:
        return True
    at = conditions.deadline_at(work, status)
    return counts(work) and at is not None and work.now > at


def abort_if_asked(work: Work, status: Json) -> None:
    """Abort an update whose deadline ran out in an earlier pass, where `progressDeadlineAbort` says so.

    Never once promoted, and never in a pass that sees progress.
    """
    stored = work.status.condition(ConditionType.PROGRESSING)
    late = stored is not None and stored.get("reason") == ConditionReason.TIMED_OUT
    if not late or not work.rollout.progress_deadline_abort or work.aborted:
        return
    if conditions.completed(status) or conditions.progressing(work, status):
        return
    assert stored is not None
    work.pause.add_abort = True
    work.pause.abort_message = str(stored.get("message") or "")


def look_again(work: Work, status: Json) -> None:
    """Ask for the pass that will see the deadline run out."""
    found = conditions.get(status, ConditionType.PROGRESSING)
    reason = found.get("reason") if found is not None else None
    if reason == ConditionReason.TIMED_OUT:
        stored = work.status.condition(ConditionType.PROGRESSING)
        newly = stored is None or stored.get("reason") != ConditionReason.TIMED_OUT
        if newly and work.rollout.progress_deadline_abort:
            work.look_again(0.0)
        return
    if Status(status).pause_conditions or not counts(work) or conditions.healthy(work, status):
        return
    at = conditions.deadline_at(work, status)
    if at is not None:
        work.because("deadline", seconds=work.rollout.progress_deadline_seconds, endsAt=at)
        work.look_again_at(at + 1)
