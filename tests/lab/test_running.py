"""The whole lab as processes: both lectures, no lost request, and nothing left behind."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from rollout_lab.lab import Lab, live_labs, play
from rollout_lab.observe.probe import Count
from tests.waiting import poll

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

TRACES = Path(__file__).parents[1] / "data" / "traces"
_spec = importlib.util.spec_from_file_location("milestones", TRACES / "milestones.py")
assert _spec and _spec.loader
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
milestones: Callable[[list[str]], dict[str, Any]] = _module.milestones

RECORDED = {"course-2233": "bluegreen-manual", "course-2234": "canary-course"}
NAMES = {
    "api-tester-2233-active": "api-tester-active",
    "api-tester-2233-preview": "api-tester-preview",
    "api-tester-2234": "api-tester",
}
SPEED = 20.0


def renamed(lines: list[str]) -> list[str]:
    """The recorded runs call the Services a little differently than the course does."""
    rows = [json.loads(line) for line in lines]
    for row in rows:
        if row.get("kind") == "Service":
            row["name"] = NAMES.get(row["name"], row["name"])
    return [json.dumps(row) for row in rows]


def processes(home: Path) -> list[psutil.Process]:
    """Cluster and engine processes whose files are in `home`."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if "rollout_lab" in words and any(str(home) in word for word in words):
            found.append(process)
    return [p for p in found if p.info["status"] != psutil.STATUS_ZOMBIE]


def start_run(*arguments: str, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rollout_lab", "run", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ROLLOUT_LAB_HOME": str(home)},
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of this test's own labs; no process of theirs may outlive the test."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path))
    yield tmp_path
    left = processes(tmp_path)
    for process in left:
        process.kill()
    assert not left


@pytest.mark.parametrize("lecture", list(RECORDED))
def test_a_lecture_plays_by_itself_with_the_peers_milestones(lecture: str, home: Path) -> None:
    """`run --json` is a recorded run: same selectors, sizes, steps, pauses, Events and end as the peer's."""
    done = start_run(lecture, "--speed", f"{SPEED:g}", "--json", home=home)
    out, err = done.communicate(timeout=200)
    assert done.returncode == 0, err
    lines = out.splitlines()
    types = [json.loads(line)["type"] for line in lines]
    assert [types[0], types[1], types[-1]] == ["SCENARIO", "ACTION", "END"]
    peer = (TRACES / f"{RECORDED[lecture]}.jsonl").read_text(encoding="utf-8").splitlines()
    assert milestones(renamed(lines)) == milestones(peer)
    assert not list(home.iterdir()), "the run's folder is gone"


@pytest.mark.parametrize(
    ("lecture", "service"), [("course-2233", "api-tester-2233-active"), ("course-2234", "api-tester-2234")]
)
def test_no_request_fails_while_versions_change(lecture: str, service: str, home: Path) -> None:
    """A steady loop through the whole update: at least 2,000 requests, none failed, both versions seen."""
    count, stop = Count(), threading.Event()
    with Lab.start(speed=SPEED, scenario=lecture, probe_period=0) as lab:
        assert lab.rollout().wait_for("Healthy", 900)
        assert poll(lambda: bool(lab.recorder.address(service)), 10)
        loop = threading.Thread(target=lab.measure, args=(service, 10**7, 4, stop, count))
        loop.start()
        try:
            play(lab, lab.current)
            assert poll(lambda: count.requests >= 2000, 90)
        finally:
            stop.set()
            loop.join(30)
    assert dict(count.failures) == {}
    assert count.versions.keys() == {"1.0.0", "2.0.0"}


def test_an_engine_that_is_killed_goes_on_where_it_was(home: Path) -> None:
    """SIGKILL at the pause: nothing is promoted by itself, and the promotion after the restart works."""
    with Lab.start(speed=SPEED, scenario="course-2233") as lab:
        rollout = lab.rollout()
        assert rollout.wait_for("Healthy", 900)
        assert rollout.set_image("2.0.0").ok
        assert rollout.wait_for("Paused", 900)
        lab.engine.kill()
        assert lab.view()["lab"]["engine"] == "stopped"

        def active() -> str:
            services = {service["role"]: service for service in lab.view()["services"]}
            return str(services["active"]["selectorHash"])

        before = active()
        lab.engine.start()
        assert not lab.wait_for(lambda p: p["rollout"]["phase"] != "Paused", 30)
        assert active() == before
        assert rollout.promote().ok
        assert lab.wait_for(lambda p: [pod["version"] for pod in p["pods"]] == ["2.0.0", "2.0.0"], 900)
        assert rollout.wait_for("Healthy", 900)


def test_two_labs_stand_side_by_side(home: Path) -> None:
    """A second run gets its own folder, ports and addresses; NodePorts that are taken move, and say so."""
    with (
        Lab.start(speed=SPEED, scenario="course-2234") as one,
        Lab.start(speed=SPEED, scenario="course-2234") as two,
    ):
        assert one.folder != two.folder and one.folder.stat().st_mode & 0o777 == 0o700
        assert [state.kubeconfig for state in live_labs()] == [two.kubeconfig, one.kubeconfig]
        for lab in (one, two):
            assert lab.rollout().wait_for("Healthy", 900)
        assert two.do("set-image", version="2.0.0").ok
        assert two.wait_for(lambda p: p["rollout"]["phase"] == "Paused", 900)
        for lab in (one, two):
            assert poll(lambda lab=lab: bool(lab.view()["services"][0]["requests"]), 20)  # type: ignore[misc]
        ports = [lab.view()["services"][0] for lab in (one, two)]
        assert ports[0]["port"] == ports[1]["port"] == 32234
        assert ports[0]["address"] != ports[1]["address"]
        assert one.measure("api-tester-2234", 60).versions.keys() == {"1.0.0"}
        assert two.measure("api-tester-2234", 60).versions.keys() == {"1.0.0", "2.0.0"}


def test_both_lectures_live_in_one_namespace_and_start_over(home: Path) -> None:
    """switch shows the other lecture; reset takes it back to version 1 without touching its neighbour."""
    with Lab.start(speed=SPEED, scenario="course-2233") as lab:
        assert lab.switch("course-2234") == "api-tester-2234"
        for name in ("api-tester-2233", "api-tester-2234"):
            assert lab.rollout(name).wait_for("Healthy", 900)
        assert {row["name"] for row in lab.timeline("api-tester-2233") if row.get("kind") == "Rollout"} == {
            "api-tester-2233"
        }
        assert lab.do("set-image", version="2.0.0").ok
        assert lab.rollout().wait_for("Paused", 900)
        assert lab.reset() == "api-tester-2234"
        assert lab.wait_for(lambda p: bool(p["rollout"]) and p["rollout"]["phase"] == "Healthy", 900)
        picture = lab.view()
        assert {pod["version"] for pod in picture["pods"]} == {"1.0.0"} and picture["rollout"][
            "revision"
        ] == 1
        assert lab.timeline()[0]["type"] == "SCENARIO"
        assert lab.rollout("api-tester-2233").view()["rollout"]["phase"] == "Healthy"


def test_many_readers_see_finished_pictures(home: Path) -> None:
    """A class looks at one lab: readers at once, while the rollout moves, each with whole data."""
    problems: list[BaseException] = []
    counts: list[tuple[int, int]] = []
    stop = threading.Event()
    with Lab.start(speed=SPEED, scenario="course-2234") as lab:
        assert lab.rollout().wait_for("Healthy", 900)

        def read() -> None:
            number, seq, rows = 0, None, 0
            try:
                while not stop.wait(0.02):
                    picture = lab.view(seq)
                    seq = picture["seq"]
                    if not picture.get("unchanged"):
                        json.dumps(picture)
                    new, number = lab.rows(number)
                    rows += len(new)
                counts.append((rows, number))
            except BaseException as problem:
                problems.append(problem)

        readers = [threading.Thread(target=read) for _ in range(6)]
        for reader in readers:
            reader.start()
        lab.do("set-image", version="2.0.0")
        assert lab.rollout().wait_for("Paused", 900)
        stop.set()
        for reader in readers:
            reader.join(10)
        assert problems == [] and len(counts) == 6
        assert all(rows == number for rows, number in counts), "each reader got each row once"
        assert poll(lambda: lab.view(lab.seq).get("unchanged", False), 10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_leaves_nothing_behind(number: signal.Signals, home: Path) -> None:
    """Ctrl-C in the middle: every process ends, the folder goes, and no traceback is shown."""
    run = start_run("course-2234", "--json", home=home)
    assert run.stdout is not None
    assert poll(lambda: len(processes(home)) >= 2, 60)
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130 and "Traceback" not in err
    assert poll(lambda: not processes(home), 10)
    assert not list(home.iterdir())


def test_a_parent_that_is_killed_takes_its_children_along(home: Path) -> None:
    """SIGKILL gives nobody a chance to clean up: the lifelines end cluster and engine all the same."""
    run = start_run("course-2234", "--json", home=home)
    assert poll(lambda: len(processes(home)) >= 2, 60)
    run.kill()
    run.communicate(timeout=10)
    assert poll(lambda: not processes(home), 20)
    with Lab.start(speed=SPEED, scenario=None, probe_period=0) as lab:
        assert [folder.name for folder in home.glob("lab-*")] == [lab.folder.name], "stale folders are swept"


def test_a_manifest_with_a_mistake_shows_its_field(home: Path, tmp_path: Path) -> None:
    """The engine names the field in the condition; `run` fails with it and exit code 1."""
    text = (Path(__file__).parents[2] / "manifests" / "course-2233.yaml").read_text(encoding="utf-8")
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        text.replace("previewService: api-tester-2233-preview", "previewService: api-tester-2233-active")
    )
    run = start_run(str(bad), "--speed", f"{SPEED:g}", home=home)
    _, err = run.communicate(timeout=120)
    bad.unlink()
    assert run.returncode == 1
    assert "previewService" in err or "activeService" in err
    assert "Traceback" not in err
