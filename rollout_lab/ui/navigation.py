"""All pages with their addresses, and the links between them. Only names; the pages draw themselves."""

from __future__ import annotations

import streamlit as st

from rollout_lab.ui import header, lab_page
from rollout_lab.ui.pages import board, compare, playground, projector, replay


def run() -> None:
    """Show the page that the URL names."""
    pages = {
        "lab": st.Page(lab_page.page, title="rollout-lab", default=True),
        "projector": st.Page(projector.page, title="rollout-lab · projector", url_path="projector"),
        "replay": st.Page(replay.page, title="rollout-lab · replay", url_path="replay"),
        "compare": st.Page(compare.page, title="rollout-lab · compare", url_path="compare"),
        "playground": st.Page(playground.page, title="rollout-lab · playground", url_path="playground"),
        "board": st.Page(board.page, title="rollout-lab · board", url_path="board"),
    }
    header.offer(pages)
    st.navigation(list(pages.values()), position="hidden").run()
