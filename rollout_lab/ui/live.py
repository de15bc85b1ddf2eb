"""The live part of the page: the component in a fragment that refreshes itself, and its actions.

Streamlit calls only; what is drawn comes from `payload`, what an action does from the lab.
"""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any, Final

import streamlit as st

from rollout_lab.errors import LabError
from rollout_lab.messages import say
from rollout_lab.ui.actions import hear, trouble
from rollout_lab.ui.outlook import Outlook
from rollout_lab.ui.payload import payload, plain
from rollout_lab.ui.series import Series, axis_end
from rollout_lab.ui.session import Source, source
from rollout_lab.ui.timebar import timebar
from rollout_lab.ui.url import viewer

Json = dict[str, Any]
REFRESH: Final = 0.5
"""Seconds between two refreshes of the picture."""
MOMENT: Final = "t"
"""The URL's name of the moment shown."""


@cache
def _component() -> Any:
    """The drawing in ``frontend/``, registered with the running server (see ``../pyproject.toml``)."""
    return st.components.v2.component(
        "rollout-lab.live", html='<div id="live"></div>', css="live.css", js="index.js"
    )


@st.fragment(run_every=REFRESH, key="live")
def live(lang: str, rollout: str) -> None:
    """The picture of `rollout`, refreshed by itself; of the moment that the slider shows."""
    try:
        lab = source()
    except LabError as problem:  # the host has set this seat free
        st.error(str(problem))
        return
    show(lab, lang, rollout, buttons=not viewer())


def show(lab: Source, lang: str, rollout: str, *, buttons: bool, name: str = "picture") -> None:
    """Draw once, after hearing what this browser asked for. `buttons` False: nothing can be done."""
    key = f"{name}-{rollout}"
    memory = st.session_state.setdefault(f"memory-{key}", _memory())
    state = st.session_state.get(key) or {}
    _look(memory, state.get("look"))
    if memory["t"] is None and buttons:
        hear(lab, lang, rollout, state.get("queue") or (), memory)
    else:  # whoever looks back, or only looks on, does nothing
        memory["ack"] = max([memory["ack"], *(int(entry[0]) for entry in state.get("queue") or ())])
    memory["tick"] += 1
    try:
        picture, series = lab.look(rollout)
        data = _data(
            lang, lab, rollout, picture, series, memory, "status" in (state.get("open") or ()), buttons
        )
    except LabError as problem:
        st.error(f"{say(lang, 'notice.cluster')} {problem}\n\n{say(lang, 'notice.cluster.remedy')}")
        return
    _component()(
        key=key,
        data=plain(data),
        on_queue_change=lambda: None,
        on_look_change=lambda: None,
        on_open_change=lambda: None,
    )


def _memory() -> Json:
    """What a session knows of one rollout's picture. `t`: the moment shown, None for live."""
    return {"tick": 0, "ack": 0, "id": uuid.uuid4().hex[:8], "look": 0, "t": moment_of_url(), "notice": None}


def moment_of_url() -> float | None:
    """The URL's ``t`` in lab seconds; None where it is none."""
    try:
        found = float(st.query_params.get(MOMENT, ""))
    except ValueError:
        return None
    return found if 0.0 <= found < 1e7 else None


def _look(memory: Json, wanted: Any) -> None:
    """Take in where the slider is now: [number, seconds or None for live, whether it rests there]."""
    if not wanted or int(wanted[0]) <= memory["look"]:
        return
    number, t, rests = wanted
    memory["look"], memory["t"] = int(number), None if t is None else max(0.0, float(t))
    if rests and memory["t"] is None:
        st.query_params.pop(MOMENT, None)
    elif rests:
        st.query_params[MOMENT] = f"{memory['t']:g}"


def _data(
    lang: str,
    lab: Source,
    rollout: str,
    picture: Json,
    series: Series,
    memory: Json,
    opened: bool,
    buttons: bool,
) -> Json:
    past = lab.moments(rollout)
    t = memory["t"]
    if t is not None and t >= picture["t"]:
        t = memory["t"] = None
    axis = axis_end(picture["t"])
    status = None
    if opened:
        status = past.status_yaml(picture["t"] if t is None else t)
    return payload(
        lang,
        picture,
        series,
        tick=memory["tick"],
        ack=memory["ack"],
        session=memory["id"],
        notice=trouble(lang, picture) or memory.get("notice"),
        past=None if t is None else past.at(t),
        buttons=buttons,
        time=timebar(lang, past.marks(), picture["t"], t, memory["look"], axis),
        status=status,
        predicted=_outlook(rollout, picture["t"]),
    )


def _outlook(rollout: str, t: float) -> Outlook | None:
    """What this session predicted, until the run has outlived it."""
    found: Outlook | None = st.session_state.get(f"outlook-{rollout}")
    if found is not None and found.over(t):
        st.session_state.pop(f"outlook-{rollout}", None)
        return None
    return found
