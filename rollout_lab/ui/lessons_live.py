"""The live picture of a lesson on plain Deployments, in a fragment of its own. Streamlit calls only."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import streamlit as st

from rollout_lab.course import Lesson
from rollout_lab.errors import LabError
from rollout_lab.messages import say
from rollout_lab.ui.lessons_plain import plain
from rollout_lab.ui.payload import plain as proven
from rollout_lab.ui.session import source
from rollout_lab.ui.url import viewer

REFRESH: Final = 0.5
"""Seconds between two refreshes of the picture."""


@cache
def plain_component() -> Any:
    """The drawing of plain Deployments, registered with the running server."""
    return st.components.v2.component(
        "rollout-lab.plain", html='<div id="live"></div>', css="live.css", js="plain.js"
    )


@st.fragment(run_every=REFRESH, key="live-plain")
def plain_live(lesson: Lesson) -> None:
    """Services, ReplicaSets and Pods of the lesson's namespace, as its tasks see them."""
    lang, key = lesson.lang, f"plain-{lesson.slug}"
    ticks = f"tick-{key}"
    st.session_state[ticks] = st.session_state.get(ticks, 0) + 1
    try:
        tasks = source().tasks(lesson.folder, look_only=viewer())
        if tasks is None:
            st.info(say(lang, "plain.nobody"))
            return
        picture, rows = tasks.picture()
    except LabError as problem:
        st.error(f"{say(lang, 'notice.cluster')} {problem}\n\n{say(lang, 'notice.cluster.remedy')}")
        return
    data = plain(lang, lesson.namespace, picture, rows, st.session_state[ticks])
    plain_component()(key=key, data=proven(data))
