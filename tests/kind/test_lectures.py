"""Both lectures on a real cluster: the same decisions as on the embedded one, and no lost request."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import psutil
import pytest

from rollout_lab.clusters import commands
from rollout_lab.clusters.kind import machine
from rollout_lab.clusters.kind.create import Wanted
from rollout_lab.lab import Lab, load_scenario, play
from rollout_lab.lab.cleanup import delete
from rollout_lab.observe.probe import Count
from tests.conformance.milestones import Milestones, milestones_of
from tests.kind.measuring import measured

pytestmark = [pytest.mark.kind, pytest.mark.timeout(600)]

SERVICES = {"course-2233": "api-tester-2233-active", "course-2234": "api-tester-2234"}
LEAST = 1000
PER_SECOND = 150.0
"""Of the loop: a closed connection keeps its translated port for a minute, and there are 28,000."""


def lecture(lab: Lab, name: str) -> tuple[Milestones, Count, float]:
    """Play it with a loop of requests through the whole update; its decisions, the counts, seconds."""
    count, stop = Count(), threading.Event()
    lab.apply(load_scenario(name))
    assert lab.rollout().wait_for("Healthy", 300), lab.view()["rollout"]
    assert lab.wait_for(lambda picture: bool(picture["services"][0]["requests"]), 60), "nobody answers"
    loop = threading.Thread(
        target=lab.measure, args=(SERVICES[name], 10**7, 4, stop, count), kwargs={"per_second": PER_SECOND}
    )
    began = time.monotonic()
    loop.start()
    try:
        play(lab, lab.current)
        seconds = time.monotonic() - began
        end = time.monotonic() + 120
        while count.requests < LEAST and time.monotonic() < end:
            stop.wait(0.2)
    finally:
        stop.set()
        loop.join(30)
    found = milestones_of(json.dumps(row) for row in lab.timeline())
    return found, count, seconds


def on_kind(name: str, cluster: str, engine: str) -> tuple[Milestones, Count]:
    """A namespace of its own makes each run the first of its kind."""
    with Lab.start("kind", scenario=None, engine=engine, kind=Wanted(cluster)) as lab:
        assert lab.view()["lab"]["engineKind"] == engine
        try:
            found, count, seconds = lecture(lab, name)
            services = lab.view()["services"]
            measured(f"kind, engine {engine}: {name} from set-image to the last old Pod gone", seconds, "s")
            assert {service["via"] for service in services} == {"node-port"}
            mapped = machine.mapped_ports(cluster)
            assert all(service["address"] == mapped[service["port"]] for service in services)
            return found, count
        finally:
            delete(load_scenario(name), lab.client, lab.recorder, 120)


@pytest.mark.parametrize("name", list(SERVICES))
@pytest.mark.parametrize("engine", ["out", "in-cluster"])
def test_a_lecture_is_the_same_on_kind_and_loses_no_request(name: str, engine: str, cluster: str) -> None:
    """Same selectors, sizes, steps, pauses, Events and end as embedded; 0 of at least 1,000 requests fail."""
    found, count = on_kind(name, cluster, engine)
    measured(f"kind, engine {engine}: {name} requests during the update", count.requests, "requests")
    assert count.requests >= LEAST
    assert dict(count.failures) == {}
    assert count.versions.keys() == {"1.0.0", "2.0.0"}
    with Lab.start("embedded", scenario=None, speed=20) as lab:
        same, _, seconds = lecture(lab, name)
        measured(f"embedded at speed 20: {name}", seconds, "s")
    assert found == same


def test_memory_of_both_clusters(cluster: str, home: Path) -> None:
    """What the README says about memory is measured here, not guessed; the embedded one takes less."""
    used = commands.check(
        "docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", f"{cluster}-control-plane"
    )
    number = used.partition("/")[0].strip()
    kind = float(number.rstrip("GiBMK")) * (1024 if number.endswith("GiB") else 1)
    measured("kind: memory of the node with its Pods", kind, "MiB")
    with Lab.start("embedded", scenario="course-2233") as lab:
        assert lab.rollout().wait_for("Healthy", 60)
        parts = psutil.Process(os.getpid()).children(recursive=True)
        embedded = sum(p.memory_full_info().uss for p in parts) / 2**20
    measured("embedded: memory of cluster, engine and Pods", embedded, "MiB")
    assert embedded < kind
