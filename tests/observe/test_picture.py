"""The picture: what one glance at the page is made of."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from rollout_lab.api.times import parse_time
from rollout_lab.observe.history import History
from rollout_lab.observe.picture import picture
from tests.observe import objects, scenes


@pytest.mark.parametrize("name", list(scenes.SCENES))
def test_the_examples_are_what_the_code_makes(name: str) -> None:
    """Whoever draws from the example files draws from the real shape."""
    stored = json.loads((scenes.PICTURES / f"{name}.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(scenes.render(name))) == stored


def test_an_arrow_exists_only_where_an_endpoint_slice_leads() -> None:
    """A Pod the selector chooses but no slice names gets no arrow; a not-ready endpoint neither."""
    observed = scenes.healthy()
    assert {r["pod"] for r in scenes.render("healthy")["routes"]} == {
        "api-tester-2233-c6cbd9b7f-4xk2p",
        "api-tester-2233-c6cbd9b7f-9qzrt",
    }
    bare = picture(replace(observed, slices=()), History().memory())
    assert bare["routes"] == [] and len(bare["pods"]) == 2
    assert scenes.render("early")["routes"] == []


def test_shares_are_measured_not_computed_from_pods() -> None:
    """2 stable and 1 canary Pod, 322 answers of which 103 by the canary: 32 %, not 33.3 %."""
    found = scenes.render("canary-33-paused")
    service = found["services"][0]
    assert service["shares"] == {objects.V1: pytest.approx(0.6801), objects.V2: pytest.approx(0.3199)}
    assert service["window"]["n"] == 322
    assert [r["share"] for r in found["routes"]] == pytest.approx([0.34, 0.34, 0.3199], abs=1e-3)
    assert found["rollout"]["weight"] == {
        "asked": 33,
        "canaryPods": 1,
        "totalPods": 3,
        "configured": None,
        "routers": [],
    }


def test_without_answers_a_route_says_it_is_not_measured() -> None:
    """Before the first answer the width is the even split of the endpoints, and marked so."""
    observed = replace(scenes.healthy(), traffic={})
    routes = picture(observed, History().memory())["routes"]
    assert {(r["share"], r["measured"]) for r in routes} == {(0.5, False)}


def test_two_hashes_of_one_version_share_its_answers_by_endpoints() -> None:
    """A changed environment keeps the tag: answers cannot tell the two ReplicaSets apart, endpoints can."""
    observed = scenes.canary_third()[0][0]
    twin = json.loads(json.dumps(observed.replica_sets[1]))
    twin["spec"]["template"]["spec"]["containers"][0]["image"] = "1pro/api-tester:1.0.0"
    same = replace(
        observed,
        replica_sets=(observed.replica_sets[0], twin),
        traffic={scenes.CANARY_SERVICE: scenes.Traffic(90, 0, objects.T0, {"1.0.0": 90})},
    )
    shares = picture(same, History().memory())["services"][0]["shares"]
    assert shares == {objects.V1: pytest.approx(2 / 3, abs=1e-3), objects.V2: pytest.approx(1 / 3, abs=1e-3)}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("pulling", ("pulling", "ContainerCreating")),
        ("starting", ("starting", "")),
        ("ready", ("ready", "")),
        ("failing", ("failing", "ImagePullBackOff")),
        ("terminating", ("terminating", "")),
    ],
)
def test_a_pod_shows_the_state_of_its_status(state: str, expected: tuple[str, str]) -> None:
    """Ready is shown only when the Pod says it is ready."""
    from rollout_lab.observe.states import pod_state

    assert pod_state(objects.pod(scenes.A, "1.0.0", "x", state)) == expected


def test_the_strip_waits_for_promote_and_knows_since_when() -> None:
    """Blue/green at its pause: three phases done with their times, the fourth is now."""
    found = scenes.render("blue-green-paused")["phases"]
    assert [(p["key"], p["state"], p["t"]) for p in found] == [
        ("newReplicaSet", "done", 21.0),
        ("previewSwitched", "done", 21.0),
        ("newPodsReady", "done", 24.0),
        ("waitingPromote", "now", 24.0),
        ("activeSwitched", "todo", None),
        ("oldPodsDeleted", "todo", None),
    ]


def test_a_reason_that_still_holds_is_one_line() -> None:
    """The same code and parameters over many moments are one line with the first time."""
    why = scenes.render("blue-green-paused")["why"]
    assert [(w["t"], w["code"]) for w in why] == [(24.0, "example.waits")]


def test_a_changed_selector_carries_its_time_and_the_first_one_does_not() -> None:
    """What changed last is marked; what was there from the start is not."""
    found = {s["role"]: s for s in scenes.render("blue-green-paused")["services"]}
    assert found["preview"]["changedAt"] == 21.0
    assert found["active"]["changedAt"] is None


def test_actions_that_would_do_nothing_say_why() -> None:
    """A healthy rollout has nothing to promote, abort or retry, and no earlier revision."""
    actions = scenes.render("healthy")["actions"]
    assert {a: v["code"] for a, v in actions.items() if not v["ok"]} == {
        "promote": "already-promoted",
        "promote-full": "already-promoted",
        "abort": "nothing-to-abort",
        "retry": "not-aborted",
        "resume": "not-paused",
        "undo": "no-earlier-revision",
    }
    assert not any(v["ok"] for v in scenes.render("nothing-applied")["actions"].values())


def test_the_progress_deadline_is_shown_while_it_counts() -> None:
    """A bar that runs down while a rollout waits for a person would be a false alarm."""
    observed, _ = scenes.SCENES["early"]()[-1]
    at = "2025-11-24T16:00:00Z"
    going = {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated", "lastUpdateTime": at}
    status = {**observed.rollout["status"], "conditions": [going]}
    moving = replace(observed, rollout={**observed.rollout, "status": status})
    found = picture(moving, History().memory())["rollout"]
    assert found["deadlineAt"] == parse_time(at) + found["deadlineSeconds"] - observed.started
    for name in ("blue-green-paused", "canary-33-paused", "healthy", "aborted"):
        assert scenes.render(name)["rollout"]["deadlineAt"] is None
