"""Where the Python of our images comes from: an image docker has or can get, Debian packages, a file.

Gives a `Base`: layers in files and what they hold. Nothing of ours is added here.
"""

from __future__ import annotations

import json
import platform
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rollout_lab.clusters import commands
from rollout_lab.clusters.images import archive, debian
from rollout_lab.clusters.images.archive import Layer
from rollout_lab.errors import LabError, UsageError

Say = Callable[[str], None]
USUAL: Final = "python:3.13-slim"
"""The base where docker has it or can download it."""
AUTO: Final = "auto"
DEBIAN: Final = "debian"
_ARCHITECTURES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_PULL: Final = 600.0  # wall seconds
_SAVE: Final = 300.0


@dataclass(frozen=True, slots=True)
class Base:
    """Layers from the bottom up, the configuration they came with, and the Python (3, minor) in them."""

    name: str
    layers: tuple[Layer, ...]
    config: Mapping[str, Any]
    architecture: str
    variant: str
    python: tuple[int, int]


def machine_architecture() -> str:
    """amd64 or arm64, as images name it. Raises LabError for other machines."""
    found = _ARCHITECTURES.get(platform.machine().lower())
    if found is None:
        raise LabError(f"there are no images for {platform.machine()} machines, only for amd64 and arm64")
    return found


def resolve(asked: str, folder: Path, say: Say) -> Base:
    """The base a person asked for; layer files go to `folder`.

    `asked` is ``auto``, ``debian``, an image name, a folder with a root file system, or an archive that
    `docker save` wrote. Raises LabError with what can be done.
    """
    if asked == AUTO:
        asked = _choose(say)
    if asked == DEBIAN:
        return _of_debian(folder, say)
    path = Path(asked).expanduser()
    if path.is_dir():
        say(f"packing {path}")
        layer = archive.folder_layer(path, folder / "base-folder.layer")
        return Base(asked, (layer,), {}, machine_architecture(), "", debian.python_version(path))
    if path.is_file():
        return _of_archive(asked, path, folder)
    if "/" in asked and (asked.startswith((".", "/", "~")) or asked.endswith(".tar")):
        raise UsageError(f"--base {asked}: there is no such file or folder")
    return _of_docker(asked, folder, say)


def _choose(say: Say) -> str:
    if _docker_has(USUAL):
        return USUAL
    if debian.available():
        return DEBIAN
    if commands.where("docker"):
        return USUAL
    raise LabError(
        f"nothing here can give a base image with Python: docker could download {USUAL}, a Debian system "
        "could pack its packages, and --base FILE takes an archive that `docker save` wrote elsewhere"
    )


def _docker_has(name: str) -> bool:
    try:
        return commands.call("docker", "image", "inspect", name, timeout=20).ok
    except commands.ToolMissing:
        return False


def _of_docker(name: str, folder: Path, say: Say) -> Base:
    if not _docker_has(name):
        say(f"docker downloads {name}")
        try:
            commands.check("docker", "pull", "--quiet", name, timeout=_PULL)
        except commands.ToolFailed as problem:
            raise LabError(
                f"the base image {name} is not here and cannot be downloaded ({problem}). Other bases: "
                "--base debian makes one of Debian packages, --base FILE takes an archive of `docker save`"
            ) from None
    say(f"taking {name} from docker")
    with tempfile.TemporaryDirectory(prefix="rollout-lab-base-", dir=folder) as temporary:
        path = Path(temporary) / "base.tar"
        commands.check("docker", "save", "--output", str(path), name, timeout=_SAVE)
        return _of_archive(name, path, folder)


def _of_archive(name: str, path: Path, folder: Path) -> Base:
    layers, about = archive.take_apart(path, folder)
    architecture = str(about.get("architecture") or "")
    if architecture != machine_architecture():
        raise LabError(
            f"the base {name} is for {architecture or 'an unknown architecture'}, "
            f"this machine is {machine_architecture()}"
        )
    config = about.get("config") or {}
    return Base(name, layers, config, architecture, str(about.get("variant") or ""), python_of(name, config))


def python_of(name: str, config: Mapping[str, Any]) -> tuple[int, int]:
    """The Python of an image by what its configuration or its name says. Raises LabError.

    >>> python_of("x", {"Env": ["PYTHON_VERSION=3.12.7"]}), python_of("python:3.13-slim", {})
    ((3, 12), (3, 13))
    """
    said = [v.partition("=")[2] for v in config.get("Env") or () if v.startswith("PYTHON_VERSION=")]
    match = re.search(r"3\.(\d+)", said[0] if said else name.partition(":")[2])
    if match is None:
        raise LabError(
            f"which Python {name} has is not to be seen: its configuration has no PYTHON_VERSION "
            "(official python images have it) and its tag names none"
        )
    version = (3, int(match[1]))
    if version < (3, 11):
        raise LabError(f"the base {name} has Python 3.{version[1]}; 3.11 or newer is needed")
    return version


def _of_debian(folder: Path, say: Say) -> Base:
    """Made once for each set of package versions, then kept in `folder`."""
    if not debian.available():
        raise LabError(
            "a base of Debian packages needs apt-get and dpkg-deb (Debian, Ubuntu); name another --base"
        )
    architecture = debian.architecture()
    kept = folder / f"base-debian-{architecture}-{debian.digest(debian.closure())}"
    layer, about = kept.with_suffix(".layer"), kept.with_suffix(".json")
    if not (layer.exists() and about.exists()):
        with tempfile.TemporaryDirectory(prefix="rollout-lab-base-", dir=folder) as temporary:
            root = Path(temporary)
            debian.make(root, say)
            made = archive.folder_layer(root, layer)
            facts = {"diff_id": made.diff_id, "python": debian.python_version(root)}
            about.write_text(json.dumps(facts), encoding="utf-8")
    facts = json.loads(about.read_text(encoding="utf-8"))
    major, minor = facts["python"]
    layers = (Layer(str(facts["diff_id"]), layer),)
    return Base(DEBIAN, layers, {"Env": [f"PATH={archive.PATH}"]}, architecture, "", (major, minor))
