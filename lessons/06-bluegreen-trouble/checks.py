"""Lesson 6, blue/green in trouble: three ways back, a small preview, and no person to ask."""

from __future__ import annotations

from rollout_lab.api import fields
from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen
from rollout_lab.course.updates import not_at_rest

NAME, OLD, BAD, NEW, WANTED = "api-tester-2233", "1.0.0", "2.0.0-never-ready", "2.0.0", 2
checks = Checks()


def wrong_image(see: Seen, *allowed: str) -> BrokeAgain | None:
    return None if see.version in allowed else BrokeAgain("wrong-image", version=see.version)


@checks.task("look")
def look(see: Seen) -> Outcome:
    unmet = not_at_rest(see, OLD, WANTED)
    if unmet:
        return unmet
    return Passed() if see.answers("active") == [OLD] else NotYet("no-answer")


@checks.breaks("look")
def look_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.leads_to("active") else BrokeAgain("no-endpoints")


@checks.task("stuck", needs=("look",))
def stuck(see: Seen) -> Outcome:
    if see.version != BAD:
        return NotYet("same-image", version=see.version)
    return Passed() if see.pods(BAD) else NotYet("no-pods")


@checks.breaks("stuck")
def stuck_breaks(see: Seen) -> BrokeAgain | None:
    return wrong_image(see, BAD)


@checks.task("abort", needs=("stuck",))
def abort(see: Seen) -> Outcome:
    done = see.version == BAD and see.rollout.get("aborted") and see.phase == "Degraded"
    return Passed() if done else NotYet("not-aborted")


@checks.breaks("abort")
def abort_breaks(see: Seen) -> BrokeAgain | None:
    return wrong_image(see, BAD)


@checks.task("retry", needs=("abort",))
def retry(see: Seen) -> Outcome:
    done = see.version == BAD and not see.rollout.get("aborted") and see.pods(BAD)
    return Passed() if done else NotYet("still-aborted")


@checks.breaks("retry")
def retry_breaks(see: Seen) -> BrokeAgain | None:
    if see.version == BAD and see.rollout.get("aborted"):
        return BrokeAgain("aborted-again")
    return wrong_image(see, BAD, OLD)


@checks.task("undo", needs=("retry",))
def undo(see: Seen) -> Outcome:
    bad = see.replica_set(BAD)
    if see.version != OLD or not bad or see.revision < int(bad["revision"]):
        return NotYet("not-undone", version=see.version)
    return Passed() if see.phase == "Healthy" else NotYet("not-healthy", phase=see.phase)


@checks.breaks("undo")
def undo_breaks(see: Seen) -> BrokeAgain | None:
    return wrong_image(see, OLD, NEW)


@checks.task("small-preview", needs=("undo",))
def small_preview(see: Seen) -> Outcome:
    if see.version != NEW:
        return NotYet("same-image", version=see.version)
    strategy = fields.mapping(see.named("Rollout", NAME), "spec", "strategy", "blueGreen")
    if strategy.get("previewReplicaCount") != 1:
        return NotYet("full-preview")
    if see.waits_for_person and see.count(NEW) == 1 and see.leads_to("preview") == [NEW]:
        return Passed()
    return NotYet("not-waiting", ready=see.count(NEW), phase=see.phase)


@checks.breaks("small-preview")
def small_preview_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("lost") if see.version != NEW or see.rollout.get("aborted") else None


@checks.task("auto", needs=("small-preview",))
def auto(see: Seen) -> Outcome:
    if see.leads_to("active") != [NEW]:
        return NotYet("still-old", version=", ".join(see.leads_to("active")) or "-")
    return Passed() if see.count(NEW) >= WANTED else NotYet("growing", ready=see.count(NEW))


@checks.breaks("auto")
def auto_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.leads_to("active") == [NEW] else BrokeAgain("active-back")


@checks.answer("preview-pods", after="small-preview")
def preview_pods(see: Seen) -> int:
    return len(see.pods(OLD)) + len(see.pods(NEW))


@checks.answer("failed", after="auto")
def failed(see: Seen) -> str:
    return "some" if see.service("active").get("failed") else "none"


@checks.answer("replica-sets", after="auto")
def replica_sets(see: Seen) -> int:
    return len(see.picture["replicaSets"])


@checks.answer("revision", after="auto")
def revision(see: Seen) -> int:
    return see.revision
