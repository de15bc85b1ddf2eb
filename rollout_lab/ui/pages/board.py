"""``/board``: every seat's step at one glance, for the host. Streamlit calls only.

A seat is taken by opening the lab page with ``?seat=NAME``. The host can begin a seat's lecture anew and set
a seat free; a viewer's link and a page that came from a seat have no such buttons.
"""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

import streamlit as st

from rollout_lab.errors import LabError
from rollout_lab.lab.seats import MOST_SEATS
from rollout_lab.messages import say
from rollout_lab.ui.header import head
from rollout_lab.ui.payload import plain
from rollout_lab.ui.seats import board
from rollout_lab.ui.session import Source, host
from rollout_lab.ui.url import hosting

Json = dict[str, Any]
REFRESH: Final = 1.0


@cache
def _component() -> Any:
    return st.components.v2.component(
        "rollout-lab.board", html='<div id="live"></div>', css="board.css", js="board.js"
    )


def page() -> None:
    """The whole page."""
    lang = head("board")
    st.markdown(say(lang, "board.how", most=MOST_SEATS))
    try:
        host()
    except LabError as problem:
        st.error(f"**{say(lang, 'page.failed')}**\n\n{problem}\n\n{say(lang, 'page.failed.remedy')}")
        return
    _seats(lang)


@st.fragment(run_every=REFRESH, key="board-live")
def _seats(lang: str) -> None:
    memory = st.session_state.setdefault("memory-board", {"ack": 0, "id": uuid.uuid4().hex[:8]})
    mine, tidying = hosting(), host().tidying
    for number, work, name in (st.session_state.get("board") or {}).get("queue") or ():
        if number > memory["ack"]:
            memory["ack"] = int(number)
            if mine:
                tidying.begin(str(work), str(name))
    found = host().seats()
    seen = [(name, _picture(lab)) for name, lab in found.items()]
    links = ["?" + urlencode({"seat": name, "lang": lang, "viewer": "1"}) for name in found]
    works = {name: tidying.state(name) for name in found} if mine else None
    data = board(lang, seen, links, works, ack=memory["ack"], session=memory["id"])
    _component()(key="board", data=plain(data), on_queue_change=lambda: None)


def _picture(lab: Source) -> Json | None:
    try:
        return lab.look(lab.shown)[0] if lab.shown else None
    except LabError:
        return None
