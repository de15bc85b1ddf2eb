"""What a browser asks to be done: each action once, in order, and a word about what did not work.

The queue comes from a browser, so nothing in it is trusted: only the bar's own actions pass.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from rollout_lab.errors import LabError
from rollout_lab.messages import explain, say
from rollout_lab.ui.controls import BUTTONS
from rollout_lab.ui.session import Source

Json = dict[str, Any]


def hear(
    lab: Source, lang: str, rollout: str, queue: Sequence[Sequence[Any]], memory: MutableMapping[str, Any]
) -> None:
    """Do each action of the queue that was not done yet, once, in order.

    `queue` has [number, action, arguments]; `memory["ack"]` is the number of the last one done, and
    `memory["notice"]` what to tell about it.
    """
    for number, action, args in queue:
        if number <= memory["ack"]:
            continue
        memory["ack"] = number
        memory["notice"] = act(lab, lang, rollout, str(action), dict(args or {}), number)


def act(lab: Source, lang: str, rollout: str, action: str, args: Json, number: int) -> Json | None:
    """Do one action; a notice where it did not work or would do nothing, else None."""
    if action not in BUTTONS:
        return None
    name = say(lang, f"action.{action}")
    close = say(lang, "notice.close")
    about: Json = {"id": number, "close": close, "field": "", "remedy": ""}
    try:
        verdict = lab.lab.do(action, rollout, **args)
    except LabError as problem:
        return {
            **about,
            "tone": "bad",
            "text": say(lang, "notice.failed", action=name),
            "remedy": str(problem),
        }
    if verdict is not None and not verdict.ok:
        told = explain(lang, f"verdict.{verdict.code}", verdict.params, verdict.code)
        return {**about, "tone": "warn", "text": say(lang, "notice.nothing", action=name), "remedy": told}
    return None


def trouble(lang: str, picture: Mapping[str, Any]) -> Json | None:
    """A notice where cluster or engine do not run as they should, else None."""
    told = str((picture.get("lab") or {}).get("trouble") or "")
    if not told:
        return None
    return {
        "id": f"trouble {told}",
        "close": say(lang, "notice.close"),
        "tone": "bad",
        "text": say(lang, "notice.cluster"),
        "field": "",
        "remedy": f"{told} {say(lang, 'notice.cluster.remedy')}",
    }
