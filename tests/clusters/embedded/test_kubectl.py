"""Real kubectl, old and new, against the embedded cluster: what a student types."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout_lab.clusters.base import write_kubeconfig
from rollout_lab.clusters.embedded.process import running

pytestmark = pytest.mark.kubectl

NEWEST = Path(sys.executable).with_name("kubectl")
CANDIDATES = [
    str(p) for p in (NEWEST, Path("/usr/bin/kubectl"), Path("/usr/local/bin/kubectl")) if p.exists()
]
CANDIDATES = CANDIDATES or [p for p in [shutil.which("kubectl")] if p]
MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "1pro/api-tester:v1.0.0", ports: [{containerPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""


class Kubectl:
    """Runs one kubectl binary with its own home and kubeconfig."""

    def __init__(self, binary: str, home: Path) -> None:
        self.binary = binary
        self.env = {**os.environ, "HOME": str(home), "KUBECONFIG": str(home / "kubeconfig")}

    def __call__(self, *args: str, stdin: str = "", code: int = 0, **env: str) -> str:
        done = subprocess.run(
            [self.binary, *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            env={**self.env, **env},
        )
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture(scope="module", params=CANDIDATES)
def kubectl(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """kubectl on a whole cluster with Pods, in this process."""
    home = tmp_path_factory.mktemp("home")
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()

    async def main() -> None:
        async with running() as cluster:
            write_kubeconfig(home / "kubeconfig", cluster.url, cluster.token)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), name="cluster")
    thread.start()
    assert started.wait(20)
    run = Kubectl(request.param, home)
    run("apply", "-f", "-", stdin=MANIFEST)
    run("-n", "shop", "rollout", "status", "deploy/web", "--timeout=30s")
    yield run
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


def test_get_in_all_its_forms(kubectl: Kubectl) -> None:
    """Tables with the columns students know, wide, YAML, JSONPath, selectors, categories."""
    assert "UP-TO-DATE" in kubectl("-n", "shop", "get", "deploy")
    assert "1pro/api-tester:v1.0.0" in kubectl("-n", "shop", "get", "deploy,rs", "-o", "wide")
    assert kubectl("-n", "shop", "get", "pods").count("1/1     Running") == 2
    assert "kind: Deployment" in kubectl("-n", "shop", "get", "deploy", "web", "-o", "yaml")
    assert kubectl("-n", "shop", "get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "2"
    assert "service/web" in kubectl("-n", "shop", "get", "all", "-l", "!nope")
    assert "No resources found" in kubectl("-n", "shop", "get", "pods", "-l", "app=none")
    assert "shop" in kubectl("get", "ns", "--sort-by=.metadata.name")
    assert "NotFound" in kubectl("-n", "shop", "get", "deploy", "nope", code=1)


def test_describe_tells_events(kubectl: Kubectl) -> None:
    """describe reads several kinds and the Events of the object."""
    assert "ScalingReplicaSet" in kubectl("-n", "shop", "describe", "deploy", "web")
    assert "127." in kubectl("-n", "shop", "describe", "svc", "web")
    assert "Started" in kubectl("-n", "shop", "describe", "pod", "-l", "app=web")


def test_apply_twice_edit_patch_scale(kubectl: Kubectl) -> None:
    """The everyday writes, each with the change really there."""
    assert kubectl("apply", "-f", "-", stdin=MANIFEST).count("unchanged") == 3
    kubectl("-n", "shop", "scale", "deploy/web", "--replicas=3")
    replicas = ("-n", "shop", "get", "deploy", "web", "-o", "jsonpath={.spec.replicas}")
    assert kubectl(*replicas) == "3"
    kubectl("-n", "shop", "patch", "deploy", "web", "-p", '{"spec":{"replicas":1}}')
    assert kubectl(*replicas) == "1"
    kubectl(
        "-n",
        "shop",
        "patch",
        "deploy",
        "web",
        "--type=json",
        "-p",
        '[{"op":"replace","path":"/spec/replicas","value":2}]',
    )
    assert kubectl(*replicas) == "2"
    kubectl("-n", "shop", "edit", "svc", "web", EDITOR="sed -i -e s/port:.80/port:\\ 81/")
    assert kubectl("-n", "shop", "get", "svc", "web", "-o", "jsonpath={.spec.ports[0].port}") == "81"
    kubectl("-n", "shop", "label", "svc", "web", "a=b")
    kubectl("-n", "shop", "annotate", "svc", "web", "c=d")
    assert kubectl("-n", "shop", "get", "svc", "web", "-o", "jsonpath={.metadata.labels.a}") == "b"


def test_a_mistake_is_named(kubectl: Kubectl) -> None:
    """Unknown fields and broken rules are refused with the field."""
    wrong = MANIFEST.replace("replicas: 2", "replicaz: 2")
    assert 'unknown field "spec.replicaz"' in kubectl("apply", "-f", "-", stdin=wrong, code=1)
    negative = MANIFEST.replace("replicas: 2", "replicas: -2")
    assert "spec.replicas: Invalid value: -2" in kubectl("apply", "-f", "-", stdin=negative, code=1)


def test_rollout_verbs_and_wait(kubectl: Kubectl) -> None:
    """set image, rollout status, history, undo, restart, wait: what the comparison with Deployments uses."""
    shop = ("-n", "shop")
    kubectl(*shop, "set", "image", "deploy/web", "c=1pro/api-tester:v2.0.0")
    assert "successfully rolled out" in kubectl(*shop, "rollout", "status", "deploy/web", "--timeout=30s")
    assert "2 " in kubectl(*shop, "rollout", "history", "deploy/web")
    kubectl(*shop, "rollout", "undo", "deploy/web")
    kubectl(*shop, "rollout", "status", "deploy/web", "--timeout=30s")
    image = ("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    assert kubectl(*shop, *image) == "1pro/api-tester:v1.0.0"
    kubectl(*shop, "rollout", "restart", "deploy/web")
    kubectl(*shop, "rollout", "status", "deploy/web", "--timeout=30s")
    kubectl(*shop, "wait", "--for=condition=Available", "deploy/web", "--timeout=20s")


def test_logs(kubectl: Kubectl) -> None:
    """The Pod's own lines, tail and all."""
    assert "Api Tester" in kubectl("-n", "shop", "logs", "deploy/web")
    assert kubectl("-n", "shop", "logs", "deploy/web", "--tail=1").count("\n") <= 2


def test_create_and_delete(kubectl: Kubectl) -> None:
    """create sends protobuf for built-in kinds; delete waits until the object is gone."""
    kubectl("create", "ns", "other")
    kubectl("-n", "other", "create", "configmap", "settings", "--from-literal=a=1")
    kubectl("-n", "other", "create", "deployment", "d", "--image=1pro/api-tester:v1.0.0")
    kubectl(
        "-n",
        "other",
        "create",
        "-f",
        "-",
        stdin='{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}',
    )
    assert kubectl("-n", "other", "get", "configmap", "settings", "-o", "jsonpath={.data.a}") == "1"
    kubectl("-n", "other", "delete", "configmap", "settings", "--timeout=20s")
    kubectl("-n", "other", "rollout", "status", "deploy/d", "--timeout=30s")
    kubectl("-n", "other", "delete", "pod", "-l", "app=d", "--force", "--grace-period=0", "--timeout=20s")
    kubectl("delete", "ns", "other", "--timeout=40s")
    assert "NotFound" in kubectl("get", "ns", "other", code=1)


def test_watching(kubectl: Kubectl) -> None:
    """get -w prints a line for a change that comes later."""
    command = [kubectl.binary, "-n", "shop", "get", "svc", "web", "-w", "-o", "name"]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=kubectl.env)
    try:
        assert watching.stdout is not None
        assert watching.stdout.readline().strip() == "service/web"
        kubectl("-n", "shop", "annotate", "svc", "web", "--overwrite", "seen=yes")
        assert watching.stdout.readline().strip() == "service/web"
    finally:
        watching.kill()
        watching.communicate(timeout=10)


def test_explain_and_access(kubectl: Kubectl) -> None:
    """explain reads OpenAPI; auth can-i sends a protobuf review."""
    assert "rollingUpdate" in kubectl("explain", "deploy.spec.strategy")
    assert "yes" in kubectl("auth", "can-i", "create", "deployments")
