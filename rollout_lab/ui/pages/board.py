"""``/board``: every seat's step at one glance, for the host. Streamlit calls only.

A seat is taken by opening the lab page with ``?seat=NAME``.
"""

from __future__ import annotations

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
    found = host().seats()
    seen = [(name, _picture(lab)) for name, lab in found.items()]
    links = ["?" + urlencode({"seat": name, "lang": lang, "viewer": "1"}) for name in found]
    _component()(key="board", data=plain(board(lang, seen, links)))


def _picture(lab: Source) -> Json | None:
    try:
        return lab.look(lab.shown)[0] if lab.shown else None
    except LabError:
        return None
