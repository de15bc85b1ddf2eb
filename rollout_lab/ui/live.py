"""The live part of the page: the component in a fragment that refreshes itself, and its actions.

Streamlit calls only; what is drawn comes from `payload`, what an action does from the lab.
"""

from __future__ import annotations

import uuid
from collections.abc import MutableMapping, Sequence
from typing import Any, Final

import streamlit as st

from rollout_lab.errors import LabError
from rollout_lab.messages import explain, say
from rollout_lab.ui.controls import BUTTONS
from rollout_lab.ui.payload import payload, plain
from rollout_lab.ui.session import Source, source

Json = dict[str, Any]
REFRESH: Final = 0.5
"""Seconds between two refreshes of the picture."""

_component = st.components.v2.component(
    "rollout-lab.live", html='<div id="live"></div>', css="live.css", js="index.js"
)


@st.fragment(run_every=REFRESH, key="live")
def live(lang: str, rollout: str) -> None:
    """The picture of `rollout`, refreshed by itself."""
    key = f"picture-{rollout}"
    memory = st.session_state.setdefault(
        f"memory-{rollout}", {"tick": 0, "ack": 0, "id": uuid.uuid4().hex[:8]}
    )
    state = st.session_state.get(key) or {}
    lab = source()
    hear(lab, lang, rollout, state.get("queue") or (), memory)
    memory["tick"] += 1
    try:
        picture, series = lab.look(rollout)
    except LabError as problem:
        st.error(f"{say(lang, 'notice.cluster')} {problem}\n\n{say(lang, 'notice.cluster.remedy')}")
        return
    data = payload(
        lang,
        picture,
        series,
        tick=memory["tick"],
        ack=memory["ack"],
        session=memory["id"],
        notice=memory.get("notice"),
    )
    _component(key=key, data=plain(data), on_queue_change=lambda: None)


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
