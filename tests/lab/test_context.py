"""A lab on a cluster somebody else runs: asks, writes down, removes exactly that. Played embedded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rollout_lab.api import meta
from rollout_lab.api.times import rfc3339_micro
from rollout_lab.cli.verbs import rollout_lab
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import CONFIGMAPS, CRDS, LEASES, NAMESPACES, ROLLOUTS, SERVICES
from rollout_lab.clock import ScaledClock
from rollout_lab.clusters.context import CRD_NAME
from rollout_lab.clusters.kind import machine
from rollout_lab.clusters.peer import LEASE, OwnedByPeer
from rollout_lab.errors import LabError, NotFound, UsageError
from rollout_lab.lab import Lab
from rollout_lab.lab.installed import Head, Installed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

SPACE = "anotherclass-223"
CONTEXT = "context:rollout-lab"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeClient]:
    """Somebody's cluster, without the CRD, as the only context of the user's kubeconfig."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path / "theirs"))
    with Lab.start("embedded", scenario=None, engine=False, observe=False) as theirs:
        theirs.client.delete(CRDS, None, CRD_NAME)
        monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path / "mine"))
        monkeypatch.setenv("KUBECONFIG", theirs.kubeconfig)
        yield theirs.client


def there(client: KubeClient) -> set[str]:
    """What the lab might have left, in words."""
    found = {f"Namespace {meta.name(o)}" for o in client.list(NAMESPACES)["items"]}
    found |= {f"CRD {meta.name(o)}" for o in client.list(CRDS)["items"]}
    for res in (SERVICES, CONFIGMAPS):
        found |= {f"{res.kind} {meta.key(o)}" for o in client.list(res, SPACE)["items"]}
    return found


def records() -> list[Installed]:
    return Installed.all()


def test_it_asks_and_a_no_changes_nothing(host: KubeClient) -> None:
    """The question names every object; after a no the cluster is as it was."""
    before = there(host)
    asked: list[str] = []

    def no(things: Sequence[str]) -> bool:
        asked.extend(things)
        return False

    with pytest.raises(UsageError, match="nothing was installed"):
        Lab.start(CONTEXT, confirm=no)
    assert f"CustomResourceDefinition {CRD_NAME}" in asked and f"Namespace {SPACE}" in asked
    assert f"Rollout {SPACE}/api-tester-2233" in asked
    assert there(host) == before and records() == []


def test_what_was_made_goes_when_the_lab_closes_and_nothing_else(host: KubeClient) -> None:
    """Objects of others stay, in the lab's namespace too; an object that was there before is not deleted."""
    host.create(NAMESPACES, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    about = {"name": "api-tester-2233-properties", "namespace": SPACE}
    host.create(CONFIGMAPS, SPACE, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about})
    before = there(host)
    with Lab.start(CONTEXT, confirm=lambda things: True) as lab:
        assert lab.rollout().wait_for("Healthy", 60)
        assert lab.view()["lab"]["cluster"] == CONTEXT and lab.view()["lab"]["engineKind"] == "out"
        kinds = {row["kind"] for row in records()[0].objects()}
        assert {"Service", "Rollout", "CustomResourceDefinition"} <= kinds and "Namespace" not in kinds
        joined = Lab.attach(context="rollout-lab", engine=False, namespace=SPACE)  # as the page does
        joined.switch("course-2234")
        joined.close()
        assert "api-tester-2234" in {row["name"] for row in records()[0].objects()}
    assert there(host) == before and records() == []


def test_a_killed_lab_is_cleaned_up_by_down(host: KubeClient) -> None:
    """SIGKILL leaves everything behind, but the record says what; `down` needs no more than that."""
    before = there(host)
    program = (
        "import os, signal\nfrom rollout_lab.lab import Lab\n"
        f"lab = Lab.start({CONTEXT!r}, observe=False)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program], timeout=120, check=False)
    assert f"Namespace {SPACE}" in there(host)
    assert down("--context", "another").output.startswith("There is nothing")
    result = down()
    assert result.exception is None and "rollout-lab" in result.output
    assert there(host) == before and records() == []


def test_down_says_that_docker_is_silent_and_goes_on(
    host: KubeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Docker that is installed but not started keeps nobody from cleaning another cluster up."""

    def silent() -> list[str]:
        raise machine.DockerUnavailable("Is the docker daemon running?")

    monkeypatch.setattr(machine, "clusters", silent)
    alone = down()
    assert isinstance(alone.exception, machine.DockerUnavailable)  # "nothing is there" would be a guess
    with Lab.start(CONTEXT, observe=False) as lab:
        record = records()[0]
        lab.client.get(NAMESPACES, None, SPACE)
        kept = record.path.read_text(encoding="utf-8")
    record.path.write_text(kept, encoding="utf-8")
    result = down()
    assert result.exception is None and "could not be looked for" in result.output
    assert records() == []


def down(*arguments: str) -> Result:
    words = ["down", "--lang", "en", "--name", "no-such-cluster", *arguments]
    return CliRunner().invoke(rollout_lab, words, standalone_mode=False)


def test_a_crd_that_others_use_meanwhile_stays(host: KubeClient) -> None:
    """Deleting it would delete their Rollouts."""
    theirs = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "theirs", "namespace": "default"},
        "spec": {"replicas": 0},
    }
    with Lab.start(CONTEXT) as lab:
        lab.client.create(ROLLOUTS, "default", theirs)
        record = records()[0]
        stays = record.remove(lab.client)
        assert [CRD_NAME in words for words in stays] == [True]
    assert host.get(ROLLOUTS, "default", "theirs")
    with pytest.raises(NotFound):
        host.get(NAMESPACES, None, SPACE)


def test_an_object_made_anew_by_somebody_else_is_not_ours(host: KubeClient) -> None:
    """The record holds identities, not names."""
    record = Installed.begin(Head("x", "https://x"))
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
    record.apply(host, body)
    host.delete(CONFIGMAPS, "default", "a")
    host.create(CONFIGMAPS, "default", body)
    assert record.remove(host) == []
    assert host.get(CONFIGMAPS, "default", "a")


def test_namespace_only_touches_nothing_outside(host: KubeClient) -> None:
    """Without the CRD it refuses and says whom to ask; with it, it makes neither CRD nor namespace."""
    options = {"namespace_only": True, "engine": "out"}
    with pytest.raises(LabError, match="must not install the CRD"):
        Lab.start(CONTEXT, **options)  # type: ignore[arg-type]
    with Lab.start(CONTEXT, scenario=None, engine=False, observe=False) as lab:
        host.create(NAMESPACES, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
        records()[0].path.unlink()  # as if an administrator had installed the CRD
        assert lab.client
    before = there(host)
    asked: list[str] = []
    with Lab.start(CONTEXT, confirm=lambda things: not asked.extend(things), **options) as lab:  # type: ignore[arg-type,func-returns-value]
        assert lab.rollout().wait_for("Healthy", 60)
        assert {row["kind"] for row in records()[0].objects()}.isdisjoint(
            {"Namespace", "CustomResourceDefinition"}
        )
    assert asked and not [thing for thing in asked if thing.startswith(("Namespace", "Custom"))]
    assert there(host) == before


def test_our_engine_does_not_start_beside_another_controller(host: KubeClient) -> None:
    """Refused by the lab and by the engine alone; with `argo` the lab sends the peer's requests."""
    with Lab.start(CONTEXT, scenario=None, engine=False, observe=False):
        now = ScaledClock().now()
        spec = {"holderIdentity": "argo_1", "renewTime": rfc3339_micro(now), "leaseDurationSeconds": 600}
        about = {"name": LEASE, "namespace": "default"}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": about, "spec": spec}
        host.create(LEASES, "default", lease)
    with pytest.raises(OwnedByPeer, match="argo_1"):
        Lab.start(CONTEXT)
    assert records() == [] and f"Namespace {SPACE}" not in there(host)
    done = subprocess.run(
        [sys.executable, "-m", "rollout_lab", "controller", "--context", "rollout-lab"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1 and "--engine argo" in done.stderr and "Traceback" not in done.stderr
    with Lab.start(CONTEXT, engine="argo") as lab:
        assert lab.view()["lab"]["engineKind"] == "argo" and not lab.engine.running
        assert lab.wait_for(lambda picture: bool(picture["rollout"]), 30)
        assert lab.do("set-image", version="2.0.0").ok
        template = host.get(ROLLOUTS, SPACE, "api-tester-2233")["spec"]["template"]
        assert template["spec"]["containers"][0]["image"].endswith(":2.0.0")
        assert not lab.view()["replicaSets"], "nobody works: the lab only looks on"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cluster", "minikube"], "unknown cluster"),
        (["--cluster", "kind", "--speed", "5"], "own speed"),
        (["--name", "x"], "--cluster kind"),
        (["--namespace-only"], "context:NAME"),
        (["--cluster", "kind", "--nodes", "2"], "--nodes 2"),
        (["--engine", "in-cluster"], "needs a real cluster"),
    ],
)
def test_options_that_do_not_fit_are_told(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 before anything is started."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path))
    if "--nodes" in words:
        from rollout_lab.clusters.kind import machine

        monkeypatch.setattr(machine, "docker", lambda: machine.Docker("1", "", 0, 0, 2, "", "", False, ""))
        monkeypatch.setattr(machine, "kind_version", lambda: (0, 33, 0))
        monkeypatch.setattr(machine, "clusters", list)
        monkeypatch.setattr("rollout_lab.clusters.kind.create.delete", lambda name: None)
    result = CliRunner().invoke(rollout_lab, ["run", "course-2233", *words], standalone_mode=False)
    assert isinstance(result.exception, UsageError) and said in str(result.exception)
    assert not list(tmp_path.glob("lab-*"))


def test_nobody_to_ask_needs_a_yes(host: KubeClient) -> None:
    """A script must not install by accident, and must not hang."""
    words = ["run", "course-2233", "--cluster", CONTEXT, "--lang", "en"]
    result = CliRunner().invoke(rollout_lab, words, standalone_mode=False)
    assert isinstance(result.exception, UsageError) and "--yes" in str(result.exception)
    assert f"Namespace {SPACE}" in result.stderr and f"Namespace {SPACE}" not in there(host)
