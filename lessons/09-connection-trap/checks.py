"""Lesson 9, the connection trap: who hears what after a switch depends on how it is connected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen
from rollout_lab.course.updates import not_at_rest

OLD, NEW, WANTED = "1.0.0", "2.0.0", 2
FRESH, KEPT, FORWARD = "fresh", "keep-alive", "port-forward"
checks = Checks()


def hears(see: Seen, client: str) -> str:
    """The version a client heard last, ``""`` if it failed or heard nothing yet."""
    last = see.last_heard(client)
    return last.version if last is not None else ""


def heard_after(see: Seen, client: str, version: str, since: float) -> bool:
    return any(one.connection == client and one.version == version and one.t > since for one in see.heard)


def led_back(see: Seen) -> BrokeAgain | None:
    found = see.leads_to("active")
    return None if found == [NEW] else BrokeAgain("back", version=", ".join(found) or "-")


@checks.remember
def remember(memory: Mapping[str, Any], see: Seen) -> Mapping[str, Any]:
    """When fresh connections moved, who heard the old version after that, and failures before it."""
    kept = dict(memory)
    failed = int(see.service("active").get("failed") or 0)
    if see.leads_to("active") == [OLD]:
        kept.pop("moved", None)
        if see.version == NEW and see.count(NEW) == WANTED:
            kept["failed"] = failed
    if see.leads_to("active") != [NEW]:
        return kept
    fresh = [one.t for one in see.heard if one.connection == FRESH and one.version == NEW]
    if fresh:
        kept.setdefault("moved", fresh[0])
        behind = [c for c in (FRESH, KEPT, FORWARD) if heard_after(see, c, OLD, kept["moved"])]
        kept["behind"] = sorted({*kept.get("behind", []), *behind})
    kept["failed-after"] = failed
    return kept


@checks.task("three")
def three(see: Seen) -> Outcome:
    unmet = not_at_rest(see, OLD, WANTED)
    if unmet:
        return unmet
    for client in (FRESH, KEPT, FORWARD):
        if hears(see, client) != OLD:
            return NotYet("listening", client=client)
    return Passed()


@checks.breaks("three")
def three_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.leads_to("active") else BrokeAgain("no-endpoints")


@checks.task("waiting", needs=("three",))
def waiting(see: Seen) -> Outcome:
    if see.version != NEW:
        return NotYet("same-image", version=see.version)
    if see.leads_to("active") == [NEW]:
        return Passed()  # promoted before anybody looked
    if see.count(NEW) < WANTED:
        return NotYet("starting", ready=see.count(NEW), wanted=WANTED)
    return Passed() if see.waits_for_person else NotYet("not-waiting", phase=see.phase)


@checks.breaks("waiting")
def waiting_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.version == NEW else BrokeAgain("other-version", version=see.version)


@checks.task("promoted", needs=("waiting",))
def promoted(see: Seen) -> Outcome:
    found = see.leads_to("active")
    if found != [NEW]:
        return NotYet("not-promoted", version=", ".join(found) or "-")
    return Passed() if hears(see, FRESH) == NEW else NotYet("not-heard")


@checks.breaks("promoted")
def promoted_breaks(see: Seen) -> BrokeAgain | None:
    return led_back(see)


@checks.task("trapped", needs=("promoted",))
def trapped(see: Seen) -> Outcome:
    if KEPT in see.memory.get("behind", []):
        return Passed()
    return NotYet("not-seen") if see.pods(OLD) else NotYet("missed")


@checks.breaks("trapped")
def trapped_breaks(see: Seen) -> BrokeAgain | None:
    return led_back(see)


@checks.task("moved", needs=("trapped",))
def moved(see: Seen) -> Outcome:
    if see.pods(OLD):
        return NotYet("old-pods", count=len(see.pods(OLD)))
    for client in (KEPT, FORWARD):
        if hears(see, client) != NEW:
            return NotYet("still-old", client=client)
    return Passed()


@checks.breaks("moved")
def moved_breaks(see: Seen) -> BrokeAgain | None:
    return led_back(see)


@checks.answer("kept-hears", after="trapped")
def kept_hears(see: Seen) -> str:
    return "old" if KEPT in see.memory.get("behind", []) else "new"


@checks.answer("trapped-client", after="moved")
def trapped_client(see: Seen) -> str:
    behind = see.memory.get("behind", [])
    return "fresh" if FRESH in behind else "kept" if KEPT in behind else "none"


@checks.answer("connections", after="moved")
def connections(see: Seen) -> int:
    return len({one.number for one in see.heard if one.connection == KEPT and one.version})


@checks.answer("failed", after="moved")
def failed_at_all(see: Seen) -> str:
    return "some" if see.memory.get("failed-after", 0) > see.memory.get("failed", 0) else "none"
