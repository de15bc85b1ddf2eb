"""A namespace for each student on the one cluster, and one engine for all of them.

A seat is a `Lab` of its own namespace (``seat-NAME``). Its Rollouts carry an instance id, so that the
engine of the seats and the engine of the host never touch the same one; its Services get node
ports nobody else has. What a page shows of it is not known here.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.api.names import INSTANCE_ID_LABEL
from rollout_lab.client.resources import NAMESPACES
from rollout_lab.clusters.spawn import Child
from rollout_lab.errors import LabError, NotFound, UsageError
from rollout_lab.lab.gateways import SEAT, host_in
from rollout_lab.lab.lab import Lab
from rollout_lab.lab.scenario import Scenario, load_scenario

Json = dict[str, Any]
MOST_SEATS: Final = 24
"""Each seat watches its namespace with a few threads and asks its Services twice a second."""
PREFIX: Final = SEAT
INSTANCE: Final = "seats"
_ROUTES: Final = ("Ingress", "Gateway", "HTTPRoute", "VirtualService")
GONE_TRIES: Final = 300
"""Tenths of a second to wait for a namespace to go."""
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?")


class SeatLab(Lab):
    """A lab whose Rollouts belong to the engine of the seats, on node ports that are free."""

    def apply(self, scenario: Scenario | str) -> str:
        found = load_scenario(scenario, self.namespace) if isinstance(scenario, str) else scenario
        placed = tuple(seated(obj, self.namespace) for obj in found.objects)
        return super().apply(replace(found, objects=placed))


def seated(obj: Mapping[str, Any], namespace: str = "") -> Json:
    """An object as a seat applies it: Rollouts labelled for the engine of the seats, no fixed node ports,
    and routes for hosts of its own (`gateways.host_in`), because all seats have one gateway."""
    if obj.get("kind") in _ROUTES:
        return {**obj, "spec": _own_hosts(fields.mapping(obj, "spec"), namespace)}
    if obj.get("kind") == "Rollout":
        about = {**fields.mapping(obj, "metadata")}
        return {**obj, "metadata": {**about, "labels": {**meta.labels(obj), INSTANCE_ID_LABEL: INSTANCE}}}
    if obj.get("kind") == "Service":
        spec = fields.mapping(obj, "spec")
        ports = [
            {k: v for k, v in p.items() if k != "nodePort"} for p in fields.objects(obj, "spec", "ports")
        ]
        return {**obj, "spec": {**spec, "ports": ports}}
    return dict(obj)


def _own_hosts(value: Any, namespace: str) -> Any:
    """The same with the seat's hosts, wherever a host stands."""
    if isinstance(value, str):
        return host_in(namespace, value)
    if isinstance(value, list):
        return [_own_hosts(one, namespace) for one in value]
    if isinstance(value, Mapping):
        return {key: _own_hosts(one, namespace) for key, one in value.items()}
    return value


class Seats:
    """The seats of a host's lab. Safe to share between threads."""

    def __init__(self, host: Lab, context: str | None = None, most: int = MOST_SEATS) -> None:
        self._host = host
        self._context = context
        self._most = most
        self._lock = threading.Lock()
        self._labs: dict[str, Lab] = {}
        self._engine = _engine(host, context)

    @property
    def names(self) -> tuple[str, ...]:
        """The seats that are taken, in the order they were."""
        return tuple(self._labs)

    def open(self, name: str) -> Lab:
        """The lab of a seat, made the first time. Raises UsageError for a bad name or a full room."""
        if not _NAME.fullmatch(name):
            raise UsageError(
                f'seat "{name}": use lower-case letters, digits and "-", at most 24, as in min-ji or 07'
            )
        with self._lock:
            found = self._labs.get(name)
            if found is not None:
                return found
            if len(self._labs) >= self._most:
                raise UsageError(
                    f"all {self._most} seats are taken; a seat of somebody who is there can be shared"
                )
            self._engine.start()
            self._labs[name] = lab = SeatLab.attach(
                self._host.kubeconfig or None,
                self._context,
                namespace=PREFIX + name,
                engine=False,
                clock=self._host.clock.spec if self._host.cluster_name == "embedded" else None,
            )
            return lab

    def reset(self, name: str) -> None:
        """Begin the lecture a seat is at anew. Raises LabError, also where nobody sits there."""
        self._taken(name).reset()

    def free(self, name: str) -> None:
        """Take away all that a seat applied and let others have it. Raises LabError.

        On the embedded cluster its namespace goes too; elsewhere it may hold what somebody else made.
        """
        lab = self._taken(name)
        lab.clear()
        with self._lock:
            self._labs.pop(name, None)
        lab.close()
        if self._host.cluster_name == "embedded":
            self._forget(PREFIX + name)

    def _taken(self, name: str) -> Lab:
        found = self._labs.get(name)
        if found is None:
            raise UsageError(f'nobody sits at "{name}"')
        return found

    def _forget(self, namespace: str) -> None:
        """Delete a namespace and wait until it is gone, so that the seat can be taken again at once."""
        pause, client = threading.Event(), self._host.client
        try:
            client.delete(NAMESPACES, None, namespace)
            for _ in range(GONE_TRIES):
                client.get(NAMESPACES, None, namespace)
                pause.wait(0.1)
        except NotFound:
            return
        raise LabError(f"the namespace {namespace} is still being deleted")

    def close(self) -> None:
        """Stop watching all seats and end their engine; what they applied stays in the cluster."""
        with self._lock:
            for lab in self._labs.values():
                lab.close()
            self._labs.clear()
            self._engine.stop()


def _engine(host: Lab, context: str | None) -> Child:
    """The engine of all seats, not started yet."""
    words = ["controller", "--instance-id", INSTANCE, "--clock", host.clock.spec]
    words += ["--kubeconfig", host.kubeconfig] if host.kubeconfig else []
    words += ["--context", context] if context else []
    return Child("the engine of the seats", words, Path(host.folder) / "seats.log")
