"""Making the kind cluster, finding it again, and taking it away without leaving anything behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from rollout_lab.client.kube import KubeClient
from rollout_lab.clusters import commands
from rollout_lab.clusters.base import write_private
from rollout_lab.clusters.kind import config, machine, ready, versions
from rollout_lab.errors import ClusterUnavailable, LabError

Progress = Callable[[str, str], None]
"""Called with a stage (below) and a few words."""

STAGES: Final = (
    "kind.reuse",  # words: the cluster's name
    "kind.start",  # a stopped node container is started; words: its name
    "kind.again",  # a half-made cluster is removed; words: its name
    "kind.image",  # words: the node image
    "kind.pull",  # the node image is not here yet; words: the node image
    "kind.port",  # a NodePort is taken on this machine; words: "32233 127.0.0.1:40123"
    *(f"kind.step.{step}" for step in ("image", "nodes", "configuration", "control-plane")),
    *(f"kind.step.{step}" for step in ("network", "storage", "workers", "wait")),
    "kind.ready",  # words: seconds since the beginning
    "kind.undo",  # creation was interrupted or failed: what is there goes away; words: the name
)
STEPS: Final[Mapping[str, str]] = {
    "Ensuring node image": "image",
    "Preparing nodes": "nodes",
    "Writing configuration": "configuration",
    "Starting control-plane": "control-plane",
    "Installing CNI": "network",
    "Installing StorageClass": "storage",
    "Joining worker nodes": "workers",
    "Waiting": "wait",
}
"""What kind prints when it begins a step -> our word for it."""
NAME_VARIABLE: Final = "ROLLOUT_LAB_KIND_NAME"
IMAGE_VARIABLE: Final = "ROLLOUT_LAB_KIND_NODE_IMAGE"
CREATE_PATIENCE: Final = 900.0  # wall seconds, the download of the node image included
WAIT: Final = "240s"  # that kind waits for the control plane
DELETE_PATIENCE: Final = 120.0
ATTEMPTS: Final = 4
_MAPPED: Final = re.compile(r"(?:Bind for|listen tcp4) [\d.]+:(\d+)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cluster as it was asked for; ``""`` takes the environment's, then the usual."""

    name: str = ""
    nodes: int = 1
    node_image: str = ""

    def named(self) -> str:
        return self.name or os.environ.get(NAME_VARIABLE) or config.NAME

    def image(self) -> str:
        return self.node_image or os.environ.get(IMAGE_VARIABLE) or ""


@dataclass(frozen=True, slots=True)
class Made:
    """A cluster that is ready. `created` False where it was there before; `seconds` it took."""

    name: str
    client: KubeClient
    kubeconfig: Path
    created: bool
    seconds: float


def choose_image(asked: str, kind: versions.Version | None, cgroup: int, has: Callable[[str], bool]) -> str:
    """The node image to use: the one asked for, else the pinned one; ``""`` leaves it to kind.

    `has` tells whether docker holds an image. An image that came as a file has no digest, so the bare
    tag is taken where only that is here.
    """
    if asked:
        return asked
    pinned = versions.node_image(kind, cgroup)
    tag = pinned.partition("@")[0]
    return tag if pinned != tag and not has(pinned) and has(tag) else pinned


def ensure(
    wanted: Wanted, kubeconfig: Path, marks: Path, progress: Progress, now: Callable[[], float]
) -> Made:
    """The cluster, made or found, with its kubeconfig in `kubeconfig` (0600) and everything in it ready.

    `marks`: a folder that outlives this program; a file there says that a creation is under way.
    `now` gives wall seconds. Whatever interrupts a creation, the half-made cluster is removed. Raises
    LabError with the remedy.
    """
    began = now()
    about = machine.docker()
    kind = machine.kind_version()
    name = wanted.named()
    mark = marks / f"kind-{name}.making"
    there = name in machine.clusters()
    if there and _abandoned(mark):
        progress("kind.again", name)
        delete(name)
        there = False
    if there:
        progress("kind.reuse", name)
        _start_nodes(name, progress)
        write_private(kubeconfig, commands.check("kind", "get", "kubeconfig", "--name", name))
    else:
        image = choose_image(wanted.image(), kind, about.cgroup, machine.has_image)
        if not versions.fits(image, about.cgroup):
            raise LabError(
                f"the node image {image} does not start here: this machine has cgroup v1, which Kubernetes "
                "1.35 and later refuse. Name an image of Kubernetes 1.34 with --node-image"
            )
        with _cleaned_up(name, mark, progress):
            _create(name, wanted.nodes, image, kubeconfig, progress)
    client = KubeClient.from_kubeconfig(str(kubeconfig))
    try:
        ready.wait(client, lambda: f"the kind cluster {name}")
        if not there:
            ready.sign(client, name)
    except BaseException:
        client.close()
        raise
    seconds = now() - began
    progress("kind.ready", f"{seconds:.0f}")
    return Made(name, client, kubeconfig, not there, seconds)


def _create(name: str, nodes: int, image: str, kubeconfig: Path, progress: Progress) -> None:
    """Ask kind for the cluster; again, with other ports, where one was taken in the same moment."""
    taken: set[int] = set()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _try_to_create(name, nodes, image, kubeconfig, progress, taken)
            return
        except commands.ToolFailed as failed:
            lost = lost_ports(failed.output)
            if not lost or attempt == ATTEMPTS:
                raise LabError(f"{failed}\n{remedy(failed.output, image)}") from None
            taken |= lost
            delete(name)


def lost_ports(output: str) -> set[int]:
    """The ports of this machine that docker could not map because somebody took them.

    >>> lost_ports("Bind for 127.0.0.1:32234 failed: port is already allocated")
    {32234}
    """
    lines = [
        line
        for line in output.splitlines()
        if "already allocated" in line or "address already in use" in line
    ]
    return {int(port) for line in lines for port in _MAPPED.findall(line)}


def _try_to_create(
    name: str, nodes: int, image: str, kubeconfig: Path, progress: Progress, taken: set[int]
) -> None:
    def host_port(port: int) -> int:
        if port not in taken and not machine.port_taken(port):
            return port
        other = machine.free_port()
        progress("kind.port", f"{port} 127.0.0.1:{other}")
        return other

    asked = config.configured(config.base(), name=name, nodes=nodes, host_port=host_port)
    here = machine.has_image(image) if image else True
    progress("kind.image" if here else "kind.pull", image or "kind's own")

    def on_line(line: str) -> None:
        begun = line.lstrip(" •·⠀-")
        step = next((code for words, code in STEPS.items() if begun.startswith(words)), None)
        if step is not None and "✓" not in line:
            progress(f"kind.step.{step}", line)

    with tempfile.TemporaryDirectory(prefix="rollout-lab-kind-") as folder:
        path = Path(folder) / "cluster.yaml"
        path.write_text(yaml.safe_dump(asked), encoding="utf-8")
        words = ["create", "cluster", "--config", str(path), "--kubeconfig", str(kubeconfig), "--wait", WAIT]
        words += ["--image", image] if image else []
        commands.follow("kind", *words, on_line=on_line, timeout=CREATE_PATIENCE)
    kubeconfig.chmod(0o600)


def remedy(output: str, image: str) -> str:
    """What a person can do about a failed creation, by what kind printed.

    >>> remedy("ERROR: failed to pull image", "kindest/node:v1").partition(":")[0]
    'The node image kindest/node'
    """
    text = output.lower()
    if "pull" in text and ("fail" in text or "denied" in text):
        return (
            f"The node image {image} is not here and cannot be downloaded: name one that is here with "
            "--node-image, or bring it in with `rollout-lab bundle load FILE`."
        )
    if "address already in use" in text or "port is already allocated" in text:
        return "A port of the lab was taken meanwhile: stop the program that took it and try again."
    if "no space left" in text:
        return (
            "The disk is full: `docker system df` shows what Docker keeps, `docker image prune` frees some."
        )
    if "too many open files" in text or "inotify" in text:
        return (
            "inotify limits are low: "
            "sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288"
        )
    return "`rollout-lab doctor` looks for the usual reasons."


@contextlib.contextmanager
def _cleaned_up(name: str, mark: Path, progress: Progress) -> Iterator[None]:
    """Leave either a whole cluster or none, also when this program is killed: see `_abandoned`."""
    mark.write_text(str(os.getpid()), encoding="utf-8")
    try:
        yield
    except BaseException:
        with _undisturbed():
            progress("kind.undo", name)
            delete(name)
            mark.unlink(missing_ok=True)
        raise
    mark.unlink(missing_ok=True)


def _abandoned(mark: Path) -> bool:
    """Whether a creation began and its program is gone. Raises LabError where it still goes on."""
    try:
        pid = int(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        mark.unlink(missing_ok=True)
        return True
    raise LabError(
        f"process {pid} is making this cluster right now: wait for it, or name another with --name"
    )


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not interrupt the clean-up of the first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _start_nodes(name: str, progress: Progress) -> None:
    """A reboot or a restart of Docker leaves the node containers stopped."""
    for node in machine.nodes(name):
        if not node.running:
            progress("kind.start", node.name)
            commands.check("docker", "start", node.name, timeout=DELETE_PATIENCE)


def delete(name: str) -> None:
    """Delete a cluster; nothing if there is none. The user's own kubeconfig is not opened."""
    with tempfile.TemporaryDirectory(prefix="rollout-lab-kind-") as folder:
        nobody = Path(folder) / "kubeconfig"
        commands.check(
            "kind", "delete", "cluster", "--name", name, "--kubeconfig", str(nobody), timeout=DELETE_PATIENCE
        )
    left = [node.name for node in machine.nodes(name)]
    if left:
        raise LabError(
            f"containers of the cluster {name} are still there: docker rm --force {' '.join(left)}"
        )


def client_of(name: str) -> KubeClient | None:
    """A client of a kind cluster that is there, without a file left behind; None where kind knows none."""
    with tempfile.TemporaryDirectory(prefix="rollout-lab-kind-") as folder:
        path = Path(folder) / "kubeconfig"
        try:
            write_private(path, commands.check("kind", "get", "kubeconfig", "--name", name))
            return KubeClient.from_kubeconfig(str(path))
        except (commands.ToolFailed, ClusterUnavailable):
            return None


def is_ours(name: str) -> bool:
    """Whether the lab made this cluster: by its usual name, or by what the lab wrote into it."""
    if name == config.NAME:
        return True
    client = client_of(name)
    if client is None:
        return False
    try:
        return ready.signed(client)
    except LabError:
        return False
    finally:
        client.close()
