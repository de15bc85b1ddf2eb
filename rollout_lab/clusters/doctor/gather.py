"""Looking at this machine: files, programs, ports, environment. Judges nothing and changes nothing."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from rollout_lab.client.kube import KubeClient
from rollout_lab.clusters import commands, traffic
from rollout_lab.clusters.context import connect, is_embedded
from rollout_lab.clusters.doctor.facts import Facts
from rollout_lab.clusters.kind import config, create, machine, versions
from rollout_lab.errors import ClusterUnavailable, LabError

ARCHITECTURES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_INOTIFY: Final = Path("/proc/sys/fs/inotify")
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def gather(wanted: create.Wanted | None = None, context: str = "") -> Facts:
    """All facts; `wanted` names cluster and node image as for `up`. Never raises for what is missing.

    `context`: of the kubeconfig, to be asked for its router instead of the kind cluster. Raises
    ClusterUnavailable where that one does not answer.
    """
    asked = wanted or create.Wanted()
    docker, said = _docker()
    clusters = _clusters() if docker is not None else ()
    ports = config.host_ports(config.base())
    ours = {int(a.rpartition(":")[2]) for c in clusters for a in machine.mapped_ports(c).values()}
    kind = versions.parse(_output("kind", "version"))
    cgroup = docker.cgroup if docker is not None else 2
    image = create.choose_image(asked.image(), kind, cgroup, machine.has_image)
    name = asked.named()
    routers = _routers(connect(None, context)) if context else None
    if not context and name in clusters:
        with contextlib.suppress(ClusterUnavailable):
            client = create.client_of(name)
            routers = _routers(client) if client is not None else None
    return Facts(
        system=platform.system(),
        architecture=architecture(platform.machine()),
        docker_path=commands.where("docker"),
        docker=docker,
        docker_said=said,
        kind_path=commands.where("kind"),
        kind=kind,
        kubectl_path=commands.where("kubectl"),
        kubectl=versions.parse(_output("kubectl", "version", "--client")),
        disk_free=_free(docker.root if docker is not None else ""),
        inotify_instances=_number(_INOTIFY / "max_user_instances"),
        inotify_watches=_number(_INOTIFY / "max_user_watches"),
        ports_taken=tuple(p for p in ports if p not in ours and machine.port_taken(p)),
        ports=ports,
        node_image=image,
        node_image_architecture=_image_architecture(image) if docker is not None and image else "",
        clusters=clusters,
        proxies=proxies(os.environ),
        no_proxy=os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or "",
        wsl="microsoft" in platform.release().lower(),
        asked=context or name,
        kind_asked=not context,
        routers=routers,
    )


def _routers(client: KubeClient) -> tuple[tuple[str, bool], ...]:
    """The routers of a cluster; its client is closed. The embedded one's is no object of it."""
    try:
        if is_embedded(client):
            return ((traffic.Who.OURS.value, True),)
        found = traffic.controllers(traffic.look(client))
        return tuple((one.who.value, one.ready) for one in found)
    finally:
        client.close()


def architecture(name: str) -> str:
    """As images name it.

    >>> architecture("x86_64"), architecture("riscv64")
    ('amd64', 'riscv64')
    """
    return ARCHITECTURES.get(name.lower(), name)


def proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Proxy variables by their upper-case name, without user and password.

    >>> proxies({"https_proxy": "http://me:secret@proxy:3128"})
    {'HTTPS_PROXY': 'http://proxy:3128'}
    """
    found = {}
    for name in _PROXIES:
        value = environment.get(name) or environment.get(name.lower())
        if value:
            parts = urlsplit(value if "://" in value else f"http://{value}")
            found[name] = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return found


def _docker() -> tuple[machine.Docker | None, str]:
    try:
        return machine.docker(), ""
    except commands.ToolMissing:
        return None, ""
    except LabError as problem:
        return None, str(problem)


def _clusters() -> tuple[str, ...]:
    try:
        return tuple(machine.clusters())
    except LabError:
        return ()


def _output(program: str, *arguments: str) -> str:
    try:
        return commands.call(program, *arguments, timeout=machine.ASK).out
    except commands.ToolMissing:
        return ""


def _image_architecture(image: str) -> str:
    return _output("docker", "image", "inspect", "--format", "{{.Architecture}}", image).strip()


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _free(root: str) -> int | None:
    """Free bytes where Docker's data lie; None where that is inside a virtual machine."""
    path = Path(root) if root else None
    if path is None or platform.system() != "Linux":
        return None
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None
