"""The slider over time: the moments worth a stop in a learner's words, and where one stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollout_lab.messages import explain, say
from rollout_lab.ui.keys import Keys
from rollout_lab.ui.scene import clock, name_of

Json = dict[str, Any]
KEPT = 150
"""Most stops that are sent to the browser; the oldest go first."""
STOPS = ("action", "step", "switch", "reached", "phase", "end")
"""Kinds of marks (`observe.marks`) to stop at."""
CLOSE = 0.05
"""Lab seconds within which two marks are one stop."""
UPDATES = ("set image", "undo", "apply", "retry", "restart")
"""Words that begin a piece of the run worth seeing again."""


def timebar(
    lang: str, marks: Sequence[Mapping[str, Any]], now: float, t: float | None, seq: int, end: float
) -> Json:
    """The slider's data. `now`: the live moment, `t`: the one shown (None: live), `end`: of the time axis.

    `seq` is the number of the last move of the slider heard. ``again`` is where a replay begins.
    """
    stops = _stops(lang, marks)
    shown = now if t is None else t
    last = next((s for s in reversed(stops) if s["t"] <= shown + CLOSE), None)
    if t is None:
        said = say(lang, "time.live")
    elif last is None:
        said = say(lang, "time.past_bare", t=clock(t))
    else:
        said = say(lang, "time.past", t=clock(t), what=last["text"])
    again = [float(m["t"]) for m in marks if m["kind"] == "action" and str(m["text"]).startswith(UPDATES)]
    return {
        "now": now,
        "t": t,
        "seq": seq,
        "end": max(end, now, 1.0),
        "stops": stops,
        "again": max(0.0, (again[-1] if again else 0.0) - 1.0),
        "said": said,
        "what": "" if last is None else last["text"],
    }


def _stops(lang: str, marks: Sequence[Mapping[str, Any]]) -> list[Json]:
    keys = Keys()
    found: list[Json] = []
    for mark in marks:
        if mark["kind"] not in STOPS:
            continue
        words, act = stop_words(lang, mark), mark["kind"] == "action"
        if found and mark["t"] - found[-1]["t"] <= CLOSE:
            before = found[-1]
            if words not in before["text"].split(" · "):
                before["text"] += f" · {words}"
            before["act"] = before["act"] or act
            continue
        found.append({"key": keys.of(mark["t"]), "t": mark["t"], "text": words, "act": act})
    return found[-KEPT:]


def stop_words(lang: str, mark: Mapping[str, Any]) -> str:
    """What happened at a mark, in a few words."""
    kind, text = mark["kind"], str(mark["text"])
    if kind == "action":
        return action_words(lang, text)
    if kind == "step":
        if mark["index"] >= mark["count"]:
            return say(lang, "stop.steps_done")
        return say(lang, "stop.step", n=mark["index"] + 1, total=mark["count"], text=text)
    if kind == "switch":
        version = name_of(mark["version"]) if mark["version"] else mark["hash"]
        return say(lang, "stop.switch", service=mark["service"], version=version)
    if kind == "reached":
        return explain(lang, f"phase.{mark['key']}", mark["params"], mark["key"])
    if kind == "phase":
        return explain(lang, f"rollout.{text}", {}, text)
    return say(lang, "stop.end")


def action_words(lang: str, text: str) -> str:
    """What a person did, as the recording words it ("set image 2.0.0"), in `lang`."""
    word, _, rest = text.partition(" ")
    return explain(lang, f"mark.{word}", {"rest": rest}, text).strip()
