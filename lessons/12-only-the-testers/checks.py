"""Lesson 12, only the testers: a header chooses the canary, copies load it, and only then users meet it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from rollout_lab.api import fields
from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen
from rollout_lab.course.updates import beyond, canary_gone, fallen_back, not_at_rest, not_at_step

OLD, NEW, WANTED = "1.0.0", "2.0.0", 4
NAME, HEADERS = "api-tester-2234-testers", "testers"
MANY, COPIES = 100, 30
TESTERS_PAUSE, COPIES_PAUSE, HALF_PAUSE = 2, 4, 8
checks = Checks()
checks.asks("users", f"{NAME}.localhost")
checks.asks("testers", f"{NAME}.localhost", {"X-Tester": "yes"}, path="/version")
checks.reads_logs('"GET /" 200')  # what users ask for; testers and the curl loop ask for /version


def rules(see: Seen) -> list[dict[str, Any]]:
    """The rules of the HTTPRoute."""
    return fields.objects(see.named("HTTPRoute", NAME), "spec", "rules")


def header_rule(see: Seen) -> bool:
    return any(fields.text(rule, "name") == HEADERS for rule in rules(see))


def copies(see: Seen) -> bool:
    """Whether a rule sends copies."""
    filters = [one for rule in rules(see) for one in fields.objects(rule, "filters")]
    return any(fields.text(one, "type") == "RequestMirror" for one in filters)


def weight(see: Seen) -> int:
    """The canary's weight in the rule of the users."""
    refs = fields.objects(rules(see)[0], "backendRefs") if rules(see) else []
    return next((fields.integer(r, "weight") or 0 for r in refs if r.get("name") == f"{NAME}-canary"), 0)


def standing(see: Seen, step: int) -> NotYet | None:
    """Why the update does not wait at that pause."""
    unmet = not_at_step(see, NEW, step)
    if unmet:
        return unmet
    return None if see.waits_for_person and see.count(NEW) else NotYet("not-waiting", phase=see.phase)


def only(see: Seen, asker: str, version: str, wanted: int) -> Outcome:
    """Whether so many answers to an asker were all of one version."""
    sample = see.asked(asker)
    if sample.n < wanted:
        return NotYet("counting", n=sample.n, wanted=wanted)
    others = sample.n - sample.of(version)
    return NotYet("mixed", asker=asker, n=others, version=version) if others else Passed()


@checks.remember
def remember(memory: Mapping[str, Any], see: Seen) -> Mapping[str, Any]:
    """How many requests had failed before the new version was written, and how many now."""
    failed = see.asked("users").failed + see.asked("testers").failed
    return {"before": failed if see.version == OLD else memory.get("before", failed), "now": failed}


@checks.task("look")
def look(see: Seen) -> Outcome:
    unmet = not_at_rest(see, OLD, WANTED) or (None if see.gateway else NotYet("no-gateway"))
    if unmet:
        return unmet
    heard = see.asked("users").of(OLD) and see.asked("testers").of(OLD)
    return Passed() if heard else NotYet("no-answer")


@checks.breaks("look")
def look_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.count(OLD) or see.version == NEW else BrokeAgain("no-pods")


@checks.task("rule", needs=("look",))
def rule(see: Seen) -> Outcome:
    if beyond(see, NEW, TESTERS_PAUSE):
        return Passed()  # promoted before anybody looked
    unmet = standing(see, TESTERS_PAUSE)
    if unmet:
        return unmet
    return Passed() if header_rule(see) else NotYet("no-rule")


checks.breaks("rule")(partial(canary_gone, version=NEW))


@checks.task("apart", needs=("rule",))
def apart(see: Seen) -> Outcome:
    if beyond(see, NEW, TESTERS_PAUSE):
        return Passed()
    testers = only(see, "testers", NEW, MANY)
    return testers if not isinstance(testers, Passed) else only(see, "users", OLD, MANY)


checks.breaks("apart")(partial(canary_gone, version=NEW))


@checks.task("copied", needs=("apart",))
def copied(see: Seen) -> Outcome:
    if beyond(see, NEW, COPIES_PAUSE):
        return Passed()
    unmet = standing(see, COPIES_PAUSE)
    if unmet:
        return unmet
    if not copies(see) or see.logged < COPIES:
        return NotYet("no-copies", n=see.logged, wanted=COPIES)
    return only(see, "users", OLD, MANY)


@checks.breaks("copied")
def copied_breaks(see: Seen) -> BrokeAgain | None:
    return fallen_back(see, NEW, COPIES_PAUSE)


@checks.task("half", needs=("copied",))
def half(see: Seen) -> Outcome:
    unmet = standing(see, HALF_PAUSE)
    if unmet:
        return unmet
    if copies(see) or weight(see) != 50:
        return NotYet("weight", percent=weight(see))
    users = see.asked("users")
    if users.n < MANY:
        return NotYet("counting", n=users.n, wanted=MANY)
    if not users.fits(NEW, 50):
        return NotYet("other-share", n=users.n, share=users.percent(NEW))
    return only(see, "testers", NEW, MANY)


@checks.breaks("half")
def half_breaks(see: Seen) -> BrokeAgain | None:
    return fallen_back(see, NEW, HALF_PAUSE)


@checks.task("full", needs=("half",))
def full(see: Seen) -> Outcome:
    if see.rollout.get("aborted"):
        return NotYet("aborted")
    if see.version != NEW or see.phase != "Healthy" or see.pods(OLD):
        return NotYet("not-finished", phase=see.phase)
    return NotYet("rule-left") if header_rule(see) else only(see, "users", NEW, COPIES)


@checks.breaks("full")
def full_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("other-version", version=see.version) if see.version != NEW else None


@checks.answer("leaked", after="apart")
def leaked(see: Seen) -> int | None:
    users = see.asked("users")
    return users.of(NEW) if see.step == TESTERS_PAUSE and users.n >= MANY else None


@checks.answer("heard", after="copied")
def heard(see: Seen) -> str | None:
    users = see.asked("users")
    return max(users.versions, key=users.of) if see.step == COPIES_PAUSE and users.n else None


@checks.answer("testers-half", after="half")
def testers_half(see: Seen) -> int | None:
    testers = see.asked("testers")
    return round(testers.percent(NEW)) if see.step == HALF_PAUSE and testers.n else None


@checks.answer("rules-now", after="full")
def rules_now(see: Seen) -> int:
    return len(rules(see))


@checks.answer("weight-now", after="full")
def weight_now(see: Seen) -> int:
    return weight(see)


@checks.answer("failed", after="full")
def failed_at_all(see: Seen) -> str:
    return "some" if see.memory.get("now", 0) > see.memory.get("before", 0) else "none"
