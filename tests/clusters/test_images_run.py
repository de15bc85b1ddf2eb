"""Images unpacked and run on their own: the program answers, ends and fails as lessons need it."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.clusters.images import contents, serve
from rollout_lab.clusters.images.build import Built
from tests.clusters.packed import config_of, unpack_image

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


@contextlib.contextmanager
def program(root: Path, module: str, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A module of an image with nothing else on its path: no site-packages, not this checkout."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-m", module],
        env={"PYTHONPATH": str(root / contents.HOME), "PYTHONUNBUFFERED": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=root,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_line(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    while words not in (line := process.stdout.readline()):
        assert line, f"it ended without saying {words!r}"


def ask(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def env_of(path: Path, name: str, port: int) -> dict[str, str]:
    """The image's own variables, those of a Pod, and an address of this machine only."""
    config = config_of(path, name)["config"]
    assert config["Entrypoint"][:2] == ["python3", "-m"]
    given = dict(v.split("=", 1) for v in config["Env"] if v.startswith("API_TESTER_"))
    pod = {
        "HOSTNAME": "localhost",
        "POD_NAMESPACE": "demo",
        "NODE_NAME": "node-1",
        "datasource_password": "hush",
    }
    return {
        **given,
        **pod,
        "API_TESTER_PORT": str(port),
        "API_TESTER_BIND": "127.0.0.1",
        "application_role": "ALL",
    }


def test_the_api_tester_image_runs_alone_and_answers_as_the_embedded_one(
    built: tuple[Built, Built], tmp_path: Path
) -> None:
    """Protects lessons on a real cluster: the same answers, no secret shown, an end in order."""
    name, port = "1pro/api-tester:2.0.0", free_port()
    root = unpack_image(built[0].archive, name, tmp_path / "root")
    env = env_of(built[0].archive, name, port) | {"API_TESTER_STOP_DELAY": "0"}
    with program(root, "rollout_lab.clusters.images.serve", env) as process:
        wait_line(process, "listens on")
        assert ask(port, "/version") == (200, "[App Version] : Api Tester v2.0.0\n")
        assert ask(port, "/hostname") == (200, "localhost\n")
        assert [ask(port, p)[0] for p in ("/startup", "/readiness", "/liveness")] == [200, 200, 200]
        info = json.loads(ask(port, "/info")[1])
        assert (info["namespace"], info["node"], info["version"]) == ("demo", "node-1", "2.0.0")
        assert info["environment"]["application_role"] == "ALL"
        assert "hush" not in json.dumps(info)
        assert ask(port, "/readiness/off", "POST")[0] == 200 and ask(port, "/readiness")[0] == 503
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_pod_that_ends_still_answers_for_a_moment(built: tuple[Built, Built], tmp_path: Path) -> None:
    """Protects the switch on a real cluster: Services learn late that a Pod ends, so it serves on."""
    name, port = "1pro/api-tester:1.0.0", free_port()
    root = unpack_image(built[0].archive, name, tmp_path / "root")
    env = env_of(built[0].archive, name, port)
    assert float(env["API_TESTER_STOP_DELAY"]) >= 1
    with program(root, "rollout_lab.clusters.images.serve", env | {"API_TESTER_STOP_DELAY": "60"}) as process:
        wait_line(process, "listens on")
        process.send_signal(signal.SIGTERM)
        wait_line(process, "told to end")
        assert ask(port, "/version")[0] == 200
        assert process.poll() is None


@pytest.mark.parametrize(
    ("tag", "path", "method", "status", "code"),
    [
        ("1.0.0-never-ready", "/readiness", "GET", 503, None),
        ("1.0.0-slow-start", "/startup", "GET", 503, None),
        ("1.0.0", "/memory-leak", "POST", 200, 137),
        ("1.0.0-crashing", "/version", "GET", 200, 1),
    ],
)
def test_faults_of_a_tag_come_with_the_image(
    built: tuple[Built, Built],
    tmp_path: Path,
    tag: str,
    path: str,
    method: str,
    status: int,
    code: int | None,
) -> None:
    """Protects lessons about failures: the tag decides, as on the embedded cluster."""
    name, port = f"1pro/api-tester:{tag}", free_port()
    root = unpack_image(built[0].archive, name, tmp_path / "root")
    # no memory is filled here: only the first process of a container does that
    with program(root, "rollout_lab.clusters.images.serve", env_of(built[0].archive, name, port)) as process:
        wait_line(process, "listens on")
        assert ask(port, path, method)[0] == status
        if code is not None:
            assert process.wait(30) == code


@pytest.mark.parametrize("limit", [0, -1, (1 << 30) + 1, 9_223_372_036_854_771_712])
def test_memory_is_only_filled_where_a_small_limit_ends_it(limit: int) -> None:
    """Protects a node: without a limit, or with a large one, /memory-leak takes nothing."""
    serve.fill_memory(limit)  # returns, and at once


def test_the_engine_image_has_all_it_imports(built: tuple[Built, Built], tmp_path: Path) -> None:
    """Protects engine and gateway in a cluster: they start, and decide, with what is in it alone."""
    root = unpack_image(built[1].archive, built[1].images[0], tmp_path / "root")
    rollout = next(
        o
        for o in yaml.safe_load_all((ROOT / "manifests/course-2233.yaml").read_text("utf-8"))
        if o["kind"] == "Rollout"
    )
    code = (
        "import json, sys; import rollout_lab.controller.process; from rollout_lab.api import validation;"
        "from rollout_lab.plan.planner import plan; from rollout_lab.plan.snapshot import Snapshot;"
        f"rollout = json.loads({json.dumps(json.dumps(rollout))});"
        "assert validation.decode_error(rollout) is None and not validation.validate(rollout);"
        "assert plan(Snapshot(1e9, rollout, (), {})).actions;"
        "from rollout_lab.clusters.gateway import process;"
        "assert process.compile_table(process.World(), process.Settings()).table.groups == ()"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(root / contents.HOME)},
        capture_output=True,
        text=True,
        cwd=root,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    home = root / contents.HOME / "rollout_lab"
    inside = {path.name for path in home.iterdir()}
    assert not inside & {"cli", "ui", "lab", "observe", "simulate", "course"}
    assert {p.name for p in (home / "clusters").iterdir() if p.name != "__pycache__"} == {
        "__init__.py",
        "gateway",
    }
    sizes = sum(p.stat().st_size for p in (root / contents.HOME).rglob("*") if p.is_file())
    assert sizes < 40e6, "generated code that nothing loads is in the image again"
