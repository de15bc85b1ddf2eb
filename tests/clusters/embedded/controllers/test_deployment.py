"""Deployment decisions as tables: sizes, status, revisions, and whole passes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.deployment import conditions, revisions, sizes
from rollout_lab.clusters.embedded.controllers.deployment.decide import (
    CreateReplicaSet,
    DeleteReplicaSet,
    Pass,
    UpdateReplicaSet,
    collided,
    decide,
)
from rollout_lab.clusters.embedded.controllers.objects import condition_of, replicas_of
from tests.clusters.embedded.controllers.builders import (
    NOW,
    Object,
    deployment,
    pod,
    replica_set,
    rolling,
    template,
)


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "wanted"),
    [
        ("25%", "25%", 4, (1, 1)),
        ("25%", "25%", 10, (3, 2)),
        ("25%", "25%", 1, (1, 0)),
        ("30%", "20%", 10, (3, 2)),
        (0, "10%", 3, (0, 1)),
        (0, 0, 3, (0, 1)),
        (1, 5, 3, (1, 3)),
        (2, 1, 0, (2, 0)),
    ],
)
def test_rounding(surge: int | str, unavailable: int | str, replicas: int, wanted: tuple[int, int]) -> None:
    """Surge rounds up, unavailable down, and a rollout that could never move may lose one Pod."""
    assert sizes.surge_and_unavailable(deployment(replicas, strategy=rolling(surge, unavailable))) == wanted


@pytest.mark.parametrize(
    ("why", "old", "new", "wanted"),
    [
        ("healthy old ones give what may be missing", [(4, 4)], (1, 0), [3]),
        ("nothing to give while the new one is not ready", [(3, 3)], (2, 0), [3]),
        ("a ready new Pod frees an old one", [(3, 3)], (2, 1), [2]),
        ("unhealthy old Pods go first", [(2, 2), (2, 0)], (2, 1), [2, 0]),
        ("a status that lags behind is not believed", [(3, 4)], (2, 2), [3]),
        ("several old ones, oldest first", [(2, 2), (2, 2)], (1, 0), [1, 2]),
    ],
)
def test_shrinking_old(why: str, old: list[tuple[int, int]], new: tuple[int, int], wanted: list[int]) -> None:
    """Never fewer Pods than replicas minus maxUnavailable, and broken versions do not block the way."""
    sets = [
        replica_set(f"old{n}", size, status=size, ready=ready, created=NOW - 100 + n)
        for n, (size, ready) in enumerate(old)
    ]
    newest = replica_set("new", new[0], status=new[0], ready=new[1])
    made = sizes.old_sizes(deployment(4), sets, newest)
    assert [made.get(f"old{n}", size) for n, (size, _) in enumerate(old)] == wanted


@pytest.mark.parametrize(
    ("replicas", "old", "new", "wanted"),
    [
        (12, (4, 8), (4, 8), {"new": 7, "old": 7}),
        (6, (7, 14), (7, 14), {"old": 4, "new": 4}),
        (0, (3, 8), (5, 8), {"new": 0, "old": 0}),
        (6, (1, 8), (7, 8), {"new": 7, "old": 1}),
    ],
)
def test_proportional_scaling(
    replicas: int, old: tuple[int, int], new: tuple[int, int], wanted: dict[str, int]
) -> None:
    """Scaling in the middle of a rollout keeps the mix of versions (sizes and former maxima are given)."""
    first = replica_set("old", old[0], most=old[1], created=NOW - 200)
    second = replica_set("new", new[0], most=new[1])
    made = sizes.scaled_sizes(deployment(replicas, strategy=rolling(2, 1)), second, [first])
    assert made == wanted


def test_scaling_with_one_active_set_goes_there() -> None:
    """A paused or finished Deployment just grows; the new template gets nothing while it is paused."""
    only, empty = replica_set("old", 2), replica_set("new", 0)
    assert sizes.scaled_sizes(deployment(5), empty, [only]) == {"old": 5}
    assert sizes.scaled_sizes(deployment(2), empty, [only]) == {}
    assert sizes.scaled_sizes(deployment(5), empty, []) == {"new": 5}


def test_old_ones_are_emptied_when_the_new_one_is_saturated() -> None:
    """Leftovers of an older rollout do not take a share."""
    new = replica_set("new", 3, status=3, ready=3, desired=3)
    assert sizes.scaled_sizes(deployment(3), new, [replica_set("old", 1)]) == {"old": 0}


def stamped(kind: str, status: str, reason: str, at: float) -> Object:
    return conditions.condition(kind, status, reason, "", at)


def with_progress(reason: str, at: float, status: str = "True") -> Object:
    """A status of two Pods, both of the new template."""
    entry = stamped("Progressing", status, reason, at)
    return {"updatedReplicas": 2, "replicas": 2, "conditions": [entry]}


PROGRESS: list[tuple[str, Object, list[Object], Object | None, str]] = [
    (
        "complete",
        deployment(2, status=with_progress("ReplicaSetUpdated", NOW - 50)),
        [],
        replica_set("new", 2, status=2, ready=2),
        "NewReplicaSetAvailable",
    ),
    (
        "a Pod became ready",
        deployment(2, status=with_progress("NewReplicaSetCreated", NOW - 50)),
        [],
        replica_set("new", 2, status=2, ready=1),
        "ReplicaSetUpdated",
    ),
    (
        "too long without progress",
        deployment(2, status=with_progress("ReplicaSetUpdated", NOW - 601)),
        [],
        replica_set("new", 2, status=2),
        "ProgressDeadlineExceeded",
    ),
    (
        "not yet too long",
        deployment(2, status=with_progress("ReplicaSetUpdated", NOW - 599)),
        [],
        replica_set("new", 2, status=2),
        "ReplicaSetUpdated",
    ),
    (
        "late, then better",
        deployment(
            2,
            status=with_progress("ProgressDeadlineExceeded", NOW - 9, "False"),
        ),
        [],
        replica_set("new", 2, status=2, ready=1),
        "ReplicaSetUpdated",
    ),
    (
        "done stays done when Pods fail later",
        deployment(2, status=with_progress("NewReplicaSetAvailable", NOW - 9000)),
        [],
        replica_set("new", 2, status=2, ready=0),
        "NewReplicaSetAvailable",
    ),
]


@pytest.mark.parametrize(("why", "d", "old", "new", "reason"), PROGRESS, ids=[row[0] for row in PROGRESS])
def test_progress(why: str, d: Object, old: list[Object], new: Object | None, reason: str) -> None:
    """`kubectl rollout status` waits for these reasons."""
    made = conditions.rollout_status(d, old, new, NOW)
    found = condition_of({"status": made}, "Progressing")
    assert found is not None and found["reason"] == reason
    assert found["status"] == ("False" if reason == "ProgressDeadlineExceeded" else "True")


def test_no_deadline_no_progress_condition() -> None:
    """Without progressDeadlineSeconds nobody says Progressing."""
    d = deployment(2, progressDeadlineSeconds=2147483647, status=with_progress("ReplicaSetUpdated", NOW))
    made = conditions.rollout_status(d, [], replica_set("new", 2), NOW)
    assert [c["type"] for c in made["conditions"]] == ["Available"]


def test_failure_of_a_replica_set_is_shown() -> None:
    """A quota that stops the Pods is visible on the Deployment, and goes when it is over."""
    failing = replica_set("new", 2)
    failing["status"]["conditions"] = [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}]
    made = conditions.rollout_status(deployment(2), [], failing, NOW)
    found = condition_of({"status": made}, "ReplicaFailure")
    assert found is not None and found["reason"] == "FailedCreate"
    after = conditions.rollout_status(deployment(2, status=made), [], replica_set("new", 2), NOW)
    assert condition_of({"status": after}, "ReplicaFailure") is None


def test_a_condition_keeps_its_transition_time_until_the_status_flips() -> None:
    """lastTransitionTime means what it says."""
    first = [stamped("Available", "True", "A", NOW - 10)]
    (renamed,) = conditions.with_condition(first, stamped("Available", "True", "B", NOW))
    assert (renamed["reason"], renamed["lastTransitionTime"]) == ("B", rfc3339(NOW - 10))
    (flipped,) = conditions.with_condition([renamed], stamped("Available", "False", "C", NOW))
    assert flipped["lastTransitionTime"] == rfc3339(NOW)
    assert conditions.with_condition(first, stamped("Available", "True", "A", NOW)) == first


def test_template_hash_is_stable_and_turns_on_collision() -> None:
    """The same template always gets the same name; a taken name gives way."""
    value = revisions.template_hash(template(), None)
    assert value == revisions.template_hash(template(), None)
    assert value != revisions.template_hash(template(), 1)
    assert value != revisions.template_hash(template("app:2"), None)
    assert set(value) <= set("bcdfghjklmnpqrstvwxz2456789")
    assert collided(collided(deployment()))["status"]["collisionCount"] == 2


def test_templates_are_compared_without_the_hash() -> None:
    """A ReplicaSet's template carries the hash label, the Deployment's does not: still the same template."""
    assert revisions.same_template(template(), template(**{revisions.HASH_LABEL: "abc"}))
    assert not revisions.same_template(template(), template(rev="2"))
    assert not revisions.same_template(template(), template("app:2"))


def test_rolling_back_renumbers_and_remembers() -> None:
    """Undo uses the old ReplicaSet again under the next revision; `rollout history` keeps the number."""
    d = deployment()
    d["metadata"]["annotations"] = {"kubernetes.io/change-cause": "undo", revisions.REVISION: "2"}
    back = revisions.numbered(d, replica_set("old", revision=1), 3)
    annotations = back["metadata"]["annotations"]
    assert annotations[revisions.REVISION] == "3"
    assert annotations[revisions.HISTORY] == "1"
    assert annotations["kubernetes.io/change-cause"] == "undo"
    again = revisions.numbered(d, revisions.with_annotations(back, {**annotations}), 5)
    assert again["metadata"]["annotations"][revisions.HISTORY] == "1,3"
    assert revisions.numbered(d, back, 3) is back


def names(made: Pass) -> list[tuple[str, str, Any]]:
    """The actions of a pass in short: (what, name, size)."""
    out: list[tuple[str, str, Any]] = []
    for action in made.actions:
        rs = action.body if isinstance(action, CreateReplicaSet) else action.rs
        out.append(
            (type(action).__name__.removesuffix("ReplicaSet"), rs["metadata"]["name"], replicas_of(rs))
        )
    return out


def test_first_pass_creates_the_replica_set() -> None:
    """Labels, selector and owner of the first ReplicaSet, its revision, and the words about it."""
    made = decide(deployment(3), [], [], NOW)
    (create,) = made.actions
    assert isinstance(create, CreateReplicaSet)
    value = create.body["metadata"]["labels"]["pod-template-hash"]
    assert create.body["metadata"]["name"] == f"web-{value}"
    assert create.body["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": value}
    assert create.body["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] == value
    assert create.event == f"Scaled up replica set web-{value} from 0 to 3"
    assert made.deployment["metadata"]["annotations"] == {revisions.REVISION: "1"}
    found = condition_of(made.deployment, "Progressing")
    assert found is not None and found["reason"] == "NewReplicaSetCreated"
    assert made.requeue == pytest.approx(600, abs=1)


def settled_set(name: str, size: int, image: str, revision: int, **more: Any) -> Object:
    return replica_set(
        name, size, status=size, ready=size, image=image, revision=revision, desired=4, most=5, **more
    )


def test_rolling_grows_before_it_shrinks() -> None:
    """One pass does one thing, so every state in between can be seen."""
    old, new = settled_set("old", 4, "app:1", 1), settled_set("new", 0, "app:2", 2)
    assert names(decide(deployment(4, image="app:2"), [old, new], [], NOW)) == [("Update", "new", 1)]
    grown = {**new, "spec": {**new["spec"], "replicas": 1}}
    assert names(decide(deployment(4, image="app:2"), [old, grown], [], NOW)) == [("Update", "old", 3)]


def test_recreate_waits_for_the_last_old_pod() -> None:
    """Two versions never run side by side, not even while the old Pods are shutting down."""
    d = deployment(2, image="app:2", strategy={"type": "Recreate"})
    old = replica_set("old", 2, status=2, ready=2, revision=1, desired=2, most=2)
    assert names(decide(d, [old], [], NOW)) == [("Update", "old", 0)]
    empty = replica_set("old", 0, revision=1)
    going = pod("p", ready=True, gone=True, owner=old)
    assert names(decide(d, [empty], [going], NOW)) == []
    (create,) = decide(d, [empty], [pod("p", phase="Succeeded", owner=old)], NOW).actions
    assert isinstance(create, CreateReplicaSet) and create.body["spec"]["replicas"] == 2


def test_paused_does_not_roll_but_scales() -> None:
    """`kubectl rollout pause` holds the new template back; a new size still counts."""
    d = deployment(6, image="app:2", paused=True)
    made = decide(d, [settled_set("old", 4, "app:1", 1)], [], NOW)
    assert names(made) == [("Update", "old", 6)]
    found = condition_of(made.deployment, "Progressing")
    assert found is not None and (found["status"], found["reason"]) == ("Unknown", "DeploymentPaused")


def test_scaling_and_numbering_is_one_write() -> None:
    """An undo of a scaled Deployment writes each ReplicaSet once, at the version it read."""
    old, new = settled_set("old", 4, "app:1", 2), settled_set("new", 2, "app:2", 1)
    made = decide(deployment(6, image="app:2"), [old, new], [], NOW)
    assert [name for _, name, _ in names(made)] == sorted({name for _, name, _ in names(made)}, reverse=True)
    (renumbered,) = [
        a.rs for a in made.actions if isinstance(a, UpdateReplicaSet) and a.rs["metadata"]["name"] == "new"
    ]
    assert renumbered["metadata"]["annotations"][revisions.REVISION] == "3"


def test_history_is_cut_when_the_rollout_is_complete() -> None:
    """The oldest empty ReplicaSets go; one that still has Pods stays whatever its age."""
    status = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "observedGeneration": 1}
    d = deployment(1, image="app:9", revisionHistoryLimit=1, status=status)
    sets = [replica_set(f"r{n}", 0, image=f"app:{n}", revision=n) for n in (1, 2, 3)]
    new = replica_set("new", 1, status=1, ready=1, image="app:9", revision=4, desired=1, most=2)
    made = decide(d, [*sets, new], [], NOW)
    assert [a.rs["metadata"]["name"] for a in made.actions if isinstance(a, DeleteReplicaSet)] == ["r1", "r2"]
    held = replica_set("r1", 0, status=1, image="app:1", revision=1)
    again = decide(d, [held, *sets[1:], new], [], NOW)
    assert [a.rs["metadata"]["name"] for a in again.actions if isinstance(a, DeleteReplicaSet)] == ["r2"]


def test_a_pass_changes_no_object_it_was_given() -> None:
    """Objects are shared with the store and all watchers."""
    d, sets = deployment(4, image="app:2"), [settled_set("old", 4, "app:1", 1)]
    before = copy.deepcopy((d, sets))
    decide(d, sets, [], NOW)
    assert (d, sets) == before
