"""A base image with Python made of Debian packages, where no image registry is reachable.

Needs `apt-get` and `dpkg-deb` (Debian, Ubuntu), no root and no docker: packages are downloaded and
checked by apt, unpacked into a folder and never installed. What a container has no use for is left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from rollout_lab.clusters import commands
from rollout_lab.errors import LabError

ROOTS: Final = ("python3-minimal", "libpython3-stdlib", "busybox-static")
SKIPPED: Final = frozenset(
    [
        "dpkg",
        "media-types",
        "mime-support",
        "mailcap",
        "debconf",
        "cdebconf",
        "readline-common",
        "install-info",
        "perl",
        "perl-base",
        "tar",
        "python3",
        "netbase",
        "sensible-utils",
        "libdb5.3",
        "libdb5.3t64",
        "libtirpc3",
        "libtirpc3t64",
        "libnsl2",
        "libtirpc-common",
    ]
)
"""Dependencies that only serve the installation, or parts of Python nobody here uses (dbm, nis)."""
APPLETS: Final = [
    "sh",
    "ls",
    "cat",
    "grep",
    "sed",
    "head",
    "tail",
    "ps",
    "env",
    "vi",
    "wget",
    "nc",
    "ping",
    "nslookup",
    "sleep",
    "top",
    "id",
    "kill",
    "df",
    "du",
]
_UNUSED: Final = (
    "doc",
    "man",
    "lintian",
    "locale",
    "bash-completion",
    "bug",
    "info",
    "python3",
    "applications",
)
_UNUSED_PYTHON: Final = [
    "test",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "distutils",
]
_DOWNLOAD: Final = 300.0  # wall seconds
_PASSWD: Final = "root:x:0:0:root:/root:/bin/sh\nlab:x:65532:65532:lab:/tmp:/bin/sh\n"
_GROUP: Final = "root:x:0:\nlab:x:65532:\n"


def available() -> bool:
    """Whether this machine can make a base of Debian packages."""
    return bool(commands.where("apt-get") and commands.where("dpkg-deb") and commands.where("apt-cache"))


def architecture() -> str:
    """amd64, arm64, …: dpkg's names are also those of images for these two."""
    return commands.check("dpkg", "--print-architecture").strip()


def closure() -> list[str]:
    """The packages, with all they depend on; sorted. Raises LabError where apt does not know Python."""
    found: set[str] = set()
    new = set(ROOTS)
    while new:
        found |= new
        new = dependencies(commands.check("apt-cache", "depends", *sorted(new))) - found - SKIPPED
    return sorted(found)


def dependencies(said: str) -> set[str]:
    """The packages in the output of ``apt-cache depends``: the first of each choice, none that is virtual.

    >>> sorted(dependencies("a\\n  Depends: b\\n |Depends: c\\n  Depends: d\\n  PreDepends: <e>"))
    ['b', 'c']
    """
    found, chosen = set(), False
    for line in said.splitlines():
        match = re.match(r"\s(\||\s)(?:Pre)?Depends: (\S+)", line)
        if match is None:
            continue
        if not chosen and not match[2].startswith("<"):
            found.add(match[2].partition(":")[0])
            chosen = match[1] == "|"
        elif match[1] != "|":
            chosen = False
    return found


def make(folder: Path, say: Callable[[str], None]) -> None:
    """Fill the empty `folder` with a root file system that has Python and a small shell."""
    packages = closure()
    say(f"downloading {len(packages)} Debian packages")
    with tempfile.TemporaryDirectory(prefix="rollout-lab-debian-") as temporary:
        debs = _download(Path(temporary), packages)
        for deb in debs:
            commands.check("dpkg-deb", "--extract", str(deb), str(folder))
    for name in ("bin", "sbin", "lib", "lib64"):
        _merge(folder, name)
    _trim(folder)
    _complete(folder)
    say("compiling Python's library")
    compile_python(folder, ["/usr/lib"])


def _download(folder: Path, packages: list[str]) -> list[Path]:
    words = [] if os.getuid() else ["-o", "APT::Sandbox::User=root"]
    script = 'cd "$0" && exec apt-get "$@"'  # apt-get download writes into its working folder
    commands.check("sh", "-c", script, str(folder), *words, "-qq", "download", *packages, timeout=_DOWNLOAD)
    found = sorted(folder.glob("*.deb"))
    if len(found) != len(packages):
        raise LabError(
            f"apt-get downloaded {len(found)} of {len(packages)} packages; `apt-get update` may help"
        )
    return found


def _merge(folder: Path, name: str) -> None:
    """Packages have both /lib and /usr/lib; a system has one, and a link."""
    inner, outer = folder / "usr" / name, folder / name
    inner.mkdir(parents=True, exist_ok=True)
    if outer.is_dir() and not outer.is_symlink():
        shutil.copytree(outer, inner, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(outer)
    outer.unlink(missing_ok=True)
    outer.symlink_to(f"usr/{name}")


def _trim(folder: Path) -> None:
    for name in _UNUSED:
        shutil.rmtree(folder / "usr/share" / name, ignore_errors=True)
    shutil.rmtree(folder / "usr/lib/python3/dist-packages", ignore_errors=True)
    for library in folder.glob("usr/lib/python3.*"):
        for name in _UNUSED_PYTHON:
            shutil.rmtree(library / name, ignore_errors=True)
        for path in library.glob("config-*"):
            shutil.rmtree(path, ignore_errors=True)
    for path in folder.glob("usr/lib/*/gconv"):
        shutil.rmtree(path, ignore_errors=True)
    for path in folder.glob("usr/lib/*/perl*"):
        shutil.rmtree(path, ignore_errors=True)


def _complete(folder: Path) -> None:
    """What package scripts would have made: users, a place to write, names of programs."""
    for name in ("etc", "tmp", "root", "proc", "sys", "dev", "run", "var/run"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    for name, text in (
        ("passwd", _PASSWD),
        ("group", _GROUP),
        ("nsswitch.conf", "hosts: files dns\n"),
    ):
        path = folder / "etc" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
    busybox = folder / "usr/bin/busybox"
    if busybox.exists():
        for applet in APPLETS:
            with contextlib.suppress(FileExistsError):
                (folder / "usr/bin" / applet).symlink_to("busybox")
    for path in (folder, *(p for p in folder.rglob("*") if p.is_dir() and not p.is_symlink())):
        path.chmod(0o1777 if path == folder / "tmp" else 0o755)


def python_version(folder: Path) -> tuple[int, int]:
    """The version of the Python in a root file system. Raises LabError where there is none."""
    for path in (*folder.glob("usr/lib/python3.*"), *folder.glob("usr/local/lib/python3.*")):
        if path.is_dir() and path.name.removeprefix("python3.").isdigit():
            return 3, int(path.name.removeprefix("python3."))
    raise LabError(f"{folder} has no Python 3 in usr/lib or usr/local/lib; a base image needs one")


def compile_python(root: Path, places: Iterable[str]) -> bool:
    """Compile Python files below `places` (paths in the image) with the Python of `root` itself.

    Runs it through its own loader, so neither root nor a container is needed. Whether it could be run:
    the image works without, it only starts later.
    """
    minor = python_version(root)[1]
    program = root / f"usr/bin/python3.{minor}"
    loaders = sorted(path for path in root.glob("usr/lib/*/ld-linux*") if not path.is_symlink())
    libraries = ":".join(str(path) for path in sorted(root.glob("usr/lib/*-linux-gnu*")))
    if not program.exists() or not loaders:
        return False
    arguments = ["--library-path", libraries, str(program), "-S", "-m", "compileall", "-q", "-f"]
    arguments += ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/"]
    arguments += [str(root) + place for place in places]
    env = {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": "", "LC_ALL": "C"}
    return commands.call(str(loaders[0]), *arguments, timeout=_DOWNLOAD, env=env).ok


def digest(packages: Iterable[str]) -> str:
    """A short name for a set of packages in the versions that apt would download now."""
    said = commands.check("apt-cache", "policy", *packages)
    candidates = [
        line for line in said.splitlines() if not line.startswith((" ", "*")) or "Candidate" in line
    ]
    return hashlib.sha256("\n".join([*candidates, *APPLETS, *_UNUSED_PYTHON]).encode()).hexdigest()[:12]
