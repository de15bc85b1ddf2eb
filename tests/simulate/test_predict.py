"""A run that will be: the planner in virtual time, from a manifest or from where a lab stands."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rollout_lab.errors import UsageError
from rollout_lab.lab.forecast import predict
from rollout_lab.observe.milestones import differences, milestones
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.replay import load
from rollout_lab.simulate.forecast import play
from rollout_lab.simulate.script import load as load_script
from rollout_lab.simulate.world import START, World
from tests.observe.runs import TRACES, Watched, changed, objects, predicted, recorded

Json = dict[str, Any]
RUNS = {path.stem: path for path in TRACES}


def words(found: Any) -> list[str]:
    return [mark["text"] for mark in found.marks() if mark["kind"] == "action"]


@pytest.mark.parametrize("name", ["bluegreen-manual", "canary-course", "canary-ten-replicas-timed"])
def test_a_prediction_decides_what_the_peer_decided(name: str) -> None:
    """From the scenario of a recorded run alone: the same milestones as the run that really happened."""
    script = load_script(RUNS[name].read_text(encoding="utf-8").splitlines())
    found = predict(script.objects, ("set image 2.0.0",), promote_after=2.0)
    assert differences(milestones(recorded(name).timeline()), milestones(found.timeline())) == {}
    assert found.ended == "done"


def test_a_prediction_is_a_recording_that_can_be_written_and_read() -> None:
    """A prediction can be shared as a file like any run, and says what it is."""
    found = predicted("course-2233")
    text = "".join(json.dumps(row) + "\n" for row in found.timeline())
    again = load(text)
    assert again.timeline() == found.timeline()
    assert again.predicted and again.ended == "done" and again.assumptions == found.assumptions
    assert not recorded("bluegreen-manual").predicted


def test_a_pause_without_an_end_is_promoted_after_the_time_that_is_assumed() -> None:
    """What nobody said is marked as assumed, and can be changed."""
    long = predict(objects("course-2233"), promote_after=300.0)
    assert [one["seconds"] for one in long.assumptions] == [300.0]
    assert predicted("course-2233").end + 265 < long.end < predicted("course-2233").end + 275
    paused = next(m["t"] for m in long.marks() if m["text"] == "Paused")
    assert abs(long.assumptions[0]["t"] - paused - 300) < 1.1


def test_without_that_assumption_it_stops_there() -> None:
    """`promote_after=None` shows what a person will find."""
    found = predict(objects("course-2234"), promote_after=None)
    assert found.ended == "waiting" and found.assumptions == ()
    last = found.view()
    assert last["rollout"]["phase"] == "Paused" and last["rollout"]["stepIndex"] == 1
    assert found.figures()["usersOnNewAfter"] is None and not found.figures()["finished"]


def test_actions_of_a_person_come_before_assumptions() -> None:
    """promote, abort, undo … as in a recording, each once things have settled."""
    found = predict(objects("course-2233"), ("set image 2.0.0", "promote", "set image 3.0.0"))
    assert words(found) == ["apply", "set image 2.0.0", "promote", "set image 3.0.0", "promote"]
    assert len(found.assumptions) == 1
    assert found.view()["rollout"]["version"] == "3.0.0" and found.ended == "done"


def test_an_abort_is_the_end() -> None:
    """Nothing is assumed after an abort: users stay, preview Pods go after their delay."""
    found = predict(objects("course-2233"), ("set image 2.0.0", "abort"))
    assert found.ended == "failed" and found.assumptions == ()
    assert {pod["version"] for pod in found.view()["pods"]} == {"1.0.0"}


def test_pods_that_never_get_ready_end_at_the_progress_deadline() -> None:
    """A bad version is seen failing before it is applied, and users stay on the old one."""
    found = predict(objects("course-2233"), never_ready=("1pro/api-tester:2.0.0",))
    assert found.ended == "failed" and found.view()["rollout"]["phase"] == "Degraded"
    assert 600 < found.figures()["duration"] < 700 and found.figures()["downtime"] == 0
    states = {pod["state"] for pod in found.view()["pods"] if pod["version"] == "2.0.0"}
    assert states == {"starting"}


def test_min_ready_seconds_hold_back_what_counts_as_available() -> None:
    """A Pod is ready at once and available only later: the update takes that much longer."""
    slow = predict(changed("course-2233", minReadySeconds=20))
    assert 19 < slow.figures()["duration"] - predicted("course-2233").figures()["duration"] < 22


def test_the_number_of_replicas_is_the_one_of_the_manifest() -> None:
    """Sliders of a playground: 6 replicas, with 2 Pods more and 1 fewer allowed."""
    figures = predict(changed("course-2234", replicas=6)).figures()
    assert figures["replicas"] == 6
    assert figures["maxPods"] <= 8 and figures["minAvailable"] >= 5


def test_what_is_to_be_predicted_must_be_one_thing() -> None:
    """Two Rollouts or none: said, not guessed."""
    with pytest.raises(UsageError, match="0 Rollouts"):
        predict([])
    with pytest.raises(UsageError, match="2 Rollouts"):
        predict([*objects("course-2233"), *objects("course-2234")])
    with pytest.raises(UsageError, match="unknown action"):
        predict(objects("course-2233"), ("dance",))


# -- from where a lab stands --------------------------------------------------------------------


def paused_at_preview() -> Observed:
    """A lab whose version 2 waits behind preview."""
    watched = Watched("course-2233")
    watched.world.load([])
    for obj in watched.objects:
        if obj["kind"] in ("Service", "Rollout"):
            watched.world.apply(obj)
    watched.world.run(5)
    watched.world.act("set image 2.0.0")
    watched.world.run(15)
    return watched._observed()


def test_a_running_lab_goes_on_from_where_it_is() -> None:
    """No first deploy again: Pods that are there stay, and `t` is the lab's own."""
    seen = paused_at_preview()
    found = predict((), ("promote",), start=seen)
    there = {pod["name"] for pod in found.view(at=20.5)["pods"]}
    assert there == {pod["metadata"]["name"] for pod in seen.pods} and len(there) == 4
    promoted = next(m["t"] for m in found.marks() if m["text"] == "promote")
    assert promoted == pytest.approx(20.0, abs=0.02)
    assert found.assumptions == () and found.ended == "done"
    assert found.figures()["downtime"] == 0
    gone = next(m["t"] for m in found.marks() if m.get("key") == "oldPodsDeleted")
    assert 49 < gone < 53
    assert {pod["name"] for pod in found.view()["pods"]} == {
        pod["metadata"]["name"] for pod in seen.pods if "57985d486d" in pod["metadata"]["name"]
    }


def test_nothing_done_shows_what_comes_by_itself() -> None:
    """The rest of a run under the real chart: here nobody promotes, so the assumption does."""
    found = predict((), (), start=paused_at_preview(), promote_after=40.0)
    assert len(found.assumptions) == 1 and found.ended == "done"
    assert 44 < found.assumptions[0]["t"] < 48, "40 s after the pause began, not after now"


def test_an_edited_manifest_is_predicted_from_where_the_lab_is() -> None:
    """The YAML editor: what would happen if I applied this?"""
    seen = paused_at_preview()
    assert seen.rollout is not None
    spec = {**seen.rollout["spec"], "replicas": 4}
    spec["strategy"] = {"blueGreen": {**spec["strategy"]["blueGreen"], "autoPromotionEnabled": True}}
    edited = {**seen.rollout, "spec": spec}
    found = predict((), (edited,), start=seen)
    assert words(found) == ["apply Rollout/api-tester-2233"]
    assert found.ended == "done" and found.assumptions == ()
    assert found.view()["rollout"]["replicas"] == 4 and len(found.view()["pods"]) == 4
    with pytest.raises(UsageError, match="must stay api-tester-2233"):
        predict((), ({**edited, "metadata": {"name": "other"}},), start=seen)


def test_the_observed_objects_stay_as_they_are() -> None:
    """A prediction may not change what the recorder shares with everybody."""
    seen = paused_at_preview()
    before = json.dumps([seen.rollout, seen.replica_sets, seen.pods, seen.services], sort_keys=True)
    predict((), ("promote", "set image 3.0.0"), start=seen)
    assert json.dumps([seen.rollout, seen.replica_sets, seen.pods, seen.services], sort_keys=True) == before


def test_pods_of_a_real_cluster_keep_their_names_and_become_ready_in_time() -> None:
    """Names end in letters there, and a Pod that has been starting for a second needs only the rest."""
    seen = paused_at_preview()
    pods = [{**p, "metadata": {**p["metadata"], "name": p["metadata"]["name"][:-5] + "x7k2q"[i:] + "a" * i}}
            for i, p in enumerate(seen.pods)]  # fmt: skip
    starting = {**pods[-1], "status": {"phase": "Pending"}}
    found = predict((), ("scale 1",), start=replace(seen, pods=(*pods[:-1], starting)))
    assert found.ended == "done"
    assert len(found.view()["pods"]) == 1


# -- Deployments --------------------------------------------------------------------------------


def test_recreate_stops_everything_first() -> None:
    """The reason for all the rest: with Recreate nobody is served while the new Pods start."""
    figures = predicted("deployment-recreate").figures()
    assert (figures["minAvailable"], figures["maxPods"], figures["extraPodSeconds"]) == (0, 2, 0)
    assert 2.4 < figures["downtime"] < 2.7
    assert predicted("deployment-recreate").view()["rollout"]["strategy"] == "Recreate"


def test_rolling_update_keeps_serving_within_its_surge() -> None:
    """maxSurge 25 % of 2 is 1 Pod more; none fewer."""
    figures = predicted("deployment-rollingupdate").figures()
    assert (figures["minAvailable"], figures["maxPods"], figures["downtime"]) == (2, 3, 0)
    rolled = predicted("deployment-rollingupdate").view(at=figures["t0"] + 3)["rollout"]
    assert (rolled["strategy"], rolled["phase"], rolled["revision"]) == ("RollingUpdate", "Progressing", 2)


@pytest.mark.parametrize(("surge", "unavailable"), [(0, "25%"), ("25%", "25%"), ("100%", 0), (0, 0), (3, 4)])
def test_rolling_update_never_breaks_its_promise(surge: int | str, unavailable: int | str) -> None:
    """At no moment more Pods than surge allows, or fewer ready ones than unavailable allows."""
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    found = predict(changed("deployment-rollingupdate", replicas=8, strategy=strategy))
    allowed = {"25%": 2, "100%": 8}
    most = 8 + int(allowed.get(str(surge), surge))
    least = 8 - int(allowed.get(str(unavailable), unavailable))
    figures = found.figures()
    assert figures["finished"] and found.ended == "done"
    assert figures["maxPods"] <= most
    assert figures["minAvailable"] >= (least if (surge, unavailable) != (0, 0) else 7)


def test_a_deployment_that_cannot_come_up_is_degraded_after_its_deadline() -> None:
    """Ten minutes without progress, old Pods still serving."""
    found = predict(objects("deployment-rollingupdate"), never_ready=("1pro/api-tester:2.0.0",))
    assert found.ended == "failed" and found.figures()["downtime"] == 0
    assert found.view()["rollout"]["message"] == "ProgressDeadlineExceeded"


def test_a_deployment_goes_back_and_scales() -> None:
    """set image and scale are all a Deployment knows; a version that was there is used again."""
    found = predict(objects("deployment-rollingupdate"), ("set image 2.0.0", "set image 1.0.0", "scale 3"))
    last = found.view()
    assert [rs["revision"] for rs in last["replicaSets"]] == [2, 3]
    assert {pod["version"] for pod in last["pods"]} == {"1.0.0"} and len(last["pods"]) == 3
    with pytest.raises(UsageError, match="a Deployment has no promote"):
        predict(objects("deployment-recreate"), ("promote",))


def test_a_run_that_never_ends_is_given_up_at_the_horizon() -> None:
    """A prediction always comes back."""
    world = World(now=START)
    for obj in objects("course-2234"):
        if obj["kind"] in ("Rollout", "Service"):
            world.apply(obj)
    told: list[str] = []
    ended = play(
        world, ("set image 2.0.0",), promote_after=1e5, told=lambda w, _: told.append(w), horizon=60.0
    )
    assert told[0] == "set image 2.0.0" and ended in ("unfinished", "done")
