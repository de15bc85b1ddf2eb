"""Our images on a real cluster: they arrive on every node, run as Pods, and fail as lessons want it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.cli.clusters import narrator
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import NAMESPACES, PODS
from rollout_lab.clusters import commands
from rollout_lab.clusters.images import build, nodes
from rollout_lab.clusters.images.build import Built
from rollout_lab.clusters.kind import create
from rollout_lab.errors import NotFound
from rollout_lab.lab.installed import state_folder
from tests.kind.measuring import measured

pytestmark = [pytest.mark.kind, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def built() -> tuple[Built, Built]:
    began = time.monotonic()
    found = build.build()
    measured("images: both made", time.monotonic() - began, "s")
    for one in found:
        measured(
            f"images: {one.archive.name}, {len(one.images)} names", one.archive.stat().st_size / 1e6, "MB"
        )
    return found


@pytest.fixture(scope="module")
def client(cluster: str, built: tuple[Built, Built]) -> Iterator[KubeClient]:
    """A client of the cluster, whose nodes have the images, and a namespace for Pods."""
    nodes.load(cluster, built)
    path = state_folder() / "images-kubeconfig"
    path.write_text(commands.check("kind", "get", "kubeconfig", "--name", cluster), encoding="utf-8")
    found = KubeClient.from_kubeconfig(str(path))
    found.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "images"}})
    yield found
    found.delete(NAMESPACES, None, "images")
    found.close()
    path.unlink()


def until(what: str, look: Callable[[], Any], patience: float = 90.0) -> Any:
    """Wait (wall seconds) until `look` gives something true."""
    pause, found = threading.Event(), None
    for _ in range(int(patience / 0.25)):
        found = look()
        if found:
            return found
        pause.wait(0.25)
    raise AssertionError(f"{what}: not within {patience:g} s; last seen {found!r}")


def pod(client: KubeClient, name: str, image: str, **limits: str) -> Callable[[], Json]:
    """Make a Pod of an image; the function gives its only container's status."""
    container: Json = {"name": "app", "image": image, "imagePullPolicy": "IfNotPresent"}
    container["ports"] = [{"containerPort": 8080}]
    container["readinessProbe"] = {"httpGet": {"path": "/readiness", "port": 8080}, "periodSeconds": 1}
    if limits:
        container["resources"] = {"limits": limits}
    about = {"name": name, "namespace": "images", "labels": {"app": name}}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 5}
    client.create(PODS, "images", {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec})

    def status() -> Json:
        statuses = (client.get(PODS, "images", name).get("status") or {}).get("containerStatuses") or [{}]
        return dict(statuses[0])

    return status


def proxied(client: KubeClient, name: str, path: str) -> str:
    """The answer of a Pod, through the API server."""
    response = client._send("GET", f"{PODS.path('images', name + ':8080', 'proxy')}/{path}")
    assert response.status == 200, response.status
    return response.data.decode()


def test_images_arrive_and_are_left_alone_when_they_are_there(
    cluster: str, built: tuple[Built, Built]
) -> None:
    """Protects the start of a lab: a second load does nothing, and a removed image comes back."""
    nodes.load(cluster, built)
    assert {one.way for one in nodes.load(cluster, built)} == {"present"}
    node = nodes.targets(cluster)[0]
    gone = nodes.full_name("1pro/api-tester:3.0.0-slow")
    commands.check("docker", "exec", node, "ctr", "--namespace", "k8s.io", "images", "rm", gone)
    assert nodes.missing(node, built[0].images) == ["1pro/api-tester:3.0.0-slow"]
    began = time.monotonic()
    found = nodes.load(cluster, built)
    measured("images: Api Tester loaded into one node by kind", time.monotonic() - began, "s")
    assert [(one.archive, one.way) for one in found] == [
        (built[0].archive.name, "kind"),
        (built[1].archive.name, "present"),
    ]
    assert nodes.missing(node, built[0].images) == []


def test_a_node_takes_an_archive_without_kind(
    cluster: str, built: tuple[Built, Built], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protects Docker with the containerd image store: the fallback works on a real containerd."""
    node = nodes.targets(cluster)[0]
    names = [nodes.full_name(name) for name in (*built[0].images, built[0].mark)]
    commands.check("docker", "exec", node, "ctr", "--namespace", "k8s.io", "images", "rm", *names)
    call = commands.call

    def broken(program: str, *words: str, **options: Any) -> commands.Done:
        if program == "kind" and words[0] == "load":
            return commands.Done(1, "", "ERROR: ctr: content digest sha256:00: not found")
        return call(program, *words, **options)

    monkeypatch.setattr(nodes.commands, "call", broken)
    began = time.monotonic()
    found = nodes.load(cluster, [built[0]])
    measured("images: Api Tester imported into one node by ctr", time.monotonic() - began, "s")
    assert [one.way for one in found] == ["ctr"]
    assert nodes.missing(node, (*built[0].images, built[0].mark)) == []


def test_a_pod_answers_with_its_version_and_ends_in_order(client: KubeClient) -> None:
    """Protects every lesson: the image runs unprivileged with little CPU, and leaves with code 0."""
    status = pod(client, "plain", "1pro/api-tester:2.0.0", cpu="200m", memory="64Mi")
    until("ready", lambda: status().get("ready"))
    assert proxied(client, "plain", "version") == "[App Version] : Api Tester v2.0.0\n"
    assert proxied(client, "plain", "hostname") == "plain\n"
    assert '"namespace": "images"' in proxied(client, "plain", "info")
    assert status()["restartCount"] == 0
    assert "listens on 8080" in client.logs("images", "plain")
    client.delete(PODS, "images", "plain")

    def gone() -> bool:
        try:
            client.get(PODS, "images", "plain")
        except NotFound:
            return True
        return False

    until("gone", gone)


def test_faults_show_what_a_real_cluster_makes_of_them(client: KubeClient) -> None:
    """Protects lessons about failures: crash loop, never ready, a real OOMKilled, an image nobody has."""
    crashing = pod(client, "crashing", "1pro/api-tester:1.0.0-crashing")
    never = pod(client, "never", "rollout-lab/api-tester:1.0.0-never-ready")
    hungry = pod(client, "hungry", "1pro/api-tester:1.0.0", memory="64Mi")
    missing = pod(client, "missing", "1pro/api-tester:9.9.9")
    until("ready", lambda: hungry().get("ready"))
    client._send("POST", f"{PODS.path('images', 'hungry:8080', 'proxy')}/memory-leak")
    ended = until("killed", lambda: (hungry().get("lastState") or {}).get("terminated"))
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)
    ended = until("crashed", lambda: (crashing().get("lastState") or {}).get("terminated"))
    assert ended["exitCode"] == 1
    until("running", lambda: (never().get("state") or {}).get("running"))
    assert never()["ready"] is False
    waiting = until("not pulled", lambda: (missing().get("state") or {}).get("waiting", {}).get("message"))
    assert waiting


def test_the_dockerfile_makes_the_same_program(client: KubeClient, cluster: str, tmp_path: Path) -> None:
    """Protects people who build with docker: the Dockerfile's image answers too."""
    tag = f"rollout-lab/by-hand:{uuid.uuid4().hex[:8]}"
    base = build.build()[0]
    commands.check("docker", "load", "--quiet", "--input", str(base.archive), timeout=120)
    try:
        words = [
            "build",
            "--quiet",
            "--tag",
            tag,
            "--build-arg",
            "TAG=3.0.0",
            "--build-arg",
            f"BASE={base.mark}",
        ]
        file = ROOT / "manifests/images/api-tester/Dockerfile"
        commands.check("docker", *words, "--file", str(file), str(ROOT), timeout=300)
        code = (
            "import os, rollout_lab.clusters.images.serve as s; print(os.environ['API_TESTER_TAG'], s.PORT)"
        )
        said = commands.check("docker", "run", "--rm", "--entrypoint", "python3", tag, "-c", code)
        assert said == "3.0.0 8080\n"
    finally:
        commands.call("docker", "image", "rm", "--force", tag)
        commands.call("docker", "image", "rm", "--force", *base.images, base.mark)


def test_every_one_of_three_nodes_gets_the_images(built: tuple[Built, Built], home: Path) -> None:
    """Protects the cluster of three: a Pod that lands on a worker finds its image there."""
    name = f"lab-three-{uuid.uuid4().hex[:6]}"
    path = home / "three-kubeconfig"
    try:
        began = time.monotonic()
        create.ensure(create.Wanted(name, 3), path, state_folder(), narrator("en"), time.time).client.close()
        measured("kind: cluster made, three nodes, until it can be used", time.monotonic() - began, "s")
        there = nodes.targets(name)
        assert len(there) == 3
        began = time.monotonic()
        found = nodes.load(name, built)
        measured("images: both loaded into three nodes", time.monotonic() - began, "s")
        assert {(one.node, one.way) for one in found} == {(node, "kind") for node in there}
        assert all(nodes.missing(node, (*built[0].images, *built[1].images)) == [] for node in there)
    finally:
        create.delete(name)
