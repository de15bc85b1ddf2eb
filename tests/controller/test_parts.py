"""Claims, Services given back, Events posted and the words of the log."""

from __future__ import annotations

from rollout_lab.api.rollout import Rollout
from rollout_lab.clock import FakeClock
from rollout_lab.controller.claims import adoption, claims, release
from rollout_lab.controller.cleanup import release_patch
from rollout_lab.controller.events import Poster
from rollout_lab.controller.words import line
from rollout_lab.errors import ApiError
from rollout_lab.plan.actions import Emit
from rollout_lab.plan.why import Why
from tests.controller.fakes import FakeClient, Json, obj, owned

ROLLOUT = obj("Rollout", "demo", spec={"selector": {"matchLabels": {"app": "a"}}})
MARK = "argo-rollouts.argoproj.io/managed-by-rollouts"


def replica_set(name: str, app: str, **metadata: object) -> Json:
    return obj("ReplicaSet", name, metadata={"labels": {"app": app}, **metadata})


def test_orphans_that_fit_are_adopted_and_strangers_left_alone() -> None:
    """Protects taking over and giving back ReplicaSets, as Deployments do."""
    mine = replica_set("mine", "a", **owned(ROLLOUT))
    orphan = replica_set("orphan", "a")
    lost = replica_set("lost", "b", **owned(ROLLOUT))
    others = replica_set("others", "a", **owned(obj("Rollout", "else")))
    going = replica_set("going", "a", deletionTimestamp="2026-01-01T00:00:00Z")
    found = claims(Rollout(ROLLOUT), [mine, orphan, lost, others, going])
    assert (found.owned, found.adopt, found.release) == ((mine,), (orphan,), (lost,))
    patch = adoption(Rollout(ROLLOUT), orphan)["metadata"]
    assert (patch["uid"], patch["resourceVersion"]) == ("u-orphan", "1")
    assert (
        patch["ownerReferences"][0]["uid"] == "u-demo" and patch["ownerReferences"][0]["controller"] is True
    )
    assert release(Rollout(ROLLOUT), lost)["metadata"]["ownerReferences"] is None


def test_a_rollout_without_a_usable_selector_lets_nothing_go() -> None:
    """Protects the Pods of a Rollout whose selector was broken by mistake."""
    mine = replica_set("mine", "a", **owned(ROLLOUT))
    for broken in ({}, {"selector": {}}):
        found = claims(Rollout(obj("Rollout", "demo", spec=broken)), [mine, replica_set("x", "a")])
        assert (found.owned, found.adopt, found.release) == ((mine,), (), ())


def test_a_service_nobody_names_loses_hash_and_mark() -> None:
    """Protects a Service from pointing for ever at Pods of a deleted Rollout."""
    selector = {"app": "a", "rollouts-pod-template-hash": "abc"}
    service = obj("Service", "active", metadata={"annotations": {MARK: "demo"}}, spec={"selector": selector})
    names_it = obj("Rollout", "demo", spec={"strategy": {"blueGreen": {"activeService": "active"}}})
    assert release_patch(service, [names_it]) is None
    assert release_patch(service, [ROLLOUT]) == {
        "metadata": {"annotations": {MARK: None}},
        "spec": {"selector": {"rollouts-pod-template-hash": None}},
    }
    assert release_patch(obj("Service", "plain", spec={"selector": selector}), []) is None


def test_events_are_posted_in_order_and_repeats_counted() -> None:
    """Protects the ordered list of Events, and that a repeat is no second object."""
    fake, clock, log = FakeClient(), FakeClock(), list[str]()
    poster = Poster(fake.client, clock, log.append)
    poster.start()
    for reason in ("A", "B", "A", "C"):
        poster.post(ROLLOUT, Emit(reason, f"message {reason}"))
    poster.stop()
    sent = [(verb, body.get("reason"), body.get("count")) for verb, _, _, body in fake.calls]
    assert sent == [("create", "A", 1), ("create", "B", 1), ("patch", None, 2), ("create", "C", 1)]
    first = fake.calls[0][3]
    assert first["source"] == {"component": "rollouts-controller"}
    assert first["involvedObject"]["uid"] == "u-demo" and first["type"] == "Normal"
    assert not log


def test_a_burst_of_events_is_cut_and_a_failed_post_only_logged() -> None:
    """Protects the API server from floods, and the engine from a refused Event."""
    fake, clock, log = FakeClient(), FakeClock(), list[str]()
    poster = Poster(fake.client, clock, log.append)
    poster.start()
    for n in range(40):
        poster.post(ROLLOUT, Emit("Scaling", f"message {n}"))
    poster.stop()
    assert len(fake.calls) == 25
    refused = FakeClient()
    refused.refuse["create", "Event"] = ApiError(403, "Forbidden", "no events here")
    poster = Poster(refused.client, clock, log.append)
    poster.start()
    poster.post(ROLLOUT, Emit("A", "x"))
    poster.stop()
    assert len(log) == 1 and "no events here" in log[0]


def test_a_line_of_the_log_has_code_object_and_numbers() -> None:
    """Protects the log a person reads when the page is closed."""
    why = Why("pause.timed", {"step": 2, "endsAt": 1_764_000_000.0, "x": None}, "Rollout/demo", "spec.y")
    assert line(why) == "pause.timed Rollout/demo (spec.y) step=2 endsAt=2025-11-24T16:00:00Z"
    assert line(Why("invalid", {"message": "a b"}, "Rollout/demo")) == 'invalid Rollout/demo message="a b"'
