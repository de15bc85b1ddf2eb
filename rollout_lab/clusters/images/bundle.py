"""One file with all a classroom without internet needs: node image, our images, wheels, the project.

`make` collects what this machine has or can get, and says what is missing. `load` checks every file
against its SHA-256 before any of them is used; nothing is ever written outside of the folder it was
given. What is in a bundle is listed in its first member, `bundle.json`.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rollout_lab.clusters import commands
from rollout_lab.clusters.images import archive, build
from rollout_lab.clusters.images.build import Built
from rollout_lab.errors import LabError

Say = Callable[[str], None]
LISTING: Final = "bundle.json"
FORMAT: Final = 1
_SAVE: Final = 900.0  # wall seconds for a node image
_PIP: Final = 1800.0
_LISTING_LIMIT: Final = 4 << 20
_CHUNK: Final = 1 << 20
_BUILD: Final = "setuptools>=77"
_PROJECT: Final = (
    *(
        "pyproject.toml",
        "setup.py",
        "MANIFEST.in",
        "requirements.lock",
        "requirements-dev.lock",
        "Makefile",
        "README.md",
        "LICENSE",
    ),
    *("app.py", ".streamlit", "rollout_lab", "manifests", "lessons", "scripts"),
)
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True, slots=True)
class Item:
    """A file of a bundle. `path` is relative, with ``/``; `what`: node, images, about, wheel or project."""

    path: str
    what: str
    size: int
    sha256: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle holds, and what could not be put into it. `architecture` of images and wheels."""

    items: tuple[Item, ...]
    missing: tuple[str, ...]
    architecture: str
    python: str
    node_image: str

    def document(self) -> bytes:
        """`bundle.json`."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode()

    def of(self, what: str) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.what == what)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A bundle after its check. `folder` has its files; `images` are those that can be used from now on."""

    bundle: Bundle
    folder: Path
    images: tuple[str, ...]
    notes: tuple[str, ...]


def make(
    out: Path, built: Iterable[Built], node_image: str, project: Path, wheels: bool = True, say: Say = print
) -> Bundle:
    """Write the bundle to `out`, whole or not at all. `project` is the folder of pyproject.toml.

    `wheels` False leaves Python packages out. Raises LabError where the file cannot be written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".rollout-lab-bundle-", dir=out.parent) as temporary:
        folder = Path(temporary)
        missing: list[str] = []
        images: dict[str, tuple[str, ...]] = {}
        architecture = ""
        (folder / "images").mkdir()
        for one in built:
            shutil.copyfile(one.archive, folder / "images" / one.archive.name)
            about = (folder / "images" / one.archive.name).with_suffix(".json")
            about.write_text(one.document(), encoding="utf-8")
            images[f"images/{one.archive.name}"] = one.images
            architecture = one.architecture
        missing += _project(folder, project)
        missing += _node(folder, node_image, images, say)
        missing += _wheels(folder, project, say) if wheels else ["Python packages (left out on request)"]
        items = tuple(_item(folder, path, images) for path in sorted(_files(folder)))
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        bundle = Bundle(items, tuple(missing), architecture, version, node_image)
        say(f"writing {out}")
        try:
            _write(out, folder, bundle)
        except OSError as problem:
            raise LabError(f"{out} cannot be written: {problem.strerror}") from None
    return bundle


def _node(folder: Path, image: str, images: dict[str, tuple[str, ...]], say: Say) -> list[str]:
    try:
        if not image or not commands.call("docker", "image", "inspect", image, timeout=20).ok:
            return [
                f"the node image {image or 'of kind'} (docker does not have it: docker pull {image})".rstrip()
            ]
        say(f"saving the node image {image}")
        commands.check("docker", "save", "--output", str(folder / "images/node.tar"), image, timeout=_SAVE)
    except commands.ToolMissing:
        return [f"the node image {image} (there is no docker here)"]
    images["images/node.tar"] = (image,)
    return []


def _project(folder: Path, project: Path) -> list[str]:
    """The lab itself, as it runs here."""
    lacking = [name for name in _PROJECT if not (project / name).exists()]
    with tarfile.open(folder / "project.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for name in _PROJECT:
            if name not in lacking:
                tar.add(project / name, f"rollout-lab/{name}", filter=_source)
    return [f"{', '.join(lacking)} of the project (not in {project})"] if lacking else []


def _source(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if "__pycache__" in info.name or not (info.isreg() or info.isdir()):
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _wheels(folder: Path, project: Path, say: Say) -> list[str]:
    """The packages of the lock as wheels of this system and Python, and what an editable install needs."""
    lock = project / "requirements.lock"
    if not lock.exists():
        return [f"Python packages ({lock} is not there)"]
    target = folder / "wheels"
    target.mkdir()
    say("downloading the Python packages of requirements.lock")
    pip = ["-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--only-binary", ":all:"]
    for words in (["--require-hashes", "-r", str(lock)], [_BUILD]):
        done = commands.call(sys.executable, *pip, "--dest", str(target), *words, timeout=_PIP)
        if not done.ok:
            return [f"Python packages ({commands.telling(done.err) or 'pip failed'})"]
    return []


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _item(folder: Path, path: Path, images: Mapping[str, tuple[str, ...]]) -> Item:
    name = path.relative_to(folder).as_posix()
    what = "project"
    if name.startswith("images/"):
        what = "node" if name == "images/node.tar" else "about" if path.suffix == ".json" else "images"
    elif name.startswith("wheels/"):
        what = "wheel"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Item(name, what, path.stat().st_size, digest, images.get(name, ()))


def _write(out: Path, folder: Path, bundle: Bundle) -> None:
    """Plain tar, or compressed where the name ends so; the listing comes first."""
    part = folder / ".part"
    mode = "w:gz" if out.name.endswith((".gz", ".tgz")) else "w"
    options: dict[str, Any] = {"compresslevel": 1} if mode == "w:gz" else {}
    with tarfile.open(part, mode, format=tarfile.PAX_FORMAT, **options) as tar:  # type: ignore[call-overload]
        document = bundle.document()
        info = tarfile.TarInfo(LISTING)
        info.size = len(document)
        tar.addfile(info, io.BytesIO(document))
        for item in bundle.items:
            info = tarfile.TarInfo(item.path)
            info.size = item.size
            with (folder / item.path).open("rb") as file:
                tar.addfile(info, file)
    part.replace(out)


def unpack(file: Path, folder: Path) -> Bundle:
    """Check a bundle and put its files into the empty `folder`. Raises LabError before anything is used."""
    try:
        with tarfile.open(file) as tar:
            first = tar.next()
            if first is None or first.name != LISTING or not first.isreg() or first.size > _LISTING_LIMIT:
                raise LabError(f"{file} is no bundle: it does not begin with {LISTING}")
            content = tar.extractfile(first)
            assert content is not None
            bundle = listing(content.read(), str(file))
            left = {item.path: item for item in bundle.items}
            while (member := tar.next()) is not None:
                item = left.pop(member.name, None)
                if item is None or not member.isreg():
                    raise LabError(
                        f"{file} holds {member.name!r}, which {LISTING} does not list: do not use it"
                    )
                if member.size != item.size:
                    raise LabError(
                        f"{item.path} in {file} is damaged (its size differs); copy the file again"
                    )
                data = tar.extractfile(member)
                assert data is not None
                _take(iter(lambda d=data: d.read(_CHUNK), b""), folder / item.path, item, file)  # type: ignore[misc]
    except (OSError, tarfile.TarError, EOFError) as problem:
        raise LabError(f"{file} cannot be read as a bundle: {problem}") from None
    if left:
        raise LabError(f"{file} is cut off: {', '.join(sorted(left)[:3])} is not in it; copy it again")
    return bundle


def _take(chunks: Iterable[bytes], target: Path, item: Item, file: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    sums = hashlib.sha256()
    with target.open("xb") as out:
        for chunk in chunks:
            sums.update(chunk)
            out.write(chunk)
    if sums.hexdigest() != item.sha256:
        raise LabError(
            f"{item.path} in {file} is damaged (its SHA-256 differs); copy or download the file again"
        )


def listing(data: bytes, source: str) -> Bundle:
    """`bundle.json` read and checked: every path stays inside. Raises LabError."""
    try:
        raw = json.loads(data)
        if raw["format"] != FORMAT:
            raise LabError(f"{source} has format {raw['format']}, this rollout-lab reads format {FORMAT}")
        items = tuple(
            Item(
                str(i["path"]), str(i["what"]), int(i["size"]), str(i["sha256"]), tuple(map(str, i["images"]))
            )
            for i in raw["items"]
        )
        bundle = Bundle(
            items,
            tuple(map(str, raw["missing"])),
            str(raw["architecture"]),
            str(raw["python"]),
            str(raw["node_image"]),
        )
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        raise LabError(f"{source}: {LISTING} cannot be read") from None
    seen = set()
    for item in items:
        if not _is_inside(item.path) or item.path in seen:
            raise LabError(
                f"{source} names the file {item.path!r}, which may lead out of a folder: do not use it"
            )
        seen.add(item.path)
    return bundle


def _is_inside(path: str) -> bool:
    """Whether a path of a bundle is one of ours: one or two plain names.

    >>> [_is_inside(p) for p in ("wheels/a-1.0.whl", "../x", "/x", "a/../b", "a//b", "", "a/b/c", "a/.b")]
    [True, False, False, False, False, False, False, False]
    """
    parts = PurePosixPath(path).parts
    return "/".join(parts) == path and 1 <= len(parts) <= 2 and all(_PART.fullmatch(p) for p in parts)


def load(file: Path, folder: Path, say: Say = print) -> Loaded:
    """Check a bundle, keep its files in `folder`, give its images to docker. Raises LabError.

    `folder` must not exist or be empty: what is in it afterwards is the bundle and nothing else.
    """
    if folder.exists() and any(folder.iterdir()):
        raise LabError(f"{folder} is not empty: name another folder with --into, or empty it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".rollout-lab-bundle-", dir=folder.parent) as temporary:
        say(f"checking {file}")
        checked = Path(temporary) / "bundle"
        checked.mkdir()
        bundle = unpack(file, checked)
        if folder.exists():
            folder.rmdir()
        checked.rename(folder)
    notes = list(_notes(bundle))
    for item in (*bundle.of("node"), *bundle.of("images")):
        if not set(archive.names_in(folder / item.path)) >= set(item.images):
            raise LabError(
                f"{item.path} does not hold the images that {LISTING} names; make the bundle again"
            )
    images: list[str] = []
    for item in bundle.of("images"):
        images += build.adopt(folder / item.path, (folder / item.path).with_suffix(".json")).images
    for item in bundle.of("node"):
        try:
            say(f"docker loads the node image {' '.join(item.images)}")
            commands.check("docker", "load", "--quiet", "--input", str(folder / item.path), timeout=_SAVE)
            images += item.images
        except commands.ToolMissing:
            notes.append("docker is not here: only the embedded cluster can be used")
        except commands.ToolFailed as problem:
            raise LabError(f"docker does not take {item.path}: {problem}. Is Docker running?") from None
    return Loaded(bundle, folder, tuple(images), tuple(notes))


def _notes(bundle: Bundle) -> Iterator[str]:
    for one in bundle.missing:
        yield f"the bundle was made without {one}"
    here = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine().lower())
    if bundle.architecture not in ("", here):
        yield f"its images are for {bundle.architecture}, this machine is {here}"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if bundle.of("wheel") and bundle.python != version:
        yield f"its wheels are for Python {bundle.python}, this is {version}: some may not fit"
