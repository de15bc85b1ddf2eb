"""``checks.py`` of a lesson: which tasks there are, what they need, when they pass and when they break.

    from rollout_lab.course.checks import BrokeAgain, Checks, NotYet, Outcome, Passed, Seen

    checks = Checks()

    @checks.task("promote", needs=("look",))
    def promote(see: Seen) -> Outcome:
        if see.leads_to("active") == ["2.0.0"]:
            return Passed()
        return NotYet("still-old", version=see.version)

    @checks.breaks("promote")
    def promote_breaks(see: Seen) -> BrokeAgain | None:
        return BrokeAgain("back") if see.leads_to("active") == ["1.0.0"] else None

    @checks.answer("old-pods", after="promote")
    def old_pods(see: Seen) -> int | str | None: ...

A check is asked at every look until it passes. From then on its `breaks` is asked, until a task that
needs it has passed: then the way led on and nothing can break it any more. A check is a pure function of
what was seen. Sentences are not here: codes are, and each language of the text has a sentence for each.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rollout_lab.course.lesson import LessonError
from rollout_lab.course.outcomes import BrokeAgain, NotYet, Outcome, Passed
from rollout_lab.course.samples import Asker
from rollout_lab.course.seen import Seen

__all__ = ["BrokeAgain", "Checks", "NotYet", "Outcome", "Passed", "Seen", "load_checks"]

Check = Callable[[Seen], Outcome]
Breaks = Callable[[Seen], BrokeAgain | None]
Truth = Callable[[Seen], "int | float | str | None"]
Remember = Callable[[Mapping[str, Any], Seen], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is known of a task beside its text."""

    id: str
    needs: tuple[str, ...]
    check: Check


@dataclass(frozen=True, slots=True)
class Answer:
    """How a question is answered: `truth` gives None while it cannot be told. Asked once `after` passed."""

    id: str
    after: str
    truth: Truth


class Checks:
    """The rules of one lesson, filled by decorators."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self.broken: dict[str, Breaks] = {}
        self.answers: dict[str, Answer] = {}
        self.memory: Remember = lambda memory, see: memory
        self.askers: dict[str, Asker] = {}
        self.logs = ""

    def task(self, id: str, needs: tuple[str, ...] = ()) -> Callable[[Check], Check]:
        """The check of a task. `needs`: tasks that must have passed before it is asked."""

        def keep(check: Check) -> Check:
            self.rules[id] = Rule(id, needs, check)
            return check

        return keep

    def breaks(self, id: str) -> Callable[[Breaks], Breaks]:
        """What notices that a task that passed is undone."""

        def keep(check: Breaks) -> Breaks:
            self.broken[id] = check
            return check

        return keep

    def answer(self, id: str, after: str = "") -> Callable[[Truth], Truth]:
        """The right answer of a question, from what was seen. A prediction is settled when `after` passed."""

        def keep(truth: Truth) -> Truth:
            self.answers[id] = Answer(id, after, truth)
            return truth

        return keep

    def remember(self, function: Remember) -> Remember:
        """What to keep from one look to the next, as JSON: ``(memory, see) -> memory``."""
        self.memory = function
        return function

    def asks(self, name: str, host: str, headers: Mapping[str, str] | None = None, path: str = "/") -> None:
        """Let the lab ask the gateway as users of this kind while it is looked at (`Seen.asked`)."""
        self.askers[name] = Asker(name, host, dict(headers or {}), path)

    def reads_logs(self, words: str) -> None:
        """Let the lab count the lines with these words in the logs of the canary's Pods (`Seen.logged`)."""
        self.logs = words

    def followers(self, id: str) -> list[str]:
        """The tasks that need `id`."""
        return [rule.id for rule in self.rules.values() if id in rule.needs]


def load_checks(folder: Path) -> Checks:
    """The checks of a lesson's folder; a lesson without ``checks.py`` has none. Raises LessonError."""
    path = folder / "checks.py"
    if not path.exists():
        return Checks()
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _load(path: Path, changed: int) -> Checks:
    name = "rollout_lab_lesson_" + "".join(c if c.isalnum() else "_" for c in path.parent.name)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LessonError(f"{path}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except Exception as problem:
        line = getattr(problem, "lineno", None)
        where = f", line {line}" if line else ""
        raise LessonError(f"{path}{where}: {type(problem).__name__}: {problem}") from problem
    finally:
        sys.dont_write_bytecode = before
    found = getattr(module, "checks", None)
    if not isinstance(found, Checks):
        raise LessonError(f"{path}: there must be a line `checks = Checks()` in it")
    return found
