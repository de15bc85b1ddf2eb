"""What a cluster is to the rest of the project: a kubeconfig somebody can use, and a way to end it.

Here: the interface and the kubeconfig file. Not here: any particular cluster.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Protocol

import yaml

CONTEXT = "rollout-lab"


class Cluster(Protocol):
    """A running API server. `kubeconfig` is the file that reaches it."""

    @property
    def kubeconfig(self) -> Path: ...

    def stop(self) -> None:
        """End it, when this process started it; otherwise do nothing."""
        ...


def kubeconfig(server: str, token: str) -> dict[str, Any]:
    """The kubeconfig of a local API server at `server`: one context, named `rollout-lab`."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": {"server": server}}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [
            {"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}
        ],
        "current-context": CONTEXT,
    }


def write_private(path: Path, text: str) -> None:
    """Write a file only this user can read, in one step: readers see the old or the whole new text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:  # mkstemp makes it 0600
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_kubeconfig(path: Path, server: str, token: str) -> None:
    """Write the kubeconfig (mode 0600, atomically)."""
    write_private(path, yaml.safe_dump(kubeconfig(server, token), sort_keys=False))
