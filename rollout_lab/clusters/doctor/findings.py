"""What the facts of a machine mean for a real cluster: one finding per check, with its remedy. Pure.

A finding's sentences are ``doctor.CHECK.CODE`` and, unless it is ok, ``doctor.CHECK.CODE.remedy`` in the
catalogue; `CODES` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from rollout_lab.clusters.doctor.facts import Facts
from rollout_lab.clusters.kind import versions

GIB: Final = 1 << 30
LEAST_MEMORY: Final = 1.5 * GIB  # one node takes half a GiB, both lectures some more
GOOD_MEMORY: Final = 3 * GIB
LEAST_DISK: Final = 4 * GIB  # node image 1 GiB, a cluster 1.1 GiB, the images of the lab
GOOD_DISK: Final = 10 * GIB
# upstream: kind known issues, "Pod errors due to too many open files"
GOOD_INSTANCES: Final = 512
GOOD_WATCHES: Final = 524288
LOCAL: Final = ("127.0.0.1", "localhost")


class Level(StrEnum):
    """How bad it is: ``bad`` stops a kind cluster."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is what was looked at, `code` what was found, `params` the numbers and names in it."""

    check: str
    level: Level
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


CODES: Final[Mapping[str, tuple[str, ...]]] = {
    "docker": ("ok", "missing", "silent", "snap", "rootless"),
    "memory": ("ok", "little", "low"),
    "disk": ("ok", "little", "low", "unseen"),
    "cgroup": ("ok", "v1"),
    "inotify": ("ok", "low"),
    "ports": ("ok", "taken"),
    "kind": ("ok", "missing", "old", "new"),
    "kubectl": ("ok", "missing"),
    "image": ("ok", "pull", "default", "unfit", "foreign"),
    "architecture": ("ok", "unknown"),
    "proxy": ("ok", "leak"),
    "store": ("ok", "containerd"),
    "router": (
        *("unseen", "none", "missing", "broken"),
        *("ours", "ingress-nginx", "envoy-gateway", "istio", "cloud-provider-kind"),
    ),
}
"""Every check and the codes it may give."""


def findings(facts: Facts) -> list[Finding]:
    """All findings in the order a person should read them; checks that need Docker only where it answers."""
    found = [_docker(facts), _kind(facts), _kubectl(facts), _architecture(facts)]
    if facts.docker is not None:
        found += [check(facts) for check in _OF_DOCKER]
    found += [_ports(facts), _proxy(facts), *_routers(facts)]
    if facts.system == "Linux" and facts.inotify_instances is not None:
        found.append(_inotify(facts))
    return found


def worst(found: Iterable[Finding]) -> Level:
    """The worst level among them."""
    levels = {finding.level for finding in found}
    return next((level for level in (Level.BAD, Level.WARN) if level in levels), Level.OK)


def _docker(facts: Facts) -> Finding:
    if not facts.docker_path:
        return Finding("docker", Level.BAD, "missing")
    if facts.docker is None:
        return Finding("docker", Level.BAD, "silent", {"said": facts.docker_said})
    about = {"version": facts.docker.version, "system": facts.docker.system}
    if facts.docker.rootless:
        level = Level.BAD if facts.docker.cgroup == 1 else Level.WARN
        return Finding("docker", level, "rootless", about)
    if facts.docker_path.startswith("/snap/"):
        return Finding("docker", Level.WARN, "snap", about)
    return Finding("docker", Level.OK, "ok", about)


def _memory(facts: Facts) -> Finding:
    assert facts.docker is not None
    seen = {"gib": _gib(facts.docker.memory), "cpus": facts.docker.cpus}
    return _amount("memory", facts.docker.memory, LEAST_MEMORY, GOOD_MEMORY, seen)


def _disk(facts: Facts) -> Finding:
    if facts.disk_free is None:
        return Finding("disk", Level.OK, "unseen")
    return _amount("disk", facts.disk_free, LEAST_DISK, GOOD_DISK, {"gib": _gib(facts.disk_free)})


def _amount(check: str, value: float, least: float, good: float, seen: Mapping[str, Any]) -> Finding:
    if value < least:
        return Finding(check, Level.BAD, "little", {**seen, "least": _gib(least)})
    if value < good:
        return Finding(check, Level.WARN, "low", {**seen, "good": _gib(good)})
    return Finding(check, Level.OK, "ok", seen)


def _gib(value: float) -> str:
    return f"{value / GIB:.1f}"


def _cgroup(facts: Facts) -> Finding:
    assert facts.docker is not None
    if facts.docker.cgroup == 1:
        return Finding("cgroup", Level.WARN, "v1")
    return Finding("cgroup", Level.OK, "ok")


def _inotify(facts: Facts) -> Finding:
    seen = {"instances": facts.inotify_instances or 0, "watches": facts.inotify_watches or 0}
    enough = seen["instances"] >= GOOD_INSTANCES and seen["watches"] >= GOOD_WATCHES
    if enough:
        return Finding("inotify", Level.OK, "ok", seen)
    wanted = {"wanted_instances": GOOD_INSTANCES, "wanted_watches": GOOD_WATCHES}
    return Finding("inotify", Level.WARN, "low", {**seen, **wanted})


def _ports(facts: Facts) -> Finding:
    if facts.ports_taken:
        taken = ", ".join(map(str, facts.ports_taken))
        return Finding("ports", Level.WARN, "taken", {"ports": taken})
    return Finding("ports", Level.OK, "ok", {"n": len(facts.ports)})


def _kind(facts: Facts) -> Finding:
    if not facts.kind_path:
        return Finding("kind", Level.BAD, "missing")
    seen = {"version": versions.spoken(facts.kind), "path": facts.kind_path}
    if facts.kind is None or facts.kind < versions.OLDEST:
        return Finding("kind", Level.WARN, "old", {**seen, "oldest": versions.spoken(versions.OLDEST)})
    if facts.kind[:2] not in versions.PINNED:
        return Finding("kind", Level.WARN, "new", seen)
    return Finding("kind", Level.OK, "ok", seen)


def _kubectl(facts: Facts) -> Finding:
    if not facts.kubectl_path:
        return Finding("kubectl", Level.WARN, "missing")
    seen = {"version": versions.spoken(facts.kubectl), "path": facts.kubectl_path}
    return Finding("kubectl", Level.OK, "ok", seen)


def _image(facts: Facts) -> Finding:
    assert facts.docker is not None
    seen = {"image": facts.node_image}
    if not facts.node_image:
        return Finding("image", Level.WARN, "default", {"version": versions.spoken(facts.kind)})
    if not versions.fits(facts.node_image, facts.docker.cgroup):
        return Finding("image", Level.BAD, "unfit", seen)
    if not facts.node_image_architecture:
        return Finding("image", Level.WARN, "pull", seen)
    if facts.node_image_architecture != facts.architecture:
        both = {"found": facts.node_image_architecture, "wanted": facts.architecture}
        return Finding("image", Level.WARN, "foreign", {**seen, **both})
    return Finding("image", Level.OK, "ok", seen)


def _architecture(facts: Facts) -> Finding:
    seen = {"name": facts.architecture, "system": facts.system + (" (WSL)" if facts.wsl else "")}
    if facts.architecture in ("amd64", "arm64"):
        return Finding("architecture", Level.OK, "ok", seen)
    return Finding("architecture", Level.BAD, "unknown", seen)


def _store(facts: Facts) -> Finding:
    assert facts.docker is not None
    code = "containerd" if facts.docker.containerd_store else "ok"
    return Finding("store", Level.OK, code, {"driver": facts.docker.driver})


def _proxy(facts: Facts) -> Finding:
    """A proxy that is also asked for addresses of this machine hides the cluster from kubectl and kind."""
    exempt = {part.strip() for part in facts.no_proxy.split(",")}
    if facts.proxies and not exempt & {*LOCAL, "*"}:
        names = ", ".join(f"{name}={value}" for name, value in facts.proxies.items())
        return Finding("proxy", Level.WARN, "leak", {"names": names, "local": ",".join(LOCAL)})
    return Finding("proxy", Level.OK, "ok", {"n": len(facts.proxies)})


def _routers(facts: Facts) -> list[Finding]:
    """Who splits requests by weight. A kind cluster without one gets ours when a Rollout asks for it."""
    seen = {"cluster": facts.asked}
    if facts.routers is None:
        return [Finding("router", Level.OK, "unseen", seen)]
    if not facts.routers:
        code, level = ("none", Level.OK) if facts.kind_asked else ("missing", Level.WARN)
        return [Finding("router", level, code, seen)]
    return [_router(name, ready, seen) for name, ready in facts.routers]


def _router(name: str, ready: bool, seen: Mapping[str, Any]) -> Finding:
    if not ready:
        return Finding("router", Level.WARN, "broken", {**seen, "router": name})
    level = Level.WARN if name in _RETIRED else Level.OK
    return Finding("router", level, name, seen)


_RETIRED: Final = ("ingress-nginx",)  # in March 2026; it goes on working, and is mended no more
_OF_DOCKER: Final[tuple[Callable[[Facts], Finding], ...]] = (_memory, _disk, _cgroup, _store, _image)
