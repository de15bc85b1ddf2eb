"""The curl loop: real requests, counted by version, failures with their reason."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from rollout_lab.clock import ScaledClock
from rollout_lab.observe import probe as module
from rollout_lab.observe.probe import Probe, Response, Target, ask, burst, targets, version_in


class _Handler(http.server.BaseHTTPRequestHandler):
    connections: set[tuple[str, int]]
    status = 200

    def do_GET(self) -> None:
        self.connections.add(self.client_address)
        text = b"[App Version] : Api Tester v1.0.0"
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[tuple[str, type[_Handler]]]:
    handler = type("Handler", (_Handler,), {"connections": set()})
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{found.server_address[1]}", handler
    found.shutdown()
    found.server_close()
    thread.join(5)


def test_a_burst_counts_every_request_on_a_connection_of_its_own(server: tuple[str, type[_Handler]]) -> None:
    """Kept connections would stay on one Pod and hide the share."""
    address, handler = server
    count = burst(address, 60, 6)
    assert (count.requests, count.failed, dict(count.versions)) == (60, 0, {"1.0.0": 60})
    assert len(handler.connections) == 60


def test_failures_carry_their_reason(server: tuple[str, type[_Handler]]) -> None:
    """Refused, an error answer and silence are different things to a student."""
    address, handler = server
    handler.status = 500
    assert ask(address).reason == "HTTP 500"
    assert ask("127.0.0.1:1").reason == "connection refused"
    with __import__("socket").socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert ask(f"127.0.0.1:{silent.getsockname()[1]}", timeout=0.1).reason == "timeout"


def test_only_the_version_is_read_from_an_answer() -> None:
    """The course's own words, with and without the v."""
    assert version_in("[App Version] : Api Tester v1.0.0") == "1.0.0"
    assert version_in("[App Version] : Api Tester 2.0.0\n") == "2.0.0"
    assert version_in("<html>hello</html>") == ""


def test_the_loop_counts_by_version_and_starts_a_new_window_when_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a switch the share is measured anew; the totals go on."""
    monkeypatch.setattr(module, "LEAST_REAL_PERIOD", 0.001)
    version, asked = ["1.0.0"], threading.Semaphore(0)

    def answer(address: str) -> Response:
        asked.release()
        return (
            Response(f"v{version[0]}", version[0]) if version[0] else Response("", "", "connection refused")
        )

    loop = Probe(ScaledClock.start(1000.0), period=1.0, ask=answer)
    loop.aim({"s": Target("s", 80, "127.0.0.1:1")})
    try:
        for _ in range(5):
            assert asked.acquire(timeout=5)
        version[0] = "2.0.0"
        assert asked.acquire(timeout=5) and asked.acquire(timeout=5)
        loop.reset_window("s")
        version[0] = "3.0.0"
        for _ in range(4):
            assert asked.acquire(timeout=5)
    finally:
        loop.close()
    traffic = loop.traffic()["s"]
    assert "1.0.0" not in traffic.versions and "3.0.0" in traffic.versions
    assert traffic.requests >= 10 and traffic.failed == 0
    assert {a.version for a in loop.answers(["s"])} >= {"1.0.0", "3.0.0"}
    assert loop.answers(["other"]) == ()


def test_targets_are_where_services_really_answer() -> None:
    """The embedded cluster names its addresses; elsewhere it is the NodePort on loopback."""
    port = {"port": 80, "nodePort": 32233}
    service = {"metadata": {"name": "a", "namespace": "n"}, "spec": {"ports": [port]}}
    moved = {"services": {"n/a": [{"port": 80, "nodePort": 32233, "address": "127.0.0.1:40001"}]}}
    assert targets([service], {})["a"].address == "127.0.0.1:32233"
    assert targets([service], moved)["a"] == Target("a", 32233, "127.0.0.1:40001")
    assert targets([service], {"services": {}}) == {}, "the NodePort may be another lab's"
    bare = {"metadata": {"name": "b"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}
    assert targets([bare], {}) == {}
