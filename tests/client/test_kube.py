"""The client: addresses, refusals as errors, and never a token in a message."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.client.difference import merge_patch
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import PODS, ROLLOUTS, SERVICES, of_object
from rollout_lab.errors import ApiError, ClusterUnavailable, Conflict, Gone, NotFound, UsageError
from tests.client.fake_server import FakeServer, kubeconfig, named


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer(lambda method, path, query, body: (200, {"ok": True, "path": path}))
    yield fake
    fake.close()


@pytest.fixture
def client(server: FakeServer, tmp_path: Path) -> KubeClient:
    return KubeClient.from_kubeconfig(kubeconfig(tmp_path / "config", server.url))


def test_requests_go_where_kubernetes_has_them(client: KubeClient, server: FakeServer) -> None:
    """Protects the paths, content types, queries and the bearer token."""
    client.get(SERVICES, "n", "a/b")
    client.list(ROLLOUTS, None, label_selector="app in (x, y)")
    client.patch(ROLLOUTS, "n", "r", {"status": {"abort": True}}, subresource="status")
    client.patch(SERVICES, "n", "s", {"spec": {}}, kind="strategic")
    client.patch(ROLLOUTS, "n", "r", [{"op": "test"}], kind="json")
    client.delete(PODS, "n", "p", propagation="Background")
    client.evict("n", "p")
    seen = [(m, p, q, b, h.get("content-type")) for m, p, q, b, h in server.requests]
    assert seen == [
        ("GET", "/api/v1/namespaces/n/services/a%2Fb", {}, None, None),
        ("GET", "/apis/argoproj.io/v1alpha1/rollouts", {"labelSelector": "app in (x, y)"}, None, None),
        (
            "PATCH",
            "/apis/argoproj.io/v1alpha1/namespaces/n/rollouts/r/status",
            {},
            {"status": {"abort": True}},
            "application/merge-patch+json",
        ),
        (
            "PATCH",
            "/api/v1/namespaces/n/services/s",
            {},
            {"spec": {}},
            "application/strategic-merge-patch+json",
        ),
        (
            "PATCH",
            "/apis/argoproj.io/v1alpha1/namespaces/n/rollouts/r",
            {},
            [{"op": "test"}],
            "application/json-patch+json",
        ),
        ("DELETE", "/api/v1/namespaces/n/pods/p", {"propagationPolicy": "Background"}, None, None),
        (
            "POST",
            "/api/v1/namespaces/n/pods/p/eviction",
            {},
            {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p", "namespace": "n"}},
            "application/json",
        ),
    ]
    assert {h.get("authorization") for *_, h in server.requests} == {"Bearer sesame"}
    assert (client.context_name, client.server) == ("lab", server.url)


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [(404, "NotFound", NotFound), (409, "Conflict", Conflict), (410, "Expired", Gone)],
)
def test_a_refusal_is_the_fitting_error(
    client: KubeClient, server: FakeServer, code: int, reason: str, error: type[ApiError]
) -> None:
    """Protects that callers can tell a conflict from a missing object."""
    server.answer = lambda *a: (
        code,
        {"kind": "Status", "code": code, "reason": reason, "message": "because"},
    )
    with pytest.raises(error, match="because"):
        client.get(PODS, "n", "p")


def test_an_answer_that_is_not_kubernetes_is_told_plainly(client: KubeClient, server: FakeServer) -> None:
    """Protects against a traceback when the port belongs to something else."""
    server.answer = lambda *a: (200, b"<html>")
    with pytest.raises(ApiError, match="is it a cluster"):
        client.get(PODS, "n", "p")
    server.answer = lambda *a: (502, b"bad gateway")
    with pytest.raises(ApiError, match="bad gateway"):
        client.get(PODS, "n", "p")


def test_nobody_there_is_cluster_unavailable_without_the_token(tmp_path: Path) -> None:
    """Protects exit code 3 and that no error text ever holds the token."""
    client = KubeClient.from_kubeconfig(kubeconfig(tmp_path / "config", "http://127.0.0.1:9"))
    with pytest.raises(ClusterUnavailable, match="http://127.0.0.1:9") as caught:
        client.raw_get("/version")
    assert "sesame" not in str(caught.value)
    for path in (str(tmp_path / "missing"), kubeconfig(tmp_path / "other", "http://127.0.0.1:9")):
        with pytest.raises(ClusterUnavailable, match="kubeconfig|cluster"):
            KubeClient.from_kubeconfig(path, context="no-such-context")


def test_a_secret_in_the_path_of_the_server_is_never_shown(tmp_path: Path) -> None:
    """Protects the embedded cluster, whose address ends in a secret."""
    client = KubeClient.from_kubeconfig(kubeconfig(tmp_path / "config", "http://127.0.0.1:9/s3cret"))
    assert client.server == "http://127.0.0.1:9"
    with pytest.raises(ClusterUnavailable) as caught:
        client.raw_get("/version")
    assert "s3cret" not in str(caught.value)


def test_a_watch_ends_at_once_when_closed_from_another_thread(client: KubeClient, server: FakeServer) -> None:
    """Protects a prompt stop: a quiet watch must not hold the process up."""
    watch = client.watch(PODS, "n", "5")
    seen: list[Any] = []
    first = threading.Event()

    def read() -> None:
        for event in watch:
            seen.append(event)
            first.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert server.watch_opened.acquire(timeout=5)
    server.say(0, ("ADDED", named("p", 6)), ("BOOKMARK", named("", 9)))
    assert first.wait(5)
    watch.close()
    reader.join(5)
    assert not reader.is_alive()
    assert seen[0][0] == "ADDED"
    query = server.requests[-1][2]
    assert (query["watch"], query["resourceVersion"], query["allowWatchBookmarks"]) == ("true", "5", "true")


def test_a_watch_raises_gone_for_an_error_event(client: KubeClient, server: FakeServer) -> None:
    """Protects the 410 path of the mirror."""
    watch = client.watch(PODS, "n", "5")
    assert server.watch_opened.acquire(timeout=5)
    server.say(0, ("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}))
    with pytest.raises(Gone):
        list(watch)


def test_apply_creates_then_patches_only_what_differs(client: KubeClient, server: FakeServer) -> None:
    """Protects fields the server or somebody else set from being written over."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"ports": [{"port": 80}]},
    }
    server.answer = lambda method, path, query, body: (
        (404, {"code": 404, "reason": "NotFound", "message": "no"}) if method == "GET" else (201, body)
    )
    client.apply(service)
    assert server.requests[-1][:2] == ("POST", "/api/v1/namespaces/default/services")
    live = {**service, "spec": {"ports": [{"port": 80, "protocol": "TCP"}], "clusterIP": "10.0.0.1"}}
    server.answer = lambda method, path, query, body: (200, live)
    client.apply(service)
    assert server.requests[-1][0] == "GET"
    client.apply({**service, "metadata": {"name": "s", "labels": {"a": "b"}}})
    assert server.requests[-1][0] == "PATCH"
    assert server.requests[-1][3] == {"metadata": {"labels": {"a": "b"}}}


def test_a_rollouts_strategy_loses_what_the_manifest_lost() -> None:
    """Protects a person who deletes a line such as autoPromotionEnabled and applies again."""
    live = {
        "kind": "Rollout",
        "spec": {
            "replicas": 5,
            "paused": True,
            "strategy": {"blueGreen": {"activeService": "a", "autoPromotionEnabled": False}},
        },
        "status": {"phase": "Healthy"},
    }
    want = {"kind": "Rollout", "spec": {"strategy": {"blueGreen": {"activeService": "a"}}}}
    assert merge_patch(live, want) == {"spec": {"strategy": {"blueGreen": {"autoPromotionEnabled": None}}}}
    assert merge_patch(live, {"kind": "Rollout", "spec": {"strategy": {"canary": {}}}}) == {
        "spec": {"strategy": {"canary": {}, "blueGreen": None}}
    }
    assert merge_patch(live, {"kind": "Rollout", "spec": {"replicas": 5}}) == {}


def test_an_unknown_kind_names_the_known_ones() -> None:
    """Protects the message a person gets for a manifest we cannot send."""
    with pytest.raises(UsageError, match="'Rollouts'.*Rollout"):
        of_object({"apiVersion": "v1", "kind": "Rollouts"})
    assert of_object({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}) is ROLLOUTS
