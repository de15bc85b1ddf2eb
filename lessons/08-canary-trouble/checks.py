"""Lesson 8, canary in trouble: one replica, a third version half way, abort, and the fast way back."""

from __future__ import annotations

from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen
from rollout_lab.course.updates import not_at_rest

OLD, NEW, THIRD, WANTED = "1.0.0", "2.0.0", "3.0.0", 2
checks = Checks()


def replicas(see: Seen) -> int:
    return int(see.rollout.get("replicas") or 0)


@checks.task("look")
def look(see: Seen) -> Outcome:
    unmet = not_at_rest(see, OLD, WANTED)
    if unmet:
        return unmet
    return Passed() if see.answers("service") == [OLD] else NotYet("no-answer")


@checks.breaks("look")
def look_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.leads_to("service") else BrokeAgain("no-endpoints")


@checks.task("one", needs=("look",))
def one(see: Seen) -> Outcome:
    if replicas(see) == 1 and see.phase == "Healthy" and len(see.pods()) == 1 == see.count(OLD):
        return Passed()
    return NotYet("not-one", ready=see.count(OLD), replicas=replicas(see))


@checks.breaks("one")
def one_breaks(see: Seen) -> BrokeAgain | None:
    return None if replicas(see) == 1 else BrokeAgain("scaled-back", replicas=replicas(see))


@checks.task("half", needs=("one",))
def half(see: Seen) -> Outcome:
    if see.version != NEW:
        return NotYet("same-image", version=see.version)
    if see.waits_for_person and see.count(NEW) == 1 and see.count(OLD) == 1:
        return Passed()
    return NotYet("pods", canary=see.count(NEW), stable=see.count(OLD))


@checks.breaks("half")
def half_breaks(see: Seen) -> BrokeAgain | None:
    if see.version == THIRD:
        return None
    return None if see.version == NEW and see.pods(NEW) else BrokeAgain("canary-gone")


@checks.task("third-version", needs=("half",))
def third_version(see: Seen) -> Outcome:
    if see.version != THIRD:
        return NotYet("same-image", version=see.version)
    if see.waits_for_person and see.count(THIRD) == 1 and not see.pods(NEW):
        return Passed()
    return NotYet("not-third", third=see.count(THIRD), second=len(see.pods(NEW)))


@checks.breaks("third-version")
def third_version_breaks(see: Seen) -> BrokeAgain | None:
    if see.version == THIRD and (see.rollout.get("aborted") or see.pods(THIRD)):
        return None
    return BrokeAgain("canary-gone")


@checks.task("abort", needs=("third-version",))
def abort(see: Seen) -> Outcome:
    if see.version != THIRD or not see.rollout.get("aborted"):
        return NotYet("not-aborted")
    versions = see.leads_to("service")
    return Passed() if versions == [OLD] else NotYet("still-canary", versions=", ".join(versions) or "-")


@checks.breaks("abort")
def abort_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.rollout.get("aborted") or see.version == OLD else BrokeAgain("retried")


@checks.task("back", needs=("abort",))
def back(see: Seen) -> Outcome:
    third = see.replica_set(THIRD)
    if see.version != OLD or not third or see.revision < int(third["revision"]):
        return NotYet("not-undone", version=see.version)
    return Passed() if see.phase == "Healthy" else NotYet("not-healthy", phase=see.phase)


@checks.breaks("back")
def back_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.version == OLD else BrokeAgain("again", version=see.version)


@checks.answer("half-share", after="half")
def half_share(see: Seen) -> int | None:
    weight = see.rollout.get("weight")
    if not weight or not weight["totalPods"]:
        return None
    return round(100 * weight["canaryPods"] / weight["totalPods"])


@checks.answer("stable-third", after="third-version")
def stable_third(see: Seen) -> str | None:
    return next((str(rs["version"]) for rs in see.picture["replicaSets"] if rs["role"] == "stable"), None)


@checks.answer("replica-sets", after="back")
def replica_sets(see: Seen) -> int:
    return len(see.picture["replicaSets"])


@checks.answer("revision", after="back")
def revision(see: Seen) -> int | None:
    return see.revision if see.version == OLD else None


@checks.answer("pods-now", after="back")
def pods_now(see: Seen) -> int:
    return len(see.pods(state="ready"))
