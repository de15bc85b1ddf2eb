"""What an installed wheel has: everything a checkout has that a lab needs."""

from __future__ import annotations

import runpy
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import pytest

from rollout_lab import packed

ROOT = Path(__file__).parents[2]
Beside = Callable[[Path], Iterator[tuple[Path, str]]]


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of `setup.py`, with a setuptools that builds nothing: a build needs the network."""
    fakes = {
        name: ModuleType(name) for name in ("setuptools", "setuptools.command", "setuptools.command.build_py")
    }
    fakes["setuptools"].setup = lambda **given: None  # type: ignore[attr-defined]
    fakes["setuptools.command.build_py"].build_py = type("build_py", (), {"run": lambda self: None})  # type: ignore[attr-defined]
    for name, module in fakes.items():
        monkeypatch.setitem(sys.modules, name, module)
    return runpy.run_path(str(ROOT / "setup.py"))


def here(folder: str) -> set[str]:
    """The files of a folder of the project, apart from what Python leaves behind."""
    found = (p for p in (ROOT / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(ROOT).as_posix() for p in found if p.suffix != ".pyc" and p.name[0] != "."}


def test_a_wheel_has_lessons_manifests_and_page(build: dict[str, Any]) -> None:
    """Each file of them, notebooks too, below the package, where `packed` looks for it."""
    places = {place for _, place in build["beside"](ROOT)}
    wanted = {"app.py", ".streamlit/config.toml", *here("lessons"), *here("manifests")}
    assert places == {f"rollout_lab/{path}" for path in wanted}
    assert "rollout_lab/lessons/05-bluegreen-2233/notebook.ipynb" in places
    assert "rollout_lab/manifests/crds/rollouts.yaml" in places


def test_a_build_copies_them_and_an_editable_install_does_not(build: dict[str, Any], tmp_path: Path) -> None:
    """A checkout must stay the only place of a lesson its author edits."""
    command = build["BuildWithFiles"]()
    command.build_lib = str(tmp_path)
    command.editable_mode = True
    command.run()
    assert not any(tmp_path.iterdir())
    command.editable_mode = False
    command.run()
    for path, place in build["beside"](ROOT):
        assert (tmp_path / place).read_bytes() == path.read_bytes()


def test_every_file_of_the_package_goes_along() -> None:
    """A drawing, a catalogue or a style that no pattern names would be missing in the wheel only."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["rollout_lab"]
    for name in here("rollout_lab"):
        path = PurePosixPath(name).relative_to("rollout_lab")
        matches = path.suffix == ".py" or any(path.match(pattern.removeprefix("**/")) for pattern in patterns)
        assert matches, f"{name}: no pattern of package-data in pyproject.toml takes it"
    modules = {p.parent for p in (ROOT / "rollout_lab").rglob("*.py")}
    assert [str(folder) for folder in modules if not (folder / "__init__.py").exists()] == []


def test_what_is_packed_is_found_in_both_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout at its root; installed, below the package, whatever lies beside it."""
    assert packed.place("lessons") == ROOT / "lessons" and packed.home() == ROOT
    package = tmp_path / "site-packages" / "rollout_lab"
    (package / "manifests").mkdir(parents=True)
    (package.parent / "manifests").mkdir()
    monkeypatch.setattr(packed, "PACKAGE", package)
    assert packed.place("manifests") == package / "manifests" and packed.home() == package
