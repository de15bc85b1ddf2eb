"""What kind is asked for: `manifests/kind/cluster.yaml` with this machine's ports, nodes and name. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import yaml

from rollout_lab import packed
from rollout_lab.errors import LabError, UsageError

Json = dict[str, Any]

NAME: Final = "rollout-lab"
"""The usual name of the lab's cluster."""
NODES: Final = (1, 3)
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,40}[a-z0-9])?")


def base() -> Json:
    """The cluster as the manifest has it. Raises LabError where the file is missing."""
    path = packed.place("manifests/kind/cluster.yaml")
    try:
        found: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise LabError(f"the description of the kind cluster is missing: expected it in {path}") from None
    return found


def host_ports(config: Mapping[str, Any]) -> tuple[int, ...]:
    """The ports of this machine a configuration leads NodePorts to."""
    mappings = (m for node in config["nodes"] for m in node.get("extraPortMappings") or ())
    return tuple(int(m["hostPort"]) for m in mappings)


def configured(
    config: Mapping[str, Any], *, name: str, nodes: int = 1, host_port: Callable[[int], int] = int
) -> Json:
    """The configuration for a cluster called `name` with 1 or 3 nodes.

    `host_port` gives the port of this machine for the one that is written down: the same, or another
    where that is taken. Raises UsageError.
    """
    if nodes not in NODES:
        raise UsageError(
            f"--nodes {nodes}: a cluster has 1 node, or 3 (one that serves the API, two workers)"
        )
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name}: use lower-case letters, digits, dots and dashes, 42 at most")
    first, *others = config["nodes"]
    mappings: Sequence[Mapping[str, Any]] = first.get("extraPortMappings") or ()
    mapped = [{**m, "hostPort": host_port(int(m["hostPort"]))} for m in mappings]
    workers = [{"role": "worker"} for _ in range(nodes - 1 - len(others))]
    return {**config, "name": name, "nodes": [{**first, "extraPortMappings": mapped}, *others, *workers]}
