"""Lesson 4, what is written and who moves: the CRD takes it down, the controllers make it so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.api import meta
from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen
from rollout_lab.course.updates import not_at_rest

NAME, OLD, NEW, WANTED = "api-tester-2233", "1.0.0", "2.0.0", 2
WATCH = 10.0  # lab seconds in which nothing has to happen
OFF, ON = "stopped", "running"
checks = Checks()


def failed(see: Seen) -> int:
    return int(see.service("active").get("failed") or 0)


@checks.remember
def remember(memory: Mapping[str, Any], see: Seen) -> Mapping[str, Any]:
    """Since when the new version stands there unread, the Pods of that time, and who made later ones."""
    kept = dict(memory)
    if see.phase == "Healthy" and see.version == OLD and see.count(OLD) == WANTED:
        kept.setdefault("failed", failed(see))
    if see.engine != OFF:
        kept.pop("since", None)
        return kept
    if see.version == NEW:
        kept.setdefault("since", see.t)
        kept["new-pods"] = len(see.pods(NEW))
    names = {meta.name(pod) for pod in see.owned_pods(NAME)}
    kept.setdefault("pods", sorted(names))
    for pod in see.owned_pods(NAME):
        if meta.name(pod) not in kept["pods"]:
            kept["maker"] = (meta.controller_of(pod) or {}).get("kind", "")
    return kept


@checks.task("look")
def look(see: Seen) -> Outcome:
    unmet = not_at_rest(see, OLD, WANTED)
    if unmet:
        return unmet
    return Passed() if see.leads_to("active") == [OLD] else NotYet("no-answer")


@checks.breaks("look")
def look_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.leads_to("active") else BrokeAgain("no-endpoints")


@checks.task("engine-off", needs=("look",))
def engine_off(see: Seen) -> Outcome:
    if see.engine == OFF:
        return Passed()
    return NotYet("still-on") if see.engine == ON else NotYet("no-switch")


@checks.breaks("engine-off")
def engine_off_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.engine == OFF else BrokeAgain("on-again")


@checks.task("written", needs=("engine-off",))
def written(see: Seen) -> Outcome:
    if see.version != NEW:
        return NotYet("same-image", version=see.version)
    if see.engine != OFF or see.pods(NEW):
        return NotYet("engine-on")
    left = WATCH - (see.t - float(see.memory.get("since", see.t)))
    return Passed() if left <= 0 else NotYet("watch", left=round(left, 1))


@checks.breaks("written")
def written_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.version == NEW else BrokeAgain("other-version", version=see.version)


@checks.task("repaired", needs=("written",))
def repaired(see: Seen) -> Outcome:
    if not see.memory.get("maker"):
        return NotYet("none-deleted")
    if see.count(OLD) < WANTED:
        return NotYet("starting", ready=see.count(OLD), wanted=WANTED)
    return Passed()


@checks.breaks("repaired")
def repaired_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.leads_to("active") else BrokeAgain("no-endpoints")


@checks.task("caught-up", needs=("repaired",))
def caught_up(see: Seen) -> Outcome:
    if see.engine == OFF:
        return NotYet("still-off")
    if see.count(NEW) < WANTED or see.leads_to("preview") != [NEW]:
        return NotYet("starting", ready=see.count(NEW), wanted=WANTED)
    return Passed()


@checks.breaks("caught-up")
def caught_up_breaks(see: Seen) -> BrokeAgain | None:
    if see.version != NEW or see.rollout.get("aborted"):
        return BrokeAgain("lost")
    return None


@checks.task("promoted", needs=("caught-up",))
def promoted(see: Seen) -> Outcome:
    found = see.leads_to("active")
    return Passed() if found == [NEW] else NotYet("not-promoted", version=", ".join(found) or "-")


@checks.breaks("promoted")
def promoted_breaks(see: Seen) -> BrokeAgain | None:
    found = see.leads_to("active")
    return None if found == [NEW] else BrokeAgain("back", version=", ".join(found) or "-")


@checks.answer("pods-off", after="written")
def pods_off(see: Seen) -> int | None:
    found: int | None = see.memory.get("new-pods")
    return found


@checks.answer("pods-repaired", after="repaired")
def pods_repaired(see: Seen) -> int:
    return see.count(OLD)


@checks.answer("who-repaired", after="repaired")
def who_repaired(see: Seen) -> str:
    return {"ReplicaSet": "replica-set", "": "nobody"}.get(str(see.memory.get("maker", "")), "engine")


@checks.answer("revision", after="promoted")
def revision(see: Seen) -> int:
    return see.revision


@checks.answer("failed", after="promoted")
def failed_at_all(see: Seen) -> str:
    return "some" if failed(see) > int(see.memory.get("failed", 0)) else "none"
