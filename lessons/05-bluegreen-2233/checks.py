"""Lesson 5, blue/green by Rollout (2233): look on preview, promote, wait for the old Pods, go back."""

from __future__ import annotations

from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen
from rollout_lab.course.updates import not_at_rest

OLD, NEW, WANTED = "1.0.0", "2.0.0", 2
checks = Checks()


@checks.task("look")
def look(see: Seen) -> Outcome:
    unmet = not_at_rest(see, OLD, WANTED)
    if unmet:
        return unmet
    for role in ("active", "preview"):
        if see.leads_to(role) != [OLD] or see.answers(role) != [OLD]:
            return NotYet("no-answer", service=see.service(role).get("name", role))
    return Passed()


@checks.breaks("look")
def look_breaks(see: Seen) -> BrokeAgain | None:
    if see.version != NEW and not see.leads_to("active"):
        return BrokeAgain("no-endpoints", service=see.service("active").get("name", "active"))
    return None


@checks.task("new-version", needs=("look",))
def new_version(see: Seen) -> Outcome:
    return Passed() if see.version == NEW else NotYet("same-image", version=see.version)


@checks.breaks("new-version")
def new_version_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("other-version", version=see.version) if see.version != NEW else None


@checks.task("preview", needs=("new-version",))
def preview(see: Seen) -> Outcome:
    if see.leads_to("active") == [NEW]:
        return Passed()  # promoted before anybody looked
    if see.count(NEW) < WANTED:
        return NotYet("starting", ready=see.count(NEW), wanted=WANTED)
    if see.leads_to("preview") != [NEW]:
        return NotYet("preview-old")
    return Passed() if see.waits_for_person else NotYet("not-waiting", phase=see.phase)


@checks.breaks("preview")
def preview_breaks(see: Seen) -> BrokeAgain | None:
    if see.version != NEW:
        return BrokeAgain("other-version", version=see.version)
    return None if NEW in (*see.leads_to("preview"), *see.leads_to("active")) else BrokeAgain("preview-back")


@checks.task("promote", needs=("preview",))
def promote(see: Seen) -> Outcome:
    if see.leads_to("active") == [NEW]:
        return Passed()
    if see.rollout.get("aborted"):
        return NotYet("aborted")
    return NotYet("not-promoted", version=", ".join(see.leads_to("active")) or "-")


@checks.breaks("promote")
def promote_breaks(see: Seen) -> BrokeAgain | None:
    active = see.leads_to("active")
    return BrokeAgain("active-back", version=", ".join(active) or "-") if active != [NEW] else None


@checks.task("gone", needs=("promote",))
def gone(see: Seen) -> Outcome:
    left = len(see.pods(OLD))
    if see.leads_to("active") == [NEW] and not left and not see.replica_set(OLD).get("replicas"):
        return Passed()
    at = see.rollout.get("scaleDownAt")
    if at is not None and at > see.t:
        return NotYet("waiting", left=at - see.t)
    return NotYet("still-there", count=left)


@checks.breaks("gone")
def gone_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("other-version", version=see.version) if see.version not in (OLD, NEW) else None


def went_back(see: Seen) -> bool:
    """The old version is written, with a revision above that of the new one."""
    new = see.replica_set(NEW)
    return bool(new) and see.version == OLD and see.revision > int(new["revision"])


@checks.task("undo", needs=("gone",))
def undo(see: Seen) -> Outcome:
    return Passed() if went_back(see) else NotYet("not-undone", version=see.version)


@checks.breaks("undo")
def undo_breaks(see: Seen) -> BrokeAgain | None:
    return BrokeAgain("other-version", version=see.version) if see.version != OLD else None


@checks.task("back", needs=("undo",))
def back(see: Seen) -> Outcome:
    if went_back(see) and see.leads_to("active") == [OLD] and see.phase == "Healthy":
        return Passed()
    if see.waits_for_person:
        return NotYet("waits")
    if see.count(OLD) < WANTED:
        return NotYet("starting", ready=see.count(OLD), wanted=WANTED)
    return NotYet("not-back", version=", ".join(see.leads_to("active")) or "-")


@checks.breaks("back")
def back_breaks(see: Seen) -> BrokeAgain | None:
    active = see.leads_to("active")
    if active != [OLD]:
        return BrokeAgain("active-back", version=", ".join(active) or "-")
    return BrokeAgain("other-version", version=see.version) if see.version != OLD else None


@checks.answer("old-pods", after="promote")
def old_pods(see: Seen) -> int | None:
    switched = see.selected_at("active", NEW)
    return None if switched is None else see.pods_at(OLD, switched)


@checks.answer("revision", after="back")
def revision(see: Seen) -> int:
    return see.revision


@checks.answer("replica-sets", after="back")
def replica_sets(see: Seen) -> int:
    return len(see.picture["replicaSets"])


@checks.answer("preview-now", after="back")
def preview_now(see: Seen) -> str:
    active, preview = (see.service(role).get("selectorHash") for role in ("active", "preview"))
    return "none" if not see.leads_to("preview") else "same" if active == preview else "other"
