"""A base for images in tests, and reading back what was packed."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def make_rootfs(root: Path) -> Path:
    """A base as a folder: as much of a root file system as is needed to be one."""
    library = root / f"usr/lib/python3.{sys.version_info.minor}"
    library.mkdir(parents=True)
    (library / "os.py").write_text("# Python's library\n", encoding="utf-8")
    (root / "bin").symlink_to("usr/bin")
    return root


def members(path: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(path) as tar:
        return {info.name: info for info in tar.getmembers()}


def manifest(path: Path) -> list[Json]:
    with tarfile.open(path) as tar:
        found = tar.extractfile("manifest.json")
        assert found is not None
        return list(json.load(found))


def config_of(path: Path, name: str) -> Json:
    entry = next(e for e in manifest(path) if name in e["RepoTags"])
    with tarfile.open(path) as tar:
        found = tar.extractfile(entry["Config"])
        assert found is not None
        data = found.read()
    assert entry["Config"] == hashlib.sha256(data).hexdigest() + ".json"
    return dict(json.loads(data))


def unpack_image(path: Path, name: str, into: Path) -> Path:
    """The files of an image, layer over layer, as a container would see them."""
    entry = next(e for e in manifest(path) if name in e["RepoTags"])
    config = config_of(path, name)
    with tarfile.open(path) as tar:
        for layer, diff_id in zip(entry["Layers"], config["rootfs"]["diff_ids"], strict=True):
            found = tar.extractfile(layer)
            assert found is not None
            data = found.read()
            assert diff_id == "sha256:" + hashlib.sha256(data).hexdigest()
            with tarfile.open(fileobj=io.BytesIO(data)) as content:
                content.extractall(into, filter="tar")
    return into
