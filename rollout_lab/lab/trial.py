"""A strategy tried out: version 1 comes up, is updated to another, and all of it is recorded to its end.

A Rollout runs as the lab's own ones do. A Deployment, which the lab's recorder does not follow, gets
a recorder of its own for as long as somebody looks. What the page makes of it is not known here.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from rollout_lab.api import fields, meta
from rollout_lab.client.images import image_tag
from rollout_lab.client.resources import DEPLOYMENTS, of_object
from rollout_lab.errors import LabError, NotFound, UsageError
from rollout_lab.lab.cleanup import delete
from rollout_lab.lab.lab import Lab
from rollout_lab.lab.scenario import Scenario, arranged
from rollout_lab.observe.deployments import DeploymentRecorder
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.plain import plain_picture
from rollout_lab.observe.recorder import Recorder
from rollout_lab.observe.ways import Ways

Json = dict[str, Any]
PATIENCE: Final = 300.0
"""Lab seconds version 1 may take to come up, and wall seconds an earlier run may take to go."""
BEFORE: Final = 4.0
"""Lab seconds of answers before the update."""
AFTER: Final = 5.0
"""Lab seconds a run is recorded after its end."""
IDLE: Final = 30.0
"""Wall seconds after which nobody is taken to look any more."""
LOOK: Final = 0.1  # wall seconds between two looks


class Stage(StrEnum):
    """How far a trial is."""

    CLEARING = "clearing"  # an earlier run of the same name goes
    STARTING = "starting"  # version 1 comes up
    UPDATING = "updating"
    DONE = "done"  # healthy, and nothing old is left
    FAILED = "failed"  # degraded: version 2 did not get ready in time, or somebody aborted
    BROKEN = "broken"  # the lab could not do it: `trouble` says why


OVER: Final = (Stage.DONE, Stage.FAILED, Stage.BROKEN)


class Trial:
    """One trial. `start` it once; everything else may be called from any thread.

    `objects`: one Rollout or Deployment named `name`, its Services and routes; `image`: of the update;
    `about`: whatever the caller wants to find again.
    """

    def __init__(self, lab: Lab, objects: Sequence[Json], name: str, image: str, about: str = "") -> None:
        placed = arranged(objects, lab.namespace)
        self.name = name
        self.about = about
        self.plain = any(o.get("kind") == "Deployment" for o in placed)
        self.stage = Stage.CLEARING
        self.trouble = ""
        self._lab = lab
        self._image = image
        self._scenario = Scenario(name, lab.namespace, placed)
        self._recorder = _recorder(lab) if self.plain else lab.recorder
        self._rows: tuple[Json, ...] | None = None
        self._asked = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"trial-{name}", daemon=True)

    def start(self) -> Trial:
        """Begin; returns at once."""
        self._thread.start()
        return self

    def rows(self) -> tuple[Json, ...]:
        """The rows of the run so far (`observe.timeline`); once it is over those up to its end."""
        self._asked = time.monotonic()
        if self._rows is not None:
            return self._rows
        return () if self.stage is Stage.CLEARING else self._recorder.rows(self.name)[0]

    def picture(self) -> Json | None:
        """The Services, ReplicaSets and Pods of a Deployment now (`observe.plain`); None for a Rollout."""
        self._asked = time.monotonic()
        if not self.plain:
            return None
        seen = self._recorder.observed(self.name)
        own = {
            "ReplicaSet": seen.owned_replica_sets(),
            "Pod": seen.own_pods(),
            "Service": [service for _, service in seen.own_services()],
            "EndpointSlice": seen.slices,
        }
        return plain_picture(
            seen.t(seen.now),
            seen.started,
            own,
            self._recorder.rows(self.name)[0],
            seen.traffic,
            seen.answers,
            seen.addresses,
        )

    def close(self) -> None:
        """Stop, and take a Deployment away; a Rollout stays with the lab's others. May be called twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        if self.plain:
            self._recorder.close()
            with contextlib.suppress(LabError):
                self._remove()

    # -- the trial's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self.plain:
                self._recorder.start()
            self._clear()
            self.stage = Stage.STARTING
            self._apply()
            if not self._until(lambda: _settled(self._seen()), PATIENCE):
                raise LabError(f"version 1 of {self.name} did not come up within {PATIENCE:.0f} s")
            self._until(lambda: False, BEFORE)
            self.stage = Stage.UPDATING
            self._update()
            self._until(lambda: _over(self._seen(), self._image) is not None, float("inf"))
            self._until(lambda: False, AFTER)
            self._rows = self._recorder.rows(self.name)[0]
            self.stage = _over(self._seen(), self._image) or Stage.FAILED
        except _Stopped:
            pass
        except LabError as problem:
            self.trouble, self.stage = str(problem), Stage.BROKEN
        if self.plain:
            while time.monotonic() - self._asked < IDLE and not self._stop.wait(1.0):
                pass
            self._recorder.close()

    def _clear(self) -> None:
        """Take away what an earlier run left: it would make an update of the first apply."""
        if not self.plain:
            delete(self._scenario, self._lab.client, self._lab.recorder, PATIENCE * self._lab.speed)
            return
        self._remove()
        if not self._until(lambda: not self._left(), PATIENCE * self._lab.speed):
            raise LabError(f"objects of {self.name} are still there: {', '.join(self._left())}")

    def _left(self) -> list[str]:
        """Pods that an earlier Deployment of this name has left."""
        seen = self._recorder.observed(self.name)
        owned = (str((meta.controller_of(pod) or {}).get("name")) for pod in seen.pods)
        return [name for name in owned if name.startswith(f"{self.name}-")]

    def _remove(self) -> None:
        for obj in reversed(self._scenario.objects):
            if obj.get("kind") != "Namespace":
                with contextlib.suppress(NotFound):
                    self._lab.client.delete(
                        of_object(obj), meta.namespace(obj), meta.name(obj), propagation="Background"
                    )

    def _apply(self) -> None:
        if not self.plain:
            self._lab.apply(self._scenario)
            return
        self._recorder.begin(self.name, self.name, self._scenario.objects)
        self._recorder.action(self.name, "apply")
        for obj in self._scenario.objects:
            self._lab.base.apply(obj)

    def _update(self) -> None:
        if not self.plain:
            verdict = self._lab.do("set-image", self.name, images={"*": self._image})
            if not verdict.ok:
                raise UsageError(f"{self.name} could not be updated: {verdict.code}")
            return
        self._recorder.action(self.name, f"set image {image_tag(self._image)}")
        workload = next(o for o in self._scenario.objects if o.get("kind") == "Deployment")
        containers = fields.objects(workload, "spec", "template", "spec", "containers")
        wanted = [{"name": c["name"], "image": self._image} for c in containers[:1]]
        body = {"spec": {"template": {"spec": {"containers": wanted}}}}
        self._lab.client.patch(DEPLOYMENTS, self._lab.namespace, self.name, body, kind="strategic")

    def _seen(self) -> Observed:
        return self._recorder.observed(self.name)

    def _until(self, condition: Callable[[], bool], lab_seconds: float) -> bool:
        """Wait until `condition()` holds; whether it did. Raises _Stopped where the trial is to end."""
        end = self._lab.clock.now() + lab_seconds
        while not condition():
            if self._lab.clock.now() >= end:
                return condition()
            if self._stop.wait(LOOK):
                raise _Stopped
        return True


class _Stopped(Exception):
    """Somebody closed the trial."""


def _recorder(lab: Lab) -> Recorder:
    return DeploymentRecorder(
        lab.client, lab.namespace, lab.clock, ways=Ways(lab.base.client, lab.base.mapped)
    )


def _status(seen: Observed) -> Mapping[str, Any]:
    """The status, where it is of what is asked for now; else nothing."""
    rollout = seen.rollout or {}
    status = fields.mapping(rollout, "status")
    current = fields.text(status, "observedGeneration") == str(meta.generation(rollout))
    return status if rollout and current else {}


def _settled(seen: Observed) -> bool:
    """Whether version 1 is there as a whole. Raises LabError where it is refused."""
    status = _status(seen)
    if status.get("phase") == "Degraded":
        raise LabError(f"version 1 did not come up: {status.get('message')}")
    return status.get("phase") == "Healthy"


def _over(seen: Observed, image: str) -> Stage | None:
    """How the update ended; None while it goes on."""
    status = _status(seen)
    containers = fields.objects(seen.rollout or {}, "spec", "template", "spec", "containers")
    if not status or not containers or containers[0].get("image") != image:
        return None
    if status.get("phase") == "Degraded":
        return Stage.FAILED
    pods = seen.own_pods()
    alone = bool(pods) and all(meta.pod_hash(pod) == status.get("currentPodHash") for pod in pods)
    return Stage.DONE if status.get("phase") == "Healthy" and alone else None
