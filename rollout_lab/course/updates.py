"""What the checks of many lessons ask of an update: may it begin, how far is it, did it fall back."""

from __future__ import annotations

from rollout_lab.course.outcomes import BrokeAgain, NotYet
from rollout_lab.course.seen import Seen


def not_at_rest(see: Seen, version: str, count: int) -> NotYet | None:
    """Why a lesson cannot begin: its rollout has to rest at its first version with so many ready Pods."""
    if not see.rollout:
        return NotYet("no-rollout")
    if see.version != version:
        return NotYet("not-first", version=see.version)
    if see.phase != "Healthy" or see.count(version) < count:
        return NotYet("starting", ready=see.count(version), wanted=count)
    return None


def beyond(see: Seen, version: str, step: int) -> bool:
    """Past that step. Just after the image was set, the step is still that of the last update."""
    return see.version == version and (see.step or 0) > step and see.count(version) > 0


def canary_gone(see: Seen, version: str) -> BrokeAgain | None:
    """Whether the update to that version was given up: another image, an abort, no Pod of it."""
    if see.version != version:
        return BrokeAgain("other-version", version=see.version)
    return BrokeAgain("canary-gone") if see.rollout.get("aborted") or not see.pods(version) else None


def fallen_back(see: Seen, version: str, step: int) -> BrokeAgain | None:
    """Whether the update was given up, or is at an earlier step again."""
    gone = canary_gone(see, version)
    return gone or (BrokeAgain("back") if (see.step or 0) < step else None)


def not_at_step(see: Seen, version: str, step: int) -> NotYet | None:
    """Why the update to that version has not come to that step."""
    if see.rollout.get("aborted"):
        return NotYet("aborted")
    if see.version != version:
        return NotYet("same-image", version=see.version)
    return NotYet("not-promoted") if (see.step or 0) < step else None
