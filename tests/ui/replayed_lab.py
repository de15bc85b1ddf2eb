"""A lab that replays pictures: what the page is tested on without a cluster. It never decides anything.

Two pictures per lecture, before and after a promote, so that a press of the button can be seen.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from rollout_lab.client.verdicts import Verdict
from rollout_lab.course import load_lesson
from rollout_lab.errors import LabError
from rollout_lab.lab import load_scenario
from rollout_lab.ui.attach import written
from tests.ui import examples, plain_objects
from tests.ui.replayed_trial import ReplayedTrial
from tests.ui.replayed_walk import ReplayedWalk

Json = dict[str, Any]


class ReplayedLab:
    """`LabLike` over examples. `done` lists the actions that reached it."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, Json]] = []
        self._lock = threading.Lock()
        self._looks = 0
        self._trial: ReplayedTrial | None = None
        self.walks: dict[str, ReplayedWalk] = {}
        self._pictures = {
            "api-tester-2233": examples.blue_green_waiting(),
            "api-tester-2234": examples.canary_waiting(),
        }

    def play(self, scenario: str) -> str:
        return f"api-tester-{scenario.removeprefix('course-')}"

    def try_out(self, objects: Sequence[Json], name: str, image: str, about: str) -> str:
        self.done.append(("try", name, {"objects": list(objects), "image": image}))
        self._trial = ReplayedTrial(objects, name, image, about)
        if not self._trial.plain:
            self._pictures[name] = examples.canary_waiting()
        return name

    def trial(self) -> ReplayedTrial | None:
        return self._trial

    def rollouts(self) -> tuple[str, ...]:
        return tuple(self._pictures)

    def seat(self, name: str) -> ReplayedLab:
        if name == "full":
            raise LabError("all seats of this replay are taken")
        return ReplayedLab()

    def reset_seat(self, name: str) -> None:
        self.done.append(("reset-seat", name, {}))

    def free_seat(self, name: str) -> None:
        self.done.append(("free-seat", name, {}))

    def facts(self) -> Json:
        return {"cluster": "embedded", "engine": "rollout-lab", "namespace": "anotherclass-223", "speed": 1}

    def picture(self, rollout: str) -> Json:
        with self._lock:
            self._looks += 1
            found = copy.deepcopy(self._pictures[rollout])
            found["t"] = round(found["t"] + self._looks / 2, 2)
            return found

    def rows(self, rollout: str, since: int = 0) -> tuple[tuple[Json, ...], int]:
        found = tuple(examples.rows(rollout, rollout.endswith("2234")))
        return found[since:], len(found)

    def do(self, action: str, rollout: str, **args: Any) -> Verdict:
        with self._lock:
            self.done.append((action, rollout, args))
            if args.get("images"):
                raise LabError("the image 1pro/no-such-image is refused by this replay")
            if action == "promote":
                self._pictures[rollout] = examples.promoted(self._pictures[rollout])
            return Verdict(True, "promote-preview")

    def manifest(self, rollout: str) -> str:
        objects = load_scenario(f"course-{rollout.rpartition('-')[2]}").objects
        found = next(o for o in objects if o["kind"] == "Rollout")
        return yaml.safe_dump(written(found), sort_keys=False)

    def apply(self, text: str) -> bool:
        return True

    def forecast(self, rollout: str, text: str) -> tuple[Json, ...]:
        return tuple(examples.forecast_rows(rollout, self.picture(rollout)["t"]))

    def walk(self, lesson: Path) -> ReplayedWalk:
        about = load_lesson(lesson, "ko")
        rollout = self.play(about.scenario)
        seen = plain_objects.picture if about.namespace else lambda: copy.deepcopy(self._pictures[rollout])
        walk = self.walks[lesson.name] = ReplayedWalk(lesson, seen)
        return walk

    def finished(self) -> frozenset[str]:
        return frozenset(name for name, walk in self.walks.items() if walk.progress.finished)

    def close(self) -> None:
        pass
