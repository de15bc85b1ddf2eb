"""What docker and kind say of this machine: clusters, their nodes and ports, images. Only asks."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any, Final

from rollout_lab.clusters import commands
from rollout_lab.clusters.kind.versions import Version, parse
from rollout_lab.errors import LabError

ASK: Final = 20.0  # wall seconds docker or kind may take for an answer
NODE_LABEL: Final = "io.x-k8s.kind.cluster"


class DockerUnavailable(LabError):
    """Docker is there but does not answer."""

    def __init__(self, said: str) -> None:
        why = commands.telling(said)
        super().__init__(
            "Docker does not answer"
            + (f": {why}" if why else "")
            + ". Start Docker (Docker Desktop, or `sudo systemctl start docker`), then try again. "
            "The embedded cluster needs no Docker: `rollout-lab up`."
        )


@dataclass(frozen=True, slots=True)
class Docker:
    """What `docker info` says. `memory` in bytes; `cgroup` is 1 or 2; `driver` of storage."""

    version: str
    architecture: str
    memory: int
    cpus: int
    cgroup: int
    driver: str
    root: str
    rootless: bool
    system: str

    @property
    def containerd_store(self) -> bool:
        """Whether images live in containerd's store, with which `kind load` has trouble."""
        return "containerd" in self.driver


@dataclass(frozen=True, slots=True)
class Node:
    """A node container of a kind cluster. `ports`: NodePort -> ``host:port`` on this machine."""

    name: str
    role: str
    running: bool
    ports: dict[int, str]


def docker() -> Docker:
    """Raises ToolMissing or DockerUnavailable."""
    done = commands.call("docker", "info", "--format", "{{json .}}", timeout=ASK)
    try:
        info: dict[str, Any] = json.loads(done.out) if done.out.strip() else {}
    except ValueError:
        info = {}
    if not done.ok or not info.get("ServerVersion"):
        errors = info.get("ServerErrors") or []
        raise DockerUnavailable("\n".join(map(str, errors)) or done.err)
    status = [" ".join(map(str, pair)) for pair in info.get("DriverStatus") or [] if pair]
    return Docker(
        version=str(info["ServerVersion"]),
        architecture=str(info.get("Architecture") or ""),
        memory=int(info.get("MemTotal") or 0),
        cpus=int(info.get("NCPU") or 0),
        cgroup=int(info.get("CgroupVersion") or 1),
        driver=" ".join([str(info.get("Driver") or ""), *(s for s in status if "containerd" in s)]),
        root=str(info.get("DockerRootDir") or ""),
        rootless=any("rootless" in str(option) for option in info.get("SecurityOptions") or []),
        system=str(info.get("OperatingSystem") or ""),
    )


def kind_version() -> Version | None:
    """Raises ToolMissing."""
    return parse(commands.call("kind", "version", timeout=ASK).out)


def has_image(image: str) -> bool:
    """Whether docker holds an image; False also where docker cannot be asked."""
    try:
        return bool(image) and commands.call("docker", "image", "inspect", image, timeout=ASK).ok
    except commands.ToolMissing:
        return False


def clusters() -> list[str]:
    """The names of all kind clusters of this machine. Raises ToolMissing or DockerUnavailable."""
    done = commands.call("docker", "ps", "--all", "--format", f'{{{{.Label "{NODE_LABEL}"}}}}', timeout=ASK)
    if not done.ok:
        raise DockerUnavailable(done.err)
    return sorted({line.strip() for line in done.out.splitlines() if line.strip()})


def nodes(cluster: str) -> list[Node]:
    """The node containers of a cluster, running or not. Raises ToolMissing or DockerUnavailable."""
    listed = commands.call(
        "docker", "ps", "--all", "--quiet", "--filter", f"label={NODE_LABEL}={cluster}", timeout=ASK
    )
    if not listed.ok:
        raise DockerUnavailable(listed.err)
    identities = listed.out.split()
    if not identities:
        return []
    # one that went meanwhile makes the exit code 1; those that are there are told all the same
    found = json.loads(commands.call("docker", "inspect", *identities, timeout=ASK).out or "[]")
    return sorted(
        (_node(about) for about in found), key=lambda node: (node.role != "control-plane", node.name)
    )


def _node(about: dict[str, Any]) -> Node:
    running = bool(about["State"]["Running"])
    live = about["NetworkSettings"].get("Ports") or {}
    wanted = about["HostConfig"].get("PortBindings") or {}
    ports = {}
    for key, bindings in (live if running else wanted).items():
        number, _, protocol = key.partition("/")
        if protocol == "tcp" and bindings:
            host = bindings[0].get("HostIp") or "127.0.0.1"
            host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
            ports[int(number)] = f"{host}:{bindings[0]['HostPort']}"
    labels = about["Config"].get("Labels") or {}
    role = str(labels.get("io.x-k8s.kind.role") or "")
    return Node(str(about["Name"]).lstrip("/"), role, running, ports)


def mapped_ports(cluster: str) -> dict[int, str]:
    """NodePort -> ``host:port`` of this machine, of all running nodes; empty where docker does not say."""
    try:
        return {port: to for node in nodes(cluster) if node.running for port, to in node.ports.items()}
    except LabError:
        return {}


def port_taken(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a program of this machine listens on a TCP port already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
