"""``/projector``: the picture for the back row, over the whole screen. Streamlit calls only.

It follows the rollout the lab shows; ``?lesson=`` or ``?rollout=`` holds it to one. Keys act as the lab
page's do, arrows look back in time for this browser alone.
"""

from __future__ import annotations

import uuid
from collections.abc import MutableMapping
from functools import cache
from typing import Any, Final

import streamlit as st

from rollout_lab.errors import LabError
from rollout_lab.messages import say
from rollout_lab.observe.marks import STOPS
from rollout_lab.ui.actions import act, trouble
from rollout_lab.ui.lessons import course
from rollout_lab.ui.payload import plain
from rollout_lab.ui.session import Source, source
from rollout_lab.ui.stage import KEYS, stage
from rollout_lab.ui.url import language, viewer

Json = dict[str, Any]
REFRESH: Final = 0.5
THEMES: Final = ("dark", "light")
BARE: Final = (
    "<style>.stMainBlockContainer { padding: 0 !important; } header { display: none !important; }</style>"
)


@cache
def _component() -> Any:
    return st.components.v2.component(
        "rollout-lab.projector", html='<div id="live"></div>', css="projector.css", js="projector.js"
    )


def page() -> None:
    """The whole page."""
    st.html(BARE)
    lang = language()
    try:
        lab = source()
        held = _held(lab)
        if not held and not lab.shown:
            lab.shown = next(iter(lab.lab.rollouts()), "") or lab.open("course-2233", look_only=viewer())
    except LabError as problem:
        st.error(f"**{say(lang, 'page.failed')}**\n\n{problem}\n\n{say(lang, 'page.failed.remedy')}")
        return
    _live(lang, held)


def _held(lab: Source) -> str:
    """The rollout the URL names, by its own name or by its lesson; "" to follow the lab. Raises LabError.

    A lesson on plain Deployments has no rollout of its own.
    """
    rollout, key = (st.query_params.get(name, "") for name in ("rollout", "lesson"))
    if rollout in lab.lab.rollouts():
        return rollout
    lesson = course(language()).lessons.get(key) if key else None
    return "" if lesson is None or lesson.namespace else lab.open(lesson.scenario, look_only=viewer())


@st.fragment(run_every=REFRESH, key="projector-live")
def _live(lang: str, held: str) -> None:
    memory = st.session_state.setdefault(
        "projector", {"tick": 0, "ack": 0, "id": uuid.uuid4().hex[:8], "past": None}
    )
    try:
        lab = source()
    except LabError as problem:  # the host has set this seat free
        st.error(str(problem))
        return
    rollout = held or lab.shown
    _hear(lab, lang, rollout, memory)
    memory["tick"] += 1
    try:
        picture = lab.look(rollout)[0]
        past = memory["past"]
        if past is not None:
            picture = {**lab.moments(rollout).at(past), "actions": picture["actions"]}
    except LabError as problem:
        st.error(f"{say(lang, 'notice.cluster')} {problem}\n\n{say(lang, 'notice.cluster.remedy')}")
        return
    theme = st.query_params.get("theme", "")
    data = stage(
        lang,
        picture,
        tick=memory["tick"],
        ack=memory["ack"],
        session=memory["id"],
        notice=trouble(lang, picture) or memory.get("notice"),
        buttons=not viewer(),
        past=past,
        theme=theme if theme in THEMES else "",
    )
    _component()(key="projector-picture", data=plain(data), on_queue_change=lambda: None)


def _hear(lab: Source, lang: str, rollout: str, memory: MutableMapping[str, Any]) -> None:
    """What was pressed since the last refresh, each once and in order."""
    queue = (st.session_state.get("projector-picture") or {}).get("queue") or ()
    for number, name, _ in queue:
        if number <= memory["ack"]:
            continue
        memory["ack"] = number
        memory["notice"] = None
        if name in KEYS:
            if not viewer():
                memory["past"] = None
                memory["notice"] = act(lab, lang, rollout, name, {}, number)
        elif name == "theme":
            now = st.query_params.get("theme", "")
            st.query_params["theme"] = "light" if now == "dark" else "dark"
        else:
            memory["past"] = look_back(memory["past"], name, _stops(lab, rollout))


def _stops(lab: Source, rollout: str) -> list[float]:
    return [mark["t"] for mark in lab.moments(rollout).marks() if mark["kind"] in STOPS]


def look_back(past: float | None, where: str, stops: list[float]) -> float | None:
    """The moment to show after ``earlier``, ``later`` or ``live``; None is live."""
    if where == "earlier":
        before = [t for t in stops if past is None or t < past - 1e-6]
        return before[-1] if before else past
    if where == "later" and past is not None:
        return next((t for t in stops if t > past + 1e-6), None)
    return None
