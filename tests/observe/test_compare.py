"""Figures of an update, and runs side by side over one axis."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollout_lab.errors import UsageError
from rollout_lab.observe.compare import FIGURES, aligned, compare, offset
from rollout_lab.observe.figures import aligned_at, figures, ready_seconds, user_service
from rollout_lab.observe.milestones import differences, milestones
from rollout_lab.observe.replay import Recording
from tests.conformance.milestones import milestones_of
from tests.observe.runs import TRACES, predicted, recorded

Json = dict[str, Any]
HASH = "rollouts-pod-template-hash"
STRATEGIES = ("deployment-recreate", "deployment-rollingupdate", "course-2233", "course-2234")


def pod(t: float, name: str, version: str, state: str, type_: str = "MODIFIED") -> Json:
    ready = "True" if state == "ready" else "False"
    return {"t": t, "type": type_, "kind": "Pod", "name": name, "labels": {HASH: f"h{version}"},
            "state": state, "ready": ready}  # fmt: skip


def led(t: float, *pods: str) -> Json:
    return {"t": t, "type": "MODIFIED", "kind": "EndpointSlice", "name": "web", "pods": list(pods)}


def rollout(t: float, version: str, phase: str) -> Json:
    status = {"phase": phase, "currentPodHash": f"h{version}", "observedGeneration": version}
    return {"t": t, "type": "MODIFIED", "kind": "Rollout", "name": "web", "image": f"a:{version}",
            "replicas": 1, "generation": int(version), "status": status}  # fmt: skip


def replica_set(version: str) -> Json:
    return {"t": 0, "type": "ADDED", "kind": "ReplicaSet", "name": f"web-h{version}", "replicas": 1,
            "labels": {HASH: f"h{version}"}, "image": f"a:{version}", "status": {}}  # fmt: skip


BY_HAND: tuple[Json, ...] = (
    {"t": 0, "type": "ACTION", "action": "apply"},
    rollout(0, "1", "Progressing"),
    replica_set("1"),
    pod(0, "old", "1", "starting", "ADDED"),
    pod(4, "old", "1", "ready"),
    led(4, "old"),
    rollout(4, "1", "Healthy"),
    {"t": 10, "type": "ACTION", "action": "set image 2"},
    {**rollout(10, "2", "Healthy"), "status": rollout(10, "1", "Healthy")["status"]},
    replica_set("2"),
    pod(12, "new", "2", "starting", "ADDED"),  # 2 Pods from here: 1 extra
    pod(15, "old", "1", "terminating"),  # none extra; nobody ready
    led(15),  # nobody is served from here
    pod(16, "old", "1", "terminating", "DELETED"),
    rollout(16, "2", "Progressing"),
    pod(20, "new", "2", "ready"),
    led(20.5, "new"),  # served again
    rollout(21, "2", "Healthy"),
    {
        "t": 19,
        "type": "PROBE",
        "kind": "Probe",
        "name": "web",
        "until": 21,
        "versions": {"2": 3},
        "failed": 2,
    },
    {"t": 60, "type": "END"},
)


def test_figures_are_those_one_counts_by_hand() -> None:
    """Each figure on a run small enough to check with a pencil."""
    found = figures(BY_HAND)
    assert found["t0"] == 10 and (found["from"], found["version"]) == ("1", "2")
    assert found["duration"] == 11 and found["finished"] and found["phase"] == "Healthy"
    assert found["usersOnNewAfter"] == 10.5
    assert (found["maxPods"], found["extraPods"], found["extraPodSeconds"]) == (2, 1, 3)
    assert found["minAvailable"] == 0 and found["downtime"] == 5.5
    assert (found["requests"], found["failed"]) == (5, 2)
    first = {"t": 0, "pods": {"1": 1}, "ready": {"1": 1}, "endpoints": {"1": 1}, "weights": {}}
    assert found["series"][0] == first
    last = {"t": 10.5, "pods": {"2": 1}, "ready": {"2": 1}, "endpoints": {"2": 1}, "weights": {}}
    assert found["series"][-1] == last
    assert ready_seconds(BY_HAND) == 6.0


def test_a_run_without_an_update_is_measured_from_its_first_row() -> None:
    """The first deploy has figures too, and says that nothing was updated."""
    found = figures([row for row in BY_HAND if row["t"] < 10])
    assert found["t0"] is None and found["from"] == "" and found["finished"]
    assert (found["duration"], found["downtime"]) == (4, 4)
    assert figures([])["duration"] == 0 and ready_seconds([]) is None


def test_the_update_begins_at_set_image_or_at_another_image() -> None:
    """Runs line up whether a person set the image by a button or by kubectl apply."""
    assert aligned_at(BY_HAND) == 10
    assert aligned_at([row for row in BY_HAND if row.get("action") != "set image 2"]) == 10
    assert aligned_at(recorded("bluegreen-manual").timeline()) == 4.78


def test_downtime_is_that_of_the_service_users_reach() -> None:
    """A preview without Pods is no downtime."""
    assert user_service(predicted("course-2233").timeline()) == "api-tester-2233-active"
    assert user_service(predicted("course-2234").timeline()) == "api-tester-2234"
    assert predicted("course-2233").figures()["downtime"] == 0


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_figures_of_recorded_runs_are_possible(path: Any) -> None:
    """The peer's runs: nobody was ever without an answer, and surge and minimum hold."""
    found = recorded(path.stem).figures()
    assert found["downtime"] == 0 and found["duration"] > 0
    assert found["replicas"] <= found["maxPods"] <= 2 * found["replicas"]
    assert found["replicas"] - 1 <= found["minAvailable"]


def test_four_strategies_side_by_side() -> None:
    """The lecture's point in one table: what each strategy costs and gives."""
    found = compare([predicted(name) for name in STRATEGIES])
    assert json.loads(json.dumps(found)) == found
    rows = {run["strategy"]: run["figures"] for run in found["runs"]}
    assert list(rows) == ["Recreate", "RollingUpdate", "blueGreen", "canary"]
    assert rows["Recreate"]["downtime"] > 2 and not any(rows[s]["downtime"] for s in list(rows)[1:])
    assert rows["blueGreen"]["extraPods"] == 2 and rows["canary"]["extraPods"] == 1
    assert found["best"]["downtime"] == [1, 2, 3] and found["best"]["maxPods"] == [0]
    assert set(found["best"]) == set(FIGURES) and found["best"]["failed"] == []
    assert found["milestones"] is None


def test_all_runs_share_one_axis() -> None:
    """0 is where each set its image; what was before is negative."""
    runs = [recorded("canary-course"), predicted("course-2234")]
    found = compare(runs)
    for run, shown in zip(runs, found["runs"], strict=True):
        at = {mark["text"]: mark["t"] for mark in shown["marks"] if mark["kind"] == "action"}
        assert at["set image 2.0.0"] == 0 and at["apply"] < 0
        rows = aligned(run)
        assert len(rows) == len(run.timeline())
        assert rows[0]["t"] == round(run.timeline()[0]["t"] - offset(run), 2)
        assert shown["first"] < 0 < shown["end"] <= found["end"]


def test_two_runs_of_the_same_decisions_have_no_different_milestones() -> None:
    """Names and times do not count; versions, steps and Events do."""
    run = recorded("bluegreen-manual")
    assert compare([run, Recording(run.timeline())])["milestones"] == {}
    other = compare([run, recorded("bluegreen-abort-retry-undo")])["milestones"]
    assert "steps" in other and len(other["steps"]) == 2


@pytest.mark.parametrize("n", [0, 1, 9])
def test_too_few_or_too_many_runs_are_refused(n: int) -> None:
    """A picture of nine runs is none."""
    with pytest.raises(UsageError, match=f"{n} runs"):
        compare([recorded("canary-course")] * n)


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_milestones_are_those_of_the_recorded_runs_own_program(path: Any) -> None:
    """One meaning of "the same run" in tests, page and terminal."""
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = milestones_of(lines)
    found = milestones(recorded(path.stem).timeline())
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(expected))
    assert differences(found, {**found, "final": None}) == {"final": (found["final"], None)}
