"""The doctor's decisions, one table; what was seen never has to be on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from rollout_lab.cli.verbs import rollout_lab
from rollout_lab.clusters.base import CONTEXT, write_kubeconfig
from rollout_lab.clusters.doctor import findings as f
from rollout_lab.clusters.doctor.facts import Facts
from rollout_lab.clusters.doctor.findings import CODES, Level, findings, worst
from rollout_lab.clusters.doctor.gather import gather, proxies
from rollout_lab.clusters.kind.machine import Docker
from rollout_lab.clusters.traffic import Controller, Seen, Who
from rollout_lab.errors import ClusterUnavailable
from rollout_lab.messages import LANGUAGES, has, say

GIB = 1 << 30
DOCKER = Docker("28.0.0", "x86_64", 8 * GIB, 4, 2, "overlay2", "/var/lib/docker", False, "Debian")
GOOD = Facts(
    system="Linux",
    architecture="amd64",
    docker_path="/usr/bin/docker",
    docker=DOCKER,
    kind_path="/usr/bin/kind",
    kind=(0, 33, 0),
    kubectl_path="/usr/bin/kubectl",
    kubectl=(1, 34, 0),
    disk_free=50 * GIB,
    inotify_instances=512,
    inotify_watches=524288,
    ports=(32233, 32234),
    node_image="kindest/node:v1.36.4",
    node_image_architecture="amd64",
)
V1 = replace(DOCKER, cgroup=1)


def found(facts: Facts) -> dict[str, tuple[Level, str]]:
    return {one.check: (one.level, one.code) for one in findings(facts)}


def test_a_good_machine_has_nothing_to_do() -> None:
    """Every check speaks, and none of them has a remedy."""
    seen = found(GOOD)
    assert set(seen) == set(CODES)
    assert {level for level, _ in seen.values()} == {Level.OK}
    assert worst(findings(GOOD)) == Level.OK


@pytest.mark.parametrize(
    ("facts", "check", "level", "code"),
    [
        (replace(GOOD, docker_path="", docker=None), "docker", Level.BAD, "missing"),
        (replace(GOOD, docker=None, docker_said="refused"), "docker", Level.BAD, "silent"),
        (replace(GOOD, docker_path="/snap/bin/docker"), "docker", Level.WARN, "snap"),
        (replace(GOOD, docker=replace(DOCKER, rootless=True)), "docker", Level.WARN, "rootless"),
        (replace(GOOD, docker=replace(V1, rootless=True)), "docker", Level.BAD, "rootless"),
        (replace(GOOD, docker=replace(DOCKER, memory=GIB)), "memory", Level.BAD, "little"),
        (replace(GOOD, docker=replace(DOCKER, memory=2 * GIB)), "memory", Level.WARN, "low"),
        (replace(GOOD, docker=replace(DOCKER, memory=3 * GIB)), "memory", Level.OK, "ok"),
        (replace(GOOD, disk_free=3 * GIB), "disk", Level.BAD, "little"),
        (replace(GOOD, disk_free=9 * GIB), "disk", Level.WARN, "low"),
        (replace(GOOD, disk_free=None), "disk", Level.OK, "unseen"),
        (replace(GOOD, docker=V1), "cgroup", Level.WARN, "v1"),
        (replace(GOOD, docker=V1), "image", Level.BAD, "unfit"),
        (replace(GOOD, docker=V1, node_image="kindest/node:v1.34.11"), "image", Level.OK, "ok"),
        (replace(GOOD, inotify_instances=128), "inotify", Level.WARN, "low"),
        (replace(GOOD, inotify_watches=8192), "inotify", Level.WARN, "low"),
        (replace(GOOD, ports_taken=(32233,)), "ports", Level.WARN, "taken"),
        (replace(GOOD, kind_path="", kind=None), "kind", Level.BAD, "missing"),
        (replace(GOOD, kind=(0, 29, 0)), "kind", Level.WARN, "old"),
        (replace(GOOD, kind=(0, 99, 0)), "kind", Level.WARN, "new"),
        (replace(GOOD, kubectl_path="", kubectl=None), "kubectl", Level.WARN, "missing"),
        (replace(GOOD, node_image_architecture=""), "image", Level.WARN, "pull"),
        (replace(GOOD, node_image=""), "image", Level.WARN, "default"),
        (replace(GOOD, node_image_architecture="arm64"), "image", Level.WARN, "foreign"),
        (replace(GOOD, architecture="riscv64"), "architecture", Level.BAD, "unknown"),
        (replace(GOOD, proxies={"HTTP_PROXY": "http://p:1"}), "proxy", Level.WARN, "leak"),
        (
            replace(GOOD, proxies={"HTTP_PROXY": "http://p:1"}, no_proxy="a, localhost"),
            "proxy",
            Level.OK,
            "ok",
        ),
        (replace(GOOD, proxies={"HTTP_PROXY": "http://p:1"}, no_proxy="*"), "proxy", Level.OK, "ok"),
        (
            replace(GOOD, docker=replace(DOCKER, driver="overlayfs io.containerd.snapshotter.v1")),
            "store",
            Level.OK,
            "containerd",
        ),
        (replace(GOOD, routers=()), "router", Level.OK, "none"),
        (replace(GOOD, routers=(), kind_asked=False), "router", Level.WARN, "missing"),
        (replace(GOOD, routers=(("ours", True),)), "router", Level.OK, "ours"),
        (replace(GOOD, routers=(("ours", False),)), "router", Level.WARN, "broken"),
        (replace(GOOD, routers=(("istio", True),)), "router", Level.OK, "istio"),
        (replace(GOOD, routers=(("envoy-gateway", True),)), "router", Level.OK, "envoy-gateway"),
        (replace(GOOD, routers=(("cloud-provider-kind", True),)), "router", Level.OK, "cloud-provider-kind"),
        (replace(GOOD, routers=(("ingress-nginx", True),)), "router", Level.WARN, "ingress-nginx"),
    ],
)
def test_each_trouble_is_found(facts: Facts, check: str, level: Level, code: str) -> None:
    """One change to a good machine gives one other finding; each says what was seen and what to do."""
    seen = found(facts)
    assert seen[check] == (level, code)
    one = next(one for one in findings(facts) if one.check == check)
    for lang in LANGUAGES:
        assert say(lang, f"doctor.{check}.{code}", **one.params)
        if level != Level.OK:
            assert say(lang, f"doctor.{check}.{code}.remedy", **one.params)


def test_every_code_can_be_said_and_is_made_somewhere() -> None:
    """A code without a sentence would be a traceback on the machine that needs help most."""
    source = Path(f.__file__).read_text("utf-8") + "".join(f'"{who}"' for who in Who)
    for check, codes in CODES.items():
        for code in codes:
            assert f'"{code}"' in source
            assert all(has(lang, f"doctor.{check}.{code}") for lang in LANGUAGES)


def test_every_router_that_is_there_is_told() -> None:
    """Protects clusters with two: each has a line of its own, and none is left out."""
    facts = replace(GOOD, routers=tuple((who.value, True) for who in Who))
    told = [one.code for one in findings(facts) if one.check == "router"]
    assert told == list(Who) and set(told) < set(CODES["router"])


def test_a_context_is_asked_for_its_router(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Protects "which one is there" on any cluster; one that does not answer is exit code 3, not a guess."""
    write_kubeconfig(tmp_path / "config", "http://127.0.0.1:9", "token")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(ClusterUnavailable):
        gather(context=CONTEXT)
    monkeypatch.setattr("rollout_lab.clusters.doctor.gather.connect", lambda *_: NoClient())
    monkeypatch.setattr("rollout_lab.clusters.doctor.gather.is_embedded", lambda _: False)
    monkeypatch.setattr("rollout_lab.clusters.doctor.gather.traffic.look", lambda _: Seen())
    istio = (Controller(Who.ISTIO), Controller(Who.NGINX, ready=False))
    monkeypatch.setattr("rollout_lab.clusters.doctor.gather.traffic.controllers", lambda _: istio)
    facts = gather(context=CONTEXT)
    assert facts.routers == (("istio", True), ("ingress-nginx", False))
    assert (facts.asked, facts.kind_asked) == (CONTEXT, False)
    monkeypatch.setattr("rollout_lab.clusters.doctor.gather.is_embedded", lambda _: True)
    assert gather(context=CONTEXT).routers == (("ours", True),), "it is a part of the embedded cluster"


class NoClient:
    def close(self) -> None:
        """Nothing was opened."""


def test_other_systems_have_no_inotify_to_raise() -> None:
    """On macOS the limits are those of Docker's own machine."""
    assert "inotify" not in found(replace(GOOD, system="Darwin", inotify_instances=None))


def test_no_password_of_a_proxy_is_shown() -> None:
    """`doctor --json` is what people paste into a question."""
    seen = proxies({"http_proxy": "me:secret@proxy:3128", "HTTPS_PROXY": "https://me:secret@proxy"})
    assert seen == {"HTTP_PROXY": "http://proxy:3128", "HTTPS_PROXY": "https://proxy"}
    assert "secret" not in json.dumps(seen)


def test_a_machine_without_anything_is_described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No docker, no kind, no kubectl: findings, not a traceback; exit code 1, and the way that works."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gather().docker_path == ""
    result = CliRunner().invoke(rollout_lab, ["doctor", "--lang", "en"], standalone_mode=False)
    assert result.return_value == 1 and result.exception is None
    assert "Install Docker" in result.output and "embedded" in result.output


def test_the_verb_gives_json_for_programs() -> None:
    """The same findings with level, code and facts; run as people run it, on whatever machine this is."""
    done = subprocess.run(
        [sys.executable, "-m", "rollout_lab", "doctor", "--json", "--lang", "ko"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    seen = json.loads(done.stdout)
    assert done.returncode == (1 if seen["verdict"] == "bad" else 0)
    assert {"docker", "kind", "kubectl", "architecture", "ports", "proxy"} <= {
        r["check"] for r in seen["findings"]
    }
    assert all(set(r) == {"check", "level", "code", "seen", "remedy"} for r in seen["findings"])
    assert all(bool(r["remedy"]) == (r["level"] != "ok") for r in seen["findings"])
    assert seen["facts"]["ports"]
