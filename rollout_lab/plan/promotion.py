"""When the new version becomes the stable one, and what counts as a quick way back. Pure.

# upstream: rollout/sync.go::shouldFullPromote, isRollbackWithinWindow
"""

from __future__ import annotations

from rollout_lab.api import fields
from rollout_lab.api.fields import Json
from rollout_lab.api.status import Status
from rollout_lab.plan.work import Work

Reason = tuple[str, str]
"""(one of `why.PROMOTIONS`, the words of the Event)."""


def within_window(work: Work) -> bool:
    """Whether the new version is an older one that `rollbackWindow.revisions` lets back at once."""
    new, stable = work.sets.new, work.sets.stable
    window = fields.integer(work.rollout.spec, "rollbackWindow", "revisions") or 0
    if new is None or stable is None or window <= 0 or new.created >= stable.created:
        return False
    between = sum(1 for rs in work.sets.all if new.created < rs.created < stable.created)
    return between < window


def of_canary(work: Work) -> Reason | None:
    new = work.sets.new
    if work.sets.stable is None:
        return "initial", "Initial deploy"
    if work.aborted or new is None or new.available < work.rollout.replicas:
        return None
    if work.status.promote_full:
        return "full", "Full promotion requested"
    if within_window(work):
        return "window", "Rollback within window"
    steps = len(work.rollout.steps)
    if not steps or _index(work) == steps:
        return "steps", f"Completed all {steps} canary steps"
    return None


def _index(work: Work) -> int:
    index = work.status.current_step_index
    return index if index is not None else 0


def of_blue_green(work: Work, status: Json) -> Reason | None:
    new = Status(status)
    if work.sets.stable is None or not new.active_selector:
        # The first deploy is stable before it serves: the switch waits for its Pods.
        return "initial", "Initial deploy"
    if new.active_selector != new.current_pod_hash:
        return None
    if work.status.promote_full:
        return "full", "Full promotion requested"
    if within_window(work):
        return "window", "Rollback within window"
    return None if work.aborted else ("bluegreen", "Completed blue-green update")
