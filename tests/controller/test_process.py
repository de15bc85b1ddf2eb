"""The engine as a process: it ends with its parent, on a signal, and says plainly what is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout_lab.clock import ScaledClock
from tests.client.fake_server import FakeServer, kubeconfig

COMMAND = [sys.executable, "-m", "rollout_lab.controller.process"]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer(lambda m, p, q, b: (200, {"items": [], "metadata": {"resourceVersion": "1"}}))
    yield fake
    fake.close()


def started(config: str, *options: str, fds: tuple[int, ...] = ()) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*COMMAND, "--kubeconfig", config, *options], stderr=subprocess.PIPE, text=True, pass_fds=fds
    )
    assert process.stderr is not None
    while "watching 0 rollouts" not in (line := process.stderr.readline()):
        assert line, "the engine ended early"
    return process


def test_it_ends_when_its_parent_does_even_if_the_pipe_is_shared(server: FakeServer, tmp_path: Path) -> None:
    """Protects against engines left behind, and one that stops as a sibling made the pipe non-blocking."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    config = kubeconfig(tmp_path / "config", server.url)
    process = started(config, "--lifeline", str(reading), fds=(reading,))
    os.close(reading)
    os.write(writing, b"still here")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    os.close(writing)
    assert process.wait(10) == 0


def test_a_signal_ends_it_cleanly_and_no_token_was_written(server: FakeServer, tmp_path: Path) -> None:
    """Protects Ctrl-C, and that the log never holds what opens the cluster."""
    config = kubeconfig(tmp_path / "config", server.url + "/s3cret")
    process = started(config, "--clock", ScaledClock.start(5).spec)
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "engine stopped" in rest
    assert "sesame" not in rest and "s3cret" not in rest


def test_a_missing_kubeconfig_is_exit_code_3(tmp_path: Path) -> None:
    """Protects scripts that tell a missing cluster from a failed rollout."""
    done = subprocess.run(
        [*COMMAND, "--kubeconfig", str(tmp_path / "none")], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 3
    assert done.stderr.startswith("error: ") and "--kubeconfig" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_without_the_resource_is_told_once_and_waited_for(
    server: FakeServer, tmp_path: Path
) -> None:
    """Protects an engine that is started before its CRD: one clear line, then it goes on."""
    good = server.answer
    asked = 0

    def answer(method: str, path: str, query: dict[str, str], body: object) -> tuple[int, object]:
        nonlocal asked
        if "rollouts" in path and asked < 3:
            asked += 1
            return 404, {"kind": "Status", "code": 404, "reason": "NotFound", "message": "page not found"}
        return good(method, path, query, body)

    server.answer = answer
    process = subprocess.Popen(
        [*COMMAND, "--kubeconfig", kubeconfig(tmp_path / "config", server.url)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines: list[str] = []
    while not lines or "watching" not in lines[-1]:
        lines.append(process.stderr.readline())
    process.terminate()
    process.communicate(timeout=10)
    assert (
        sum("does not know Rollouts yet; apply manifests/crds/rollouts.yaml" in line for line in lines) == 1
    )
