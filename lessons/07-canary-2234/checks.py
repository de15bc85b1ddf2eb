"""Lesson 7, canary by Pods (2234): 33 % of two Pods, a pause without end, 66 %, two minutes, 100 %."""

from __future__ import annotations

from functools import partial

from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen
from rollout_lab.course.updates import beyond, canary_gone, not_at_rest

OLD, NEW, WANTED, ANSWERS = "1.0.0", "2.0.0", 2, 30
FIRST_PAUSE, LAST_PAUSE = 1, 3
checks = Checks()


@checks.task("look")
def look(see: Seen) -> Outcome:
    unmet = not_at_rest(see, OLD, WANTED)
    if unmet:
        return unmet
    return Passed() if see.answers("service") == [OLD] else NotYet("no-answer")


@checks.breaks("look")
def look_breaks(see: Seen) -> BrokeAgain | None:
    if see.version != NEW and not see.leads_to("service"):
        return BrokeAgain("no-endpoints", service=see.service("service").get("name", "service"))
    return None


@checks.task("new-version", needs=("look",))
def new_version(see: Seen) -> Outcome:
    return Passed() if see.version == NEW else NotYet("same-image", version=see.version)


@checks.breaks("new-version")
def new_version_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("other-version", version=see.version) if see.version != NEW else None


@checks.task("third", needs=("new-version",))
def third(see: Seen) -> Outcome:
    if beyond(see, NEW, FIRST_PAUSE):
        return Passed()  # promoted before anybody looked
    if see.count(NEW) != 1 or see.count(OLD) != WANTED:
        return NotYet("pods", canary=see.count(NEW), stable=see.count(OLD))
    return Passed() if see.waits_for_person else NotYet("not-waiting", phase=see.phase)


checks.breaks("third")(partial(canary_gone, version=NEW))


@checks.task("share", needs=("third",))
def share(see: Seen) -> Outcome:
    if beyond(see, NEW, FIRST_PAUSE):
        return Passed()
    counted = see.service("service").get("versions") or {}
    n = sum(counted.values())
    if n < ANSWERS:
        return NotYet("counting", n=n, wanted=ANSWERS)
    return Passed() if len(counted) > 1 else NotYet("one-version", n=n, version=", ".join(counted))


checks.breaks("share")(partial(canary_gone, version=NEW))


@checks.task("promote", needs=("share",))
def promote(see: Seen) -> Outcome:
    if see.rollout.get("aborted"):
        return NotYet("aborted")
    if see.version != NEW or (see.step or 0) <= FIRST_PAUSE:
        return NotYet("not-promoted")
    if see.count(NEW) < WANTED:
        return NotYet("pods", canary=see.count(NEW), stable=see.count(OLD))
    return Passed()


checks.breaks("promote")(partial(canary_gone, version=NEW))


@checks.task("full", needs=("promote",))
def full(see: Seen) -> Outcome:
    if see.rollout.get("aborted"):
        return NotYet("aborted")
    if see.phase == "Healthy" and see.leads_to("service") == [NEW] and not see.pods(OLD):
        return Passed()
    ends = see.rollout.get("pauseEndsAt")
    if ends is not None and ends > see.t:
        return NotYet("waiting", left=ends - see.t)
    return NotYet("not-waiting", phase=see.phase)


@checks.breaks("full")
def full_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("other-version", version=see.version) if see.version not in (OLD, NEW) else None


@checks.task("undo", needs=("full",))
def undo(see: Seen) -> Outcome:
    if see.version != OLD:
        return NotYet("not-undone", version=see.version)
    if see.count(OLD) != 1 or see.count(NEW) != WANTED:
        return NotYet("pods", canary=see.count(OLD), stable=see.count(NEW))
    return Passed() if see.waits_for_person else NotYet("not-waiting", phase=see.phase)


@checks.breaks("undo")
def undo_breaks(see: Seen) -> BrokeAgain | None:
    if see.version != OLD:
        return BrokeAgain("other-version", version=see.version)
    return BrokeAgain("canary-gone") if see.rollout.get("aborted") or not see.pods(OLD) else None


@checks.answer("pods-33", after="third")
def pods_33(see: Seen) -> int:
    return see.count(OLD) + see.count(NEW)


@checks.answer("pods-66", after="promote")
def pods_66(see: Seen) -> int:
    return see.count(NEW)


@checks.answer("canary-now", after="undo")
def canary_now(see: Seen) -> str:
    return str(next((rs["version"] for rs in see.picture["replicaSets"] if rs["role"] == "canary"), ""))


@checks.answer("asked-now", after="undo")
def asked_now(see: Seen) -> int | None:
    weight = see.rollout.get("weight")
    return int(weight["asked"]) if weight else None


@checks.answer("revision", after="undo")
def revision(see: Seen) -> int:
    return see.revision
