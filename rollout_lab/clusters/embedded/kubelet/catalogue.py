"""Which images there are: image name -> program. The lab pulls from no registry.

Here: reading image references as the container runtime does, the table of images, what a pull
says. Starting and serving is done elsewhere (`container.py`).

| image (any registry in front)                              | program       | port |
|------------------------------------------------------------|---------------|------|
| OWNER/api-tester:VERSION[-FAULT], api-tester:…             | Api Tester    | 8080 |
| nginx:TAG                                                  | Nginx         | 80   |
| argoproj/rollouts-demo:COLOUR                              | RolloutsDemo  | 8080 |

`1pro/api-tester` (the course's) and `rollout-lab/api-tester` (ours) are both the first row.
# upstream: containerd and kubelet messages, pkg/kubelet/images/image_manager.go
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from rollout_lab.clusters.embedded.kubelet.apps.api_tester import ApiTester
from rollout_lab.clusters.embedded.kubelet.apps.app import App, Surroundings
from rollout_lab.clusters.embedded.kubelet.apps.demo import Nginx, RolloutsDemo
from rollout_lab.clusters.embedded.kubelet.apps.faults import Faults, from_environment, split_tag

_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?)"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_REGISTRY}/)?{_PATH}(?:/{_PATH})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?P<digest>@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?"
)


@dataclass(frozen=True, slots=True)
class Image:
    """An image reference taken apart. `repository` has registry and path, `tag` defaults to latest."""

    text: str
    repository: str
    tag: str

    @property
    def path(self) -> str:
        """``owner/name`` or ``name`` without the registry."""
        first, slash, rest = self.repository.partition("/")
        is_registry = "." in first or ":" in first or first == "localhost" or first != first.lower()
        return rest if slash and is_registry else self.repository

    @property
    def full(self) -> str:
        """As the runtime writes it: docker.io/library/nginx:1.27."""
        path = self.path
        registry = self.repository.removesuffix(path).rstrip("/") or "docker.io"
        if registry == "docker.io" and "/" not in path:
            path = f"library/{path}"
        return f"{registry}/{path}:{self.tag}"

    @property
    def id(self) -> str:
        """A stable digest in the place where the runtime has one."""
        return f"{self.full.rpartition(':')[0]}@sha256:{hashlib.sha256(self.full.encode()).hexdigest()}"


Factory = Callable[[str, Faults, Surroundings], App]


@dataclass(frozen=True, slots=True)
class Program:
    """A row of the catalogue that an image leads to, with version and faults from its tag."""

    image: Image
    version: str
    faults: Faults
    port: int
    factory: Factory

    def build(self, around: Surroundings) -> tuple[App, Faults]:
        """One run of it in its surroundings; complaints about variables go to the log."""
        faults, complaints = from_environment(self.faults, around.environment)
        for line in complaints:
            around.write(line)
        return self.factory(self.version, faults, around), faults


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table: which paths, which program, on which port without containerPorts."""

    path: re.Pattern[str]
    shown: str
    factory: Factory
    port: int
    faults_in_tag: bool = False


CATALOGUE: tuple[Entry, ...] = (
    Entry(re.compile(r"(.*/)?api-tester"), "1pro/api-tester", ApiTester, 8080, faults_in_tag=True),
    Entry(re.compile(r"(library/)?nginx"), "nginx", Nginx, 80),
    Entry(re.compile(r"argoproj/rollouts-demo"), "argoproj/rollouts-demo", RolloutsDemo, 8080),
)


def parse(text: str) -> Image | None:
    """The reference, or None where the runtime says "invalid reference format"."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    return Image(text, match["name"], match["tag"] or "latest")


def find(image: Image) -> Program | None:
    """The program an image leads to; None when the lab has no such image."""
    for entry in CATALOGUE:
        if entry.path.fullmatch(image.path):
            version, faults = split_tag(image.tag) if entry.faults_in_tag else (image.tag, Faults())
            return Program(image, version, faults, entry.port, entry.factory)
    return None


def invalid_name_message(text: str) -> str:
    """What the kubelet says about a name that is no reference."""
    why = f'couldn\'t parse image name "{text}": invalid reference format'
    return f'Failed to apply default image tag "{text}": {why}'


def not_found_message(image: Image) -> str:
    """What a pull of an image that is not there says, and what there is instead."""
    have = ", ".join(entry.shown for entry in CATALOGUE)
    return (
        f'failed to pull and unpack image "{image.full}": failed to resolve reference "{image.full}": '
        f"{image.full}: not found (this cluster pulls from no registry; its images are {have})"
    )
