"""Any moment of a run from its rows: the same picture that was live then, and where to stop."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from rollout_lab.observe import moments as module
from rollout_lab.observe.moments import CHECKPOINT, Moments, at, marks
from rollout_lab.observe.states import pod_state
from tests.observe import runs
from tests.observe.runs import TRACES, Watched, plain, predicted, recorded

Json = dict[str, Any]
ACTS = {
    "course-2233": ("set image 2.0.0", "promote", "set image 3.0.0", "abort", "undo"),
    "course-2234": ("set image 2.0.0", "promote", "scale 5", "set image 3.0.0", "promote full"),
}


@pytest.fixture(scope="module", params=sorted(ACTS))
def watched(request: pytest.FixtureRequest) -> Watched:
    found = Watched(request.param)
    found.play(ACTS[request.param])
    return found


def test_the_picture_from_rows_is_the_one_that_was_live(watched: Watched) -> None:
    """Scrubbing must not tell another story than the lab did: equal at every row, not only the last."""
    rows = watched.track.timeline.rows
    followed = Moments(addresses={})
    checked = 0
    for number, t, live in watched.seen:
        followed.extend(rows[followed.count : number])
        assert plain(followed.at(round(t, 2))) == plain(live), f"after row {number} at {t}"
        checked += 1
    assert checked > 150


def test_looking_back_gives_what_looking_then_gave(watched: Watched) -> None:
    """The whole run is known, and a moment in its middle is as it was: nothing leaks back from the future."""
    rows = watched.track.timeline.rows
    whole = Moments(rows, addresses={})
    last = {round(t, 2): live for _, t, live in watched.seen}
    for t, live in last.items():
        assert plain(whole.at(t)) == {**plain(live), "t": t}


def test_the_namespace_ports_and_strategy_survive_a_file(watched: Watched) -> None:
    """What rows leave out comes from the SCENARIO row, so that commands can be copied from a replay too."""
    text = "".join(json.dumps(row) + "\n" for row in watched.track.timeline.rows)
    found = Moments(map(json.loads, text.splitlines())).at(400.0)
    assert found["rollout"]["namespace"] == "anotherclass-223"
    assert all(service["port"] > 32000 for service in found["services"])
    assert all(service["address"] == "" for service in found["services"])


def test_an_edited_spec_is_seen_from_the_edit_on() -> None:
    """Steps changed by `kubectl edit` in the middle: before it the old steps, after it the new ones."""
    watched = Watched("course-2234")
    watched.play(())
    spec = watched.world.rollout.spec
    edited = {**spec, "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}}}
    before = watched.world.now - watched.track.started
    watched.world.store.patch("Rollout", watched.name, {"spec": edited})
    watched.world.run(10)
    found = Moments(watched.track.timeline.rows)
    assert len(found.at(before - 1)["rollout"]["steps"]) == 4
    assert [step["text"] for step in found.at(before + 5)["rollout"]["steps"]] == ["setWeight 50", "pause"]


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_every_moment_of_a_recorded_run_has_a_picture(path: Any) -> None:
    """The peer's runs hold no endpoints and no times of their own; they can be scrubbed all the same."""
    run = recorded(path.stem)
    for mark in run.marks():
        found = run.view(at=mark["t"])
        assert json.loads(json.dumps(found)) == found
    last = run.view()
    assert last["rollout"]["phase"] in ("Healthy", "Paused", "Degraded")
    assert last["routes"] and len(last["pods"]) >= 2
    assert {pod["state"] for pod in last["pods"]} == {"ready"}


def test_a_pause_of_a_recording_without_a_start_ends_when_it_did() -> None:
    """The start is guessed from the status' own times, to a second: countdowns of old files are right."""
    run = recorded("canary-ten-replicas-timed")
    paused = next(m for m in run.marks() if m["text"] == "Paused")
    ends = run.view(at=paused["t"] + 0.5)["rollout"]["pauseEndsAt"]
    resumed = next(m["t"] for m in run.marks() if m["t"] > paused["t"] and m["kind"] == "step")
    assert abs(ends - resumed) < 1.0


def test_marks_are_the_steps_a_lecturer_names() -> None:
    """Blue/green: apply, preview, ready, wait, promote, switch, old Pods gone; each once and in order."""
    found = predicted("course-2233").marks()
    update = [m for m in found if m["t"] >= next(x["t"] for x in found if x["text"] == "set image 2.0.0")]
    names = [m.get("key") or m["text"] for m in update if m["kind"] in ("action", "reached")]
    assert names == [
        "set image 2.0.0",
        "newReplicaSet",
        "previewSwitched",
        "newPodsReady",
        "promote",
        "waitingPromote",
        "activeSwitched",
        "oldPodsDeleted",
    ]
    assert [m["t"] for m in found] == sorted(m["t"] for m in found)
    assert next(m for m in found if m["text"] == "promote")["assumed"]["seconds"] == 30


def test_each_canary_step_is_a_stop_even_one_that_passes_at_once() -> None:
    """The slider of a canary has all its steps."""
    found = [m["index"] for m in recorded("canary-ten-replicas-timed").marks() if m["kind"] == "step"]
    assert found == [0, 1, 2, 3, 4, 5, 6]


def test_the_status_as_yaml_is_that_of_the_moment() -> None:
    """The YAML beside the picture is the Rollout's own status, whole and of that moment."""
    run = recorded("canary-course")
    paused = next(m["t"] for m in run.marks() if m["text"] == "Paused")
    status = yaml.safe_load(run.moments.status_yaml(paused))["status"]
    rows = [r for r in run.timeline() if r.get("kind") == "Rollout" and r["t"] <= paused]
    assert status == rows[-1]["status"]
    assert run.moments.status_yaml(0.0) == ""


def test_reasons_are_those_up_to_the_moment() -> None:
    """No reason is told before it held."""
    run = predicted("course-2233")
    promoted = run.assumptions[0]["t"]
    codes = [why["code"] for why in run.moments.why(promoted - 1)]
    assert "pause.bluegreen" in codes and "switch.active" not in codes[codes.index("pause.bluegreen") :]
    assert all(why["t"] <= promoted - 1 for why in run.moments.why(promoted - 1))
    shown = run.view(at=promoted - 1)["why"]
    assert [why["code"] for why in shown] == codes


def test_a_look_costs_a_few_changes_however_long_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an hour a look applies at most the changes since the last checkpoint."""
    run = predicted("course-2234").timeline()
    rows = [{**row, "t": row["t"] + n * 200} for n in range(40) for row in run if row["type"] != "SCENARIO"]
    found = Moments([run[0], *rows])
    applied: list[int] = []
    put = module._put
    monkeypatch.setattr(module, "_put", lambda *args: (applied.append(1), put(*args))[1])
    for t in range(0, 8000, 37):
        applied.clear()
        found.at(float(t))
        assert len(applied) < CHECKPOINT


@pytest.mark.parametrize("state", ["pulling", "starting", "running", "ready", "failing", "terminating"])
def test_a_pod_row_reads_as_the_state_it_names(state: str) -> None:
    """The dot of a replayed Pod has the state it had, with its reason."""
    row = {"kind": "Pod", "name": "p", "state": state, "reason": "Because", "ready": "False", "restarts": 3}
    row |= {"deleting": True} if state == "terminating" else {}
    row |= {"ready": "True"} if state == "ready" else {}
    pod = module.Rebuilder().object(row)
    assert pod is not None
    told, reason = pod_state(pod)
    assert told == state
    assert reason == ("" if state in ("ready", "terminating", "starting") else "Because")


def test_answers_are_counted_up_to_the_moment_and_shares_since_the_last_change() -> None:
    """The share at a moment is of answers since the endpoints changed, as the live picture has it."""
    run = [row for row in predicted("course-2234").timeline() if row.get("kind") != "Probe"]
    led = [r["t"] for r in run if r.get("kind") == "EndpointSlice"][-1]
    probe = {"kind": "Probe", "type": "PROBE", "name": "api-tester-2234", "port": 32234}
    probes = [
        {**probe, "t": led - 2, "until": led - 1, "versions": {"1.0.0": 4}, "failed": 1},
        {**probe, "t": led - 0.5, "until": led + 0.5, "versions": {"1.0.0": 1, "2.0.0": 1}, "failed": 0},
        {**probe, "t": led + 0.5, "until": led + 0.9, "versions": {"2.0.0": 3}, "failed": 0},
    ]
    found = Moments([*run, *probes])
    late = found.at(led + 2)["services"][0]
    assert (late["requests"], late["failed"], late["versions"]) == (10, 1, {"2.0.0": 3})
    assert late["shares"] == {found.at(led + 2)["rollout"]["currentHash"]: 1.0}
    early = found.at(led - 0.5)["services"][0]
    assert (early["requests"], early["failed"]) == (5, 1)


def test_one_look_needs_no_object_to_keep() -> None:
    """A notebook asks once: rows in, picture out."""
    rows = recorded("bluegreen-manual").timeline()
    assert at(rows, 100.0)["rollout"]["phase"] == "Healthy"
    assert marks(rows) == recorded("bluegreen-manual").marks()
    assert at([], 0.0)["rollout"] is None
    assert runs.TRACES
