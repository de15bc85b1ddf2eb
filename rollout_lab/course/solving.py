"""Carries out one step of a solution on a lab. Needs no other program; waits for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rollout_lab.api import fields, manifest, meta
from rollout_lab.client.requests import Action
from rollout_lab.client.resources import DEPLOYMENTS, KNOWN, ROLLOUTS, Resource, of_object
from rollout_lab.client.verdicts import verdict
from rollout_lab.course.solution import Step
from rollout_lab.errors import UsageError
from rollout_lab.lab import Lab
from rollout_lab.lab.scenario import manifests_folder

SKIP: Final = "promote-skip"
_KINDS: Final[Mapping[str, Resource]] = {r.kind: r for r in KNOWN}


def carry_out(lab: Lab, folder: Path, namespace: str, rollout: str, step: Step) -> bool:
    """Do a step of the lesson in `folder`; False where it would do nothing now and may be tried again.

    Raises LabError.
    """
    given: dict[str, Any] = dict(step.argument) if isinstance(step.argument, Mapping) else {}
    match step.verb:
        case "engine":
            lab.engine.turn("start" if step.argument == "start" else "stop")
        case "apply":
            apply_file(lab, manifest_path(folder, str(step.argument)), namespace)
        case "patch":
            how = given.get("as", "merge")
            lab.client.patch(_KINDS[given["kind"]], namespace, given["name"], given["with"], how)
        case "delete":
            _delete(lab, namespace, given)
        case "until-gone":
            pods = lab.recorder.picture(rollout or lab.current)["pods"]
            return all(pod["version"] != str(step.argument) for pod in pods)
        case "until-ready":
            return _all_ready(lab, namespace, str(step.argument))
        case Action.PROMOTE:
            return _promote(lab, namespace, rollout, given.get("at"))
        case Action.ABORT if not _observed(lab.client.get(ROLLOUTS, namespace, rollout or lab.current)):
            return False
        case _:
            return lab.do(Action(step.verb), rollout or None, **_revision(lab, rollout, given)).ok
    return True


def manifest_path(folder: Path, name: str) -> Path:
    """A manifest of the lesson, else of the project. Raises UsageError."""
    for path in (folder / "manifests" / name, manifests_folder() / name):
        if path.is_file():
            return path
    raise UsageError(f"{name}: neither the lesson nor the project has such a manifest")


def apply_file(lab: Lab, path: Path, namespace: str) -> None:
    """Apply all objects of a manifest; those without a namespace go to `namespace`."""
    for obj in manifest.load(path.read_text(encoding="utf-8"), str(path)):
        about = dict(obj.get("metadata") or {})
        if of_object(obj).namespaced:
            about.setdefault("namespace", namespace)
        lab.client.apply({**obj, "metadata": about})


def _all_ready(lab: Lab, namespace: str, name: str) -> bool:
    found = lab.client.get(DEPLOYMENTS, namespace, name)
    seen = fields.integer(found, "status", "observedGeneration") == meta.generation(found)
    ready, wanted = (fields.integer(found, *at) for at in (("status", "readyReplicas"), ("spec", "replicas")))
    return seen and ready is not None and ready == wanted


def _promote(lab: Lab, namespace: str, rollout: str, at: int | None) -> bool:
    """Promote where the rollout waits: in the middle of a step it would skip that step.

    `at`: only at that step of what is written; once it is past it, whoever promoted, nothing is left to do.
    Asked of the object itself: just after a retry or another promote a picture still shows the pause before.
    """
    obj = lab.client.get(ROLLOUTS, namespace, rollout or lab.current)
    step = fields.integer(obj, "status", "currentStepIndex") or 0
    if at is not None and not _observed(obj):
        return False
    if at is not None and step != at:
        return step > at
    if verdict(Action.PROMOTE, obj).code == SKIP:
        return False
    return lab.do(Action.PROMOTE, rollout or None).ok


def _observed(rollout: Mapping[str, Any]) -> bool:
    """Whether the engine knows the newest spec: what it learns only now takes an abort back, as upstream.

    upstream: rollout/sync.go::resetRolloutStatus, for a pod template it has not seen
    """
    seen = (rollout.get("status") or {}).get("observedGeneration")
    return str(seen) == str(rollout["metadata"]["generation"])


def _revision(lab: Lab, rollout: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """``to_version`` as the revision that version has by now: its number grows with each time it is used."""
    if "to_version" not in given:
        return dict(given)
    sets = lab.recorder.picture(rollout or lab.current)["replicaSets"]
    found = [rs["revision"] for rs in sets if rs["version"] == str(given["to_version"])]
    return {"to_revision": found[-1] if found else -1}


def _delete(lab: Lab, namespace: str, given: Mapping[str, Any]) -> None:
    """``{kind, name}``, or ``{kind, labels}``: the first that has these labels."""
    resource = _KINDS[given["kind"]]
    name = given.get("name")
    if not name:
        found = lab.client.list(resource, namespace, label_selector=str(given.get("labels", "")))["items"]
        if not found:
            return
        name = meta.name(found[0])
    lab.client.delete(resource, namespace, str(name), propagation="Background")
