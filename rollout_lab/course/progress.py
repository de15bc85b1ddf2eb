"""How far a student is: previous states + one look -> new states. Pure, so a run can be walked again.

Nothing here reads a lab, a file or a clock, and no sentence is made (`board`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from rollout_lab.course.checks import Checks, Rule
from rollout_lab.course.outcomes import BrokeAgain, NotYet, Passed
from rollout_lab.course.seen import Seen

Json = dict[str, Any]


class Mark(StrEnum):
    """Where a task stands. LOCKED: it needs others first. NOW: its check is asked."""

    LOCKED = "locked"
    NOW = "now"
    PASSED = "passed"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TaskState:
    """One task. `code`/`params`: why not, or how it broke. `t`: lab seconds when it first passed.

    `settled`: a task that needs it has passed; it is not asked any more. `hints`: how many are shown.
    `helped`: the lab did it for the student.
    """

    mark: Mark = Mark.LOCKED
    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    t: float | None = None
    settled: bool = False
    hints: int = 0
    helped: bool = False

    @property
    def done(self) -> bool:
        """Passed now, or skipped."""
        return self.mark in (Mark.PASSED, Mark.SKIPPED)

    @property
    def once(self) -> bool:
        """Was passed or skipped at some time: what needs it may go on."""
        return self.done or self.mark is Mark.BROKEN


@dataclass(frozen=True, slots=True)
class Progress:
    """Tasks by id in the order of the text; answers given and what turned out to be true, by question."""

    tasks: Mapping[str, TaskState] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    truths: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    t: float = 0.0

    @property
    def finished(self) -> bool:
        return bool(self.tasks) and all(state.done for state in self.tasks.values())

    @property
    def current(self) -> str:
        """The first task that is not done, ``""`` at the end."""
        return next((id_ for id_, state in self.tasks.items() if not state.done), "")


@dataclass(frozen=True, slots=True)
class News:
    """What became of a task at one look: `mark` is new."""

    task: str
    mark: Mark
    code: str
    params: Mapping[str, Any]


def begin(checks: Checks, order: Sequence[str]) -> Progress:
    """Nothing done yet. `order`: the ids in the order of the text."""
    return Progress({id_: TaskState() for id_ in order if id_ in checks.rules})


def advance(checks: Checks, progress: Progress, seen: Seen) -> Progress:
    """Take in one look. Tasks are asked in the order of the text, so one look may pass several."""
    memory = checks.memory(progress.memory, seen)
    seen = replace(seen, memory=memory)
    states = dict(progress.tasks)
    fresh = set()
    for id_, state in progress.tasks.items():
        if state.once:
            continue
        states[id_] = _asked(checks.rules[id_], state, states, seen)
        if states[id_].mark is Mark.PASSED:
            fresh.add(id_)
    for id_, state in states.items():
        if state.once and state.mark is not Mark.SKIPPED and not state.settled and id_ not in fresh:
            states[id_] = _kept(checks, id_, state, states, seen)
    settled = replace(progress, tasks=states, memory=memory, t=seen.t)
    return replace(settled, truths=_truths(checks, settled, seen))


def _asked(rule: Rule, state: TaskState, states: Mapping[str, TaskState], seen: Seen) -> TaskState:
    missing = [need for need in rule.needs if not states[need].once]
    if missing:
        return replace(state, mark=Mark.LOCKED, code="needs", params={"task": missing[0]})
    found = _safely(rule, seen)
    if isinstance(found, Passed):
        return replace(state, mark=Mark.PASSED, code="", params={}, t=seen.t)
    return replace(state, mark=Mark.NOW, code=found.code, params=dict(found.params))


def _safely(rule: Rule, seen: Seen) -> Passed | NotYet | BrokeAgain:
    """A mistake in a check must not take the page from a class; the tests do not forgive it."""
    try:
        return rule.check(seen)
    except (LookupError, TypeError, ValueError, AttributeError) as problem:
        return NotYet("check-failed", error=f"{type(problem).__name__}: {problem}")


def _kept(
    checks: Checks, id_: str, state: TaskState, states: Mapping[str, TaskState], seen: Seen
) -> TaskState:
    if any(states[follower].mark is Mark.PASSED for follower in checks.followers(id_)):
        return replace(state, mark=Mark.PASSED, code="", params={}, settled=True)
    asks = checks.broken.get(id_)
    found = asks(seen) if asks is not None else None
    if found is None:
        return replace(state, mark=Mark.PASSED, code="", params={})
    return replace(state, mark=Mark.BROKEN, code=found.code, params=dict(found.params))


def _truths(checks: Checks, progress: Progress, seen: Seen) -> Json:
    """Right answers as they become known; the first one known stays."""
    found = dict(progress.truths)
    for id_, answer in checks.answers.items():
        after = progress.tasks.get(answer.after)
        if id_ in found or (after is not None and not after.once):
            continue
        truth = answer.truth(seen)
        if truth is not None:
            found[id_] = truth
    return found


def news(before: Progress, after: Progress) -> list[News]:
    """What is new between two looks, in the order of the text: a mark, or a reason."""
    found = []
    for id_, state in after.tasks.items():
        was = before.tasks.get(id_, TaskState())
        if (state.mark, state.code, state.params) != (was.mark, was.code, was.params):
            found.append(News(id_, state.mark, state.code, state.params))
    return found


def hint(progress: Progress, task: str) -> Progress:
    """Show one hint more."""
    state = progress.tasks[task]
    return _with(progress, task, replace(state, hints=state.hints + 1))


def skip(progress: Progress, task: str) -> Progress:
    """Go on without it."""
    state = progress.tasks[task]
    return (
        progress
        if state.done
        else _with(progress, task, replace(state, mark=Mark.SKIPPED, code="", params={}))
    )


def helped(progress: Progress, task: str) -> Progress:
    """Note that the lab did it."""
    return _with(progress, task, replace(progress.tasks[task], helped=True))


def give(progress: Progress, question: str, answer: Any) -> Progress:
    """A prediction or an answer of the student; it may be changed until the truth is out."""
    return replace(progress, given={**progress.given, question: answer})


def _with(progress: Progress, task: str, state: TaskState) -> Progress:
    return replace(progress, tasks={**progress.tasks, task: state})


def to_json(progress: Progress) -> Json:
    """As JSON-safe data, to keep it for a seat."""
    return {**asdict(progress), "tasks": {k: asdict(v) for k, v in progress.tasks.items()}}


def from_json(checks: Checks, order: Sequence[str], data: Mapping[str, Any]) -> Progress:
    """What `to_json` gave; tasks the lesson does not have any more are dropped, new ones begin."""
    known = begin(checks, order)
    kept = {
        id_: TaskState(**{**saved, "mark": Mark(saved["mark"])})
        for id_, saved in (data.get("tasks") or {}).items()
        if id_ in known.tasks
    }
    return Progress(
        {id_: kept.get(id_, state) for id_, state in known.tasks.items()},
        dict(data.get("given") or {}),
        dict(data.get("truths") or {}),
        dict(data.get("memory") or {}),
        float(data.get("t") or 0.0),
    )
