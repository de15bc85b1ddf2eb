"""Lesson 10, take over: progress stands in the object, so another engine can go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.api import meta
from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen
from rollout_lab.course.updates import not_at_rest

NAME, OLD, NEW, WANTED = "api-tester-2234", "1.0.0", "2.0.0", 2
PAUSE = 1  # the step that waits for a person, from 0
WATCH = 5.0  # lab seconds in which nothing has to change
OFF, ON = "stopped", "running"
checks = Checks()


def pods(see: Seen) -> list[str]:
    return sorted(meta.name(pod) for pod in see.owned_pods(NAME))


def lost(see: Seen) -> bool:
    return see.version != NEW or bool(see.rollout.get("aborted"))


@checks.remember
def remember(memory: Mapping[str, Any], see: Seen) -> Mapping[str, Any]:
    """Step and Pods while nobody looked after them, and what the next engine made of them."""
    kept = dict(memory)
    if see.engine == OFF:
        kept.update({"pods": pods(see), "step": see.step})
        kept.pop("since", None)
    elif see.engine == ON and "pods" in kept and "after" not in kept:
        kept.setdefault("since", see.t)
        kept["remade"] = len(set(pods(see)) - set(kept["pods"]))
        if see.t - float(kept["since"]) >= WATCH:
            kept["after"] = see.step
    return kept


@checks.task("look")
def look(see: Seen) -> Outcome:
    unmet = not_at_rest(see, OLD, WANTED)
    if unmet:
        return unmet
    return Passed()


@checks.breaks("look")
def look_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.leads_to("service") else BrokeAgain("no-endpoints")


@checks.task("midway", needs=("look",))
def midway(see: Seen) -> Outcome:
    if see.version != NEW:
        return NotYet("same-image", version=see.version)
    if see.waits_for_person and see.step == PAUSE and see.count(NEW) == 1 and see.count(OLD) == WANTED:
        return Passed()
    return NotYet("not-waiting", ready=see.count(NEW), phase=see.phase)


@checks.breaks("midway")
def midway_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("other-version", version=see.version) if lost(see) else None


@checks.task("released", needs=("midway",))
def released(see: Seen) -> Outcome:
    if see.engine == OFF:
        return Passed()
    return NotYet("still-on") if see.engine == ON else NotYet("no-switch")


@checks.breaks("released")
def released_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("lost") if lost(see) else None


@checks.task("taken-over", needs=("released",))
def taken_over(see: Seen) -> Outcome:
    if see.engine == OFF:
        return NotYet("still-off")
    if "after" in see.memory:
        return Passed()
    left = WATCH - (see.t - float(see.memory.get("since", see.t)))
    return NotYet("watch", left=round(max(left, 0.0), 1))


@checks.breaks("taken-over")
def taken_over_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("lost") if lost(see) else None


@checks.task("button", needs=("taken-over",))
def button(see: Seen) -> Outcome:
    if see.version == NEW and see.phase == "Healthy" and see.count(NEW) == WANTED and not see.pods(OLD):
        return Passed()
    return NotYet("not-full", ready=see.count(NEW), phase=see.phase)


@checks.breaks("button")
def button_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("other-version", version=see.version) if see.version != NEW else None


@checks.answer("remade", after="taken-over")
def remade(see: Seen) -> int | None:
    found: int | None = see.memory.get("remade")
    return found


@checks.answer("learned-from", after="taken-over")
def learned_from(see: Seen) -> str:
    """The engine before was off, and the step it had written is the step the next one went on with."""
    return "status" if see.memory.get("after") == see.memory.get("step") else "old-engine"


@checks.answer("replica-sets", after="button")
def replica_sets(see: Seen) -> int:
    return len(see.picture["replicaSets"])


@checks.answer("revision", after="button")
def revision(see: Seen) -> int:
    return see.revision
