"""The bundle: what goes in comes out, and nothing of a damaged or hostile file is ever used."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rollout_lab.cli.verbs import rollout_lab
from rollout_lab.clusters.images import archive, build, bundle
from rollout_lab.clusters.images.archive import Image
from rollout_lab.clusters.images.build import Built
from rollout_lab.errors import LabError
from tests.clusters.tools import Tools

Json = dict[str, Any]
NODE = "kindest/node:v1.34.0"


@pytest.fixture(autouse=True)
def images_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(build.FOLDER_VARIABLE, str(tmp_path / "images-home"))
    monkeypatch.delenv(build.BASE_VARIABLE, raising=False)
    return tmp_path / "images-home"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """A docker that has the node image and saves it, and a pip that downloads one wheel."""
    found = Tools(tmp_path / "bin", monkeypatch, "docker", "pip")
    monkeypatch.setattr(bundle.sys, "executable", str(found.home / "pip"))
    found.answer()
    return found


def image(path: Path, *names: str) -> Path:
    layer = archive.files_layer({"a": b"x"}, path.with_suffix(".layer"))
    archive.write(path, [Image(names, (layer,), {}, "amd64")])
    layer.file.unlink()
    return path


def saving(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker save` and `pip download` write what they are asked for."""
    call, check = bundle.commands.call, bundle.commands.check

    def check_(program: str, *words: str, **options: Any) -> str:
        if words[0] == "save":
            image(Path(words[words.index("--output") + 1]), words[-1])
        return check(program, *words, **options)

    def call_(program: str, *words: str, **options: Any) -> Any:
        if "download" in words:
            (Path(words[words.index("--dest") + 1]) / f"wheel{len(words)}-1.0-py3-none-any.whl").write_bytes(
                b"w"
            )
        return call(program, *words, **options)

    monkeypatch.setattr(bundle.commands, "check", check_)
    monkeypatch.setattr(bundle.commands, "call", call_)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in bundle._PROJECT:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if "." in name.lstrip(".") or name in ("LICENSE", "Makefile"):
            path.write_text(name, encoding="utf-8")
        else:
            (path / "__pycache__").mkdir(parents=True)
            (path / "__pycache__/x.pyc").write_bytes(b"")
            (path / "file").write_text(name, encoding="utf-8")
    return root


@pytest.fixture
def built(tmp_path: Path) -> tuple[Built, Built]:
    return tuple(  # type: ignore[return-value]
        Built(
            image(tmp_path / f"{kind}-amd64.tar", f"lab/{kind}:1", f"lab/{kind}:build-0"),
            (f"lab/{kind}:1",),
            f"lab/{kind}:build-0",
            "amd64",
            "debian",
            "key",
        )
        for kind in build.KINDS
    )


@pytest.mark.parametrize("name", ["room.tar", "room.tar.gz"])
def test_what_goes_in_comes_out(
    tmp_path: Path,
    tools: Tools,
    project: Path,
    built: tuple[Built, Built],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """Protects a classroom: images, wheels and the lab arrive, and `images load` uses them as they are."""
    saving(tools, monkeypatch)
    file, said = tmp_path / name, []
    made = bundle.make(file, built, NODE, project, say=said.append)
    assert made.missing == () and made.node_image == NODE
    assert len(made.of("wheel")) == 2 and len(made.of("images")) == 2 and len(made.of("node")) == 1
    assert {p.name for p in tmp_path.iterdir() if p.name.startswith(".")} == set(), (
        "something was left behind"
    )

    tools.answer()
    done = bundle.load(file, tmp_path / "into", said.append)
    assert done.bundle == made
    assert set(done.images) == {NODE, "lab/api-tester:1", "lab/engine:1"}
    loads = [words for program, words, _ in tools.calls if program == "docker"]
    assert loads == [["load", "--quiet", "--input", str(tmp_path / "into/images/node.tar")]]
    kept = build.kept()
    assert [(one.mark, one.key) for one in kept] == [(one.mark, one.key) for one in built]
    assert kept[0].archive.read_bytes() == built[0].archive.read_bytes()
    with tarfile.open(tmp_path / "into/project.tar.gz") as tar:
        names = tar.getnames()
    assert "rollout-lab/pyproject.toml" in names and "rollout-lab/rollout_lab/file" in names
    assert not any("__pycache__" in n for n in names)


def test_what_is_missing_is_said(
    tmp_path: Path, tools: Tools, project: Path, built: tuple[Built, Built], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the teacher from finding out in class: no node image, no index, each with its reason."""
    tools.answer(
        {"program": "docker", "words": ["image"], "code": 1},
        {"program": "pip", "words": ["download"], "code": 1, "err": "ERROR: No matching distribution"},
    )
    made = bundle.make(tmp_path / "room.tar", built, NODE, project, say=lambda text: None)
    assert made.missing == (
        f"the node image {NODE} (docker does not have it: docker pull {NODE})",
        "Python packages (ERROR: No matching distribution)",
    )
    (tools.home / "docker").unlink()
    (project / "requirements.lock").unlink()
    made = bundle.make(tmp_path / "room.tar", built, NODE, project, say=lambda text: None)
    assert [m.partition(" (")[0] for m in made.missing] == [
        "requirements.lock of the project",
        f"the node image {NODE}",
        "Python packages",
    ]
    notes = bundle.load(tmp_path / "room.tar", tmp_path / "into", lambda text: None).notes
    assert any(note.startswith("the bundle was made without the node image") for note in notes)


def rewritten(
    file: Path, change: Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]]
) -> Path:
    """A copy of a bundle with members changed, dropped or added."""
    out = file.with_name("changed.tar")
    with tarfile.open(file) as old, tarfile.open(out, "w") as new:
        for info in old.getmembers():
            content = old.extractfile(info)
            for member, data in change(info, content.read() if content else b""):
                member.size = len(data) if member.isreg() else 0
                new.addfile(member, io.BytesIO(data))
    return out


def listed(data: bytes, **changes: Any) -> bytes:
    return json.dumps({**json.loads(data), **changes}).encode()


def renamed(data: bytes, name: str) -> bytes:
    raw = json.loads(data)
    raw["items"][0]["path"] = name
    return json.dumps(raw).encode()


def added(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


HOSTILE: list[tuple[str, str, Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]]]] = [
    ("a changed file", "is damaged", lambda i, d: [(i, d if i.name == "bundle.json" else d[:-1] + b"!")]),
    ("a longer file", "is damaged", lambda i, d: [(i, d if i.name == "bundle.json" else d + b"!")]),
    ("a file too few", "is cut off", lambda i, d: [] if i.name == "project.tar.gz" else [(i, d)]),
    (
        "a file too many",
        "does not list",
        lambda i, d: [(i, d)] + ([(added("extra"), b"x")] if i.name == "project.tar.gz" else []),
    ),
    (
        "a file twice",
        "does not list",
        lambda i, d: [(i, d)] + ([(added(i.name), b"x")] if i.name == "project.tar.gz" else []),
    ),
    (
        "a link instead of a file",
        "does not list",
        lambda i, d: (
            [(added(i.name, tarfile.SYMTYPE, "/etc/passwd"), b"")] if i.name == "project.tar.gz" else [(i, d)]
        ),
    ),
    *(
        (
            f"a listed path {name!r}",
            "may lead out of a folder",
            lambda i, d, name=name: [(i, renamed(d, name) if i.name == "bundle.json" else d)],
        )
        for name in ("../out", "/etc/x", "a/../../b", "", "a/b/c", ".ssh/key", "C:\\x", "wheels/")
    ),
    (
        "no listing",
        "does not begin with bundle.json",
        lambda i, d: [] if i.name == "bundle.json" else [(i, d)],
    ),
    ("a listing of nonsense", "cannot be read", lambda i, d: [(i, b"[1]" if i.name == "bundle.json" else d)]),
    (
        "a later format",
        "has format 9",
        lambda i, d: [(i, listed(d, format=9) if i.name == "bundle.json" else d)],
    ),
]


@pytest.mark.parametrize(("what", "words", "change"), HOSTILE, ids=[h[0] for h in HOSTILE])
def test_nothing_of_a_bad_bundle_is_used(
    tmp_path: Path,
    tools: Tools,
    project: Path,
    built: tuple[Built, Built],
    images_home: Path,
    what: str,
    words: str,
    change: Callable[[tarfile.TarInfo, bytes], list[tuple[tarfile.TarInfo, bytes]]],
) -> None:
    """Protects the machine that loads it: checked first, inside its folder, or nothing at all."""
    file = tmp_path / "room.tar"
    tools.answer({"program": "docker", "words": ["image"], "code": 1})
    bundle.make(file, built, NODE, project, wheels=False, say=lambda text: None)
    bad = rewritten(file, change)
    tools.answer()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(LabError, match=words):
        bundle.load(bad, tmp_path / "into", lambda text: None)
    assert sorted(p for p in tmp_path.rglob("*") if p.name != "calls") == [
        p for p in before if p.name != "calls"
    ]
    assert tools.calls == [] and not images_home.exists()


def test_a_cut_off_or_foreign_file_is_said(
    tmp_path: Path, tools: Tools, project: Path, built: tuple[Built, Built]
) -> None:
    """Protects from a copy that stopped half way."""
    file = tmp_path / "room.tar"
    bundle.make(file, built, "", project, wheels=False, say=lambda text: None)
    (tmp_path / "half.tar").write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    (tmp_path / "text.tar").write_text("hello", encoding="utf-8")
    for name in ("half.tar", "text.tar", "none.tar"):
        with pytest.raises(LabError, match=r"cannot be read as a bundle|is cut off|is damaged"):
            bundle.load(tmp_path / name, tmp_path / "into", lambda text: None)
    (tmp_path / "into").mkdir()
    (tmp_path / "into/mine").write_text("x", encoding="utf-8")
    with pytest.raises(LabError, match="is not empty"):
        bundle.load(file, tmp_path / "into", lambda text: None)


def test_the_terminal_says_what_to_do_next(
    tmp_path: Path, tools: Tools, project: Path, built: tuple[Built, Built], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the verbs: made and loaded by their names, with the commands for a room without internet."""
    saving(tools, monkeypatch)
    monkeypatch.setattr(build, "ensure", lambda *_: built)
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(
        rollout_lab, ["bundle", "make", "room.tar", "--node-image", NODE, "--no-wheels"]
    )
    assert made.exit_code == 0, made.output
    assert "missing: Python packages (left out on request)" in made.output and "1 node image" in made.output
    loaded = CliRunner().invoke(rollout_lab, ["bundle", "load", "room.tar"])
    assert loaded.exit_code == 0, loaded.output
    assert f"rollout-lab up --cluster kind --node-image {NODE}" in loaded.output
    assert "note: the bundle was made without Python packages" in loaded.output
    as_json = CliRunner().invoke(rollout_lab, ["bundle", "load", "room.tar", "--into", "again", "--json"])
    assert json.loads(as_json.stdout)["node_image"] == NODE
