"""The verbs against a running lab, and `up` with its page."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result

from rollout_lab.cli.verbs import rollout_lab
from rollout_lab.errors import UsageError
from rollout_lab.lab import Lab
from tests.waiting import poll

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROLLOUT_LAB_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("ROLLOUT_LAB_LANG", "en")
        patch.delenv("KUBECONFIG", raising=False)
        with Lab.start(speed=20, scenario="course-2233", probe_period=0) as found:
            assert found.rollout().wait_for("Healthy", 900)
            yield found


def call(*arguments: str) -> Result:
    return CliRunner().invoke(rollout_lab, list(arguments), standalone_mode=False)


def read(*arguments: str) -> Any:
    result = call(*arguments, "--json")
    assert result.exception is None, result.exception
    return json.loads(result.output)


def test_a_whole_update_by_verbs(lab: Lab) -> None:
    """set-image, status, promote, undo, abort and retry find the running lab by themselves."""
    services = {s["role"]: s for s in read("get", "services")}
    assert services["active"]["address"] and services["active"]["endpoints"] == 2
    assert "kubectl argo rollouts set image" in call("set-image", "2.0.0").output
    assert lab.rollout().wait_for("Paused", 900)
    assert read("status")["phase"] == "Paused"
    assert {rs["version"]: rs["role"] for rs in read("get", "rs")} == {"1.0.0": "active", "2.0.0": "preview"}
    assert call("abort").return_value == 0
    assert lab.rollout().wait_for("Degraded", 900)
    refused = call("promote")
    assert refused.return_value == 1 and "retry" in refused.stderr
    assert call("status").return_value == 1
    assert lab.wait_for(lambda p: p["replicaSets"][-1]["replicas"] == 0, 900), (
        "the preview Pods go after 30 s"
    )
    assert call("retry").return_value == 0 and lab.rollout().wait_for("Paused", 900)
    assert call("promote").return_value == 0
    waited = call("status", "--wait", "--timeout", "60")
    assert waited.return_value == 0 and "Healthy" in waited.output
    assert call("promote").return_value == 1
    assert call("undo").return_value == 0, "within the scale-down delay it goes back at once, without a pause"
    assert lab.wait_for(lambda p: p["rollout"]["phase"] == "Healthy" and p["rollout"]["revision"] == 3, 900)
    assert read("get", "rollouts")[0]["version"] == "1.0.0"


def test_the_overview_names_every_address(lab: Lab) -> None:
    """`get` without a word is the whole picture, with the address to use for each Service."""
    output = call("get").output
    assert "Rollout api-tester-2233" in output and output.count("http://127.0.0.1:") == 2
    assert read("get")[0]["rollout"]["name"] == "api-tester-2233"
    assert read("get", "events")[0]["reason"] == "RolloutAddedToInformer"
    assert len(read("get", "pods")) >= 2 and read("cluster", "status")[0]["kubeconfig"] == lab.kubeconfig


def test_kubeconfig_and_namespace_can_be_named(lab: Lab) -> None:
    """Another cluster is used only when it is named; an unknown rollout lists those there are."""
    assert read("get", "rollouts", "--kubeconfig", lab.kubeconfig)[0]["name"] == "api-tester-2233"
    assert "no rollout" in call("get", "-n", "default").output
    wrong = call("status", "nobody")
    assert wrong.exception is not None and "nobody" in str(wrong.exception)


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    return False


def of_home(home: Path) -> list[psutil.Process]:
    """Processes of a lab whose files are in `home`, its page included."""
    found = []
    for process in psutil.process_iter(["status", "cmdline"]):
        with contextlib.suppress(psutil.Error):
            ours = "rollout_lab" in (process.info["cmdline"] or [])
            if ours and process.environ().get("ROLLOUT_LAB_HOME") == str(home):
                found.append(process)
    return [p for p in found if p.info["status"] != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_up_serves_the_page_on_the_next_free_port_and_ends_whole(
    number: signal.Signals, tmp_path: Path
) -> None:
    """A taken port is said, the page answers, and no process outlives the command, even a killed one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        log = tmp_path / "log"
        home = tmp_path / "home"
        with log.open("w") as out:
            up = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "rollout_lab",
                    "up",
                    "--no-browser",
                    "--port",
                    str(wanted),
                    "--lang",
                    "en",
                ],
                stdout=out,
                stderr=out,
                env={**os.environ, "ROLLOUT_LAB_HOME": str(home)},
            )
        try:
            assert poll(lambda: "Ctrl-C" in log.read_text() or up.poll() is not None, 120), log.read_text()
            said = log.read_text()
            assert f"port {wanted} is taken" in said
            port = int(said.split("page: http://127.0.0.1:")[1].split()[0])
            assert port > wanted and answers(port)
            assert len(of_home(home)) == 4
        finally:
            up.send_signal(number)
            code = up.wait(30)
        assert poll(lambda: not of_home(home), 20)
        if number == signal.SIGINT:
            assert code == 0 and not list(home.iterdir())


def test_asking_shows_which_connection_an_answer_came_by(lab: Lab) -> None:
    """Fresh connections are counted one by one; a kept one and a forwarded one stay one."""
    kinds = ("--fresh", "--keep-alive", "--port-forward")
    rows = read("curl", "api-tester-2233-active", *kinds, "--count", "3", "--every", "0.01")
    assert [(r["connection"], r["answers"], r["connections"], r["failed"]) for r in rows] == [
        ("fresh", 3, 3, 0),
        ("keep-alive", 3, 1, 0),
        ("port-forward", 3, 1, 0),
    ]
    refused = call("curl", "nobody")
    assert isinstance(refused.exception, UsageError) and "api-tester-2233-active" in str(refused.exception)
    shown = call("curl", "api-tester-2233-active", "--count", "1").output
    assert "CONNECTION" in shown and "fresh" in shown
