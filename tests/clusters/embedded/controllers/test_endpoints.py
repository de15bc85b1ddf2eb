"""Endpoint decisions: who stands behind a Service, ready or not, and how few writes a change takes."""

from __future__ import annotations

import pytest

from rollout_lab.clusters.embedded.controllers.endpoints.legacy import endpoints_change, subsets_of
from rollout_lab.clusters.embedded.controllers.endpoints.ports import port_number, selects
from rollout_lab.clusters.embedded.controllers.endpoints.slices import LARGEST, endpoint_of, slice_changes
from tests.clusters.embedded.controllers.builders import Object, pod, service

CONDITIONS: list[tuple[str, Object, Object, tuple[bool, bool, bool]]] = [
    ("ready", service(), pod(ready=True), (True, True, False)),
    ("not ready", service(), pod(ready=False), (False, False, False)),
    ("never reported", service(), pod(), (False, False, False)),
    ("ready but going", service(), pod(ready=True, gone=True), (False, True, True)),
    ("published anyway", service(publishNotReadyAddresses=True), pod(ready=False), (True, False, False)),
]


@pytest.mark.parametrize(("why", "svc", "p", "wanted"), CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_conditions(why: str, svc: Object, p: Object, wanted: tuple[bool, bool, bool]) -> None:
    """Traffic goes to `ready` only; a Pod that is shutting down is never ready, whatever its probe says."""
    conditions = endpoint_of(svc, p)["conditions"]
    assert (conditions["ready"], conditions["serving"], conditions["terminating"]) == wanted


def test_a_named_port_is_looked_up_in_each_pod() -> None:
    """Two versions may serve the same named port on different numbers."""
    port = {"port": 80, "targetPort": "http", "protocol": "TCP"}
    old = pod(ports=[{"name": "http", "containerPort": 8080, "protocol": "TCP"}])
    new = pod(ports=[{"name": "http", "containerPort": 9090, "protocol": "TCP"}])
    assert (port_number(old, port), port_number(new, port), port_number(pod(), port)) == (8080, 9090, None)


def test_selecting() -> None:
    """A Service without selector has its endpoints written by somebody else."""
    assert selects(service(), pod())
    assert not selects(service(selector={"app": "web", "rev": "2"}), pod())
    assert not selects(service(selector=None), pod())
    assert not selects(service(type="ExternalName"), pod())


def stored(slice_: Object, name: str = "s-aaaaa") -> Object:
    return {**slice_, "metadata": {**slice_["metadata"], "name": name, "uid": f"uid-{name}"}}


def test_a_service_without_pods_has_an_empty_slice() -> None:
    """Watchers see the Service exists; nothing is written again while nothing changes."""
    first = slice_changes(service(), [], [])
    (empty,) = first.create
    assert (empty["endpoints"], empty["ports"]) == (None, None)
    again = slice_changes(service(), [], [stored(empty)])
    assert (again.create, again.update, again.delete) == ((), (), ())


def test_the_first_pod_fills_the_empty_slice_in_one_write() -> None:
    """No moment with two slices or none: the placeholder itself becomes the slice."""
    (empty,) = slice_changes(service(), [], []).create
    changes = slice_changes(service(), [pod(ready=True)], [stored(empty)])
    assert (len(changes.create), len(changes.delete)) == (0, 0)
    (full,) = changes.update
    assert full["metadata"]["name"] == "s-aaaaa"
    assert full["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert [e["addresses"] for e in full["endpoints"]] == [["10.1.0.1"]]


def test_a_switch_of_the_selector_is_one_write() -> None:
    """The heart of blue/green: all old endpoints leave and all new ones come in the same update."""
    blue, green = pod("blue", ready=True), pod("green", ready=True, ip="10.1.0.2")
    (before,) = slice_changes(service(), [blue], []).create
    changes = slice_changes(service(), [green], [stored(before)])
    (after,) = changes.update
    assert (changes.create, changes.delete) == ((), ())
    assert [e["addresses"] for e in after["endpoints"]] == [["10.1.0.2"]]


def test_unready_pods_stay_listed_and_unbound_pods_do_not() -> None:
    """An unready Pod is an endpoint that gets no traffic; a Pod on no node has no place in the network."""
    pods = [pod("a", ready=False), pod("b", ready=True, node="", ip="10.1.0.2"), pod("c", ip="")]
    (made,) = slice_changes(service(), pods, []).create
    assert [(e["addresses"], e["conditions"]["ready"]) for e in made["endpoints"]] == [(["10.1.0.1"], False)]


def test_slices_are_filled_to_their_limit() -> None:
    """More Pods than one slice may hold get a second one; endpoints stay where they are when one leaves."""
    pods = [pod(f"p{n:03}", ready=True, ip=f"10.1.0.{n + 1}") for n in range(LARGEST + 3)]
    created = slice_changes(service(), pods, []).create
    assert [len(s["endpoints"]) for s in created] == [LARGEST, 3]
    present = [stored(s, f"s-{n}") for n, s in enumerate(created)]
    changes = slice_changes(service(), pods[:-1], present)
    assert [s["metadata"]["name"] for s in changes.update] == ["s-1"]
    assert len(changes.update[0]["endpoints"]) == 2


def test_versions_with_different_ports_get_their_own_slices() -> None:
    """One slice has one set of port numbers."""
    svc = service(ports=[{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}])
    old = pod("a", ready=True, ports=[{"name": "http", "containerPort": 8080, "protocol": "TCP"}])
    new = pod("b", ready=True, ip="10.1.0.2", ports=[{"name": "http", "containerPort": 9, "protocol": "TCP"}])
    made = slice_changes(svc, [old, new], []).create
    assert sorted(s["ports"][0]["port"] for s in made) == [9, 8080]


def test_labels_of_the_service_are_on_its_slices() -> None:
    """Tools find slices by the Service's labels and name; a label of ours cannot be overwritten."""
    svc = service(clusterIP="None")
    svc["metadata"]["labels"] = {"team": "a", "kubernetes.io/service-name": "liar"}
    (made,) = slice_changes(svc, [], []).create
    assert made["metadata"]["labels"] == {
        "team": "a",
        "kubernetes.io/service-name": "s",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "service.kubernetes.io/headless": "",
    }


def test_endpoints_group_ready_and_waiting_addresses() -> None:
    """Older kubectl reads this object: addresses in order, ready apart from not ready."""
    pods = [
        pod("b", ready=True, ip="10.1.0.10"),
        pod("a", ready=True, ip="10.1.0.9"),
        pod("c", ready=False, ip="10.1.0.2"),
    ]
    (subset,) = subsets_of(service(), pods)
    assert [a["ip"] for a in subset["addresses"]] == ["10.1.0.9", "10.1.0.10"]
    assert [a["ip"] for a in subset["notReadyAddresses"]] == ["10.1.0.2"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]


def test_endpoints_are_written_only_when_they_differ() -> None:
    """No write, no event, no work for watchers while nothing changed; unknown fields survive a change."""
    pods = [pod(ready=True), pod("gone", ready=True, gone=True, ip="10.1.0.3")]
    made = endpoints_change(service(), pods, None)
    assert made is not None and len(made["subsets"][0]["addresses"]) == 1
    kept = {**made, "extra": 1}
    assert endpoints_change(service(), pods, kept) is None
    emptied = endpoints_change(service(), [], kept)
    assert emptied is not None and "subsets" not in emptied and emptied["extra"] == 1


def test_endpoints_wait_for_pods_without_a_node() -> None:
    """The real server refuses such an object, so the old one stays."""
    assert endpoints_change(service(), [pod(ready=True, node="")], None) is None
