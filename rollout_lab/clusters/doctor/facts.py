"""What was seen of a machine, without a judgement. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rollout_lab.clusters.kind.machine import Docker
from rollout_lab.clusters.kind.versions import Version


@dataclass(frozen=True, slots=True)
class Facts:
    """Paths are ``""`` and numbers None where a thing is not there or cannot be seen from here.

    `disk_free` in bytes, where Docker keeps its data. `ports_taken`: ports of the lessons other programs
    listen on. `proxies`: variable -> value without user and password. `routers`: what routes requests in
    `asked`, a kind cluster or a context, each with whether it is ready; None where no cluster was asked.
    """

    system: str  # Linux, Darwin, Windows
    architecture: str  # amd64, arm64, or what the machine calls itself
    docker_path: str = ""
    docker: Docker | None = None
    docker_said: str = ""
    kind_path: str = ""
    kind: Version | None = None
    kubectl_path: str = ""
    kubectl: Version | None = None
    disk_free: int | None = None
    inotify_instances: int | None = None
    inotify_watches: int | None = None
    ports_taken: tuple[int, ...] = ()
    ports: tuple[int, ...] = ()
    node_image: str = ""
    node_image_architecture: str = ""  # "" where docker does not hold the image
    clusters: tuple[str, ...] = ()
    proxies: Mapping[str, str] = field(default_factory=dict)
    no_proxy: str = ""
    wsl: bool = False
    asked: str = ""
    kind_asked: bool = True
    routers: tuple[tuple[str, bool], ...] | None = None
