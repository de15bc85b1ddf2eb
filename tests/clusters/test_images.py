"""Images without docker: what is in them, that they run, and that they arrive on every node."""

from __future__ import annotations

import contextlib
import doctest
import gzip
import hashlib
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.clusters.embedded.kubelet import catalogue
from rollout_lab.clusters.images import archive, base, build, bundle, contents, debian, nodes, serve
from rollout_lab.clusters.images.archive import Image
from rollout_lab.clusters.images.build import Built
from rollout_lab.errors import ClusterUnavailable, LabError, UsageError
from tests.clusters.tools import Tools

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


@pytest.mark.parametrize("module", [debian, base, nodes, serve, bundle])
def test_examples_of_docstrings_hold(module: Any) -> None:
    """Protects the small pure functions whose docstring shows what they do."""
    assert doctest.testmod(module).failed == 0


@pytest.fixture
def images_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Built images go nowhere near this user's."""
    home = tmp_path / "images-home"
    monkeypatch.setenv(build.FOLDER_VARIABLE, str(home))
    monkeypatch.delenv(build.BASE_VARIABLE, raising=False)
    return home


def make_rootfs(root: Path) -> Path:
    """A base as a folder: as much of a root file system as is needed to be one."""
    library = root / f"usr/lib/python3.{sys.version_info.minor}"
    library.mkdir(parents=True)
    (library / "os.py").write_text("# Python's library\n", encoding="utf-8")
    (root / "bin").symlink_to("usr/bin")
    return root


@pytest.fixture
def rootfs(tmp_path: Path) -> Path:
    return make_rootfs(tmp_path / "rootfs")


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


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Built, Built]]:
    """Both images on a folder as base, for all tests that only read them."""
    home = tmp_path_factory.mktemp("images")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(build.FOLDER_VARIABLE, str(home / "kept"))
        yield build.build(str(make_rootfs(home / "rootfs")))


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
    """Protects a room without internet: IfNotPresent is written everywhere, and no tag means `latest`."""
    seen = 0
    for path in [*ROOT.glob("manifests/**/*.yaml"), *ROOT.glob("lessons/**/*.yaml")]:
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


@contextlib.contextmanager
def program(root: Path, module: str, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A module of an image with nothing else on its path: no site-packages, not this checkout."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-m", module],
        env={"PYTHONPATH": str(root / contents.HOME), "PYTHONUNBUFFERED": "1", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=root,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_line(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    while words not in (line := process.stdout.readline()):
        assert line, f"it ended without saying {words!r}"


def ask(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def env_of(path: Path, name: str, port: int) -> dict[str, str]:
    """The image's own variables, those of a Pod, and an address of this machine only."""
    config = config_of(path, name)["config"]
    assert config["Entrypoint"][:2] == ["python3", "-m"]
    given = dict(v.split("=", 1) for v in config["Env"] if v.startswith("API_TESTER_"))
    pod = {
        "HOSTNAME": "localhost",
        "POD_NAMESPACE": "demo",
        "NODE_NAME": "node-1",
        "datasource_password": "hush",
    }
    return {
        **given,
        **pod,
        "API_TESTER_PORT": str(port),
        "API_TESTER_BIND": "127.0.0.1",
        "application_role": "ALL",
    }


def test_the_api_tester_image_runs_alone_and_answers_as_the_embedded_one(
    built: tuple[Built, Built], tmp_path: Path
) -> None:
    """Protects lessons on a real cluster: the same answers, no secret shown, an end in order."""
    name, port = "1pro/api-tester:2.0.0", free_port()
    root = unpack_image(built[0].archive, name, tmp_path / "root")
    env = env_of(built[0].archive, name, port) | {"API_TESTER_STOP_DELAY": "0"}
    with program(root, "rollout_lab.clusters.images.serve", env) as process:
        wait_line(process, "listens on")
        assert ask(port, "/version") == (200, "[App Version] : Api Tester v2.0.0\n")
        assert ask(port, "/hostname") == (200, "localhost\n")
        assert [ask(port, p)[0] for p in ("/startup", "/readiness", "/liveness")] == [200, 200, 200]
        info = json.loads(ask(port, "/info")[1])
        assert (info["namespace"], info["node"], info["version"]) == ("demo", "node-1", "2.0.0")
        assert info["environment"]["application_role"] == "ALL"
        assert "hush" not in json.dumps(info)
        assert ask(port, "/readiness/off", "POST")[0] == 200 and ask(port, "/readiness")[0] == 503
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_pod_that_ends_still_answers_for_a_moment(built: tuple[Built, Built], tmp_path: Path) -> None:
    """Protects the switch on a real cluster: Services learn late that a Pod ends, so it serves on."""
    name, port = "1pro/api-tester:1.0.0", free_port()
    root = unpack_image(built[0].archive, name, tmp_path / "root")
    env = env_of(built[0].archive, name, port)
    assert float(env["API_TESTER_STOP_DELAY"]) >= 1
    with program(root, "rollout_lab.clusters.images.serve", env | {"API_TESTER_STOP_DELAY": "60"}) as process:
        wait_line(process, "listens on")
        process.send_signal(signal.SIGTERM)
        wait_line(process, "told to end")
        assert ask(port, "/version")[0] == 200
        assert process.poll() is None


@pytest.mark.parametrize(
    ("tag", "path", "method", "status", "code"),
    [
        ("1.0.0-never-ready", "/readiness", "GET", 503, None),
        ("1.0.0-slow-start", "/startup", "GET", 503, None),
        ("1.0.0", "/memory-leak", "POST", 200, 137),
        ("1.0.0-crashing", "/version", "GET", 200, 1),
    ],
)
def test_faults_of_a_tag_come_with_the_image(
    built: tuple[Built, Built],
    tmp_path: Path,
    tag: str,
    path: str,
    method: str,
    status: int,
    code: int | None,
) -> None:
    """Protects lessons about failures: the tag decides, as on the embedded cluster."""
    name, port = f"1pro/api-tester:{tag}", free_port()
    root = unpack_image(built[0].archive, name, tmp_path / "root")
    # no memory is filled here: only the first process of a container does that
    with program(root, "rollout_lab.clusters.images.serve", env_of(built[0].archive, name, port)) as process:
        wait_line(process, "listens on")
        assert ask(port, path, method)[0] == status
        if code is not None:
            assert process.wait(30) == code


@pytest.mark.parametrize("limit", [0, -1, (1 << 30) + 1, 9_223_372_036_854_771_712])
def test_memory_is_only_filled_where_a_small_limit_ends_it(limit: int) -> None:
    """Protects a node: without a limit, or with a large one, /memory-leak takes nothing."""
    serve.fill_memory(limit)  # returns, and at once


def test_the_engine_image_has_all_it_imports(built: tuple[Built, Built], tmp_path: Path) -> None:
    """Protects the engine in a cluster: it starts, and plans, with nothing but what is in its image."""
    root = unpack_image(built[1].archive, built[1].images[0], tmp_path / "root")
    rollout = next(
        o
        for o in yaml.safe_load_all((ROOT / "manifests/course-2233.yaml").read_text("utf-8"))
        if o["kind"] == "Rollout"
    )
    code = (
        "import json, sys; import rollout_lab.controller.process; from rollout_lab.api import validation;"
        "from rollout_lab.plan.planner import plan; from rollout_lab.plan.snapshot import Snapshot;"
        f"rollout = json.loads({json.dumps(json.dumps(rollout))});"
        "assert validation.decode_error(rollout) is None and not validation.validate(rollout);"
        "assert plan(Snapshot(1e9, rollout, (), {})).actions"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(root / contents.HOME)},
        capture_output=True,
        text=True,
        cwd=root,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    inside = {
        p.relative_to(root / contents.HOME / "rollout_lab").parts[0] for p in root.rglob("rollout_lab/*")
    }
    assert not inside & {"clusters", "cli", "ui", "lab", "observe", "simulate", "course"}
    sizes = sum(p.stat().st_size for p in (root / contents.HOME).rglob("*") if p.is_file())
    assert sizes < 40e6, "generated code that nothing loads is in the image again"


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
    assert any(w.startswith("kubernetes==") for w in words) and not any("aiohttp" in w for w in words)


# -- into the nodes --------------------------------------------------------------------------------


@pytest.fixture
def one(tmp_path: Path) -> Built:
    layer = archive.files_layer({"a": b"x"}, tmp_path / "l")
    archive.write(tmp_path / "app.tar", [Image(("1pro/app:1", "lab/app:build-0"), (layer,), {}, "amd64")])
    return Built(tmp_path / "app.tar", ("1pro/app:1",), "lab/app:build-0", "amd64", "x", "k")


def checked(*names: str, status: str = "complete (3/3)") -> str:
    rows = [f"docker.io/{name} application/x sha256:00 {status} 1 MiB/1 MiB true" for name in names]
    return "\n".join(["REF TYPE DIGEST STATUS SIZE UNPACKED", *rows]) + "\n"


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Tools]:
    """A cluster `lab` of two nodes; further rules say what they have and what the tools do."""
    monkeypatch.setattr(
        nodes.machine,
        "nodes",
        lambda cluster: (
            [
                nodes.machine.Node("lab-worker", "worker", True, {}),
                nodes.machine.Node("lab-control-plane", "control-plane", True, {}),
                nodes.machine.Node("lab-lb", "external-load-balancer", True, {}),
            ]
            if cluster == "lab"
            else []
        ),
    )
    tools = Tools(tmp_path / "bin", monkeypatch, "docker", "kind")

    def with_rules(*rules: Json) -> Tools:
        tools.answer(*rules)
        return tools

    return with_rules


def test_kind_loads_and_every_node_is_asked(kind: Callable[..., Tools], one: Built) -> None:
    """Protects the usual way: one `kind load` for the nodes that lack it, and a look at each afterwards."""
    full = checked(*one.images, one.mark)
    tools = kind(
        {"program": "docker", "words": ["lab-worker", "check"], "out": full},
        {"program": "docker", "words": ["check"], "out": full, "after": ["kind", "load"]},
        {"program": "docker", "words": ["check"], "out": checked()},
    )
    found = {(o.node, o.way) for o in nodes.load("lab", [one])}
    assert found == {("lab-worker", "present"), ("lab-control-plane", "kind")}
    loads = [words for program, words, _ in tools.calls if program == "kind"]
    assert loads == [
        ["load", "image-archive", str(one.archive), "--name", "lab", "--nodes", "lab-control-plane"]
    ]
    assert not any("import" in words for _, words, _ in tools.calls)


@pytest.mark.parametrize("trouble", ["kind fails", "kind says yes but content is missing", "no kind"])
def test_an_archive_goes_into_containerd_where_kind_cannot(
    kind: Callable[..., Tools], one: Built, trouble: str
) -> None:
    """Protects Docker with the containerd image store: `content digest not found` is not the end."""
    full = checked(*one.images, one.mark)
    part = checked(*one.images, one.mark, status="incomplete (1/3)")
    failing = {
        "program": "kind",
        "words": ["load"],
        "code": 1,
        "err": "ERROR: ctr: content digest sha256:0: not found",
    }
    tools = kind(
        *([failing] if trouble == "kind fails" else []),
        {"program": "docker", "words": ["check"], "out": full, "after": ["docker", "import"]},
        {"program": "docker", "words": ["check"], "out": part, "after": ["kind", "load"]},
        {"program": "docker", "words": ["check"], "out": checked()},
    )
    if trouble == "no kind":
        (tools.home / "kind").unlink()
    found = nodes.load("lab", [one])
    imports = [(words[:3], size) for _, words, size in tools.calls if "import" in words]
    assert imports[0] == (["exec", "--interactive", "lab-worker"], one.archive.stat().st_size)
    assert found[0].way == "ctr"


def test_images_that_do_not_arrive_are_named(kind: Callable[..., Tools], one: Built) -> None:
    """Protects against Pods that wait for an image nobody can pull: the node and the image are said."""
    kind({"program": "docker", "words": ["check"], "out": checked()})
    with pytest.raises(LabError, match=r"lab-worker still lacks 1pro/app:1.*is its disk full"):
        nodes.load("lab", [one])


def test_a_cluster_that_is_not_there_is_said_before_anything(kind: Callable[..., Tools], one: Built) -> None:
    """Protects the person who mistyped a name (exit code 3), and nodes that are stopped."""
    kind()
    with pytest.raises(ClusterUnavailable, match="there is no kind cluster other"):
        nodes.load("other", [one])


def test_least_privilege_is_what_the_engine_asks_for() -> None:
    """Protects `manifests/install`: no rule on Secrets, no wildcard, the Lease by its name only."""
    objects = list(yaml.safe_load_all((ROOT / "manifests/install/engine.yaml").read_text("utf-8")))
    rules = next(o for o in objects if o["kind"] == "ClusterRole")["rules"]
    granted = {(res, verb) for rule in rules for res in rule["resources"] for verb in rule["verbs"]}
    assert "*" not in {x for pair in granted for x in pair}
    assert not {res for res, _ in granted} & {"secrets", "configmaps", "nodes", "namespaces", "leases"}
    lease_rules = next(o for o in objects if o["kind"] == "Role")["rules"]
    named = next(rule for rule in lease_rules if "resourceNames" in rule)
    assert named["resourceNames"] == ["rollout-lab-engine-lock"] and set(named["verbs"]) == {"get", "update"}
    pod = next(o for o in objects if o["kind"] == "Deployment")["spec"]["template"]["spec"]
    assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
