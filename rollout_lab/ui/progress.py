"""How far the update is: head line, phase strip, countdowns, canary steps and shares. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from rollout_lab.messages import explain, say
from rollout_lab.ui.writing import clock, colour_of, percent

Json = dict[str, Any]

_REASONS = ("InvalidSpec", "ProgressDeadlineExceeded", "RolloutAborted")
"""Condition reasons that open the message of a Degraded rollout."""
_PARTS = re.compile(r"(?<=[a-z])(?=[A-Z])")
SHORT = 13
"""Letters of a step that the strip has room for in any case."""
_TONES = {"Healthy": "ok", "Paused": "wait", "Degraded": "bad", "Progressing": "go"}


def head(lang: str, picture: Mapping[str, Any]) -> Json:
    """Name, strategy, state and the engine's own message."""
    rollout = picture["rollout"]
    if rollout is None:
        return {"name": say(lang, "ui.no_rollout"), "kind": "", "state": "…", "tone": "go", "message": ""}
    phase = rollout["phase"]
    kind = say(lang, f"strategy.{rollout['strategy'] or 'none'}")
    return {
        "name": rollout["name"],
        "kind": say(
            lang, "ui.kind", strategy=kind, replicas=rollout["replicas"], revision=rollout["revision"]
        ),
        "state": say(lang, f"rollout.{phase}") if phase in _TONES else phase,
        "tone": _TONES.get(phase, "go"),
        "message": _message(lang, rollout["message"]),
    }


def _message(lang: str, message: str) -> str:
    """The engine's message in `lang` where it is one of the fixed ones, else as it is."""
    reason, colon, detail = message.partition(": ")
    if colon and reason in _REASONS:
        return say(lang, f"message.{reason}", detail=detail)
    slug = "".join(c if c.isalnum() else "-" for c in message.lower()).strip("-")
    return explain(lang, f"message.{slug}", {}, message) if message else ""


def phases(lang: str, picture: Mapping[str, Any]) -> list[Json]:
    """The strip: each phase with its name, its time or what ends it, and its state.

    A canary's phases are its steps: `code` is the step as the manifest has it.
    """
    steps = picture["rollout"]["steps"] if picture["rollout"] else []
    code = {f"step-{step['index']}": _breakable(step["text"]) for step in steps}
    if any(phase["id"] in code for phase in picture["phases"]):
        code["done"] = "100 %"
    blank = "\u00a0" if steps else ""  # keeps the line's place while there are no steps in the strip
    shown = []
    for phase in picture["phases"]:
        state = "failed" if phase["key"] == "aborted" else phase["state"]
        shown.append(
            {
                "key": phase["id"],
                "state": state,
                "text": explain(lang, f"phase.{phase['key']}", phase["params"], phase["key"]),
                "spoken": say(lang, f"progress.{state}"),
                "code": code.get(phase["id"], blank),
                "note": _note(lang, phase, picture["t"]),
            }
        )
    return shown


def _breakable(text: str) -> str:
    """A long word of a step with places where a narrow strip may break it: between its parts only."""
    return _PARTS.sub("\u200b", text) if len(text) > SHORT else text


def _note(lang: str, phase: Json, now: float) -> str:
    params, state = phase["params"], phase["state"]
    if state == "done":
        return "" if phase["t"] is None else clock(phase["t"])
    ends = params.get("endsAt", params.get("at"))
    if state == "now":
        since = "" if phase["t"] is None else clock(now - phase["t"])
        if ends is not None:
            return say(lang, "ui.left", t=clock(max(0, math.ceil(ends - now))))
        if phase["key"] == "newPodsReady":
            return say(lang, "ui.ready_of", ready=params["ready"], wanted=params["wanted"])
        if phase["key"] in ("waitingPromote", "pause"):
            return say(lang, "ui.waiting_since", t=since)
        return since
    seconds = params.get("seconds")
    if seconds is not None:
        return (
            say(lang, "ui.after", s=seconds)
            if phase["key"] == "oldPodsDeleted"
            else say(lang, "ui.by_itself")
        )
    return say(lang, "ui.by_hand") if phase["key"] in ("waitingPromote", "pause") else ""


def timers(lang: str, picture: Mapping[str, Any]) -> list[Json]:
    """What runs out by itself: the pause, the scale-down delay, the progress deadline.

    `left` and `total` in lab seconds; `tone` is ``bad`` where nothing good comes at the end.
    """
    rollout = picture["rollout"]
    if rollout is None:
        return []
    totals = {"pauseEndsAt": 0.0, "scaleDownAt": 0.0}
    for phase in picture["phases"]:
        seconds = phase["params"].get("seconds")
        if seconds and phase["key"] == "oldPodsDeleted":
            totals["scaleDownAt"] = float(seconds)
        elif seconds and phase["params"].get("endsAt") is not None:
            totals["pauseEndsAt"] = float(seconds)
    totals["deadlineAt"] = float(rollout.get("deadlineSeconds") or 0.0)
    found = []
    for key, total in totals.items():
        ends = rollout.get(key)
        if ends is not None:
            left = max(0.0, ends - picture["t"])
            found.append(
                {
                    "key": key,
                    "text": say(lang, f"timer.{_timer(key, rollout)}"),
                    "left": left,
                    "total": total or max(left, 30.0),
                    "tone": "bad" if key == "deadlineAt" else "",
                }
            )
    return found


def _timer(key: str, rollout: Mapping[str, Any]) -> str:
    return "stepEndsAt" if key == "pauseEndsAt" and rollout["steps"] else key


def weights(lang: str, picture: Mapping[str, Any]) -> list[Json]:
    """Bars of the new version's share: asked for, what whole Pods give, what was measured.

    With a router: asked for, what the gateway is set to, what was measured through it; and the Pods.
    """
    rollout = picture["rollout"]
    weight = rollout and rollout.get("weight")
    if not weight:
        return []
    current = rollout["currentHash"]
    colour = next((colour_of(s["colour"]) for s in picture["replicaSets"] if s["hash"] == current), 0)
    pods, total = weight["canaryPods"], weight["totalPods"]
    share = pods / total if total else None
    asked = _bar(lang, "asked", colour, weight["asked"] / 100, f"{weight['asked']} %")
    counted = "–" if share is None else f"{_fine(share)} ({pods} / {total})"
    whole = _bar(lang, "pods", colour, share, counted)
    if picture.get("gateway"):
        measured = _measured(lang, colour, current, picture["gateway"])
        return [asked, _configured(lang, colour, picture), measured, whole]
    service = next((s for s in picture["services"] if s["role"] in ("service", "stable")), None)
    return [asked, whole, _measured(lang, colour, current, service)]


def _configured(lang: str, colour: int, picture: Mapping[str, Any]) -> Json:
    """What the gateway reads from its objects now; where it does not say, what the routers were told."""
    rollout, gate = picture["rollout"], picture["gateway"]
    told = [a for a in gate["arrows"] if a["kind"] == "weight"]
    mine = [a["weight"] for a in told if a["hash"] == rollout["currentHash"]]
    weight = sum(mine) if told else rollout["weight"]["configured"]
    if weight is None:
        return _bar(lang, "configured", colour, None, "–")
    return _bar(lang, "configured", colour, weight / 100, _fine(weight / 100))


def _measured(lang: str, colour: int, current: str, asked: Mapping[str, Any] | None) -> Json:
    """The share of the answers of a Service or a gateway, with its error."""
    n = asked["window"]["n"] if asked else 0
    if asked is None or not n:
        return _bar(lang, "measured", colour, None, say(lang, "ui.no_requests"))
    share = asked["shares"].get(current, 0.0)
    low, high = interval(share, n)
    error = 50 * (high - low)
    fine = share < 0.1 and error < 5  # small weights need the figure after the point
    said = f"{_fine(share)} ± {error:.1f}" if fine else f"{percent(share)} ± {round(error)}"
    return {**_bar(lang, "measured", colour, share, f"{said} (n = {n})"), "low": low, "high": high}


def _bar(lang: str, key: str, colour: int, share: float | None, value: str) -> Json:
    return {
        "key": key,
        "text": say(lang, f"weight.{key}"),
        "share": share,
        "value": value,
        "colour": colour,
        "low": None,
        "high": None,
    }


def _fine(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def interval(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a measured share by Wilson's score; honest near 0 and 1 and for small `n`.

    # Wilson, Probable inference, the law of succession, and statistical inference (1927)
    """
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)
