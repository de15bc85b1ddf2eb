"""The page: `streamlit run app.py`. Navigation only; the pages are in `rollout_lab.ui`."""

from __future__ import annotations

import streamlit as st

from rollout_lab.ui.navigation import run

st.set_page_config(page_title="rollout-lab", layout="wide", initial_sidebar_state="collapsed")
run()
