"""The life of the kind cluster: one command up, reused, interrupted, restarted, and nothing left by down."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.client.resources import CRDS, NAMESPACES
from rollout_lab.clusters import commands
from rollout_lab.clusters.context import CRD_NAME
from rollout_lab.clusters.kind import create, machine
from rollout_lab.errors import NotFound
from rollout_lab.lab import Lab, load_scenario, play
from rollout_lab.lab.cleanup import delete
from rollout_lab.lab.installed import Installed
from tests.kind.measuring import measured
from tests.waiting import poll

pytestmark = [pytest.mark.kind, pytest.mark.timeout(600)]

MANIFESTS = Path(__file__).parents[2] / "manifests"


def start(log: Path, *words: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "rollout_lab", *words], stdout=out, stderr=out)


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    return False


@pytest.fixture
def name(home: Path) -> Iterator[str]:
    """A name for a cluster of this test; whatever it made is gone afterwards."""
    found = f"lab-test-{uuid.uuid4().hex[:6]}"
    yield found
    create.delete(found)


def containers(cluster: str) -> list[str]:
    return [node.name for node in machine.nodes(cluster)]


def test_one_command_up_and_one_command_down(name: str, home: Path, tmp_path: Path) -> None:
    """The page comes before the cluster; Ctrl-C keeps the cluster; down leaves nothing at all."""
    volumes = set(commands.check("docker", "volume", "ls", "--quiet").split())
    log = tmp_path / "log"
    words = ("up", "--cluster", "kind", "--name", name, "--no-browser", "--port", "18511", "--lang", "en")
    began = time.monotonic()
    up = start(log, *words)
    try:
        assert poll(lambda: "page: http://" in log.read_text() or up.poll() is not None, 120), log.read_text()
        page = int(log.read_text().split("page: http://127.0.0.1:")[1].split()[0])
        assert answers(page), "the page is there while the cluster is being made"
        assert poll(lambda: "Ctrl-C" in log.read_text() or up.poll() is not None, 400), log.read_text()
        measured("kind: `up` until the page shows the lecture", time.monotonic() - began, "s")
        said = log.read_text()
        assert up.poll() is None, said
        assert said.index("page: http") < said.index("kind: starting the control plane") < said.index("Ready")
        assert containers(name) == [f"{name}-control-plane"]
        with Lab.attach(said.split("KUBECONFIG=")[1].split()[0], engine=False) as look:
            look.follow("api-tester-2233")
            assert look.view()["lab"]["cluster"] == f"kind:{name}"
            assert look.wait_for(lambda p: bool(p["rollout"]) and p["rollout"]["phase"] == "Healthy", 120)
            assert look.wait_for(lambda p: any(s["requests"] for s in p["services"]), 60)
    finally:
        up.send_signal(signal.SIGINT)
        code = up.wait(60)
    assert code == 0 and containers(name), "Ctrl-C stops engine and page, and keeps the cluster"
    assert not list(home.glob("lab-*"))
    again = start(log, *words)
    try:
        assert poll(lambda: "Ctrl-C" in log.read_text() or again.poll() is not None, 300), log.read_text()
        assert "is there already" in log.read_text() and "control plane" not in log.read_text()
        down = start(tmp_path / "down", "down", "--name", name, "--lang", "en")
        assert down.wait(180) == 0, (tmp_path / "down").read_text()
        assert again.wait(30) == 0, "down stops the lab first"
    finally:
        again.kill()
    assert containers(name) == [] and name not in machine.clusters()
    assert set(commands.check("docker", "volume", "ls", "--quiet").split()) <= volumes
    assert not list(home.glob("lab-*")) and not list(home.glob(f"state/*{name}*"))
    once_more = start(tmp_path / "down", "down", "--name", name, "--lang", "en")
    assert once_more.wait(60) == 0 and "nothing of the lab" in (tmp_path / "down").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_creation_leaves_no_cluster(
    number: signal.Signals, name: str, home: Path, tmp_path: Path
) -> None:
    """In the middle of the control plane's start: exit code 130, no container, no mark, no traceback."""
    log = tmp_path / "log"
    run = start(log, "run", "course-2233", "--cluster", "kind", "--name", name, "--lang", "en")
    assert poll(lambda: "control plane" in log.read_text() or run.poll() is not None, 120), log.read_text()
    assert containers(name)
    run.send_signal(number)
    assert run.wait(120) == 130, log.read_text()
    assert containers(name) == [] and "Traceback" not in log.read_text()
    assert not list(home.glob("lab-*")) and not list(home.glob(f"state/*{name}*"))


def test_a_creation_that_was_killed_is_begun_again(name: str, home: Path, tmp_path: Path) -> None:
    """SIGKILL leaves half a cluster under the right name; the next start notices and makes a whole one."""
    log = tmp_path / "log"
    run = start(log, "run", "course-2233", "--cluster", "kind", "--name", name, "--lang", "en")
    assert poll(lambda: bool(containers(name)) or run.poll() is not None, 120), log.read_text()
    run.kill()
    run.wait(10)
    said: list[str] = []
    wanted = create.Wanted(name)
    made = create.ensure(
        wanted, tmp_path / "kubeconfig", home / "state", lambda s, w: said.append(s), time.time
    )
    made.client.close()
    assert made.created and said[0] == "kind.again"
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o777 == 0o600


def test_three_nodes(name: str, home: Path, tmp_path: Path) -> None:
    """A NodePort answers wherever the Pods are; images are in every node."""
    with Lab.start("kind", scenario="course-2234", kind=create.Wanted(name, nodes=3)) as lab:
        assert [n.role for n in machine.nodes(name)] == ["control-plane", "worker", "worker"]
        assert lab.rollout().wait_for("Healthy", 180)
        assert lab.wait_for(lambda picture: bool(picture["services"][0]["requests"]), 60)
        assert lab.do("set-image", version="2.0.0").ok and lab.rollout().wait_for("Paused", 180)
        counted = lab.measure("api-tester-2234", 300)
        assert counted.failed == 0 and counted.versions.keys() == {"1.0.0", "2.0.0"}


def test_the_lab_goes_on_after_its_node_restarted(cluster: str, home: Path) -> None:
    """Docker was restarted, or the laptop slept: same address, same Pods' work, the rollout finishes."""
    with Lab.start("kind", scenario="course-2233", kind=create.Wanted(cluster)) as lab:
        assert lab.rollout().wait_for("Healthy", 180)
        assert lab.do("set-image", version="2.0.0").ok and lab.rollout().wait_for("Paused", 180)
        commands.check("docker", "restart", f"{cluster}-control-plane", timeout=120)
        assert lab.engine.running

        def served() -> bool:
            try:
                counted = lab.measure("api-tester-2233-active", 5)
            except Exception:
                return False
            return counted.versions.get("1.0.0") == 5

        assert poll(served, 240), "active answers again, with the old version"
        assert lab.wait_for(lambda p: p["rollout"]["phase"] == "Paused", 120)
        assert lab.do("promote").ok
        assert lab.wait_for(lambda p: {pod["version"] for pod in p["pods"]} == {"2.0.0"}, 240)
        assert lab.rollout().wait_for("Healthy", 60)
        delete(load_scenario("course-2233"), lab.client, lab.recorder, 120)


def test_a_stopped_node_is_started_again(cluster: str, home: Path, tmp_path: Path) -> None:
    """After a reboot the containers are there and stopped; `up` starts them and reuses the cluster."""
    commands.check("docker", "stop", f"{cluster}-control-plane", timeout=120)
    said: list[str] = []
    wanted = create.Wanted(cluster)
    made = create.ensure(
        wanted, tmp_path / "kubeconfig", home / "state", lambda s, w: said.append(s), time.time
    )
    made.client.close()
    assert not made.created and said[:2] == ["kind.reuse", "kind.start"]


def unmapped(path: Path) -> Path:
    """The canary lecture with a NodePort nobody mapped, in a namespace of its own."""
    found = list(yaml.safe_load_all((MANIFESTS / "course-2234.yaml").read_text("utf-8")))
    for obj in found:
        if obj["kind"] == "Service":
            obj["spec"]["ports"][0]["nodePort"] = 32299
    path.write_text(yaml.safe_dump_all(found))
    return path


def test_what_is_not_mapped_is_reached_by_a_port_forward_and_says_so(
    cluster: str, home: Path, tmp_path: Path
) -> None:
    """Every answer comes from the one Pod it names, although two versions are behind the Service."""
    path = str(unmapped(tmp_path / "unmapped.yaml"))
    with Lab.start("kind", scenario=path, namespace="unmapped", kind=create.Wanted(cluster)) as lab:
        assert lab.rollout().wait_for("Healthy", 180)
        assert lab.wait_for(lambda p: bool(p["services"][0]["requests"]), 60)
        assert lab.do("set-image", version="2.0.0").ok and lab.rollout().wait_for("Paused", 180)
        service = lab.view()["services"][0]
        assert service["via"] == "port-forward" and service["endpoints"] == 3
        assert service["viaPod"] in {pod["name"] for pod in lab.view()["pods"]}
        counted = lab.measure(service["name"], 40, concurrency=4)
        assert counted.failed == 0 and len(counted.versions) == 1
        play_on(lab)
        assert lab.wait_for(lambda p: p["services"][0]["versions"].keys() == {"2.0.0"}, 60)
        assert lab.view()["services"][0]["failed"] == 0, "it moved on when its Pod left the Service"
        lab.client.delete(NAMESPACES, None, "unmapped")


def play_on(lab: Lab) -> None:
    assert lab.do("promote-full").ok
    assert lab.wait_for(lambda p: {pod["version"] for pod in p["pods"]} == {"2.0.0"}, 240)


def test_a_cluster_the_lab_did_not_make_is_used_and_kept(name: str, home: Path, tmp_path: Path) -> None:
    """As with any context: what the lab made goes when it closes, and down keeps the cluster."""
    image = os.environ.get(create.IMAGE_VARIABLE, "")
    words = ["create", "cluster", "--name", name, "--kubeconfig", str(tmp_path / "theirs"), "--wait", "120s"]
    commands.check("kind", *words, *(["--image", image] if image else []), timeout=400)
    with Lab.start("kind", scenario="course-2233", kind=create.Wanted(name)) as lab:
        assert lab.rollout().wait_for("Healthy", 180)
        assert lab.wait_for(lambda p: p["services"][0]["via"] == "port-forward", 30), "it mapped no NodePort"
        assert [record.head.context for record in Installed.all()] == [f"kind-{name}"]
    assert Installed.all() == []
    client = create.client_of(name)
    assert client is not None
    with pytest.raises(NotFound):
        client.get(CRDS, None, CRD_NAME)
    client.close()
    down = start(tmp_path / "down", "down", "--name", name, "--lang", "en")
    assert down.wait(120) == 0 and "--force" in (tmp_path / "down").read_text()
    assert containers(name)


def test_a_whole_lecture_by_the_terminal_alone(cluster: str, home: Path) -> None:
    """`run --cluster kind` is what a student types first; it ends with 0 failed on the users' Service."""
    with Lab.start("kind", scenario=None, kind=create.Wanted(cluster)) as lab:
        lab.apply(load_scenario("course-2233"))
        picture: dict[str, Any] = play(lab, "api-tester-2233")
        active = next(s for s in picture["services"] if s["role"] == "active")
        assert active["failed"] == 0 and active["via"] == "node-port"
        delete(load_scenario("course-2233"), lab.client, lab.recorder, 120)
