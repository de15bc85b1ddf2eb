"""The notes of a lesson beside the picture, in a fragment of their own. Streamlit calls only.

The text is sent once; afterwards only the state of tasks and questions travels. What a student asks for
comes back as a numbered queue, as it does from the live picture.
"""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any, Final

import streamlit as st

from rollout_lab.course import Lesson
from rollout_lab.errors import LabError
from rollout_lab.messages import say
from rollout_lab.ui.payload import plain
from rollout_lab.ui.session import source
from rollout_lab.ui.tasks import Tasks
from rollout_lab.ui.tasks_data import notes
from rollout_lab.ui.tasks_text import commands_at, text_of
from rollout_lab.ui.url import seat, viewer

Json = dict[str, Any]
REFRESH: Final = 1.0
"""Seconds between two refreshes of the notes."""
LATER: Final = "next-lesson"
"""The queue's word for the next lesson."""
GO: Final = "go-to-lesson"
"""Where the session keeps the lesson it goes to, until the switch shows it."""


@cache
def _component() -> Any:
    return st.components.v2.component(
        "rollout-lab.tasks", html='<div id="notes"></div>', css="tasks.css", js="tasks.js"
    )


@st.fragment(run_every=REFRESH, key="notes")
def panel(lesson: Lesson, following: Json | None) -> None:
    """The lesson's text with its tasks, refreshed by itself. `following`: the next lesson, {key, title}."""
    key = f"notes-{lesson.slug}"
    memory = st.session_state.setdefault(f"memory-{key}", {"ack": 0, "id": uuid.uuid4().hex[:8]})
    state = st.session_state.get(key) or {}
    tasks = _tasks(lesson)
    text = text_of(lesson, tasks.places if tasks else {})
    _hear(tasks, memory, text, state.get("queue") or (), following)
    data = notes(
        lesson.lang,
        None if state.get("have") == text["key"] else text,
        tasks.board(lesson.lang) if tasks else None,
        key=text["key"],
        ack=memory["ack"],
        session=memory["id"],
        buttons=not viewer(),
        following=following,
    )
    _component()(key=key, data=plain(data), on_queue_change=lambda: None, on_have_change=lambda: None)
    if tasks is not None and not viewer():
        student = seat()  # the data are made on another thread, which knows no session
        st.download_button(
            say(lesson.lang, "tasks.evidence"),
            data=lambda: tasks.walk.evidence(student),
            file_name=f"{lesson.folder.name}.evidence",
            mime="text/plain",
            key=f"evidence-{lesson.slug}",
            help=say(lesson.lang, "tasks.evidence_help"),
            on_click="ignore",
            type="tertiary",
        )


def _tasks(lesson: Lesson) -> Tasks | None:
    """The tasks of this session's seat; None while there is no lab, which the page tells by itself."""
    if not st.session_state.get("seen_lab"):
        return None
    try:
        return source().tasks(lesson.folder, look_only=viewer())
    except LabError:
        return None


def _hear(tasks: Tasks | None, memory: Json, text: Json, queue: Any, following: Json | None) -> None:
    """Take in what is new in the queue, each once and in order; a viewer only turns pages."""
    for number, what, args in queue:
        if number <= memory["ack"]:
            continue
        memory["ack"] = number
        if what == LATER and following:
            st.query_params["lesson"] = st.session_state[GO] = following["key"]
            st.rerun(scope="app")
        elif tasks is not None and not viewer():
            given = dict(args or {})
            if what == "run":  # the page runs what stands in the text and nothing else
                given["commands"] = commands_at(text, str(given.get("of", "")))
            tasks.hear(str(what), given)
