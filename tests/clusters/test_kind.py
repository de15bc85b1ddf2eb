"""What kind is asked for, which node image, and what is said when it fails: without docker."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.clusters import commands
from rollout_lab.clusters.kind import config, create, machine, ready, versions
from rollout_lab.errors import LabError, UsageError
from rollout_lab.lab.opening import kind_name

ROOT = Path(__file__).parents[2]
LESSON_PORTS = (31231, 32213, 32223, 32214, 32233, 32243, 32234, 30003)
GATEWAY = (30880, 8800)  # NodePort of manifests/gateway, and the port the texts of the lessons name


def test_every_node_port_of_the_lessons_is_mapped_on_loopback_only() -> None:
    """A port forgotten here cannot be reached for as long as the cluster lives."""
    found = config.base()
    mappings = [m for node in found["nodes"] for m in node["extraPortMappings"]]
    assert config.host_ports(found) == (*LESSON_PORTS, GATEWAY[1])
    assert {m["listenAddress"] for m in mappings} == {"127.0.0.1"}
    pairs = [(m["containerPort"], m["hostPort"]) for m in mappings]
    assert pairs == [*((port, port) for port in LESSON_PORTS), GATEWAY]
    text = "".join(p.read_text("utf-8") for p in (ROOT / "manifests").glob("course-*.yaml"))
    used = {
        port["nodePort"]
        for obj in yaml.safe_load_all(text.replace("\n# Lecture", "\n---\n# Lecture"))
        if obj and obj["kind"] == "Service"
        for port in obj["spec"]["ports"]
    }
    assert used <= set(LESSON_PORTS) and used


@pytest.mark.parametrize(
    ("nodes", "roles"), [(1, ["control-plane"]), (3, ["control-plane", "worker", "worker"])]
)
def test_one_or_three_nodes(nodes: int, roles: list[str]) -> None:
    """Three nodes are one that serves the API and two workers; the manifest itself is not changed."""
    base = config.base()
    found = config.configured(base, name="a", nodes=nodes)
    assert [node["role"] for node in found["nodes"]] == roles and found["name"] == "a"
    assert base == config.base()


def test_a_taken_port_is_reached_by_another() -> None:
    """The NodePort in the cluster stays the lesson's; only the port of this machine moves."""
    found = config.configured(config.base(), name="a", host_port=lambda p: 40001 if p == 32233 else p)
    mapped = {m["containerPort"]: m["hostPort"] for m in found["nodes"][0]["extraPortMappings"]}
    assert mapped[32233] == 40001 and mapped[32243] == 32243


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"nodes": 2}, "--nodes 2"),
        ({"name": "Lab"}, "--name Lab"),
        ({"name": "-x"}, "--name"),
        ({"name": ""}, "--name"),
    ],
)
def test_a_wrong_option_is_named(settings: dict[str, Any], word: str) -> None:
    """kind's own message would name neither the option nor the remedy."""
    with pytest.raises(UsageError, match=word):
        config.configured(config.base(), **{"name": "a", **settings})


@pytest.mark.parametrize(
    ("kind", "cgroup", "kubernetes"),
    [
        ((0, 30, 0), 1, (1, 34, 0)),
        ((0, 30, 0), 2, (1, 34, 0)),
        ((0, 31, 0), 1, (1, 34, 3)),
        ((0, 31, 0), 2, (1, 35, 0)),
        ((0, 32, 0), 1, (1, 34, 8)),
        ((0, 32, 1), 2, (1, 36, 1)),
        ((0, 33, 0), 1, (1, 34, 11)),
        ((0, 33, 0), 2, (1, 36, 4)),
        ((0, 99, 0), 1, (1, 34, 11)),
        ((0, 99, 0), 2, None),
        (None, 2, None),
    ],
)
def test_the_node_image_follows_kind_and_cgroups(
    kind: versions.Version | None, cgroup: int, kubernetes: versions.Version | None
) -> None:
    """An image built for another kind may not load images; one of 1.35 does not start under cgroup v1."""
    image = versions.node_image(kind, cgroup)
    assert versions.kubernetes_of(image) == kubernetes
    assert versions.fits(image, cgroup)
    if kind is not None and kind[:2] in versions.PINNED:
        assert len(image.partition("@sha256:")[2]) == 64, "pinned by digest"


@pytest.mark.parametrize(
    ("image", "cgroup", "fits"),
    [
        ("kindest/node:v1.35.0", 1, False),
        ("kindest/node:v1.35.0@sha256:00", 2, True),
        ("kindest/node:v1.34.11", 1, True),
        ("rollout-lab/node:mine", 1, True),
        ("localhost:5000/node", 1, True),
    ],
)
def test_an_image_that_cannot_start_is_known_before(image: str, cgroup: int, fits: bool) -> None:
    """Three minutes of waiting for a kubelet that never comes up are spared."""
    assert versions.fits(image, cgroup) is fits


def test_an_image_that_came_as_a_file_is_found_by_its_tag() -> None:
    """`docker load` keeps no digest; without this a classroom would ask a registry it cannot reach."""
    pinned = versions.node_image((0, 33, 0), 1)
    tag = pinned.partition("@")[0]
    assert create.choose_image("", (0, 33, 0), 1, lambda image: image == tag) == tag
    assert create.choose_image("", (0, 33, 0), 1, lambda image: False) == pinned
    assert create.choose_image("", (0, 33, 0), 1, lambda image: True) == pinned
    assert create.choose_image("mine:1", (0, 33, 0), 1, lambda image: True) == "mine:1"


def test_names_and_images_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option goes before the environment, the environment before the usual."""
    monkeypatch.delenv(create.NAME_VARIABLE, raising=False)
    assert create.Wanted().named() == "rollout-lab"
    monkeypatch.setenv(create.NAME_VARIABLE, "class")
    monkeypatch.setenv(create.IMAGE_VARIABLE, "node:1")
    assert (create.Wanted().named(), create.Wanted().image()) == ("class", "node:1")
    assert (create.Wanted("a", node_image="b").named(), create.Wanted("a", node_image="b").image()) == (
        "a",
        "b",
    )


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ('ERROR: failed to pull image "kindest/node:v1"', "--node-image"),
        ("docker: Bind for 127.0.0.1:32233 failed: port is already allocated", "port"),
        ("write /var/lib: no space left on device", "docker system df"),
        ("Failed to create inotify object: Too many open files", "sysctl"),
        ("something else", "doctor"),
    ],
)
def test_a_failed_creation_names_its_remedy(said: str, word: str) -> None:
    """A page of kubeadm output helps nobody."""
    assert word in create.remedy(said, "kindest/node:v1")


def node(name: str, status: str = "True") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": status}]}}


def daemon(name: str, ready_: int, wanted: int) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "status": {"numberReady": ready_, "desiredNumberScheduled": wanted},
    }


@pytest.mark.parametrize(
    ("nodes", "daemons", "waits_for"),
    [
        ([], [], "no node"),
        ([node("a"), node("b", "False")], [daemon("kube-proxy", 2, 2)], "b"),
        ([node("a")], [], "kube-proxy"),
        ([node("a")], [daemon("kube-proxy", 0, 1)], "kube-proxy"),
        ([node("a")], [daemon("kube-proxy", 1, 1)], ""),
    ],
)
def test_a_cluster_is_ready_when_it_forwards_node_ports(
    nodes: list[dict[str, Any]], daemons: list[dict[str, Any]], waits_for: str
) -> None:
    """kind itself waits for the control plane only; the first request would be refused."""
    said = ready.missing(nodes, daemons)
    assert waits_for in said and bool(said) is bool(waits_for)


INSPECTED: dict[str, Any] = {
    "Name": "/lab-control-plane",
    "State": {"Running": True},
    "NetworkSettings": {
        "Ports": {
            "6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "46467"}],
            "32233/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32233"}],
            "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}],
            "80/tcp": None,
        }
    },
    "HostConfig": {"PortBindings": {"6443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "46467"}]}},
    "Config": {"Labels": {"io.x-k8s.kind.role": "control-plane"}},
}


def test_ports_of_a_node_are_those_docker_maps() -> None:
    """The address of a Service is what is really mapped, not what was once asked for."""
    found = machine._node(INSPECTED)
    assert found.name == "lab-control-plane" and found.role == "control-plane" and found.running
    assert found.ports == {6443: "127.0.0.1:46467", 32233: "127.0.0.1:32233"}
    stopped = machine._node({**INSPECTED, "State": {"Running": False}})
    assert stopped.ports == {6443: "127.0.0.1:46467"}


class Named:
    """A client of a cluster whose nodes say they are kind's."""

    def __init__(self, identity: str, server: str) -> None:
        self.server = server
        self._nodes = {"items": [{"spec": {"providerID": identity}}]}

    def list(self, *_: Any, **__: Any) -> Any:
        return self._nodes


def test_a_kind_cluster_of_another_machine_is_not_taken_for_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Same name, other machine: its ports are not mapped here, so nothing must be asked on loopback."""
    mine = machine.Node("lab-control-plane", "control-plane", True, {6443: "127.0.0.1:46467"})
    monkeypatch.setattr(machine, "nodes", lambda name: [mine] if name == "lab" else [])
    identity = "kind://docker/lab/lab-control-plane"
    assert kind_name(Named(identity, "https://127.0.0.1:46467")) == "lab"  # type: ignore[arg-type]
    assert kind_name(Named(identity, "https://10.0.0.9:6443")) == ""  # type: ignore[arg-type]
    assert kind_name(Named("aws:///eu/i-1", "https://127.0.0.1:46467")) == ""  # type: ignore[arg-type]


# -- tools that are played by scripts ------------------------------------------------------------------


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, beside what a script needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def script(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_missing_tool_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a traceback nor "command not found"."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(commands.ToolMissing, match="https://kind.sigs.k8s.io"):
        commands.check("kind", "version")


def test_only_the_telling_lines_of_a_failure_are_shown(tools: Path) -> None:
    """kind prints progress and a stack trace around the one line that matters."""
    lines = ("✗ Preparing nodes", "ERROR: failed to create: boom", "Stack Trace: ")
    body = "".join(f"echo '{line}' >&2; " for line in lines) + "exit 7"
    script(tools, "kind", body)
    with pytest.raises(commands.ToolFailed) as caught:
        commands.follow("kind", "create", "cluster", on_line=lambda line: None, timeout=30)
    assert str(caught.value) == "kind create cluster failed (exit code 7): ERROR: failed to create: boom"


def test_lines_come_as_they_are_printed_and_a_hanging_tool_is_ended(tools: Path) -> None:
    """A creation that hangs ends with its children, not only the program that was started."""
    pids = tools / "child"
    script(tools, "kind", f"sleep 300 & echo $! > {pids}; echo first; wait")
    lines: list[str] = []
    with pytest.raises(commands.ToolFailed, match="not done within"):
        commands.follow("kind", "create", on_line=lines.append, timeout=1.0)
    assert lines == ["first"]
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", pids.read_text().strip()], capture_output=True, text=True
    )
    assert status.stdout.strip()[:1] in ("", "Z"), "the child outlived it"


def test_an_interrupted_creation_leaves_no_cluster(tools: Path, tmp_path: Path) -> None:
    """Ctrl-C in the middle: kind is ended, the half-made cluster is deleted, the mark goes."""
    log = tmp_path / "log"
    script(
        tools, "kind", f'echo "$*" >> {log}; case "$1" in create) kill -INT {os.getpid()}; sleep 60;; esac'
    )
    script(tools, "docker", "exit 0")
    said: list[str] = []

    def progress(stage: str, words: str) -> None:
        said.append(stage)

    with pytest.raises(KeyboardInterrupt), create._cleaned_up("x", tmp_path / "mark", progress):
        create._create("x", 1, "node:1", tmp_path / "kubeconfig", progress)
    words = [line.split()[:2] for line in log.read_text().splitlines()]
    assert words == [["create", "cluster"], ["delete", "cluster"]]
    assert "--kubeconfig" in log.read_text().splitlines()[1], "the user's own kubeconfig is not opened"
    assert said[-1] == "kind.undo" and not (tmp_path / "mark").exists()


def test_a_port_taken_in_the_same_moment_is_left_to_its_owner(tools: Path, tmp_path: Path) -> None:
    """Another lab may take a port between the look and docker's binding: begun again without it."""
    log, seen = tmp_path / "log", tmp_path / "seen"
    fail = "echo 'listen tcp4 127.0.0.1:32234: bind: address already in use' >&2; exit 1"
    body = (
        f'echo "$1" >> {log}; [ "$1" = create ] || exit 0; cat "$4" > {seen}; touch {tmp_path}/kubeconfig; '
        f"[ $(grep -c create {log}) = 1 ] && {{ {fail}; }}; exit 0"
    )
    script(tools, "kind", body)
    script(tools, "docker", "exit 0")
    said: list[tuple[str, str]] = []
    create._create(
        "x", 1, "node:1", tmp_path / "kubeconfig", lambda stage, words: said.append((stage, words))
    )
    assert log.read_text().split() == ["create", "delete", "create"]
    mapped = {
        m["containerPort"]: m["hostPort"]
        for m in yaml.safe_load(seen.read_text())["nodes"][0]["extraPortMappings"]
    }
    assert mapped[32234] != 32234 and ("kind.port", f"32234 127.0.0.1:{mapped[32234]}") in said


def test_a_killed_creation_is_noticed_by_the_next(tmp_path: Path) -> None:
    """After SIGKILL nobody cleans up: a cluster without its maker is not reused, a living maker is let be."""
    mark = tmp_path / "kind-x.making"
    assert create._abandoned(mark) is False
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mark.write_text(str(gone.pid))
    assert create._abandoned(mark) is True and not mark.exists()
    mark.write_text(str(os.getpid()))
    with pytest.raises(LabError, match="right now"):
        create._abandoned(mark)


@pytest.mark.parametrize("path", sorted((ROOT / "manifests" / "kind").glob("*.yaml")), ids=lambda p: p.name)
def test_the_cluster_file_can_be_given_to_kind_as_it_is(path: Path) -> None:
    """`kind create cluster --config manifests/kind/cluster.yaml` works without the lab."""
    found = list(yaml.safe_load_all(path.read_text("utf-8")))
    assert [(o["apiVersion"], o["kind"]) for o in found] == [("kind.x-k8s.io/v1alpha4", "Cluster")]
    assert "image" not in found[0]["nodes"][0], "the image depends on the machine"
