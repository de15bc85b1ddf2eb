"""A host's terminal beside a running lab: a seat's lesson is checked, done and reset; a Service is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rollout_lab.api.names import INSTANCE_ID_LABEL
from rollout_lab.client.resources import ROLLOUTS
from rollout_lab.lab import Lab
from rollout_lab.lab.seats import Seats

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
ACTIVE, SEAT = "api-tester-2233-active", "seat-min-ji"


@dataclass
class Host:
    """A lab with one seat, and the terminal beside it."""

    lab: Lab
    seat: Lab
    home: Path

    def types(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "rollout_lab", *words],
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, "ROLLOUT_LAB_HOME": str(self.home), "PYTHONUTF8": "1"},
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROLLOUT_LAB_HOME", str(home))
        patch.delenv("KUBECONFIG", raising=False)
        with Lab.start("embedded", speed=10, scenario="course-2233") as lab:
            seats = Seats(lab, most=1)
            try:
                seat = seats.open("min-ji")
                seat.apply("course-2233")
                for one in (lab, seat):
                    assert one.wait_for(lambda seen: (seen["rollout"] or {}).get("phase") == "Healthy", 900)
                yield Host(lab, seat, home)
            finally:
                seats.close()


def test_a_service_is_asked_by_every_kind_of_connection(host: Host) -> None:
    """The table of lesson 9: five answers each, five connections only where each is a new one."""
    ways = ("--fresh", "--keep-alive", "--port-forward")
    said = host.types("curl", ACTIVE, *ways, "--count", "5", "--every", "0.05", "--json")
    rows = {row["connection"]: row for row in json.loads(said)}
    assert {name: row["connections"] for name, row in rows.items()} == {
        "fresh": 5,
        "keep-alive": 1,
        "port-forward": 1,
    }
    assert all((row["versions"], row["failed"]) == ({"1.0.0": 5}, 0) for row in rows.values())
    lines = host.types("curl", ACTIVE, "-n", SEAT, "--count", "2", "--every", "0.05").splitlines()
    assert [line.split() for line in lines[:2]] == [["fresh", "#1", "1.0.0"], ["fresh", "#2", "1.0.0"]]
    assert lines[2].split() == ["CONNECTION", "ANSWERS", "CONNECTIONS", "FAILED", "VERSIONS"]
    assert "there are: api-tester-2233-active" in host.types("curl", "nobody", code=2)
    assert "name a Service" in host.types("curl", code=2)


def test_a_seats_lesson_is_reset_with_its_own_ports_engine_and_progress(host: Host) -> None:
    """The host helps one student; the host's own lesson and the lecture's node ports stay as they were."""
    host.types("lesson", "reset", "5", "--to", "preview", "-n", SEAT)
    rollout = host.seat.client.get(ROLLOUTS, SEAT, "api-tester-2233")
    assert rollout["metadata"]["labels"][INSTANCE_ID_LABEL] == "seats"
    ports = {s["port"] for s in host.seat.view()["services"]} & {
        s["port"] for s in host.lab.view()["services"]
    }
    assert not ports
    board = json.loads(host.types("lesson", "check", "5", "-n", SEAT, "--json", code=1))
    states = {task["id"]: task["state"] for task in board["tasks"]}
    assert (states["look"], states["new-version"]) == ("passed", "passed")
    assert (Path(host.lab.folder) / SEAT / "lesson-05-bluegreen-2233.json").exists()
    mine = json.loads(host.types("lesson", "check", "5", "--json", code=1))
    assert {task["id"]: task["state"] for task in mine["tasks"]}["new-version"] != "passed"
