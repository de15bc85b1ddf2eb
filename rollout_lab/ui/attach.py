"""The page's door to a real lab: the one `rollout-lab up` started, or one of its own.

`RealLab` is `rollout_lab.lab.Lab` in the few words the page needs (`session.LabLike`). It decides
nothing; what to start is said by the environment variables below.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from rollout_lab.api import manifest as manifests
from rollout_lab.api import meta
from rollout_lab.client.actions import Verdict
from rollout_lab.client.resources import ROLLOUTS
from rollout_lab.course import Walk
from rollout_lab.course.keeping import done_in, store_in
from rollout_lab.errors import UsageError
from rollout_lab.lab import Lab, live_labs, load_scenario, startup
from rollout_lab.lab.forecast import predict_from
from rollout_lab.lab.seats import SeatLab, Seats
from rollout_lab.lab.trial import Trial

Json = dict[str, Any]

KUBECONFIG: Final = "ROLLOUT_LAB_KUBECONFIG"
"""Set by `rollout-lab up`: the page joins the lab of this kubeconfig instead of starting one."""
CONTEXT: Final = "ROLLOUT_LAB_CONTEXT"
NAMESPACE: Final = "ROLLOUT_LAB_NAMESPACE"
CLOCK: Final = "ROLLOUT_LAB_CLOCK"
SPEED: Final = "ROLLOUT_LAB_SPEED"
SCENARIO: Final = "ROLLOUT_LAB_SCENARIO"
CLUSTER: Final = "ROLLOUT_LAB_CLUSTER"
"""The cluster a page without a lab starts: ``embedded`` or ``kind``."""
ENGINE: Final = "ROLLOUT_LAB_ENGINE"
"""Who does the work in the lab that is joined: ``out``, ``in-cluster`` or ``argo``."""
_ENGINES: Final = {"argo": "argo-rollouts", "in-cluster": "rollout-lab (in-cluster)"}
_SERVER_SIDE: Final = (
    "managedFields",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "selfLink",
)
_SERVER_ANNOTATIONS: Final = (
    "rollout.argoproj.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)


def open_lab() -> RealLab:
    """The lab of this page, once it is there. Raises LabError."""
    for _ in startup.follow():
        pass
    kubeconfig = os.environ.get(KUBECONFIG)
    if kubeconfig:
        return RealLab(
            Lab.attach(
                kubeconfig,
                os.environ.get(CONTEXT) or None,
                namespace=os.environ.get(NAMESPACE) or None,
                clock=os.environ.get(CLOCK) or None,
                engine=False,
            )
        )
    try:
        speed = float(os.environ.get(SPEED) or 1.0)
    except ValueError:
        raise UsageError(f"{SPEED} must be a number like 5, not {os.environ[SPEED]!r}") from None
    cluster, scenario = os.environ.get(CLUSTER) or "embedded", os.environ.get(SCENARIO) or "course-2233"
    return RealLab(Lab.start(cluster, speed=speed, scenario=scenario))


class RealLab:
    """A running lab as the page sees it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._seats: Seats | None = None
        self._trial: Trial | None = None

    def picture(self, rollout: str) -> Json:
        return self._lab.view(rollout=rollout)

    def rows(self, rollout: str, since: int = 0) -> tuple[tuple[Mapping[str, Any], ...], int]:
        return self._lab.rows(since, rollout)

    def do(self, action: str, rollout: str, **args: Any) -> Verdict:
        return self._lab.do(action, rollout, **args)

    def play(self, scenario: str) -> str:
        """Apply a lecture if its rollout is not there yet; the rollout's name."""
        wanted = load_scenario(scenario, self._lab.namespace).rollout
        if wanted in self._lab.recorder.rollouts():
            return wanted
        return self._lab.switch(scenario)

    def manifest(self, rollout: str) -> str:
        """The Rollout as a person would write it: without what the server and the engine add."""
        found = self._lab.client.get(ROLLOUTS, self._lab.namespace, rollout)
        return yaml.safe_dump(written(found), sort_keys=False, allow_unicode=True)

    def apply(self, text: str) -> bool:
        """Apply the one Rollout in `text`; whether that changed anything. Raises LabError."""
        wanted = manifests.load(text, "YAML")[0]
        name, namespace = meta.name(wanted), meta.namespace(wanted) or self._lab.namespace
        if namespace != self._lab.namespace:
            raise UsageError(
                f"metadata.namespace: {namespace}; this lab's namespace is {self._lab.namespace}"
            )
        placed = {**wanted, "metadata": {**wanted["metadata"], "namespace": namespace}}
        before = meta.generation(self._lab.client.get(ROLLOUTS, namespace, name))
        self._lab.recorder.action(name, "apply")
        return meta.generation(self._lab.client.apply(placed)) != before

    def forecast(self, rollout: str, text: str) -> tuple[Mapping[str, Any], ...]:
        """How the run goes on if `text` is applied now, as rows of a run. Raises LabError."""
        wanted = manifests.load(text, "YAML")[0]
        return predict_from(self._lab, [wanted], rollout).timeline()

    def try_out(self, objects: Sequence[Json], name: str, image: str, about: str) -> str:
        """Try a strategy of one's own: `objects` as `name`, then `image` (`lab.trial`); its name."""
        if self._trial is not None:
            self._trial.close()
        self._trial = Trial(self._lab, objects, name, image, about).start()
        return name

    def trial(self) -> Trial | None:
        """The trial that runs or was the last one here."""
        return self._trial

    def rollouts(self) -> tuple[str, ...]:
        """The rollouts that are there, by name."""
        return tuple(self._lab.recorder.rollouts())

    def seat(self, name: str) -> RealLab:
        """A student's own lab on the same cluster. Raises LabError."""
        if self._seats is None:
            self._seats = Seats(self._lab, os.environ.get(CONTEXT) or None)
        return RealLab(self._seats.open(name))

    def reset_seat(self, name: str) -> None:
        """Begin a seat's lecture anew. Raises LabError."""
        if self._seats is not None:
            self._seats.reset(name)

    def free_seat(self, name: str) -> None:
        """Take a seat's objects and what its student had finished away. Raises LabError."""
        if self._seats is not None:
            kept = RealLab(self._seats.open(name))._kept()
            self._seats.free(name)
            shutil.rmtree(kept, ignore_errors=True)

    def walk(self, lesson: Path) -> Walk:
        """A student's way through a lesson; kept in the lab's folder, where the terminal finds it too."""
        return Walk(lesson, self._lab, store=store_in(self._kept(), lesson))

    def finished(self) -> frozenset[str]:
        """The folder names of lessons that are done here."""
        return frozenset(done_in(self._kept()))

    def _kept(self) -> Path:
        """The folder of the lab's files: of the lab that is joined, where the page joins one."""
        mine = Path(self._lab.folder)
        owner = next((lab.folder for lab in live_labs() if lab.kubeconfig == os.environ.get(KUBECONFIG)), "")
        kept = Path(owner) if owner else mine
        if isinstance(self._lab, SeatLab):
            kept = kept / self._lab.namespace
            kept.mkdir(mode=0o700, exist_ok=True)
        return kept

    def facts(self) -> Json:
        about = self._lab.view(rollout="")["lab"] if not self._lab.current else self._lab.view()["lab"]
        kind = about["cluster"].partition(":")[0]
        return {
            "cluster": kind if kind in ("embedded", "kind") else "attached",
            "engine": _ENGINES.get(os.environ.get(ENGINE, ""), "rollout-lab"),
            "namespace": about["namespace"],
            "speed": about["speed"],
        }

    def close(self) -> None:
        if self._trial is not None:
            self._trial.close()
        if self._seats is not None:
            self._seats.close()
        self._lab.close()


def written(obj: Mapping[str, Any]) -> Json:
    """A copy of an object without status and without the metadata the server keeps."""
    about = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _SERVER_SIDE}
    annotations = {k: v for k, v in (about.get("annotations") or {}).items() if k not in _SERVER_ANNOTATIONS}
    about.pop("annotations", None)
    if annotations:
        about["annotations"] = annotations
    return {
        "apiVersion": obj.get("apiVersion"),
        "kind": obj.get("kind"),
        "metadata": about,
        "spec": obj.get("spec"),
    }
