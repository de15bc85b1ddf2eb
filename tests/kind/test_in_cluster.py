"""Our engine as Pods of a real cluster: of two one works, and it may do what it needs and no more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    DEPLOYMENTS,
    LEASES,
    NAMESPACES,
    PODS,
    ROLLOUTS,
)
from rollout_lab.clusters import commands
from rollout_lab.clusters.context import ensure_crd
from rollout_lab.clusters.images import build, nodes
from rollout_lab.controller.leading import HeldElsewhere, refuse
from rollout_lab.controller.lease import LOCK, USUAL
from rollout_lab.errors import LabError
from rollout_lab.lab.engines import engine_objects
from rollout_lab.lab.installed import state_folder
from rollout_lab.lab.parts import wait_served
from rollout_lab.lab.scenario import rollout_crd
from tests.kind.measuring import measured
from tests.kind.test_images import until
from tests.waiting import there

pytestmark = [pytest.mark.kind, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
SPACE, DEMO, ENGINE = "rollout-lab", "in-cluster", "rollout-lab-engine"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def client(cluster: str) -> Iterator[KubeClient]:
    """The cluster with `manifests/install` in it and a Rollout's namespace; all of it goes again."""
    nodes.load(cluster, build.ensure())
    path = state_folder() / "in-cluster-kubeconfig"
    path.write_text(commands.check("kind", "get", "kubeconfig", "--name", cluster), encoding="utf-8")
    found = KubeClient.from_kubeconfig(str(path))
    if there(found, NAMESPACES, None, SPACE):  # a lab leaves its engine in the cluster
        found.delete(NAMESPACES, None, SPACE)
    until("an engine of another test is gone", lambda: not there(found, NAMESPACES, None, SPACE))
    ensure_crd(found, rollout_crd())
    found.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": DEMO}})
    wait_served(found, DEMO)
    began = time.monotonic()
    for obj in engine_objects():
        found.apply(obj)
    until("both ready", lambda: ready(found) == 2)
    measured("engine in the cluster: two Pods ready", time.monotonic() - began, "s")
    yield found
    for name in (DEMO, SPACE):
        found.delete(NAMESPACES, None, name)
    found.delete(CLUSTERROLES, None, ENGINE)
    found.delete(CLUSTERROLEBINDINGS, None, ENGINE)
    until("its namespace is gone", lambda: not there(found, NAMESPACES, None, SPACE), 120)
    found.close()
    path.unlink()


def ready(client: KubeClient) -> int:
    status = client.get(DEPLOYMENTS, SPACE, ENGINE).get("status") or {}
    return int(status.get("readyReplicas") or 0)


def lease(client: KubeClient) -> Json:
    return dict(client.get(LEASES, SPACE, LOCK)["spec"])


def holder(client: KubeClient) -> str:
    """The identity of the engine that works: POD_RANDOM."""
    return str(until("somebody holds the Lease", lambda: lease(client).get("holderIdentity")))


def demo(client: KubeClient, replicas: int) -> None:
    """A Rollout of that size, and the engine has carried it out."""
    objects = yaml.safe_load_all((ROOT / "manifests/rollout-canary.yaml").read_text("utf-8"))
    rollout = next(o for o in objects if o["kind"] == "Rollout")
    rollout["metadata"]["namespace"] = DEMO
    rollout["spec"]["replicas"] = replicas
    client.apply(rollout)
    name = rollout["metadata"]["name"]

    def done() -> bool:
        status = client.get(ROLLOUTS, DEMO, name).get("status") or {}
        return status.get("phase") == "Healthy" and status.get("availableReplicas") == replicas

    until(f"{replicas} replicas", done)


def logs(client: KubeClient) -> dict[str, str]:
    """Pod -> what its engine said since its last start."""
    pods = client.list(PODS, SPACE)["items"]
    return {p["metadata"]["name"]: client.logs(SPACE, p["metadata"]["name"]) for p in pods}


def test_one_of_two_works_and_has_the_rights_for_it(client: KubeClient) -> None:
    """Protects `manifests/install`: a rollout runs, the other Pod stands by, nothing is forbidden."""
    working = holder(client).partition("_")[0]
    demo(client, 2)
    said = logs(client)
    assert len(said) == 2 and "engine started" in said[working]
    other = next(text for name, text in said.items() if name != working)
    assert "stands by" in other and "engine started" not in other
    assert "forbidden" not in "".join(said.values()).lower()


@pytest.mark.parametrize(
    ("verb", "what", "allowed"),
    [
        ("patch", "rollouts.argoproj.io", "yes"),
        ("create", "replicasets.apps", "yes"),
        ("get", "secrets", "no"),
        ("list", "configmaps", "no"),
        ("create", "pods", "no"),
        ("delete", "services", "no"),
        ("delete", "rollouts.argoproj.io", "no"),
        ("list", "leases.coordination.k8s.io", "no"),
        ("create", "clusterrolebindings.rbac.authorization.k8s.io", "no"),
    ],
)
def test_it_may_do_what_it_needs_and_no_more(client: KubeClient, verb: str, what: str, allowed: str) -> None:
    """Protects whoever runs the cluster: the API server itself says what the ServiceAccount may do."""
    who = f"system:serviceaccount:{SPACE}:{ENGINE}"
    config = str(state_folder() / "in-cluster-kubeconfig")
    words = ["--kubeconfig", config, "auth", "can-i", verb, what, "--as", who, "--namespace", DEMO]
    assert commands.call("kubectl", *words).out.strip() == allowed


def test_an_engine_outside_does_not_start_beside_it(client: KubeClient) -> None:
    """Protects the lesson's namespace from a second engine on the laptop."""
    holder(client)
    with pytest.raises(HeldElsewhere, match=SPACE):
        refuse(client, time.time())


def kill(node: str, pod: str) -> None:
    """SIGKILL for the engine of a Pod, from its node: it gets no chance to give anything back."""
    script = (
        'for p in /proc/[0-9]*; do tr "\\0" "\\n" < $p/environ 2> /dev/null | grep -qx "HOSTNAME=$0" && '
        'grep -q rollout_lab $p/cmdline && kill -9 "${p#/proc/}" && echo killed; done; true'
    )
    assert "killed" in commands.check("docker", "exec", node, "sh", "-c", script, pod)


def test_another_works_soon_after_a_sigkill(client: KubeClient, cluster: str) -> None:
    """Protects a rollout from an engine that dies: after the Lease's duration somebody else goes on."""
    before, transitions = holder(client), lease(client)["leaseTransitions"]
    pod = before.partition("_")[0]
    node = client.get(PODS, SPACE, pod)["spec"]["nodeName"]
    began = time.monotonic()
    kill(node, pod)
    until("another holder", lambda: lease(client).get("holderIdentity") not in (before, None, ""), 60)
    took = time.monotonic() - began
    measured(f"engine in the cluster: SIGKILL until another works (Lease {USUAL.duration:g} s)", took, "s")
    assert lease(client)["leaseTransitions"] == transitions + 1
    demo(client, 3)
    until("both ready again", lambda: ready(client) == 2)


def test_a_pod_that_is_replaced_gives_the_lease_back(client: KubeClient) -> None:
    """Protects an update of the engine: nobody waits for a Lease to lapse."""
    before = holder(client)
    began = time.monotonic()
    client.delete(PODS, SPACE, before.partition("_")[0])
    until("another holder", lambda: lease(client).get("holderIdentity") not in (before, None, ""), 60)
    measured("engine in the cluster: deleted Pod until another works", time.monotonic() - began, "s")
    demo(client, 1)
    until("both ready again", lambda: ready(client) == 2)


def test_the_engine_survives_a_restart_of_the_node(client: KubeClient, cluster: str) -> None:
    """Protects a laptop that was restarted: the cluster comes back, and a rollout goes on."""
    began = time.monotonic()
    commands.check("docker", "restart", *nodes.targets(cluster), timeout=120)

    def up() -> bool:
        try:
            return ready(client) == 2 and bool(lease(client).get("holderIdentity"))
        except LabError:
            return False

    until("the engine is back", up, 240)
    demo(client, 2)
    measured("kind: node container restarted until a rollout went on", time.monotonic() - began, "s")
