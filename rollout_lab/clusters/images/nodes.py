"""Bringing images into the nodes of a kind cluster, and looking whether they really arrived.

`kind load image-archive` first. It fails where it asks for content an archive does not have (Docker with
the containerd image store), and can leave a name without its layers; so each node is asked what it has,
and a node that lacks something gets the archive by `ctr images import` directly.
# upstream: kind issues 3795 and 4224 (ctr: content digest … not found)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rollout_lab.clusters import commands
from rollout_lab.clusters.images.build import Built
from rollout_lab.clusters.kind import machine
from rollout_lab.errors import ClusterUnavailable, LabError

Say = Callable[[str], None]
_LOAD: Final = 300.0  # wall seconds for one archive
_CTR: Final = ("ctr", "--namespace", "k8s.io", "images")
_SYSTEM: Final = "external-load-balancer"


@dataclass(frozen=True, slots=True)
class Loaded:
    """How the images of an archive came to a node: ``present`` before, by ``kind`` or by ``ctr``."""

    node: str
    archive: str
    images: int
    way: str


def targets(cluster: str) -> list[str]:
    """The node containers of a kind cluster. Raises ClusterUnavailable if there are none, or one is down."""
    there = [node for node in machine.nodes(cluster) if node.role != _SYSTEM]
    if not there:
        raise ClusterUnavailable(
            f"there is no kind cluster {cluster}; `rollout-lab up --cluster kind` makes one, "
            "`kind get clusters` lists those of this machine"
        )
    stopped = " ".join(node.name for node in there if not node.running)
    if stopped:
        raise ClusterUnavailable(f"a node of the cluster {cluster} does not run: docker start {stopped}")
    return [node.name for node in there]


def load(cluster: str, archives: Sequence[Built], say: Say = lambda text: None) -> list[Loaded]:
    """Bring every image of `archives` into every node of a kind cluster.

    A node that has all of them already is left alone. Raises ClusterUnavailable as `targets`, LabError
    where images did not arrive.
    """
    nodes = targets(cluster)
    return [one for built in archives for one in _load_one(cluster, nodes, built, say)]


def missing(node: str, images: Iterable[str]) -> list[str]:
    """Which of `images` a node lacks, in part or whole."""
    have = complete(commands.check("docker", "exec", node, *_CTR, "check"))
    return sorted(name for name in images if full_name(name) not in have)


def complete(said: str) -> set[str]:
    """The images whose content is all there, by the output of ``ctr images check``.

    >>> complete("REF TYPE\\ndocker.io/a/b:1 application/x sha256:0 complete (3/3) 1 MiB true\\n"
    ...          "docker.io/a/c:1 application/x sha256:0 incomplete (1/3) 1 MiB false")
    {'docker.io/a/b:1'}
    """
    rows = [line.split() for line in said.splitlines()[1:]]
    return {row[0] for row in rows if len(row) > 3 and row[3] == "complete"}


def full_name(image: str) -> str:
    """An image's name as containerd keeps it.

    >>> full_name("1pro/api-tester:1.0.0"), full_name("nginx:1"), full_name("localhost:5000/x:1")
    ('docker.io/1pro/api-tester:1.0.0', 'docker.io/library/nginx:1', 'localhost:5000/x:1')
    """
    first, slash, _ = image.partition("/")
    if not slash:
        return f"docker.io/library/{image}"
    return image if "." in first or ":" in first or first == "localhost" else f"docker.io/{image}"


def _load_one(cluster: str, nodes: list[str], built: Built, say: Say) -> list[Loaded]:
    wanted, count = (*built.images, built.mark), len(built.images)
    lacking = [node for node in nodes if missing(node, wanted)]
    found = [Loaded(n, built.archive.name, count, "present") for n in nodes if n not in lacking]
    if not lacking:
        return found
    say(f"loading {built.archive.name} ({count} images) into {', '.join(lacking)}")
    words = ["load", "image-archive", str(built.archive), "--name", cluster, "--nodes", ",".join(lacking)]
    try:
        by_kind = commands.call("kind", *words, timeout=_LOAD)
    except commands.ToolMissing as problem:  # the cluster is there all the same
        by_kind = commands.Done(127, "", str(problem))
    for node in lacking:
        way = "kind" if by_kind.ok and not missing(node, wanted) else "ctr"
        if way == "ctr":
            say(f"kind could not load it into {node}; importing it there directly")
            _import(node, built)
            if left := missing(node, wanted):
                said = commands.telling(by_kind.err) or "nothing"
                raise LabError(
                    f"{node} still lacks {', '.join(left[:3])}{' …' if len(left) > 3 else ''} after "
                    f"importing {built.archive}: is its disk full? kind said: {said}"
                )
        found.append(Loaded(node, built.archive.name, count, way))
    return found


def _import(node: str, built: Built) -> None:
    """One archive of one architecture, through the node's own containerd; nothing of docker's store."""
    with built.archive.open("rb") as content:
        commands.check(
            "docker", "exec", "--interactive", node, *_CTR, "import", "-", timeout=_LOAD, stdin=content
        )
