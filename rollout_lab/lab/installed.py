"""What the lab made on a cluster somebody else runs, so that all of it, and nothing else, goes again.

One file of JSON lines per cluster in a folder that outlives the lab: a head line, then one line for
each object at the moment it was created. A page that joins the lab adds its lines to the same file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

from rollout_lab.api import meta
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import CRDS, ROLLOUTS, Resource, of_object
from rollout_lab.errors import LabError, NotFound
from rollout_lab.lab.folder import HOME_VARIABLE

Json = dict[str, Any]
GONE_PATIENCE: Final = 120.0  # wall seconds until a namespace and what is in it has to be gone
POLL: Final = 0.25


@dataclass(frozen=True, slots=True)
class Head:
    """Which cluster a record is about."""

    context: str
    server: str


def _folder() -> Path:
    wanted = os.environ.get(HOME_VARIABLE)
    return Path(wanted) / "state" if wanted else platformdirs.user_state_path("rollout-lab")


def state_folder() -> Path:
    """A folder that survives a reboot, made if needed (0700)."""
    folder = _folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise LabError(f"{folder} cannot be made ({problem.strerror}); set {HOME_VARIABLE}") from None
    return folder


class Installed:
    """The record of one cluster. Use `begin` to start one, `join` for one that is there."""

    def __init__(self, path: Path, head: Head) -> None:
        self.path = path
        self.head = head

    @staticmethod
    def begin(head: Head) -> Installed:
        """Start a record, or go on with the one that an earlier lab left."""
        found = Installed.join(head)
        if found is None:
            state_folder()
            found = Installed(_path(head), head)
            found._write({"head": asdict(head)})
        return found

    @staticmethod
    def join(head: Head) -> Installed | None:
        """The record of this cluster where there is one."""
        path = _path(head)
        return Installed(path, head) if path.exists() else None

    @staticmethod
    def all() -> list[Installed]:
        """Every record of this user."""
        found = []
        for path in sorted(_folder().glob("installed-*.jsonl")):
            with (
                contextlib.suppress(OSError, ValueError, KeyError, TypeError),
                path.open(encoding="utf-8") as lines,
            ):
                found.append(Installed(path, Head(**json.loads(next(lines))["head"])))
        return found

    def apply(self, client: KubeClient, obj: Mapping[str, Any]) -> Json:
        """Apply an object, and write it down if it was not there before."""
        res = of_object(obj)
        ns = (meta.namespace(obj) or "default") if res.namespaced else None
        try:
            client.get(res, ns, meta.name(obj))
            was_there = True
        except NotFound:
            was_there = False
        made = client.apply(obj)
        if not was_there:
            self.note(made)
        return made

    def note(self, obj: Mapping[str, Any]) -> None:
        """Write down an object that was created just now."""
        about = {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind")}
        self._write({**about, "namespace": meta.namespace(obj), "name": meta.name(obj), "uid": meta.uid(obj)})

    def objects(self) -> list[Json]:
        """What was created, in that order."""
        with self.path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()]
        return [row for row in rows if "head" not in row]

    def remove(self, client: KubeClient) -> list[str]:
        """Delete what is recorded, newest first, and wait until it is gone; then the record goes too.

        Gives what stays on purpose, in words: a CRD that others use meanwhile. An object that was made
        anew by somebody else is not touched. Raises LabError when something does not go.
        """
        stay: list[str] = []
        waiting: list[tuple[Resource, Json]] = []
        rows = self.objects() if self.path.exists() else []
        spaces = {row["name"] for row in rows if row["kind"] == "Namespace"}
        for row in reversed(rows):
            res = of_object(row)
            if res.namespaced and row["namespace"] in spaces:
                continue  # goes with its namespace
            if res == CRDS and _used(client, spaces):
                stay.append(
                    f"the CustomResourceDefinition {row['name']}: there are Rollouts that are not the lab's"
                )
            elif _is_same(client, res, row):
                with contextlib.suppress(NotFound):
                    client.delete(res, row["namespace"] or None, row["name"], propagation="Background")
                waiting.append((res, row))
        _wait_gone(client, waiting)
        self.path.unlink(missing_ok=True)
        return stay

    def _write(self, row: Json) -> None:
        with self.path.open("a", encoding="utf-8") as out:  # one write: lines of two programs do not mix
            out.write(json.dumps(row) + "\n")


def _path(head: Head) -> Path:
    digest = hashlib.sha256(f"{head.server} {head.context}".encode()).hexdigest()[:16]
    return _folder() / f"installed-{digest}.jsonl"


def _is_same(client: KubeClient, res: Resource, row: Mapping[str, Any]) -> bool:
    try:
        return bool(meta.uid(client.get(res, row["namespace"] or None, row["name"])) == row["uid"])
    except NotFound:
        return False


def _used(client: KubeClient, ours: set[str]) -> bool:
    """Whether there are Rollouts outside of the namespaces the lab made."""
    try:
        return any(meta.namespace(o) not in ours for o in client.list(ROLLOUTS)["items"])
    except NotFound:
        return False


def _wait_gone(client: KubeClient, waiting: list[tuple[Resource, Json]]) -> None:
    pause = threading.Event()
    for _ in range(int(GONE_PATIENCE / POLL)):
        waiting = [(res, row) for res, row in waiting if _is_same(client, res, row)]
        if not waiting:
            return
        pause.wait(POLL)
    left = ", ".join(f"{row['kind']} {row['name']}" for _, row in waiting)
    raise LabError(f"still being deleted after {GONE_PATIENCE:g} s: {left}; try `rollout-lab down` again")
