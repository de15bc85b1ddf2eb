"""Container images without docker: folders and files become layers, layers become a docker-archive.

The archive is what `docker load`, `kind load image-archive` and `ctr images import` read. Times and
owners are fixed, so the same content always gives the same image. What goes into an image is decided
in `contents.py`. # upstream: moby image spec v1.2 (manifest.json, config, layer tars)
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from rollout_lab.errors import LabError

Json = dict[str, Any]
EPOCH: Final = "1970-01-01T00:00:00Z"
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer in a file of its own. `diff_id`: ``sha256:`` of the uncompressed tar; `file` may be gzip."""

    diff_id: str
    file: Path

    @property
    def name(self) -> str:
        return f"{self.diff_id.removeprefix('sha256:')}/layer.tar"


@dataclass(frozen=True, slots=True)
class Image:
    """Names (``owner/name:tag``), the layers from the bottom up, and the container configuration."""

    names: tuple[str, ...]
    layers: tuple[Layer, ...]
    config: Mapping[str, Any]  # Env, Entrypoint, User, …
    architecture: str
    variant: str = ""

    def document(self) -> bytes:
        """The image's configuration file; its SHA-256 is the image's id."""
        about: Json = {"architecture": self.architecture, "os": "linux", "created": EPOCH}
        if self.variant:
            about["variant"] = self.variant
        about["config"] = dict(self.config)
        about["rootfs"] = {"type": "layers", "diff_ids": [layer.diff_id for layer in self.layers]}
        about["history"] = [{"created": EPOCH, "created_by": "rollout-lab"} for _ in self.layers]
        return json.dumps(about, sort_keys=True).encode()


def folder_layer(folder: Path, out: Path) -> Layer:
    """All of `folder` as a layer; owned by root, modes as they are."""

    def fill(tar: tarfile.TarFile) -> None:
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_plain)

    return _layer(out, fill)


def files_layer(files: Mapping[str, bytes], out: Path) -> Layer:
    """Files (path in the image -> content), with their folders; mode 0644."""
    folders = {str(p) for name in files for p in PurePosixPath(name).parents if str(p) != "."}

    def fill(tar: tarfile.TarFile) -> None:
        for name in sorted(folders):
            info = _plain(tarfile.TarInfo(name))
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name in sorted(files):
            _add_bytes(tar, name, files[name])

    return _layer(out, fill)


def write(out: Path, images: Sequence[Image]) -> None:
    """Write images as one docker-archive, whole or not at all; layers they share are stored once."""
    entries: list[Json] = []
    configs: dict[str, bytes] = {}
    for image in images:
        config = image.document()
        name = hashlib.sha256(config).hexdigest() + ".json"
        configs[name] = config
        layers = [layer.name for layer in image.layers]
        entries.append({"Config": name, "RepoTags": list(image.names), "Layers": layers})
    layers_once = {layer.name: layer.file for image in images for layer in image.layers}

    def fill(tar: tarfile.TarFile) -> None:
        _add_bytes(tar, "manifest.json", json.dumps(entries).encode())
        for name, config in configs.items():
            _add_bytes(tar, name, config)
        for name, file in layers_once.items():
            info = _plain(tar.gettarinfo(file, name))
            info.mode = 0o644
            with file.open("rb") as content:
                tar.addfile(info, content)

    _write_tar(out, fill)


def names_in(archive: Path) -> list[str]:
    """The image names of a docker-archive. Raises LabError where it is none."""
    with _opened(archive) as tar:
        return [name for entry in _manifest(tar, archive) for name in entry.get("RepoTags") or ()]


def take_apart(archive: Path, folder: Path) -> tuple[tuple[Layer, ...], Json]:
    """The layers (written into `folder`) and the configuration document of the only image of an archive.

    Reads what `docker save` writes, old and new. Raises LabError.
    """
    with _opened(archive) as tar:
        entries = _manifest(tar, archive)
        if len(entries) != 1:
            raise LabError(f"{archive} holds {len(entries)} images; a base is one image")
        config: Json = json.loads(_member(tar, archive, entries[0]["Config"]).read())
        ids = config["rootfs"]["diff_ids"]
        layers = []
        for diff_id, name in zip(ids, entries[0]["Layers"], strict=True):
            out = folder / (str(diff_id).removeprefix("sha256:") + ".layer")
            with out.open("wb") as file:
                _copy(_member(tar, archive, name), file)
            layers.append(Layer(str(diff_id), out))
        return tuple(layers), config


def _opened(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive)
    except (OSError, tarfile.TarError) as problem:
        raise LabError(f"{archive} cannot be read as an image archive: {problem}") from None


def _manifest(tar: tarfile.TarFile, archive: Path) -> list[Json]:
    try:
        found = json.loads(_member(tar, archive, "manifest.json").read())
    except ValueError:
        raise LabError(f"{archive}: manifest.json is not JSON") from None
    if not isinstance(found, list):
        raise LabError(f"{archive}: manifest.json lists no images")
    return found


def _member(tar: tarfile.TarFile, archive: Path, name: str) -> IO[bytes]:
    try:
        found = tar.extractfile(name)
    except KeyError:
        found = None
    if found is None:
        raise LabError(f"{archive} is no image archive: it has no {name}; `docker save` writes one")
    return found


def _layer(out: Path, fill: Callable[[tarfile.TarFile], None]) -> Layer:
    _write_tar(out, fill)
    with out.open("rb") as file:
        return Layer("sha256:" + hashlib.file_digest(file, "sha256").hexdigest(), out)


def _write_tar(out: Path, fill: Callable[[tarfile.TarFile], None]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    part = Path(name)
    try:
        with (
            os.fdopen(handle, "wb") as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            fill(tar)
        part.replace(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mtime = 0
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = _plain(tarfile.TarInfo(name))
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    chunks: Iterable[bytes] = iter(lambda: source.read(1 << 20), b"")
    for chunk in chunks:
        target.write(chunk)
