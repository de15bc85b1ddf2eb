"""Namespace decisions, and the age of Events."""

from __future__ import annotations

from rollout_lab.api.times import rfc3339
from rollout_lab.clusters.embedded.controllers.events import LIFETIME, event_for, expires_at, seen_again
from rollout_lab.clusters.embedded.controllers.namespaces.decide import emptying_status, finalized
from tests.clusters.embedded.controllers.builders import NOW, pod


def test_what_keeps_a_namespace_is_told() -> None:
    """`kubectl describe ns` shows what a namespace that does not go away waits for."""
    held = pod("a")
    held["metadata"]["finalizers"] = ["x/y"]
    namespace = {"metadata": {"name": "d"}, "status": {"phase": "Terminating"}}
    made = emptying_status(namespace, {"pods.": [held, pod("b")], "secrets.": []}, NOW)
    told = {c["type"]: (c["status"], c["message"]) for c in made["conditions"]}
    assert told["NamespaceContentRemaining"] == (
        "True",
        "Some resources are remaining: pods. has 2 resource instances",
    )
    assert told["NamespaceFinalizersRemaining"] == (
        "True",
        "Some content in the namespace has finalizers remaining: x/y in 1 resource instances",
    )
    later = emptying_status({**namespace, "status": made}, {"pods.": [held, pod("b")]}, NOW + 60)
    assert later == made


def test_finalizing_leaves_other_finalizers() -> None:
    """Only our own finalizer is ours to take away."""
    namespace = {"metadata": {"name": "d"}, "spec": {"finalizers": ["kubernetes", "x/y"]}}
    assert finalized(namespace)["spec"]["finalizers"] == ["x/y"]


def test_an_event_lives_an_hour_after_it_was_last_seen() -> None:
    """Events of a long session do not pile up, and one that keeps happening stays."""
    about = {"apiVersion": "apps/v1", "kind": "ReplicaSet"}
    event = event_for(pod(), about, "Normal", "SuccessfulCreate", "Created pod: p", "rs-controller", NOW)
    assert expires_at(event) == NOW + LIFETIME
    again = {**event, **seen_again(event, NOW + 600)}
    assert (again["count"], expires_at(again)) == (2, NOW + 600 + LIFETIME)
    assert expires_at({"metadata": {}, "eventTime": rfc3339(NOW)}) == NOW + LIFETIME
