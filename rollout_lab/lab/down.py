"""Taking away what labs leave on purpose or were too suddenly ended to remove: clusters and objects.

Only what the lab made: a kind cluster of its own, and the objects of its records (`installed`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import Final

from rollout_lab.client.kube import KubeClient
from rollout_lab.clusters.commands import ToolMissing
from rollout_lab.clusters.kind import create, machine
from rollout_lab.clusters.kind.machine import DockerUnavailable
from rollout_lab.errors import LabError
from rollout_lab.lab.folder import LabState, live_labs
from rollout_lab.lab.installed import Installed, state_folder
from rollout_lab.lab.opening import KIND_PREFIX

STOP_PATIENCE: Final = 90.0  # wall seconds a lab may take to stop and clean up
POLL: Final = 0.1
Progress = Callable[[str, str], None]
"""Called with ``stop`` (a lab, by its process id), ``kind`` (a cluster is deleted), ``context`` (objects
are deleted there), ``kept`` (stays on purpose, and why), ``unseen`` (Docker does not answer, so nobody knows
whether a kind cluster is there), ``nothing``; and a few words."""


def down(progress: Progress, *, name: str = "", context: str = "", force: bool = False) -> None:
    """Remove the kind cluster `name` (``""``: the usual one), and everything that is recorded on contexts.

    With `context` only what is recorded for that one. `force` also deletes a kind cluster the lab did not
    make. Labs on these clusters are stopped first. Raises LabError for what cannot be removed.
    """
    cluster = create.Wanted(name).named()
    wanted = f"context:{context}" if context else KIND_PREFIX + cluster
    for lab in live_labs():
        if lab.cluster == wanted or (not name and lab.cluster.startswith("context:") and not context):
            progress("stop", str(lab.pid))
            _stop(lab)
    did = _remove_records(progress, context)
    if not context:
        try:
            did = _remove_cluster(progress, cluster, force) or did
        except DockerUnavailable as problem:  # a kind cluster, if there is one, cannot be seen now
            if not did:
                raise
            progress("unseen", str(problem))
    if not did:
        progress("nothing", context or cluster)


def _stop(lab: LabState) -> None:
    """As Ctrl-C in its terminal would; waits until it has cleaned up."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(lab.pid, signal.SIGTERM)
    pause = threading.Event()
    for _ in range(int(STOP_PATIENCE / POLL)):
        if all(other.pid != lab.pid for other in live_labs()):
            return
        pause.wait(POLL)
    raise LabError(f"the lab with process id {lab.pid} does not stop: kill {lab.pid}, then try again")


def _remove_records(progress: Progress, context: str) -> bool:
    """Objects on clusters of others, by the records of labs that did not clean up themselves."""
    found = [r for r in Installed.all() if not context or r.head.context == context]
    for record in found:
        where = record.head.context
        try:
            client = _client(where)
        except LabError as problem:
            raise LabError(
                f"{where} still has {len(record.objects())} objects of the lab, but it does not answer: "
                f"{problem} If that cluster is gone for good, delete {record.path}"
            ) from None
        try:
            if client.server != record.head.server:
                raise LabError(
                    f"the context {where} leads to {client.server} now; the lab installed things on "
                    f"{record.head.server}. If that cluster is gone for good, delete {record.path}"
                )
            progress("context", where)
            for stays in record.remove(client):
                progress("kept", stays)
        finally:
            client.close()
    return bool(found)


def _client(context: str) -> KubeClient:
    """A client of the cluster of a record: a kind cluster by its own kubeconfig, others by the user's."""
    kind = context.removeprefix("kind-") if context.startswith("kind-") else ""
    client = create.client_of(kind) if kind and kind in _clusters() else None
    client = client or KubeClient.from_kubeconfig(None, context)
    client.raw_get("/version")
    return client


def _clusters() -> list[str]:
    try:
        return machine.clusters()
    except ToolMissing:
        return []  # no docker, so no kind cluster either


def _remove_cluster(progress: Progress, cluster: str, force: bool) -> bool:
    """The kind cluster, whole or half made."""
    if cluster not in _clusters():
        return False
    if not force and not create.is_ours(cluster):
        progress("kept", f"kind-{cluster}")
        return True
    progress("kind", cluster)
    create.delete(cluster)
    (state_folder() / f"kind-{cluster}.making").unlink(missing_ok=True)
    return True
