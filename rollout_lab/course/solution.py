"""``solution.yaml`` of a lesson: what solves each task, and what breaks and mends it again. Hidden data.

    promote:
      solve:
        - promote                      # an action of client.actions without arguments
        - promote: {at: 3}             # … at that canary step; nothing where it is past it already
        - set-image: {version: 2.0.0}  # … with arguments
        - undo: {to_version: 1.0.0}    # whatever its revision is by now
        - engine: stop                 # stop | start
        - apply: v1.yaml               # a file of the lesson's manifests, else of the project's
        - patch: {kind: Service, name: api-tester, with: {spec: {…}}}   # `as: strategic`
        - delete: {kind: Pod, labels: "name=api-tester"}   # the first; or by `name`
        - until-gone: 2.0.0            # wait until no Pod of that version is left
        - until-ready: api-tester-1    # wait until all Pods of that Deployment are ready
      break: [undo]                    # used by the tests: the check must notice
      mend: [promote]

Waiting is not written: a task is solved when its check passes. Carrying out is `solving`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from rollout_lab.client.requests import Action
from rollout_lab.course.lesson import LessonError

VERBS: Final = ("engine", "apply", "patch", "delete", "until-gone", "until-ready")
"""Verbs beside the actions of `client.requests.Action`."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a verb and its argument (text, or named arguments for an action)."""

    verb: str
    argument: Any = None


@dataclass(frozen=True, slots=True)
class Way:
    """What solves a task; `breaks` undoes it and `mends` repairs it."""

    solve: tuple[Step, ...] = ()
    breaks: tuple[Step, ...] = ()
    mends: tuple[Step, ...] = ()


def load_solution(folder: Path) -> dict[str, Way]:
    """The ways of a lesson by task id; empty where there is no file. Raises LessonError."""
    path = folder / "solution.yaml"
    if not path.exists():
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        mark = getattr(problem, "problem_mark", None)
        raise LessonError(f"{path}{f', line {mark.line + 1}' if mark else ''}: not YAML") from None
    if not isinstance(found, dict):
        raise LessonError(f"{path}, line 1: task ids with `solve:` below them")
    return {str(id_): _way(path, str(id_), way) for id_, way in found.items()}


def _way(path: Path, id_: str, way: Any) -> Way:
    if not isinstance(way, Mapping) or set(way) - {"solve", "break", "mend"}:
        raise LessonError(f"{path}: the task `{id_}` has fields `solve`, `break` and `mend` only")
    return Way(*(_steps(path, id_, way.get(name) or []) for name in ("solve", "break", "mend")))


def _steps(path: Path, id_: str, steps: Any) -> tuple[Step, ...]:
    if not isinstance(steps, list):
        raise LessonError(f"{path}: the steps of `{id_}` must be a list")
    return tuple(_step(path, id_, step) for step in steps)


def _step(path: Path, id_: str, step: Any) -> Step:
    verb, argument = (step, None) if isinstance(step, str) else ("", None)
    if isinstance(step, Mapping) and len(step) == 1:
        verb, argument = next(iter((str(k), v) for k, v in step.items()))
    if verb not in (*Action, *VERBS):
        known = ", ".join((*Action, *VERBS))
        raise LessonError(f"{path}: the task `{id_}` has an unknown step {step!r}; there are {known}")
    return Step(verb, argument)
