"""Tasks and questions of a lesson as JSON, in one language: for pages and terminals. Pure.

`board(lesson, checks, progress)` gives:

    lesson     number, slug, title, lang, minutes
    t          lab seconds of the last look
    tasks      in the order of the text: id, section (index), do (Markdown), state ("locked" | "now" |
               "passed" | "broken" | "skipped"), reason (sentence, "" where there is none), code, params,
               needs [ids], hints [those shown], hintsLeft, done (said once it passed), t (first passed,
               or null), helped
    questions  in the order of the text: id, kind ("predict" | "quiz"), section, ask, choices [{key, text}]
               ([] for a number), unit, after (task id or ""), open (may be answered now), given (or null),
               truth (null until it is out and something was given), right (true | false | null),
               why ("" until then)
    current    id of the first task that is not done, "" at the end
    passed, total, finished
"""

from __future__ import annotations

from typing import Any

from rollout_lab.course.blocks import Kind, Question, Task
from rollout_lab.course.checks import Checks
from rollout_lab.course.lesson import Lesson
from rollout_lab.course.progress import Mark, Progress, TaskState
from rollout_lab.course.words import sentence

Json = dict[str, Any]


def board(lesson: Lesson, checks: Checks, progress: Progress) -> Json:
    """See the module docstring."""
    places = {p.id: i for i, s in enumerate(lesson.sections) for p in s.parts if not isinstance(p, str)}
    tasks = [_task(lesson, checks, progress, task, places[task.id]) for task in lesson.tasks]
    return {
        "lesson": {
            "number": lesson.number,
            "slug": lesson.slug,
            "title": lesson.title,
            "lang": lesson.lang,
            "minutes": lesson.minutes,
        },
        "t": progress.t,
        "tasks": tasks,
        "questions": [_question(checks, progress, q, places[q.id]) for q in lesson.questions],
        "current": progress.current,
        "passed": sum(task["state"] in (Mark.PASSED, Mark.SKIPPED) for task in tasks),
        "total": len(tasks),
        "finished": progress.finished,
    }


def _task(lesson: Lesson, checks: Checks, progress: Progress, task: Task, section: int) -> Json:
    state = progress.tasks.get(task.id, TaskState())
    rule = checks.rules.get(task.id)
    return {
        "id": task.id,
        "section": section,
        "do": task.do,
        "state": state.mark.value,
        "reason": reason(lesson, task, state),
        "code": state.code,
        "params": dict(state.params),
        "needs": list(rule.needs) if rule else [],
        "hints": list(task.hints[: state.hints]),
        "hintsLeft": max(0, len(task.hints) - state.hints),
        "done": task.done if state.mark is Mark.PASSED else "",
        "t": state.t,
        "helped": state.helped,
    }


def reason(lesson: Lesson, task: Task, state: TaskState) -> str:
    """Why a task has not passed or how it broke, in the lesson's language, or ``""``."""
    if not state.code:
        return ""
    params = dict(state.params)
    if state.code == "needs":
        params["task"] = next((t.do for t in lesson.tasks if t.id == params.get("task")), params.get("task"))
    own = task.broke if state.mark is Mark.BROKEN else task.not_yet
    return sentence(lesson.lang, state.code, params, own)


def _question(checks: Checks, progress: Progress, question: Question, section: int) -> Json:
    rule = checks.answers.get(question.id)
    given, truth = progress.given.get(question.id), progress.truths.get(question.id)
    after = progress.tasks.get(rule.after) if rule else None
    happened = after is None or after.once
    is_open = truth is None if question.kind is Kind.PREDICT else happened
    out = given is not None and truth is not None
    return {
        "id": question.id,
        "kind": question.kind.value,
        "section": section,
        "ask": question.ask,
        "choices": [{"key": key, "text": text} for key, text in question.choices.items()],
        "unit": question.unit,
        "after": rule.after if rule else "",
        "open": is_open,
        "given": given,
        "truth": truth if out else None,
        "right": same(given, truth) if out else None,
        "why": question.why if out else "",
    }


def same(given: Any, truth: Any) -> bool:
    """Whether an answer is right; numbers may come as text, and be off by less than a half."""
    try:
        return abs(float(given) - float(truth)) < 0.5
    except (TypeError, ValueError):
        return str(given).strip() == str(truth)
