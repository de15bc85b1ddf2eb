"""Lesson 3, blue/green without a Rollout: by hand (2213) and by a script that lacks a time-out (2214)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.api import fields, meta
from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen

BLUE, GREEN, USERS = "api-tester-1", "api-tester-2", "api-tester"
SCRIPT_BLUE, SCRIPT_GREEN, SCRIPT_USERS = "api-tester-2214-1", "api-tester-2214-2", "api-tester-2214"
OLD, NEW, WANTED = "1.0.0", "2.0.0", 2
PATIENCE = 20.0  # lab seconds to watch a script wait for nothing
checks = Checks()


def there(see: Seen, deployment: str) -> bool:
    return bool(see.named("Deployment", deployment))


def ready(see: Seen, deployment: str) -> int:
    return sum(see.pod_versions(deployment).values())


def behind(see: Seen, service: str, deployment: str) -> bool:
    """The Service leads to ready Pods of this Deployment and to no others."""
    own = {meta.name(pod) for pod in see.owned_pods(deployment)}
    found = set(see.endpoints(service))
    return bool(found) and found <= own


def number(see: Seen, service: str) -> str:
    """What the selector of a Service says of ``blue-green-no``."""
    return fields.strings(see.named("Service", service), "spec", "selector").get("blue-green-no", "-")


def image(see: Seen, deployment: str) -> str:
    return next(iter(see.pod_versions(deployment, "")), "")


@checks.remember
def remember(memory: Mapping[str, Any], see: Seen) -> Mapping[str, Any]:
    """Failed requests before the first switch and after the last, and since when green is not ready."""
    kept = dict(memory)
    failed = see.traffic[USERS].failed if USERS in see.traffic else 0
    if number(see, USERS) == "1" and "switched" not in kept and ready(see, GREEN):
        kept["before"] = failed
    if number(see, USERS) == "2":
        kept["switched"] = True
    if "switched" in kept and see.endpoints(USERS) and not there(see, SCRIPT_USERS):
        kept["after"] = failed
    if not there(see, SCRIPT_GREEN) or ready(see, SCRIPT_GREEN):
        kept.pop("stuck-since", None)
    elif image(see, SCRIPT_GREEN):
        kept.setdefault("stuck-since", see.t)
    return kept


@checks.task("blue")
def blue(see: Seen) -> Outcome:
    if not there(see, BLUE):
        return NotYet("no-blue")
    if not behind(see, USERS, BLUE) or ready(see, BLUE) < WANTED:
        return NotYet("starting", ready=ready(see, BLUE), wanted=WANTED)
    return Passed()


@checks.breaks("blue")
def blue_breaks(see: Seen) -> BrokeAgain | None:
    return None if there(see, BLUE) else BrokeAgain("blue-gone")


@checks.task("green", needs=("blue",))
def green(see: Seen) -> Outcome:
    if not there(see, GREEN):
        return NotYet("no-green")
    if ready(see, GREEN) < WANTED:
        return NotYet("starting", ready=ready(see, GREEN), wanted=WANTED)
    return Passed()


@checks.breaks("green")
def green_breaks(see: Seen) -> BrokeAgain | None:
    return None if there(see, GREEN) else BrokeAgain("green-gone")


@checks.task("switched", needs=("green",))
def switched(see: Seen) -> Outcome:
    return Passed() if behind(see, USERS, GREEN) else NotYet("not-switched", number=number(see, USERS))


@checks.breaks("switched")
def switched_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.endpoints(USERS) else BrokeAgain("nobody", number=number(see, USERS))


@checks.task("back", needs=("switched",))
def back(see: Seen) -> Outcome:
    return Passed() if behind(see, USERS, BLUE) else NotYet("not-back", number=number(see, USERS))


@checks.breaks("back")
def back_breaks(see: Seen) -> BrokeAgain | None:
    return None if behind(see, USERS, BLUE) else BrokeAgain("not-blue", number=number(see, USERS))


@checks.task("cleaned", needs=("back",))
def cleaned(see: Seen) -> Outcome:
    if not see.endpoints(USERS):
        return NotYet("wrong-one")
    left = sum(see.pod_versions(GREEN, "").values())
    return NotYet("not-cleaned", count=left) if there(see, GREEN) or left else Passed()


@checks.breaks("cleaned")
def cleaned_breaks(see: Seen) -> BrokeAgain | None:
    if not see.endpoints(USERS):
        return BrokeAgain("wrong-one")
    return BrokeAgain("green-again") if there(see, GREEN) else None


@checks.task("script-blue", needs=("cleaned",))
def script_blue(see: Seen) -> Outcome:
    if not there(see, SCRIPT_BLUE):
        return NotYet("no-blue")
    if not behind(see, SCRIPT_USERS, SCRIPT_BLUE) or ready(see, SCRIPT_BLUE) < WANTED:
        return NotYet("starting", ready=ready(see, SCRIPT_BLUE), wanted=WANTED)
    return Passed()


@checks.breaks("script-blue")
def script_blue_breaks(see: Seen) -> BrokeAgain | None:
    return None if there(see, SCRIPT_BLUE) or there(see, SCRIPT_GREEN) else BrokeAgain("blue-gone")


@checks.task("endless", needs=("script-blue",))
def endless(see: Seen) -> Outcome:
    if not there(see, SCRIPT_GREEN):
        return NotYet("not-run")
    if ready(see, SCRIPT_GREEN):
        return NotYet("good-version")
    since = see.memory.get("stuck-since")
    waited = 0.0 if since is None else see.t - since
    return Passed() if waited >= PATIENCE else NotYet("watch", left=PATIENCE - waited)


@checks.breaks("endless")
def endless_breaks(see: Seen) -> BrokeAgain | None:
    return None if behind(see, SCRIPT_USERS, SCRIPT_BLUE) else BrokeAgain("users-lost")


@checks.task("given-up", needs=("endless",))
def given_up(see: Seen) -> Outcome:
    if there(see, SCRIPT_GREEN):
        return NotYet("still-waits")
    return Passed() if behind(see, SCRIPT_USERS, SCRIPT_BLUE) else NotYet("wrong-one")


@checks.breaks("given-up")
def given_up_breaks(see: Seen) -> BrokeAgain | None:
    if not see.endpoints(SCRIPT_USERS):
        return BrokeAgain("users-lost")
    return BrokeAgain("bad-again") if there(see, SCRIPT_GREEN) and not ready(see, SCRIPT_GREEN) else None


@checks.task("released", needs=("given-up",))
def released(see: Seen) -> Outcome:
    if not there(see, SCRIPT_GREEN):
        return NotYet("not-run")
    if not behind(see, SCRIPT_USERS, SCRIPT_GREEN):
        return NotYet("not-switched", number=number(see, SCRIPT_USERS))
    left = sum(see.pod_versions(SCRIPT_BLUE, "").values())
    return NotYet("not-cleaned", count=left) if there(see, SCRIPT_BLUE) or left else Passed()


@checks.breaks("released")
def released_breaks(see: Seen) -> BrokeAgain | None:
    return None if behind(see, SCRIPT_USERS, SCRIPT_GREEN) else BrokeAgain("users-lost")


@checks.answer("pods-both", after="green")
def pods_both(see: Seen) -> int:
    return sum((see.pod_versions(BLUE, "") + see.pod_versions(GREEN, "")).values())


@checks.answer("users-meanwhile", after="endless")
def users_meanwhile(see: Seen) -> str:
    if behind(see, SCRIPT_USERS, SCRIPT_BLUE):
        return "blue"
    return "green" if see.endpoints(SCRIPT_USERS) else "none"


@checks.answer("failed", after="back")
def failed(see: Seen) -> str | None:
    if "before" not in see.memory or "after" not in see.memory:
        return None
    return "some" if see.memory["after"] > see.memory["before"] else "none"


@checks.answer("selector-now", after="released")
def selector_now(see: Seen) -> int | None:
    found = number(see, SCRIPT_USERS)
    return int(found) if found.isdigit() else None


@checks.answer("pods-now", after="released")
def pods_now(see: Seen) -> int:
    return sum((see.pod_versions(SCRIPT_BLUE, "") + see.pod_versions(SCRIPT_GREEN, "")).values())


@checks.answer("way-back", after="released")
def way_back(see: Seen) -> str:
    return "yes" if ready(see, SCRIPT_BLUE) else "no"
