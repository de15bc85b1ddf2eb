"""What our images hold: the Api Tester's modules; the engine's and the gateway's with what they import.

Fills folders; packing is `archive`, names and tags are in `build`. Only text of this project and files
of installed packages go in, nothing of the machine.
"""

from __future__ import annotations

import importlib.metadata as metadata
import platform
import py_compile
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rollout_lab.clusters import commands
from rollout_lab.errors import LabError

HOME: Final = "opt/rollout-lab"
"""Where our files are in an image; PYTHONPATH names it."""
_PACKAGE: Final = Path(__file__).resolve().parents[2]
_APP: Final = ("__init__", "api_tester", "app", "faults", "http")
_ENGINE: Final = (
    *("errors.py", "clock.py", "py.typed", "api", "routers", "plan", "client", "controller"),
    *("gateway", "clusters/__init__.py", "clusters/gateway"),
)
"""The engine, and the gateway beside it: one image, two programs."""
_NEEDED: Final = ("kubernetes", "PyYAML", "urllib3", "aiohttp")
_NOT_NEEDED: Final = frozenset({"aiohttp-retry"})
"""Required by `kubernetes` for its asyncio half, which nothing here imports."""
_ONLY_OLDER: Final = frozenset({"typing-extensions"})
"""Required on Pythons older than this may be: not installed here then, and without requirements."""
_PRUNED: Final = ("kubernetes/aio/", "kubernetes/client/models/", "kubernetes/client/api/")
"""Generated code that is only loaded on use; our client never uses it. Their ``__init__`` stay."""
_PLATFORMS: Final = {
    "amd64": ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64"),
    "arm64": ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64"),
}
_MODES: Final = (0o644, 0o755)


def api_tester(stage: Path) -> None:
    """The app of the embedded cluster, file by file, with `serve` in front of it.

    Folders above have no ``__init__``: the real ones would import what is not in the image.
    """
    home = stage / HOME / "rollout_lab"
    apps = Path("clusters/embedded/kubelet/apps")
    for name in _APP:
        _copy(_PACKAGE / apps / f"{name}.py", home / apps / f"{name}.py")
    _copy(_PACKAGE / "clusters/images/serve.py", home / "clusters/images/serve.py")


def engine(stage: Path) -> None:
    """The engine's and the gateway's part of this package: they run with nothing else of it."""
    home = stage / HOME / "rollout_lab"
    for name in _ENGINE:
        source = _PACKAGE / name
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_file() and path.suffix != ".pyc":
                _copy(path, home / path.relative_to(_PACKAGE))


def dependencies(stage: Path, python: tuple[int, int], architecture: str, docker_arch_here: str) -> None:
    """The packages the engine imports, in the versions installed here.

    Copied from this environment where it fits the image (same Python, Linux, same architecture), else
    downloaded as wheels. Raises LabError where neither works.
    """
    home = stage / HOME
    found = closure(_NEEDED, python)
    fits = sys.platform == "linux" and platform.libc_ver()[0] == "glibc" and architecture == docker_arch_here
    if fits and sys.version_info[:2] == python:
        for one in found:
            _copy_installed(metadata.distribution(one), home)
    else:
        _download([_pinned(one) for one in found], python, architecture, home)
    for prefix in _PRUNED:
        for path in sorted((home / prefix).rglob("*"), reverse=True):
            if path.is_dir():
                path.rmdir() if not any(path.iterdir()) else None
            elif path.relative_to(home / prefix).as_posix() != "__init__.py":
                path.unlink()


def closure(names: tuple[str, ...], python: tuple[int, int]) -> list[str]:
    """Packages and what they require on that Python, without extras; sorted, in pip's spelling."""
    found: set[str] = set()
    new = {_spelled(name) for name in names}
    while new:
        found |= new
        new = {need for name in new for need in _requirements(name, python)} - found - _NOT_NEEDED
    return sorted(found)


def _requirements(name: str, python: tuple[int, int]) -> Iterator[str]:
    try:
        lines = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        if name in _ONLY_OLDER:
            return
        raise LabError(
            f"the package {name} is not installed here; `make lab` installs what is needed"
        ) from None
    for line in lines:
        wanted, _, marker = line.partition(";")
        if not marker.strip() or is_for(marker, python):
            yield _spelled(re.split(r"[^A-Za-z0-9._-]", wanted.strip(), maxsplit=1)[0])


def is_for(marker: str, python: tuple[int, int]) -> bool:
    """Whether a marker is met on that Python. Those that name none name an extra or another system.

    >>> is_for('python_version < "3.13"', (3, 11)), is_for('extra == "dev"', (3, 11))
    (True, False)
    """
    found = re.fullmatch(r"""\s*python_version\s*<\s*['"](\d+)\.(\d+)['"]\s*""", marker)
    return found is not None and python < (int(found[1]), int(found[2]))


def _pinned(name: str) -> str:
    """As pip takes it: in the version that is installed here, where it is."""
    try:
        one = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return name
    return f"{one.metadata['Name']}=={one.version}"


def _spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _copy_installed(one: metadata.Distribution, home: Path) -> None:
    for file in one.files or ():
        name = file.as_posix()
        if name.startswith(("..", "/")) or "__pycache__" in name or name.endswith((".pyi", ".pth")):
            continue
        if not _is_pruned(name):
            _copy(Path(str(one.locate_file(file))), home / name)


def _is_pruned(name: str) -> bool:
    return any(name.startswith(p) and name != f"{p}__init__.py" for p in _PRUNED)


def _download(wanted: list[str], python: tuple[int, int], architecture: str, home: Path) -> None:
    platforms = [word for one in _PLATFORMS[architecture] for word in ("--platform", one)]
    with tempfile.TemporaryDirectory(prefix="rollout-lab-wheels-") as temporary:
        words = [
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--dest",
            temporary,
        ]
        words += ["--python-version", f"{python[0]}.{python[1]}", *platforms, *wanted]
        done = commands.call(sys.executable, *words, timeout=600.0)
        if not done.ok:
            raise LabError(
                f"the engine's packages for Python {python[0]}.{python[1]} on {architecture} cannot be "
                f"downloaded: {commands.telling(done.err)}. A base with Python {sys.version_info.major}."
                f"{sys.version_info.minor} needs no download on Linux: name one with --base"
            )
        for wheel in sorted(Path(temporary).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(home)
    for path in home.rglob("*"):
        if path.is_file():
            path.chmod(_MODES[0])


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(_MODES[0])


def finish(stage: Path, python: tuple[int, int]) -> None:
    """Compile (a Pod with little CPU starts much sooner) and set modes that do not depend on this machine."""
    if sys.version_info[:2] == python:
        for path in sorted(stage.rglob("*.py")):
            shown = "/" + path.relative_to(stage).as_posix()
            try:
                py_compile.compile(
                    str(path),
                    dfile=shown,
                    doraise=True,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                )
            except py_compile.PyCompileError:
                continue  # a template or a file for another Python: it is never imported
    for path in stage.rglob("*"):
        path.chmod(_MODES[1] if path.is_dir() else _MODES[0])
