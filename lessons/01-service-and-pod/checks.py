"""Lesson 1: one Service, two Pods, and the selector between them."""

from __future__ import annotations

from rollout_lab.api import fields
from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen

SERVICE, VERSION, WANTED, ANSWERS = "api-tester-2234", "1.0.0", 2, 10
checks = Checks()


def deleted(see: Seen) -> int:
    """Pods that went or go away."""
    return len({r["name"] for r in see.rows_of("Pod") if r.get("deleting") or r["type"] == "DELETED"})


def no_answers(see: Seen) -> BrokeAgain | None:
    return None if see.endpoints(SERVICE) or lost_on_purpose(see) else BrokeAgain("no-answers")


def lost_on_purpose(see: Seen) -> bool:
    """The Service is there and chooses nobody, with all Pods ready: the next task."""
    return bool(see.named("Service", SERVICE)) and see.count(VERSION) >= WANTED


@checks.task("serving")
def serving(see: Seen) -> Outcome:
    if not see.rollout:
        return NotYet("no-rollout")
    if see.version != VERSION:
        return NotYet("not-first", version=see.version)
    if see.count(VERSION) < WANTED:
        return NotYet("starting", ready=see.count(VERSION), wanted=WANTED)
    n = sum((see.service(SERVICE).get("versions") or {}).values())
    return Passed() if n > ANSWERS else NotYet("counting", n=n, wanted=ANSWERS + 1)


checks.breaks("serving")(no_answers)


@checks.task("replaced", needs=("serving",))
def replaced(see: Seen) -> Outcome:
    if not deleted(see):
        return NotYet("none-deleted")
    if see.count(VERSION) < WANTED:
        return NotYet("starting", ready=see.count(VERSION), wanted=WANTED)
    return Passed()


checks.breaks("replaced")(no_answers)


@checks.task("lost", needs=("replaced",))
def lost(see: Seen) -> Outcome:
    if see.count(VERSION) < WANTED:
        return NotYet("pods-not-ready", ready=see.count(VERSION))
    count = len(see.endpoints(SERVICE))
    return NotYet("still-selects", count=count) if count or not see.named("Service", SERVICE) else Passed()


@checks.breaks("lost")
def lost_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.named("Service", SERVICE) else BrokeAgain("service-gone")


@checks.task("found", needs=("lost",))
def found(see: Seen) -> Outcome:
    """Once the Service's selector says so too: objects are seen one after the other."""
    ready, fitting = len(see.endpoints(SERVICE)), len(see.selected(SERVICE))
    return Passed() if ready == fitting >= WANTED else NotYet("still-lost", count=min(ready, fitting))


@checks.breaks("found")
def found_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.endpoints(SERVICE) else BrokeAgain("lost-again")


@checks.answer("pods-after", after="replaced")
def pods_after(see: Seen) -> int:
    return see.count(VERSION)


@checks.answer("selector-size", after="found")
def selector_size(see: Seen) -> int:
    return len(fields.strings(see.named("Service", SERVICE), "spec", "selector"))


@checks.answer("selected", after="found")
def selected(see: Seen) -> int:
    return len(see.selected(SERVICE))
