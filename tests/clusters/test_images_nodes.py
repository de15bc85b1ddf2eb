"""Images into the nodes of a kind cluster, and what the engine may do there; no docker is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.client.resources import PODS
from rollout_lab.clusters.gateway import feed
from rollout_lab.clusters.images import archive, build, nodes
from rollout_lab.clusters.images.archive import Image
from rollout_lab.clusters.images.build import Built
from rollout_lab.clusters.kind import config
from rollout_lab.errors import ClusterUnavailable, LabError
from rollout_lab.gateway.kinds import CUSTOM
from tests.clusters.tools import Tools

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


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


def test_least_privilege_is_what_the_gateway_asks_for() -> None:
    """Protects `manifests/gateway`: it looks at what it routes by, and writes statuses and Events only."""
    objects = list(yaml.safe_load_all((ROOT / "manifests/gateway/gateway.yaml").read_text("utf-8")))
    rules = next(o for o in objects if o["kind"] == "ClusterRole")["rules"]
    granted = {(res, verb) for rule in rules for res in rule["resources"] for verb in rule["verbs"]}
    followed = {res.plural for res in (*feed.BUILTIN.values(), PODS)} | {
        plural for _, plural in CUSTOM.values()
    }
    assert {res for res, verb in granted if verb == "list"} == followed
    assert {res for res, verb in granted if verb == "watch"} == followed
    writing = {pair for pair in granted if pair[1] not in ("list", "watch")}
    said = {"ingresses/status", "gatewayclasses/status", "gateways/status", "httproutes/status"}
    assert writing == {*((res, "patch") for res in said), ("events", "create")}
    assert not any(o["kind"] in ("Role", "Secret") for o in objects)
    pod = next(o for o in objects if o["kind"] == "Deployment")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert (
        container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        and pod["securityContext"]["runAsNonRoot"]
    )
    assert container["image"] == build.engine_image() and container["imagePullPolicy"] == "IfNotPresent"
    assert {probe: container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")} == {
        "readinessProbe": "/readyz",
        "livenessProbe": "/healthz",
    }
    service = next(o for o in objects if o["kind"] == "Service" and o["spec"].get("type") == "NodePort")
    assert service["spec"]["ports"][0]["nodePort"] in {
        m["containerPort"] for node in config.base()["nodes"] for m in node["extraPortMappings"]
    }
