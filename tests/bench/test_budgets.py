"""What the lab may cost, measured: each row prints value, budget and their ratio; a ratio over 1 fails.

Run with `make bench`, on a machine that does nothing else. Never part of `make test`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator

import psutil
import pytest

from rollout_lab.client.resources import PODS, SERVICES
from rollout_lab.lab import Lab

pytestmark = pytest.mark.bench
PAUSE = threading.Event()


def within(what: str, value: float, budget: float, unit: str) -> None:
    """Print one row of the table and hold the ratio."""
    print(f"\n| {what} | {value:.2f} {unit} | {budget:g} {unit} | {value / budget:.2f} |", end="")
    assert value / budget <= 1, f"{what}: {value:.2f} {unit} is over {budget:g} {unit}"


def until(condition: Callable[[], bool], seconds: float, every: float = 0.02) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        PAUSE.wait(every)
    return False


def answer(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=1) as reply:
            return str(reply.read().decode())
    except OSError:
        return ""


def processes(lab: Lab) -> list[psutil.Process]:
    """The cluster and the engine: the children that this process started for the lab."""
    return psutil.Process().children(recursive=True)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab.start("embedded", scenario="course-2233") as running:
        assert until(lambda: running.view()["rollout"]["phase"] == "Healthy", 30)
        yield running


def test_start_to_first_answer() -> None:
    """From the start of the processes to Api Tester v1 answering through its Service."""
    times = []
    for _ in range(3):
        began = time.monotonic()
        with Lab.start("embedded", scenario="course-2233") as running:

            def served(running: Lab = running) -> bool:
                address = running.recorder.address("api-tester-2233-active")
                return bool(address) and "v1.0.0" in answer(f"http://{address}/version")

            assert until(served, 30)
            times.append(time.monotonic() - began)
    within("start until Api Tester answers through its Service", statistics.median(times), 3, "s")


def test_memory_with_twenty_pods(lab: Lab) -> None:
    """Unique memory (USS) of cluster and engine with 20 Pods that answer HTTP."""
    lab.do("scale", replicas=20)
    assert until(lambda: len(lab.client.list(PODS, lab.namespace)["items"]) == 20, 30)
    assert until(lambda: sum(p["state"] == "ready" for p in lab.view()["pods"]) == 20, 60)
    mib = sum(p.memory_full_info().uss for p in processes(lab)) / 2**20
    within("memory of cluster, engine and 20 Pods", mib, 200, "MiB")


def test_selector_switch_is_followed(lab: Lab) -> None:
    """From the write of a Service's selector to the first answer from the new Pods."""
    lab.do("set-image", version="2.0.0")
    assert until(lambda: lab.view()["rollout"]["phase"] == "Paused", 60)
    lab.engine.stop()
    hashes = {r["version"]: r["hash"] for r in lab.view()["replicaSets"]}
    name = "api-tester-2233-active"
    address = lab.recorder.address(name)
    times = []
    for i in range(20):
        version = ("2.0.0", "1.0.0")[i % 2]
        body = {"spec": {"selector": {"rollouts-pod-template-hash": hashes[version]}}}
        lab.client.patch(SERVICES, lab.namespace, name, body)
        began = time.monotonic()

        def switched(version: str = version) -> bool:
            return f"v{version}" in answer(f"http://{address}/version")

        assert until(switched, 5, every=0.001)
        times.append((time.monotonic() - began) * 1000)
    within("selector written until answers change (worst of 20)", max(times), 100, "ms")


@pytest.mark.parametrize("scenario", ["course-2233", "course-2234"])
def test_lecture_without_a_page(scenario: str) -> None:
    """A lecture from v1 to the last old Pod gone, at speed 20."""
    began = time.monotonic()
    command = [sys.executable, "-m", "rollout_lab", "run", scenario, "--speed", "20", "--json"]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    within(f"{scenario} at speed 20", time.monotonic() - began, 25, "s")


def test_page_is_served() -> None:
    """A second `make lab`: from the command to the page's first byte."""
    began = time.monotonic()
    command = [sys.executable, "-m", "rollout_lab", "up", "--no-browser", "--port", "18501"]
    page = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert until(lambda: "<html" in answer("http://127.0.0.1:18501/"), 60)
        within("second start until the page is served", time.monotonic() - began, 5, "s")
    finally:
        page.terminate()
        page.wait(30)
