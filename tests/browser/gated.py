"""The real page over a canary behind a gateway: 5 %, a header route, a mirror, and a field not obeyed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import streamlit as st

from rollout_lab.ui import session
from rollout_lab.ui.navigation import run
from tests.ui.replayed_lab import ReplayedLab

PICTURES = Path(__file__).parents[1] / "data" / "pictures"


class GatedLab(ReplayedLab):
    """The same moments, with what stands before the Services."""

    def picture(self, rollout: str) -> dict[str, Any]:
        found = super().picture(rollout)
        if rollout.endswith("2234"):
            stored = json.loads((PICTURES / "canary-routed.json").read_text(encoding="utf-8"))
            return {**found, **{k: v for k, v in stored.items() if k != "t"}}
        return found


session.use(GatedLab)
st.set_page_config(page_title="rollout-lab", layout="wide", initial_sidebar_state="collapsed")
run()
