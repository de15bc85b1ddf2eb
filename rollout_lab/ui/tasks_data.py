"""The notes beside the picture as data: text, tasks with their state, questions with their truth. Pure.

`notes` gives what ``frontend/tasks.js`` draws. Words are made here; where things stand is the drawing's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rollout_lab.messages import explain, say, section
from rollout_lab.ui.scene import clock
from rollout_lab.ui.tasks_text import html, inline

Json = dict[str, Any]
COUNTED: Final = 12
"""A number up to this is drawn as so many Pods, a larger one as a bar."""


def notes(
    lang: str,
    text: Json | None,
    board: Mapping[str, Any] | None,
    *,
    key: str,
    ack: int,
    session: str,
    buttons: bool = True,
    following: Json | None = None,
) -> Json:
    """The `data` of the component.

    `text`: `tasks_text.text_of`, None where the drawing has it (its `key` says which). `board`:
    `Tasks.board`, None while there is no lab. `buttons` False: who only looks on is not helped.
    `following`: the next lesson, {key, title}.
    """
    return {
        "lang": lang,
        "session": session,
        "ack": ack,
        "label": section(lang, "tasks"),
        "key": key,
        "text": text,
        "buttons": buttons and board is not None,
        "next": following and {"key": following["key"], "text": say(lang, "tasks.next", **following)},
        **(_state(lang, board) if board else _nothing(lang)),
    }


def _nothing(lang: str) -> Json:
    return {
        "progress": say(lang, "tasks.waiting"),
        "tasks": [],
        "questions": [],
        "busy": None,
        "trouble": "",
        "ran": [],
        "finished": False,
        "current": "",
    }


def _state(lang: str, board: Mapping[str, Any]) -> Json:
    total, passed = board["total"], board["passed"]
    key = "finished" if board["finished"] and total else "progress"
    busy = board.get("busy")
    names = {task["id"]: i + 1 for i, task in enumerate(board["tasks"])}
    return {
        "progress": say(lang, f"tasks.{key}", passed=passed, total=total),
        "tasks": [_task(lang, task, names[task["id"]]) for task in board["tasks"]],
        "questions": [_question(lang, question, names) for question in board["questions"]],
        "busy": busy and {**busy, "text": _busy(lang, busy, names)},
        "trouble": _trouble(lang, board.get("trouble")),
        "ran": [_ran(lang, place, ran) for place, ran in (board.get("ran") or {}).items()],
        "finished": board["finished"],
        "current": board["current"],
    }


def _task(lang: str, task: Mapping[str, Any], number: int) -> Json:
    state = task["state"]
    said = task["reason"] if state in ("now", "broken") else task["done"] if state == "passed" else ""
    return {
        "id": task["id"],
        "number": number,
        "name": say(lang, "tasks.task", n=number),
        "do": inline(task["do"]),
        "state": state,
        "word": say(lang, f"tasks.state.{state}"),
        "said": inline(said),
        "when": _when(lang, task),
        "hints": [inline(hint) for hint in task["hints"]],
        "hint": say(
            lang,
            "tasks.hint",
            n=len(task["hints"]) + 1,
            total=len(task["hints"]) + task["hintsLeft"],
        )
        if task["hintsLeft"]
        else "",
        "open": state in ("now", "broken"),
        "spoken": say(lang, f"tasks.spoken.{state}", n=number) if state in ("passed", "broken") else "",
    }


def _when(lang: str, task: Mapping[str, Any]) -> str:
    """When a task passed, and whether the lab did it."""
    if task["state"] != "passed" or task["t"] is None:
        return ""
    t = clock(task["t"])
    return say(lang, "tasks.when_helped" if task["helped"] else "tasks.when", t=t)


def _question(lang: str, question: Mapping[str, Any], names: Mapping[str, int]) -> Json:
    given, truth = question["given"], question["truth"]
    texts = {choice["key"]: choice["text"] for choice in question["choices"]}
    out = question["right"] is not None
    after = names.get(question["after"])
    late = question["kind"] == "predict" and not question["open"] and given is None
    wait = question["kind"] == "quiz" and not question["open"] and after
    return {
        "id": question["id"],
        "kind": question["kind"],
        "title": say(lang, f"tasks.{question['kind']}"),
        "ask": inline(question["ask"]),
        "choices": [{"key": c["key"], "text": inline(c["text"])} for c in question["choices"]],
        "unit": question["unit"],
        "open": question["open"] and not (out and question["kind"] == "predict"),
        "given": given,
        "note": say(lang, "tasks.late")
        if late
        else say(lang, "tasks.after", n=after)
        if wait
        else _kept(lang, question),
        "right": question["right"],
        "verdict": say(lang, f"tasks.{'right' if question['right'] else 'wrong'}") if out else "",
        "bars": _bars(lang, question, texts) if out else [],
        "why": html(question["why"]) if out else "",
        "given_text": texts.get(str(given), ""),
        "truth_text": texts.get(str(truth), ""),
    }


def _kept(lang: str, question: Mapping[str, Any]) -> str:
    """A prediction that was given and waits for what happens."""
    waits = question["kind"] == "predict" and question["given"] is not None and question["right"] is None
    return say(lang, "tasks.kept") if waits else ""


def _bars(lang: str, question: Mapping[str, Any], texts: Mapping[str, str]) -> list[Json]:
    """What was said above what happened; numbers as so many Pods, a share as a bar."""
    unit = question["unit"]
    values = [(name, question[name]) for name in ("given", "truth")]
    numbers = [_number(value) for _, value in values]
    most = max((n for n in numbers if n is not None), default=0.0)
    share = unit.strip() == "%"
    found = []
    for (name, value), number in zip(values, numbers, strict=True):
        text = texts.get(str(value), "") or f"{value} {unit}".strip()
        bar: Json = {
            "key": name,
            "name": say(lang, f"tasks.{name}"),
            "text": inline(text),
            "dots": 0,
            "part": None,
        }
        if number is not None and not texts:
            if share:
                bar["part"] = max(0.0, min(1.0, number / 100))
            elif most <= COUNTED and number >= 0:
                bar["dots"] = round(number)
            else:
                bar["part"] = max(0.0, number / most) if most > 0 else 0.0
        found.append(bar)
    return found


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _busy(lang: str, busy: Mapping[str, Any], names: Mapping[str, int]) -> str:
    number = names.get(busy["of"])
    key = f"tasks.busy.{busy['what']}"
    if busy["what"] == "run":
        return say(lang, key)
    return say(lang, key, n=number) if number else say(lang, f"{key}_all")


def _trouble(lang: str, trouble: Mapping[str, Any] | None) -> str:
    return "" if trouble is None else say(lang, f"tasks.{trouble['code']}", error=trouble["text"])


def _ran(lang: str, place: str, ran: Mapping[str, Any]) -> Json:
    code = str(ran["code"])
    if code.startswith("verdict."):
        told = explain(lang, code, ran["params"], code)
    else:
        told = explain(lang, f"tasks.ran.{code}", ran["params"], code) if code else ""
    text = "\n".join(part for part in (ran["text"], told) if part)
    return {"place": place, "ok": ran["ok"], "text": text or say(lang, "tasks.ran.nothing")}
