"""What a lesson measures at the gateway: bands that chance may fill, and samples that begin anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rollout_lab.course import Walk
from rollout_lab.course.samples import Asker, Sample, band
from rollout_lab.course.sampling import ENOUGH, Sampling
from rollout_lab.lab import Lab
from rollout_lab.lab.seats import Seats
from tests.course.walking import LESSONS
from tests.gateway.bounds import bounds
from tests.waiting import poll


@pytest.mark.parametrize(("n", "share"), [(30, 0.5), (200, 0.05), (1000, 0.05), (1000, 0.5), (2000, 0.99)])
def test_a_band_holds_what_chance_brings_and_no_more(n: int, share: float) -> None:
    """A student is not told of a fault that is chance, nor left alone with one that is not."""
    assert band(n, share, 0.999) == bounds(n, share, 0.999)
    low, high = band(n, share)
    assert low <= bounds(n, share)[0] <= n * share <= bounds(n, share)[1] <= high


def test_a_share_fits_or_not() -> None:
    """1,000 requests tell 5 % from a half and from none; 0 and 100 % leave nothing to chance."""
    five = Sample({"1": 948, "2": 52})
    assert five.fits("2", 5) and not five.fits("2", 50) and not five.fits("2", 0)
    assert five.percent("2") == 5.2 and Sample().percent("2") == 0.0
    assert Sample({"1": 10}).fits("2", 0) and not Sample({"1": 999, "2": 1}).fits("1", 100)


class Answering(BaseHTTPRequestHandler):
    """Says which version it is, by what the server was told; 503 while that is nothing."""

    says = ""
    asked: list[tuple[str, str, str]] = []

    def do_GET(self) -> None:
        type(self).asked.append((self.path, self.headers["Host"], self.headers.get("X-Tester", "")))
        self.send_response(200 if self.says else 503)
        self.end_headers()
        self.wfile.write(f"Api Tester v{self.says}\nmore\n".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def served() -> Iterator[str]:
    Answering.says, Answering.asked = "", []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_samples_begin_anew_when_routes_change_and_early_failures_are_no_loss() -> None:
    """Old answers must not spoil a new share; and before the first answer nothing is there to fail."""
    with served() as address:
        asker = Asker("testers", "shop.localhost", {"X-Tester": "yes"}, "/version")
        sampling = Sampling([asker], lambda: address)
        try:

            def sample() -> Sample:
                return sampling.samples()["testers"]

            sampling.follow("five")
            assert poll(lambda: len(Answering.asked) >= 2)
            Answering.says = "1.0.0"
            assert poll(lambda: sample().n >= 20)
            assert sample().failed == 0 and set(sample().versions) == {"1.0.0"}
            sampling.follow("five")
            assert sample().n >= 20, "nothing changed"
            Answering.says = "2.0.0"
            sampling.follow("half")
            assert sample().n == 0
            assert poll(lambda: sample().n >= 20)
            assert set(sample().versions) == {"2.0.0"}
            Answering.says = ""
            assert poll(lambda: sample().failed > 0)
            sampling.restart()
            assert sample() == Sample()
            assert set(Answering.asked) == {("/version", "shop.localhost", "yes")}
            assert sample().n < ENOUGH
        finally:
            sampling.close()


@pytest.mark.cluster
@pytest.mark.timeout(200)
def test_two_seats_meet_their_own_versions_at_one_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A student's testers meet that student's canary, and the neighbour's meet none."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path))
    with Lab.start("embedded", speed=20, scenario=None, probe_period=0) as lab:
        seats = Seats(lab)
        walks = [Walk(LESSONS / "12-only-the-testers", seats.open(name)) for name in ("min-ji", "jun")]
        try:
            for walk in walks:
                walk.begin()
            mine, other = walks
            assert mine.solve("apart")
            assert other.solve("look")

            def enough() -> bool:
                return all(other.seen().asked(who).n >= 50 for who in ("users", "testers"))

            assert poll(enough)
            for who in ("users", "testers"):
                assert set(other.seen().asked(who).versions) == {"1.0.0"}
            assert set(mine.seen().asked("testers").versions) == {"2.0.0"}
        finally:
            for walk in walks:
                walk.close()
            seats.close()
