"""The composition root: cluster + engine + recorder + clock behind one synchronous door.

    with Lab.start("embedded", speed=20) as lab:
        lab.do("set-image", version="2.0.0")
        lab.wait_for(lambda picture: picture["rollout"]["phase"] == "Paused")
        lab.rollout().promote()

`scenario` finds what to apply, `opening` where the cluster comes from, `parts` and `engines` are cluster
and engine, `switch` turns the engine off and on for other programs, `installed` is what was made on
somebody else's cluster and `down` takes it away, `startup` tells a page how far a lab is, `folder` keeps a
run's files, `lab` is the door, `play` walks a lecture from version 1 to the last old Pod gone, `past` is
every moment so far, `forecast` what will come.
"""

from __future__ import annotations

from rollout_lab.lab.folder import LabState, live_labs, newest_lab
from rollout_lab.lab.forecast import predict, predict_from
from rollout_lab.lab.handle import RolloutHandle
from rollout_lab.lab.lab import Lab
from rollout_lab.lab.parts import Engine
from rollout_lab.lab.past import Past
from rollout_lab.lab.play import play
from rollout_lab.lab.scenario import SCENARIOS, Scenario, load_scenario

__all__ = [
    "SCENARIOS",
    "Engine",
    "Lab",
    "LabState",
    "Past",
    "RolloutHandle",
    "Scenario",
    "live_labs",
    "load_scenario",
    "newest_lab",
    "play",
    "predict",
    "predict_from",
]
