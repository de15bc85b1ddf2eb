"""Lesson 11, 5 % with ten Pods: a gateway shares out requests, so weight and Pod count go their own ways."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from rollout_lab.api import meta
from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen
from rollout_lab.course.updates import beyond, canary_gone, fallen_back, not_at_rest, not_at_step

OLD, NEW, WANTED = "1.0.0", "2.0.0", 10
HOST, CANARY_INGRESS = "api-tester-2234-weight.localhost", "api-tester-2234-weight-users-canary"
WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
THOUSAND, MANY, FEW = 1000, 200, 30
FIRST_PAUSE, SECOND_PAUSE, LAST_PAUSE = 1, 3, 5
checks = Checks()
checks.asks("users", HOST)


def weight(see: Seen) -> int:
    """What the annotation of the canary Ingress says; 0 where there is none."""
    return int(meta.annotations(see.named("Ingress", CANARY_INGRESS)).get(WEIGHT) or 0)


def standing(see: Seen, pods: int, percent: int, step: int) -> NotYet | None:
    """Why the canary does not stand at a pause with so many Pods and such a weight."""
    unmet = not_at_step(see, NEW, step)
    if unmet:
        return unmet
    if see.count(NEW) != pods or see.count(OLD) != WANTED:
        return NotYet("pods", canary=see.count(NEW), stable=see.count(OLD))
    if weight(see) != percent:
        return NotYet("weight", percent=weight(see))
    return None if see.waits_for_person else NotYet("not-waiting", phase=see.phase)


def counted(see: Seen, percent: int, wanted: int) -> Outcome:
    """Whether enough real requests show that share."""
    users = see.asked("users")
    if users.n < wanted:
        return NotYet("counting", n=users.n, wanted=wanted)
    if not users.fits(NEW, percent):
        return NotYet("other-share", n=users.n, share=users.percent(NEW))
    return Passed()


@checks.remember
def remember(memory: Mapping[str, Any], see: Seen) -> Mapping[str, Any]:
    """How many requests had failed before the new version was written, and how many now."""
    failed = see.asked("users").failed
    return {"before": failed if see.version == OLD else memory.get("before", failed), "now": failed}


@checks.task("look")
def look(see: Seen) -> Outcome:
    unmet = not_at_rest(see, OLD, WANTED) or (None if see.gateway else NotYet("no-gateway"))
    if unmet:
        return unmet
    return Passed() if see.asked("users").of(OLD) else NotYet("no-answer")


@checks.breaks("look")
def look_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.count(OLD) or see.version == NEW else BrokeAgain("no-pods")


@checks.task("one", needs=("look",))
def one(see: Seen) -> Outcome:
    if beyond(see, NEW, FIRST_PAUSE):
        return Passed()  # promoted before anybody looked
    return standing(see, 1, 5, FIRST_PAUSE) or Passed()


checks.breaks("one")(partial(canary_gone, version=NEW))


@checks.task("thousand", needs=("one",))
def thousand(see: Seen) -> Outcome:
    return Passed() if beyond(see, NEW, FIRST_PAUSE) else counted(see, 5, THOUSAND)


checks.breaks("thousand")(partial(canary_gone, version=NEW))


@checks.task("five", needs=("thousand",))
def five(see: Seen) -> Outcome:
    if beyond(see, NEW, SECOND_PAUSE):
        return Passed()
    return standing(see, 5, 5, SECOND_PAUSE) or counted(see, 5, THOUSAND)


@checks.breaks("five")
def five_breaks(see: Seen) -> BrokeAgain | None:
    return fallen_back(see, NEW, SECOND_PAUSE)


@checks.task("half", needs=("five",))
def half(see: Seen) -> Outcome:
    return standing(see, 5, 50, LAST_PAUSE) or counted(see, 50, MANY)


@checks.breaks("half")
def half_breaks(see: Seen) -> BrokeAgain | None:
    """An abort comes next in the text, so it breaks nothing here."""
    if see.version == NEW and see.rollout.get("aborted"):
        return None
    return fallen_back(see, NEW, LAST_PAUSE)


@checks.task("abort", needs=("half",))
def abort(see: Seen) -> Outcome:
    users = see.asked("users")
    if see.version != NEW or not see.rollout.get("aborted"):
        return NotYet("not-aborted")
    if weight(see) or users.of(NEW):
        return NotYet("still-canary", percent=weight(see))
    if not see.pods(NEW):
        return NotYet("missed")
    return Passed() if users.n >= FEW else NotYet("counting", n=users.n, wanted=FEW)


@checks.breaks("abort")
def abort_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.rollout.get("aborted") else BrokeAgain("retried")


@checks.task("gone", needs=("abort",))
def gone(see: Seen) -> Outcome:
    if not see.rollout.get("aborted"):
        return NotYet("not-aborted")
    if see.pods(NEW):
        return NotYet("still-there", count=len(see.pods(NEW)))
    return Passed() if see.count(OLD) == WANTED else NotYet("starting", ready=see.count(OLD), wanted=WANTED)


@checks.breaks("gone")
def gone_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.rollout.get("aborted") else BrokeAgain("retried")


@checks.answer("pods-one", after="one")
def pods_one(see: Seen) -> int | None:
    return see.count(OLD) + see.count(NEW) if see.step == FIRST_PAUSE else None


@checks.answer("of-thousand", after="thousand")
def of_thousand(see: Seen) -> str | None:
    users = see.asked("users")
    if users.n < THOUSAND:
        return None
    return "fifty" if users.fits(NEW, 5) else "ninety" if users.fits(NEW, 100 / 11) else "half"


@checks.answer("share-five", after="five")
def share_five(see: Seen) -> int | None:
    return weight(see) if see.step == SECOND_PAUSE else None


@checks.answer("pods-half", after="half")
def pods_half(see: Seen) -> int | None:
    return see.count(OLD) + see.count(NEW) if see.step == LAST_PAUSE else None


@checks.answer("first", after="abort")
def first(see: Seen) -> str | None:
    if weight(see) or not see.rollout.get("aborted"):
        return None
    return "requests" if see.pods(NEW) else None


@checks.answer("ingresses", after="gone")
def ingresses(see: Seen) -> int:
    return len(see.all("Ingress"))


@checks.answer("weight-now", after="gone")
def weight_now(see: Seen) -> int:
    return weight(see)


@checks.answer("failed", after="gone")
def failed_at_all(see: Seen) -> str:
    return "some" if see.memory.get("now", 0) > see.memory.get("before", 0) else "none"
