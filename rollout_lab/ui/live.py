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
from rollout_lab.ui.payload import payload, plain
from rollout_lab.ui.session import source
from rollout_lab.ui.url import viewer

Json = dict[str, Any]
REFRESH: Final = 0.5
"""Seconds between two refreshes of the picture."""


@cache
def _component() -> Any:
    """The drawing in ``frontend/``, registered with the running server (see ``../pyproject.toml``)."""
    return st.components.v2.component(
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
    if not viewer():
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
        notice=trouble(lang, picture) or memory.get("notice"),
        buttons=not viewer(),
    )
    _component()(key=key, data=plain(data), on_queue_change=lambda: None)
