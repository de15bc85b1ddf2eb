"""Fixtures about images: built once on a small folder as base, kept away from this user's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout_lab.clusters.images import build
from rollout_lab.clusters.images.build import Built
from tests.clusters.packed import make_rootfs


@pytest.fixture
def images_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Built images go nowhere near this user's."""
    home = tmp_path / "images-home"
    monkeypatch.setenv(build.FOLDER_VARIABLE, str(home))
    monkeypatch.delenv(build.BASE_VARIABLE, raising=False)
    return home


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    return make_rootfs(tmp_path / "rootfs")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Built, Built]]:
    """Both images on a folder as base, for all tests that only read them."""
    home = tmp_path_factory.mktemp("images")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(build.FOLDER_VARIABLE, str(home / "kept"))
        yield build.build(str(make_rootfs(home / "rootfs")))
