"""One rollout of a lab, with a method for each thing a person can ask of it.

What an action does is decided by the engine; whether it would do anything, by `client.verdicts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollout_lab.client.actions import Action, Verdict, image_tag
from rollout_lab.lab.showing import Shown
from rollout_lab.messages import explain

if TYPE_CHECKING:
    from rollout_lab.lab.lab import Lab
    from rollout_lab.lab.timeline import LabTimeline

Json = dict[str, Any]


def action_words(action: Action, args: Mapping[str, Any]) -> str:
    """What a person does, in the words of the recorded runs.

    >>> action_words(Action.SET_IMAGE, {"version": "2.0.0"}), action_words(Action.UNDO, {"to_revision": 1})
    ('set image 2.0.0', 'undo to 1')
    """
    match action:
        case Action.SET_IMAGE:
            images = args.get("images") or {}
            version = args.get("version") or ", ".join(image_tag(str(image)) for image in images.values())
            return f"set image {version}"
        case Action.PROMOTE_FULL:
            return "promote full"
        case Action.UNDO if args.get("to_revision"):
            return f"undo to {args['to_revision']}"
        case Action.SCALE:
            return f"scale {args.get('replicas')}"
        case _:
            return action.value


@dataclass(frozen=True, slots=True, repr=False)
class Said(Verdict):
    """A verdict that says itself as a sentence, in a terminal and in a notebook."""

    lang: str = "en"

    def __repr__(self) -> str:
        sentence = explain(self.lang, f"verdict.{self.code}", self.params, self.code)
        return f"{'✔' if self.ok else '✘'} {sentence}"


class RolloutHandle(Shown):
    """A rollout by name. Every action gives the verdict: done, or why there was nothing to do."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.name = name
        self.lang = lab.lang
        self._lab = lab

    def promote(self, *, full: bool = False) -> Said:
        return self._do(Action.PROMOTE_FULL if full else Action.PROMOTE, self.name)

    def abort(self) -> Said:
        return self._do(Action.ABORT, self.name)

    def retry(self) -> Said:
        return self._do(Action.RETRY, self.name)

    def pause(self) -> Said:
        return self._do(Action.PAUSE, self.name)

    def resume(self) -> Said:
        return self._do(Action.RESUME, self.name)

    def undo(self, to_revision: int = 0) -> Said:
        return self._do(Action.UNDO, self.name, to_revision=to_revision)

    def restart(self) -> Said:
        return self._do(Action.RESTART, self.name)

    def set_image(self, version: str = "", **images: str) -> Said:
        """By version (the tag of the first container's image), or ``container="image"``."""
        return self._do(Action.SET_IMAGE, self.name, version=version, images=images)

    def scale(self, replicas: int) -> Said:
        return self._do(Action.SCALE, self.name, replicas=replicas)

    def _do(self, action: Action, *name: str, **args: Any) -> Said:
        found = self._lab.do(action, *name, **args)
        return Said(found.ok, found.code, found.params, self._lab.lang)

    def timeline(self) -> LabTimeline:
        """Its rows so far, with tables and charts (`Lab.timeline`)."""
        return self._lab.timeline(self.name)

    def _picture(self) -> Json:
        return self._lab.recorder.picture(self.name)

    def view(self) -> Json:
        """Its picture (`Lab.view`)."""
        return self._lab.view(rollout=self.name)

    @property
    def phase(self) -> str:
        """Healthy, Progressing, Paused or Degraded; ``""`` where there is no such rollout."""
        rollout = self.view()["rollout"]
        return str(rollout["phase"]) if rollout else ""

    def wait_for(self, phase: str, lab_seconds: float = 900.0) -> bool:
        """Wait until it has that phase; whether it did."""
        return self._lab.wait_for(
            lambda picture: bool(picture["rollout"]) and picture["rollout"]["phase"] == phase,
            lab_seconds,
            self.name,
        )
