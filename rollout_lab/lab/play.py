"""A lecture from version 1 to the last old Pod gone, without a person: what `rollout-lab run` does.

It waits for what was observed, then does what a person would do. It never looks into the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rollout_lab.client.actions import Action
from rollout_lab.errors import LabError
from rollout_lab.lab.lab import Lab

Json = dict[str, Any]
PATIENCE: Final = 900.0  # lab seconds until something has to happen
QUIET: Final = 0.3  # wall seconds without a change after which a state has settled


def play(lab: Lab, rollout: str, version: str = "2.0.0") -> Json:
    """Update `rollout` to `version`, promoting wherever it waits for a person; the last picture.

    Ends when the update is healthy and no Pod of another version is left. Raises LabError when the
    rollout fails or nothing happens for 15 minutes of lab time.
    """
    _reach(lab, rollout, "become healthy", _finished)
    verdict = lab.do(Action.SET_IMAGE, rollout, version=version)
    if not verdict.ok:
        raise LabError(f"{rollout} already runs version {version}: name another one with --version")
    _reach(lab, rollout, "begin the update", lambda picture: picture["rollout"]["version"] == version)
    while True:
        picture = _reach(lab, rollout, "pause or finish", lambda p: _finished(p) or _waits_for_person(p))
        if _finished(picture):
            break
        step = picture["rollout"]["stepIndex"]
        lab.do(Action.PROMOTE, rollout)
        _reach(lab, rollout, "go on", lambda p, was=step: _went_on(p, was))  # type: ignore[misc]
    lab.recorder.end(rollout)
    return lab.view(rollout=rollout)


def _reach(lab: Lab, rollout: str, words: str, condition: Callable[[Json], bool]) -> Json:
    """Wait until the condition holds and nothing moves any more; the picture then."""
    seen: list[Json] = []

    def holds(picture: Json) -> bool:
        _check(picture)
        found = picture["rollout"] is not None and condition(picture)
        if found:
            seen[:] = [picture]
        return found

    def moves() -> int:
        return sum(row.get("kind") != "Probe" for row in lab.timeline(rollout))

    while True:
        if not lab.wait_for(holds, PATIENCE, rollout):
            minutes = PATIENCE / 60
            raise LabError(
                f"{rollout} did not {words} in {minutes:g} min of lab time; {_where(lab, rollout)}"
            )
        before = moves()
        if not lab.recorder.wait(lambda n=before: moves() != n, QUIET * lab.speed):  # type: ignore[misc]
            return seen[0]


def _where(lab: Lab, rollout: str) -> str:
    about = lab.view(rollout=rollout)["rollout"] or {}
    return f"it is {about.get('phase', 'not there')}: {about.get('message') or 'no message'}"


def _check(picture: Json) -> None:
    """Degraded is the end of a lecture that nobody aborted."""
    about = picture["rollout"]
    if about is not None and about["phase"] == "Degraded":
        raise LabError(f"the rollout {about['name']} failed: {about['message']}")


def _finished(picture: Json) -> bool:
    about = picture["rollout"]
    others = [pod for pod in picture["pods"] if pod["hash"] != about["currentHash"]]
    sized = all(rs["replicas"] == 0 for rs in picture["replicaSets"] if rs["hash"] != about["currentHash"])
    return bool(about["phase"] == "Healthy") and not others and sized


def _waits_for_person(picture: Json) -> bool:
    about = picture["rollout"]
    return bool(about["phase"] == "Paused") and about["pauseEndsAt"] is None


def _went_on(picture: Json, step: int | None) -> bool:
    about = picture["rollout"]
    return bool(about["phase"] != "Paused") or about["stepIndex"] != step
