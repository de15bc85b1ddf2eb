"""A recorded run in the place of a lab: it can be looked at, and nothing can be done to it. No words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from rollout_lab.errors import UsageError
from rollout_lab.observe.replay import Recording

Json = dict[str, Any]


class RecordedLab:
    """`session.LabLike` over a recording; its only rollout is the recording's, whatever name is asked for."""

    def __init__(self, run: Recording) -> None:
        self.run_shown = run

    def picture(self, rollout: str) -> Json:
        return self.run_shown.view()

    def rows(self, rollout: str, since: int = 0) -> tuple[tuple[Mapping[str, Any], ...], int]:
        return self.run_shown.rows(since)

    def rollouts(self) -> tuple[str, ...]:
        return (self.run_shown.current,)

    def manifest(self, rollout: str) -> str:
        found = self.run_shown.moments.rollout(self.run_shown.end) or {}
        return yaml.safe_dump({k: v for k, v in found.items() if k != "status"}, sort_keys=False)

    def facts(self) -> Json:
        namespace = self.run_shown.moments.namespace
        return {"cluster": "recording", "engine": "", "namespace": namespace, "speed": 1}

    def do(self, action: str, rollout: str, **args: Any) -> NoReturn:
        raise _over()

    def play(self, scenario: str) -> NoReturn:
        raise _over()

    def apply(self, text: str) -> NoReturn:
        raise _over()

    def forecast(self, rollout: str, text: str) -> NoReturn:
        raise _over()

    def try_out(self, objects: Sequence[Json], name: str, image: str, about: str) -> NoReturn:
        raise _over()

    def trial(self) -> None:
        """Nothing was tried out."""

    def seat(self, name: str) -> NoReturn:
        raise _over()

    def reset_seat(self, name: str) -> NoReturn:
        raise _over()

    def free_seat(self, name: str) -> NoReturn:
        raise _over()

    def walk(self, lesson: Path) -> NoReturn:
        raise _over()

    def finished(self) -> frozenset[str]:
        return frozenset()

    def close(self) -> None:
        """Nothing runs."""


def _over() -> UsageError:
    return UsageError("this run is recorded: it can be looked at, not changed")
