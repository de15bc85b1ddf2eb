"""The mirror: it follows, resumes where it was, and lists again only when told it is too late."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.mirror import Mirror
from rollout_lab.client.resources import PODS
from tests.client.fake_server import FakeServer, kubeconfig, named


class Heard:
    """What a mirror said, and a way to wait for the next one."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str]] = []
        self.more = threading.Condition()

    def __call__(self, kind: str, obj: dict[str, Any]) -> None:
        with self.more:
            meta = obj["metadata"]
            self.events.append((kind, meta["name"], meta["resourceVersion"]))
            self.more.notify_all()

    def until(self, count: int) -> list[tuple[str, str, str]]:
        with self.more:
            assert self.more.wait_for(lambda: len(self.events) >= count, 5), self.events
            return list(self.events)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer(
        lambda m, p, q, b: (200, {"items": [named("a", 1)], "metadata": {"resourceVersion": "10"}})
    )
    yield fake
    fake.close()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def mirror(server: FakeServer, heard: Heard, tmp_path: Path) -> Iterator[Mirror]:
    client = KubeClient.from_kubeconfig(kubeconfig(tmp_path / "config", server.url))
    found = Mirror(client, PODS, backoff=lambda failures: 0.0)
    found.on_event(heard)
    found.start()
    yield found
    found.stop()
    assert not found._thread.is_alive()


def watch_versions(server: FakeServer) -> list[str]:
    return [q["resourceVersion"] for _, _, q, *_ in server.requests if q.get("watch")]


def lists(server: FakeServer) -> int:
    return sum(1 for _, _, q, *_ in server.requests if not q.get("watch"))


def test_it_resumes_from_the_last_version_it_saw_bookmarks_included(
    mirror: Mirror, server: FakeServer, heard: Heard
) -> None:
    """Protects against missing or repeating changes when the server ends a watch."""
    assert mirror.wait_synced(5)
    assert server.watch_opened.acquire(timeout=5)
    server.say(0, ("ADDED", named("b", 11)), ("MODIFIED", named("b", 12)))
    server.say(0, ("BOOKMARK", {"metadata": {"resourceVersion": "40"}}))
    heard.until(3)
    server.end(0)
    assert server.watch_opened.acquire(timeout=5)
    server.say(1, ("DELETED", named("a", 41)))
    assert heard.until(4) == [
        ("ADDED", "a", "1"),
        ("ADDED", "b", "11"),
        ("MODIFIED", "b", "12"),
        ("DELETED", "a", "41"),
    ]
    assert watch_versions(server) == ["10", "40"]
    assert lists(server) == 1
    assert [o["metadata"]["name"] for o in mirror.list()] == ["b"]
    assert mirror.get("n", "b") is not None and mirror.get("n", "a") is None


def test_410_lists_again_and_tells_only_what_changed(
    mirror: Mirror, server: FakeServer, heard: Heard
) -> None:
    """Protects the copy after a long silence: what vanished meanwhile must be told as DELETED."""
    assert server.watch_opened.acquire(timeout=5)
    server.answer = lambda m, p, q, b: (
        200,
        {"items": [named("c", 50), named("d", 51)], "metadata": {"resourceVersion": "60"}},
    )
    server.say(0, ("ADDED", named("d", 11)), ("ERROR", {"code": 410, "reason": "Expired", "message": "old"}))
    assert heard.until(5)[1:] == [
        ("ADDED", "d", "11"),
        ("DELETED", "a", "1"),
        ("ADDED", "c", "50"),
        ("MODIFIED", "d", "51"),
    ]
    assert server.watch_opened.acquire(timeout=5)
    assert watch_versions(server) == ["10", "60"]


def test_a_server_that_fails_is_asked_again(server: FakeServer, tmp_path: Path) -> None:
    """Protects against giving up: the back-off grows with each failure and the mirror gets there."""
    answers = iter([(500, {"code": 500, "message": "a"}), (503, {"code": 503, "message": "b"})])
    good = server.answer
    server.answer = lambda *a: next(answers, None) or good(*a)
    waits: list[int] = []
    problems: list[str] = []
    client = KubeClient.from_kubeconfig(kubeconfig(tmp_path / "c2", server.url))

    def backoff(failures: int) -> float:
        waits.append(failures)
        return 0.0

    mirror = Mirror(client, PODS, backoff=backoff, on_error=lambda problem: problems.append(str(problem)))
    mirror.start()
    assert mirror.wait_synced(5)
    mirror.stop()
    assert (waits[:2], problems[:2]) == ([1, 2], ["a", "b"])
