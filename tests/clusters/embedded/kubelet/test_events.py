"""Events of the kubelet: counted up when they repeat, limited when they flood."""

from __future__ import annotations

from typing import Any

from rollout_lab.clock import FakeClock
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.bootstrap import prepare
from rollout_lab.clusters.embedded.kubelet.events import EventRecorder
from rollout_lab.clusters.embedded.resources import EVENTS, PODS


def scene() -> tuple[Api, EventRecorder, dict[str, Any]]:
    api = Api(FakeClock())
    prepare(api)
    spec = {"containers": [{"name": "app", "image": "nginx"}]}
    pod = api.create(PODS, "default", {"metadata": {"name": "web"}, "spec": spec})
    return api, EventRecorder(api, "kubelet", "node"), pod


def test_the_same_event_is_counted_up() -> None:
    """Protects `describe pod`: one line with "x3", not three lines; another message is another Event."""
    api, recorder, pod = scene()
    for _ in range(3):
        recorder.record(pod, "Warning", "Unhealthy", "no", "spec.containers{app}")
    recorder.record(pod, "Warning", "Unhealthy", "still no")
    found = {e["message"]: e for e in api.list(EVENTS, "default")[0]}
    assert {message: e["count"] for message, e in found.items()} == {"no": 3, "still no": 1}
    assert found["no"]["involvedObject"]["fieldPath"] == "spec.containers{app}"
    assert found["no"]["source"] == {"component": "kubelet", "host": "node"}


def test_a_flood_about_one_pod_is_limited() -> None:
    """Protects the API from a probe that fails many times a second: 25 at once, then one in five minutes."""
    api, recorder, pod = scene()
    for number in range(60):
        recorder.record(pod, "Warning", "Unhealthy", f"no {number}")
    assert len(api.list(EVENTS, "default")[0]) == 25
    assert isinstance(api.clock, FakeClock)
    api.clock.advance(601)
    for number in range(60, 80):
        recorder.record(pod, "Warning", "Unhealthy", f"no {number}")
    assert len(api.list(EVENTS, "default")[0]) == 27


def test_an_event_that_expired_is_made_again() -> None:
    """Protects counting after the Event went (an hour later, or with its namespace)."""
    api, recorder, pod = scene()
    recorder.record(pod, "Normal", "Started", "here")
    (event,) = api.list(EVENTS, "default")[0]
    api.delete(EVENTS, "default", event["metadata"]["name"])
    recorder.record(pod, "Normal", "Started", "here")
    assert [e["count"] for e in api.list(EVENTS, "default")[0]] == [1]
