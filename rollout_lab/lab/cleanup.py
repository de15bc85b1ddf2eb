"""Taking a scenario away again, until nothing of it is left."""

from __future__ import annotations

import contextlib

from rollout_lab.api import meta
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import of_object
from rollout_lab.errors import LabError, NotFound
from rollout_lab.lab.scenario import Scenario
from rollout_lab.observe.recorder import Recorder

_STAY = ("Namespace", "CustomResourceDefinition")


def delete(scenario: Scenario, client: KubeClient, recorder: Recorder, lab_seconds: float) -> None:
    """Delete the scenario's objects and wait until its Pods are gone; its tracks are forgotten.

    Namespaces stay: other scenarios may live there. Raises LabError after `lab_seconds`.
    """
    for obj in reversed(scenario.objects):
        if obj.get("kind") not in _STAY:
            with contextlib.suppress(NotFound):
                client.delete(of_object(obj), meta.namespace(obj), meta.name(obj), propagation="Background")
    for rollout in scenario.rollouts:
        if not recorder.wait(lambda name=rollout: not recorder.names(name), lab_seconds):  # type: ignore[misc]
            left = ", ".join(recorder.names(rollout))
            raise LabError(f"objects of {rollout} are still there: {left}")
        recorder.forget(rollout)
    recorder.probe.restart()
