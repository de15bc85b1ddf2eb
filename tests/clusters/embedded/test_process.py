"""The cluster as a process: start, kubeconfig, the end of it, a taken port, a folder that is kept."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.clusters.embedded.persistence import FILE
from rollout_lab.clusters.embedded.process import Running, running
from rollout_lab.clusters.embedded.resources import CONFIGMAPS, CRDS, SERVICES
from rollout_lab.errors import UsageError

pytestmark = pytest.mark.cluster
COMMAND = [sys.executable, "-m", "rollout_lab.clusters.embedded.process", "--no-kubelet"]


@contextmanager
def process(*args: str, fds: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """The cluster as a child, ended whatever happens."""
    child = subprocess.Popen(
        [*COMMAND, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=fds
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate(timeout=10)


def ready(child: subprocess.Popen[str]) -> str:
    """The line the cluster says when it answers."""
    assert child.stdout is not None
    return child.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_writes_a_private_kubeconfig_and_stops_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """One line, a file only the user can read, exit code 0, nothing on stderr."""
    file = tmp_path / "new" / "kubeconfig"
    with process("--kubeconfig", str(file)) as child:
        line = ready(child)
        config = yaml.safe_load(file.read_text())
        server = config["clusters"][0]["cluster"]["server"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert config["current-context"] == "rollout-lab"
        assert server.startswith("http://127.0.0.1:")
        assert config["users"][0]["user"]["token"] not in line
        assert server.rsplit("/", 1)[1] not in line
        child.send_signal(number)
        out, err = child.communicate(timeout=10)
        assert (child.returncode, out, err) == (0, "", "")


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """The lifeline: when the only writer of the pipe is gone, so is the cluster."""
    reading, writing = os.pipe()
    try:
        args = ("--kubeconfig", str(tmp_path / "k"), "--lifeline", str(reading))
        with process(*args, fds=(reading,)) as child:
            assert ready(child)
            os.close(writing)
            writing = -1
            assert child.wait(timeout=10) == 0
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    """Exit code 2, one line, no traceback, no kubeconfig that leads nowhere."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        file = tmp_path / "k"
        with process("--port", str(port), "--kubeconfig", str(file)) as child:
            out, err = child.communicate(timeout=10)
        assert child.returncode == 2 and out == "" and not file.exists()
        assert str(port) in err and "--port 0" in err and "Traceback" not in err


def test_a_bad_clock_is_a_usage_error(tmp_path: Path) -> None:
    """A slip in `--clock` names the option."""
    with process("--kubeconfig", str(tmp_path / "k"), "--clock", "fast") as child:
        _, err = child.communicate(timeout=10)
    assert child.returncode == 2 and "--clock fast" in err and "Traceback" not in err


def kept(folder: Path, test: Any) -> Any:
    """What `test` answers about a cluster kept in `folder`."""

    async def main() -> Any:
        async with running(data_dir=folder, controllers=False, kubelet=False) as cluster:
            return test(cluster)

    return asyncio.run(main())


def test_a_restart_keeps_objects_versions_and_secrets(tmp_path: Path) -> None:
    """Same uids, same resourceVersions, no version given twice, the old kubeconfig's rights still good."""

    def first(cluster: Running) -> Any:
        api = cluster.api
        api.create(CONFIGMAPS, "default", {"metadata": {"name": "a"}, "data": {"k": "1"}})
        api.create(CONFIGMAPS, "default", {"metadata": {"name": "gone"}})
        api.delete(CONFIGMAPS, "default", "gone")
        spec = {"ports": [{"port": 80, "nodePort": 30123}], "type": "NodePort"}
        api.create(SERVICES, "default", {"metadata": {"name": "s"}, "spec": spec})
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        version = {"name": "v1", "served": True, "storage": True, "schema": schema}
        names = {"plural": "foos", "kind": "Foo"}
        crd = {"group": "x.io", "scope": "Namespaced", "names": names, "versions": [version]}
        api.create(CRDS, None, {"metadata": {"name": "foos.x.io"}, "spec": crd})
        foos = api.registry.find("x.io", "v1", "foos")
        assert foos
        api.create(foos, "default", {"metadata": {"name": "f"}})
        return api.list(CONFIGMAPS)[0], api.store.rv, cluster.token, cluster.server.key

    def second(cluster: Running) -> Any:
        api = cluster.api
        foos = api.registry.find("x.io", "v1", "foos")
        assert foos and api.get(foos, "default", "f")
        with pytest.raises(Exception, match="already allocated"):
            spec = {"ports": [{"port": 80, "nodePort": 30123}], "type": "NodePort"}
            api.create(SERVICES, "default", {"metadata": {"name": "t"}, "spec": spec})
        before = api.list(CONFIGMAPS)[0], api.store.rv, cluster.token, cluster.server.key
        made = api.create(CONFIGMAPS, "default", {"metadata": {"name": "b"}})
        return before, int(made["metadata"]["resourceVersion"])

    objects, version, token, key = kept(tmp_path, first)
    (again, kept_version, kept_token, kept_key), later = kept(tmp_path, second)
    assert again == objects
    assert (kept_token, kept_key) == (token, key)
    assert kept_version >= version and later > version
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_two_clusters_cannot_share_a_folder(tmp_path: Path) -> None:
    """The second one says so and how to go on."""

    async def main() -> None:
        async with running(data_dir=tmp_path, controllers=False, kubelet=False):
            with pytest.raises(UsageError, match="--data-dir"):
                async with running(data_dir=tmp_path, controllers=False, kubelet=False):
                    pass

    asyncio.run(main())


def test_a_killed_cluster_has_kept_what_it_answered(tmp_path: Path) -> None:
    """SIGKILL right after an answer: the object is there after the restart."""
    file = tmp_path / "k"
    with process("--kubeconfig", str(file), "--data-dir", str(tmp_path / "data")) as child:
        ready(child)
        server = yaml.safe_load(file.read_text())["clusters"][0]["cluster"]["server"]
        request = urllib.request.Request(
            f"{server}/api/v1/namespaces/default/configmaps",
            data=b'{"metadata":{"name":"answered"}}',
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 201
        child.kill()
        child.wait(timeout=10)

    names = kept(tmp_path / "data", lambda c: [o["metadata"]["name"] for o in c.api.list(CONFIGMAPS)[0]])
    assert "answered" in names
