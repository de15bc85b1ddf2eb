"""A canary behind the embedded gateway, for each router: its share by requests, and no request lost."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.client.actions import Action
from rollout_lab.lab import Lab
from rollout_lab.observe.probe import Count, Response, version_in
from tests.gateway.bounds import bounds
from tests.lab.test_running import home, poll

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]
__all__ = ["home"]  # the fixture that removes this test's labs

MANIFESTS = Path(__file__).parents[2] / "manifests"
SPEED = 20.0
REQUESTS = 10_000
SAMPLE = 2000
SURE = 0.999999  # chance is not seeded here, and must not fail the test
CLIENTS = 4


class Users:
    """Threads that ask the gateway for one host over kept connections, and what they got."""

    def __init__(self, address: str, host: str) -> None:
        self.count = Count()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(address, host), daemon=True) for _ in range(CLIENTS)
        ]

    def _ask(self, address: str, host: str) -> None:
        connection = http.client.HTTPConnection(address, timeout=30)
        while not self._stop.is_set():
            try:
                connection.request("GET", "/version", headers={"Host": host})
                answer = connection.getresponse()
                text = answer.read().decode()
                said = Response(
                    text, version_in(text), "" if answer.status == 200 else f"HTTP {answer.status}"
                )
            except (OSError, http.client.HTTPException) as problem:
                said = Response("", "", repr(problem))
                connection.close()
            with self._lock:
                self.count.add(said)
        connection.close()

    def seen(self) -> Count:
        """The counts so far."""
        with self._lock:
            return Count(self.count.versions.copy(), self.count.failures.copy())

    def share(self, n: int) -> int:
        """How many of the next `n` requests version 2.0.0 answers, to the nearest request."""
        before = self.seen()
        assert poll(lambda: self.seen().requests >= before.requests + n, 120)
        after = self.seen()
        new = after.versions["2.0.0"] - before.versions["2.0.0"]
        return round(new * n / (after.requests - before.requests))

    @contextmanager
    def asking(self) -> Iterator[Users]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(40)


def weight(lab: Lab, name: str) -> float:
    """What the gateway is configured to send to the canary, in percent."""
    rows: list[dict[str, Any]] = lab.client.raw_get("/lab/v1/gateway")["routes"]
    found = next(r for r in rows if r["name"] == name)
    return float(found["backends"][1]["weight"]) if len(found["backends"]) > 1 else 0.0


@pytest.mark.parametrize("router", ["nginx", "gatewayapi", "istio"])
def test_a_routed_canary_with_abort_and_retry_loses_no_request(router: str, home: Path) -> None:
    """5 % at the first pause with one Pod of eleven; abort, retry, promote; 10,000 requests, none fails."""
    name = f"api-tester-2234-{router}"
    with Lab.start(speed=SPEED, scenario=str(MANIFESTS / f"canary-{router}.yaml"), probe_period=0) as lab:
        rollout = lab.rollout()

        def reaches(wanted: float) -> Callable[[], bool]:
            return lambda: weight(lab, name) == wanted

        assert rollout.wait_for("Healthy", 900)
        gateway = lab.client.raw_get("/lab/v1/addresses")["gateway"]
        with Users(gateway, f"{name}.localhost").asking() as users:
            assert poll(lambda: users.seen().requests > 100, 60)
            assert users.seen().versions.keys() == {"1.0.0"}
            lab.do(Action.SET_IMAGE, name, version="2.0.0")
            assert rollout.wait_for("Paused", 900)
            assert poll(reaches(5), 60)
            low, high = bounds(SAMPLE, 0.05, SURE)
            assert low <= users.share(SAMPLE) <= high
            lab.do(Action.ABORT, name)
            assert rollout.wait_for("Degraded", 900)
            assert poll(reaches(0), 60)
            assert users.share(200) <= CLIENTS, "nothing but what was under way"
            lab.do(Action.RETRY, name)
            assert rollout.wait_for("Paused", 900)
            assert poll(reaches(5), 60)
            lab.do(Action.PROMOTE, name)
            assert rollout.wait_for("Healthy", 900)
            assert poll(lambda: users.seen().requests >= REQUESTS, 120)
        seen = users.seen()
        assert dict(seen.failures) == {}
        assert seen.versions.keys() == {"1.0.0", "2.0.0"}
        assert lab.client.raw_get("/lab/v1/gateway")["problems"] == []
