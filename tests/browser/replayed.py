"""The real page over replayed pictures: `streamlit run` it. For tests of the page only."""

from __future__ import annotations

import streamlit as st

from rollout_lab.ui import session
from rollout_lab.ui.navigation import run
from tests.ui.replayed_lab import ReplayedLab

session.use(ReplayedLab)
st.set_page_config(page_title="rollout-lab", layout="wide", initial_sidebar_state="collapsed")
run()
