"""Lesson 2: a plain Deployment, rolled and recreated, its Pods counted change by change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.api import fields
from rollout_lab.client.images import image_tag, version_of
from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen

NAME, OLD, NEW, WANTED = "api-tester-1231", "1.0.0", "2.0.0", 2
checks = Checks()


def strategy(see: Seen) -> str:
    return fields.text(see.named("Deployment", NAME), "spec", "strategy", "type")


def version(see: Seen) -> str:
    return version_of(see.named("Deployment", NAME))


def only(see: Seen, wanted: str) -> bool:
    """All Pods of that version, ready, and no other."""
    return see.pod_versions(NAME, "") == {wanted: WANTED} == see.pod_versions(NAME)


def began(see: Seen, image: str, *, leaving: bool = False) -> float | None:
    """When the ReplicaSet of a version first had Pods; with `leaving`, when it was told to have none."""
    had = False
    for row in see.rows_of("ReplicaSet"):
        if image_tag(str(row["image"] or "")) == image:
            had = had or bool(row["replicas"])
            if had and bool(row["replicas"]) is not leaving:
                return float(row["t"])
    return None


def counts(see: Seen, since: float | None) -> list[tuple[int, int]]:
    """(Pods that are not going away, ready ones) after each change from a moment on."""
    alive: dict[str, bool] = {}
    found = []
    for row in see.rows_of("Pod"):
        if row["type"] == "DELETED" or row.get("deleting"):
            alive.pop(str(row["name"]), None)
        else:
            alive[str(row["name"])] = row.get("ready") == "True"
        if since is not None and float(row["t"]) >= since:
            found.append((len(alive), sum(alive.values())))
    return found


@checks.remember
def remember(memory: Mapping[str, Any], see: Seen) -> Mapping[str, Any]:
    """Figures of the rolling update stay as they were when the next one began."""
    failed = see.traffic[f"{NAME}"].failed if NAME in see.traffic else 0
    if strategy(see) == "RollingUpdate":
        seen = counts(see, began(see, NEW))
        most, fewest = max((a for a, _ in seen), default=0), min((r for _, r in seen), default=WANTED)
        return {**memory, "failed": failed, "most": most, "fewest": fewest}
    return {**memory, "failed-now": failed}


@checks.task("deployed")
def deployed(see: Seen) -> Outcome:
    if not see.named("Deployment", NAME):
        return NotYet("no-deployment")
    if strategy(see) != "RollingUpdate" or version(see) != OLD:
        return NotYet("not-first", version=f"{version(see)}, {strategy(see)}")
    return Passed() if only(see, OLD) else NotYet("not-one", ready=see.pod_versions(NAME)[OLD])


@checks.breaks("deployed")
def deployed_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.named("Deployment", NAME) else BrokeAgain("deployment-gone")


@checks.task("rolled", needs=("deployed",))
def rolled(see: Seen) -> Outcome:
    if version(see) != NEW:
        return NotYet("same-image", version=version(see) or "-")
    if only(see, NEW):
        return Passed()
    left = see.pod_versions(NAME, "")
    return NotYet("rolling", new=see.pod_versions(NAME)[NEW], old=left[OLD])


@checks.breaks("rolled")
def rolled_breaks(see: Seen) -> BrokeAgain | None:
    if strategy(see) == "Recreate" or see.pod_versions(NAME, "")[NEW]:
        return None
    return BrokeAgain("rolled-back")


@checks.task("recreated", needs=("rolled",))
def recreated(see: Seen) -> Outcome:
    if strategy(see) != "Recreate":
        return NotYet("not-recreate", strategy=strategy(see) or "-")
    if only(see, OLD):
        return Passed()
    left = see.pod_versions(NAME, "")
    return NotYet("rolling", new=see.pod_versions(NAME)[OLD], old=left[NEW])


@checks.breaks("recreated")
def recreated_breaks(see: Seen) -> BrokeAgain | None:
    return None if see.pod_versions(NAME, "")[OLD] else BrokeAgain("rolled-back")


@checks.answer("most-pods", after="rolled")
def most_pods(see: Seen) -> int | None:
    return see.memory.get("most")


@checks.answer("fewest-rolling", after="recreated")
def fewest_rolling(see: Seen) -> int | None:
    return see.memory.get("fewest")


@checks.answer("least-ready", after="recreated")
def least_ready(see: Seen) -> int | None:
    seen = counts(see, began(see, NEW, leaving=True))
    return min((ready for _, ready in seen), default=None)


@checks.answer("failed", after="recreated")
def failed(see: Seen) -> str:
    return "some" if see.memory.get("failed-now", 0) > see.memory.get("failed", 0) else "none"


@checks.answer("replica-sets", after="recreated")
def replica_sets(see: Seen) -> int:
    own = [rs for rs in see.all("ReplicaSet") if fields.text(rs, "metadata", "name").startswith(f"{NAME}-")]
    return len(own)
