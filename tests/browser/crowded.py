"""The real page over pictures that need much room: 60 Pods (2234), long names and reasons (2233)."""

from __future__ import annotations

from typing import Any

import streamlit as st

from rollout_lab.ui import session
from rollout_lab.ui.navigation import run
from tests.ui import examples
from tests.ui.examples import V1, V2
from tests.ui.replayed_lab import ReplayedLab

LATE = ("starting", "pulling", "running", "failing", "terminating")


class CrowdedLab(ReplayedLab):
    """The same moments, with more of everything."""

    def picture(self, rollout: str) -> dict[str, Any]:
        found = super().picture(rollout)
        if rollout.endswith("2234"):
            new = [*["ready"] * 15, *LATE]
            found["pods"] = [
                *(examples.pod(rollout, V1, "1.0.0", 0, f"a{i:04}") for i in range(40)),
                *(examples.pod(rollout, V2, "2.0.0", 1, f"b{i:04}", state) for i, state in enumerate(new)),
            ]
            found["routes"] = examples.routes(rollout, found["pods"], {V1: 0.67, V2: 0.33})
            for one in found["replicaSets"]:
                one["replicas"], one["ready"] = (40, 40) if one["hash"] == V1 else (20, 15)
            return found
        for one in (*found["replicaSets"], *found["pods"]):
            if one["hash"] == V2:
                one["version"] = "2.0.0-slow-start"
        for pod in found["pods"]:
            if pod["hash"] == V2:
                pod["state"], pod["reason"] = "failing", "CreateContainerConfigError"
        found["routes"] = [
            route
            for service in found["services"]
            for route in examples.routes(service["name"], found["pods"], {V1: 0.5, V2: 0.5})
        ]
        return found


session.use(CrowdedLab)
st.set_page_config(page_title="rollout-lab", layout="wide", initial_sidebar_state="collapsed")
run()
