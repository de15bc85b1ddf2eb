"""Images without docker: bases, what is in an image, when it is built again."""

from __future__ import annotations

import doctest
import gzip
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.clusters.embedded.kubelet import catalogue
from rollout_lab.clusters.images import archive, base, build, bundle, contents, debian, nodes, serve
from rollout_lab.clusters.images.archive import Image
from rollout_lab.clusters.images.build import Built
from rollout_lab.errors import LabError, UsageError
from tests.clusters.packed import config_of, manifest, members
from tests.clusters.tools import Tools

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


@pytest.mark.parametrize("module", [debian, base, nodes, serve, bundle])
def test_examples_of_docstrings_hold(module: Any) -> None:
    """Protects the small pure functions whose docstring shows what they do."""
    assert doctest.testmod(module).failed == 0


def test_the_same_folder_gives_the_same_image(tmp_path: Path) -> None:
    """Protects caches and checks: nothing of the time, the user or the machine gets into a layer."""
    digests = []
    for turn, mtime in enumerate((1, 1_700_000_000)):
        folder = tmp_path / f"f{turn}"
        (folder / "a").mkdir(parents=True)
        (folder / "a/b").write_text("x", encoding="utf-8")
        (folder / "a/b").chmod(0o644)
        (folder / "a").chmod(0o755)
        (folder / "link").symlink_to("a/b")
        os.utime(folder / "a/b", (mtime, mtime))
        layer = archive.folder_layer(folder, tmp_path / f"{turn}.layer")
        archive.write(tmp_path / f"{turn}.tar", [Image(("x/y:1",), (layer,), {}, "amd64")])
        digests.append((layer.diff_id, hashlib.sha256((tmp_path / f"{turn}.tar").read_bytes()).hexdigest()))
    assert digests[0] == digests[1]
    assert all(
        (i.uid, i.gid, i.uname, i.mtime) == (0, 0, "", 0) for i in members(tmp_path / "0.layer").values()
    )


@pytest.mark.parametrize("form", ["ours", "gzip layers", "linked layers"])
def test_a_saved_image_can_be_a_base(tmp_path: Path, form: str) -> None:
    """Protects bases from docker: what old and new `docker save` write is read back layer by layer."""
    layers = tuple(archive.files_layer({f"d/{n}": b"x" * n}, tmp_path / f"{n}.l") for n in (1, 2))
    path = tmp_path / "base.tar"
    image = Image(
        ("python:3.12-slim",), layers, {"Env": ["PYTHON_VERSION=3.12.1"]}, base.machine_architecture()
    )
    archive.write(path, [image])
    if form != "ours":
        with tarfile.open(path) as old, tarfile.open(tmp_path / "new.tar", "w") as new:
            for info in old.getmembers():
                content = old.extractfile(info)
                data = content.read() if content is not None else b""
                if info.name.endswith("layer.tar") and form == "gzip layers":
                    data = gzip.compress(data)
                if info.name.endswith("layer.tar") and form == "linked layers":
                    blob = tarfile.TarInfo("blobs/" + info.name.partition("/")[0])
                    blob.size = len(data)
                    new.addfile(blob, io.BytesIO(data))
                    info.type, info.linkname, info.size = tarfile.SYMTYPE, "../" + blob.name, 0
                    new.addfile(info)
                    continue
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))
        path = tmp_path / "new.tar"
    found = base.resolve(str(path), tmp_path, print)
    assert [layer.diff_id for layer in found.layers] == [layer.diff_id for layer in layers]
    assert found.python == (3, 12)
    for layer in found.layers:
        data = layer.file.read_bytes()
        data = gzip.decompress(data) if form == "gzip layers" else data
        assert "sha256:" + hashlib.sha256(data).hexdigest() == layer.diff_id


def test_what_cannot_be_a_base_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects a person from a traceback: each bad base has its sentence and its remedy."""
    (tmp_path / "text.tar").write_text("no tar", encoding="utf-8")
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    layer = archive.files_layer({"a": b""}, tmp_path / "l")
    two = [Image((f"a:{n}",), (layer,), {"n": n}, "amd64") for n in "12"]
    archive.write(tmp_path / "two.tar", two)
    archive.write(tmp_path / "arch.tar", [Image(("python:3.12",), (layer,), {}, "s390x")])
    archive.write(
        tmp_path / "old.tar",
        [Image(("x:1",), (layer,), {"Env": ["PYTHON_VERSION=3.9"]}, base.machine_architecture())],
    )
    (tmp_path / "none").mkdir()
    for name, words in (
        ("text.tar", "cannot be read as an image archive"),
        ("empty.tar", "has no manifest.json; `docker save` writes one"),
        ("two.tar", "holds 2 images"),
        ("arch.tar", "is for s390x"),
        ("old.tar", "3.11 or newer is needed"),
        ("none", "has no Python 3"),
    ):
        with pytest.raises(LabError, match=re.escape(words)):
            base.resolve(str(tmp_path / name), tmp_path, print)
    with pytest.raises(UsageError, match="no such file"):
        base.resolve("./missing.tar", tmp_path, print)
    tools = Tools(tmp_path / "bin", monkeypatch, "docker")
    tools.answer(
        {"program": "docker", "words": ["image"], "code": 1},
        {"program": "docker", "words": ["pull"], "code": 1, "err": "error: no route"},
    )
    with pytest.raises(LabError, match=r"cannot be downloaded .*no route.*--base debian"):
        base.resolve("python:3.13-slim", tmp_path, print)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="nothing here can give a base image"):
        base.resolve("auto", tmp_path, print)


def test_the_usual_base_is_dockers_then_debians(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects machines without a registry: nothing is pulled where packages can do."""
    chosen: list[str] = []
    monkeypatch.setattr(base, "_of_docker", lambda name, *_: chosen.append(name))
    monkeypatch.setattr(base, "_of_debian", lambda *_: chosen.append("debian"))
    tools = Tools(tmp_path / "bin", monkeypatch, "docker", "apt-get", "apt-cache", "dpkg-deb")
    base.resolve("auto", tmp_path, print)
    tools.answer({"program": "docker", "words": ["image"], "code": 1})
    base.resolve("auto", tmp_path, print)
    (tmp_path / "bin/apt-get").unlink()
    base.resolve("auto", tmp_path, print)
    assert chosen == [base.USUAL, "debian", base.USUAL]


def test_every_image_the_embedded_cluster_knows_is_there(built: tuple[Built, Built]) -> None:
    """Protects manifests that move to kind unchanged: each tag of a lesson is an image, with its fault."""
    tester, engine = built
    text = "".join(p.read_text("utf-8") for d in ("manifests", "lessons") for p in (ROOT / d).rglob("*.y*ml"))
    used = set(re.findall(r"image: *[\"']?(\S+api-tester:[\w.-]+)", text))
    assert used and used <= set(tester.images)
    assert set(archive.names_in(tester.archive)) == {*tester.images, tester.mark}
    for name in tester.images:
        image = catalogue.parse(name)
        program = catalogue.find(image) if image else None
        assert program is not None
        env = dict(v.split("=", 1) for v in config_of(tester.archive, name)["config"]["Env"])
        assert env["API_TESTER_TAG"] == name.rpartition(":")[2]
    install = yaml.safe_load_all((ROOT / "manifests/install/engine.yaml").read_text("utf-8"))
    deployment = next(o for o in install if o["kind"] == "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert engine.images == (container["image"],) and container["imagePullPolicy"] == "IfNotPresent"


def containers(value: Any) -> Iterator[Json]:
    """Every container below a manifest."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("containers", "initContainers") and isinstance(inner, list):
                yield from (c for c in inner if isinstance(c, dict))
            yield from containers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from containers(inner)


def test_no_manifest_of_ours_pulls_what_was_loaded() -> None:
    """Protects a room without internet: every manifest says IfNotPresent, and no tag means `latest`."""
    seen = 0
    for path in [*ROOT.glob("manifests/**/*.yaml"), *ROOT.glob("lessons/*/manifests/*.yaml")]:
        if "crds" in path.parts:
            continue
        for document in yaml.safe_load_all(path.read_text("utf-8")):
            for container in containers(document):
                seen += 1
                assert container.get("imagePullPolicy") == "IfNotPresent", f"{path}: {container.get('name')}"
                assert ":" in container["image"] and not container["image"].endswith(":latest")
    assert seen >= 7


def test_all_versions_share_their_layers(built: tuple[Built, Built]) -> None:
    """Protects disk and patience: one set of layers, many small configurations, no file of ours writable."""
    tester = built[0]
    entries = manifest(tester.archive)
    assert len(entries) == len(build.tags()) and len({tuple(e["Layers"]) for e in entries}) == 1
    config = config_of(tester.archive, "1pro/api-tester:1.0.0")
    assert config["config"]["User"] == "65532:65532"
    assert "rootfs" in config and config["architecture"] == base.machine_architecture()


def test_images_are_built_again_only_when_something_changed(
    images_home: Path, rootfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects the start of a lab: packing takes seconds, and must be right after an update of the lab."""
    monkeypatch.setattr(contents, "dependencies", lambda *_: None)
    first = build.ensure(str(rootfs))
    again: list[str] = []
    assert build.ensure(str(rootfs), again.append) == first and not again
    assert build.ensure("", again.append) == first and not again
    first[0].archive.unlink()
    build.ensure(str(rootfs), again.append)
    assert again and build.kept()[0].mark == first[0].mark
    monkeypatch.setattr(build, "VERSIONS", (*build.VERSIONS, "4.0.0"))
    assert build.ensure(str(rootfs))[0].mark != first[0].mark


def test_packages_for_another_python_are_downloaded_as_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects images on another Python or machine than this: its own wheels, or a clear word."""
    asked: list[tuple[str, ...]] = []

    def call(program: str, *words: str, **_: Any) -> Any:
        asked.append(words)
        return contents.commands.Done(1, "", "ERROR: no index here")

    monkeypatch.setattr(contents.commands, "call", call)
    with pytest.raises(LabError, match=r"Python 3\.99 on arm64 cannot be downloaded: ERROR: no index here"):
        contents.dependencies(tmp_path, (3, 99), "arm64", "amd64")
    words = asked[0]
    assert "manylinux2014_aarch64" in words and words[words.index("--python-version") + 1] == "3.99"
    assert any(w.startswith("kubernetes==") for w in words) and not any("aiohttp-retry" in w for w in words)
