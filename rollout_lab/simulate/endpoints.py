"""EndpointSlices of a simulated cluster: which ready Pods each Service leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rollout_lab.api import fields, meta
from rollout_lab.api.selectors import matches_equality
from rollout_lab.simulate.pods import Timing
from rollout_lab.simulate.store import Store

SERVICE_LABEL: Final = "kubernetes.io/service-name"


class Endpoints:
    """The EndpointSlice controller: one slice for each Service with a selector."""

    def __init__(self, store: Store, timing: Timing, at: Callable[[float, Callable[[], None]], None]) -> None:
        self._store = store
        self._timing = timing
        self._at = at
        self._looking = False

    def look(self) -> None:
        """Bring all slices in line, a moment from now."""
        if not self._looking:
            self._looking = True
            self._at(self._store.now() + self._timing.controller, self.sync)

    def sync(self) -> None:
        """Bring all slices in line now."""
        self._looking = False
        pods = [(meta.labels(p), meta.name(p), _ready(p)) for p in self._store.of_kind("Pod")]
        for service in self._store.of_kind("Service"):
            selector = fields.strings(service, "spec", "selector")
            if not selector:
                continue
            name = f"{meta.name(service)}-simulated"
            endpoints = [
                {"conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": pod}}
                for labels, pod, ready in pods
                if matches_equality(selector, labels)
            ]
            labels = {SERVICE_LABEL: meta.name(service)}
            found = self._store.get("EndpointSlice", name)
            if found is None:
                about = {"name": name, "labels": labels}
                self._store.create({"kind": "EndpointSlice", "metadata": about, "endpoints": endpoints})
            else:
                self._store.put({**found, "endpoints": endpoints})


def _ready(pod: dict[str, object]) -> bool:
    found = meta.condition(meta.conditions(pod), "Ready")
    return found is not None and found.get("status") == "True" and not meta.being_deleted(pod)
