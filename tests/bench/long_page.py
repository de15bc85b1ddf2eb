"""The page over a run that is an hour long within a minute, noting what each refresh costs the server.

Served by the bench; `ROLLOUT_LAB_NOTES` names the file the milliseconds go to, one a line.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import streamlit as st

from rollout_lab.ui import live, session
from rollout_lab.ui.navigation import run
from tests.bench.long_lab import HOUR, LongLab

Json = dict[str, Any]
PACE = 60.0
"""Lab seconds in a wall second."""


class GrowingLab(LongLab):
    """The long run from its beginning, `PACE` times as fast; after the hour it stands still."""

    def __init__(self) -> None:
        super().__init__(HOUR)
        self._began = time.monotonic()
        self._shown = 0

    @property
    def t(self) -> float:
        return min(HOUR, (time.monotonic() - self._began) * PACE)

    def rows(self, rollout: str, since: int = 0) -> tuple[tuple[Json, ...], int]:
        t = self.t
        while self._shown < len(self.all) and self.all[self._shown]["t"] <= t:
            self._shown += 1
        return tuple(self.all[since : self._shown]), self._shown

    def picture(self, rollout: str) -> Json:
        return {**self.last.moments.at(self.t), "actions": {}}

    def play(self, scenario: str) -> str:
        return self.last.current

    def rollouts(self) -> tuple[str, ...]:
        return (self.last.current,)


def _noted() -> None:
    """Let each refresh of the live part write down how long it took."""
    notes, drawn = Path(os.environ["ROLLOUT_LAB_NOTES"]), live.show

    def show(*args: Any, **options: Any) -> None:
        began = time.perf_counter()
        drawn(*args, **options)
        with notes.open("a") as file:
            file.write(f"{(time.perf_counter() - began) * 1000:.2f}\n")

    if not hasattr(live, "noted"):
        live.show = show
        live.noted = True  # type: ignore[attr-defined]


_noted()
session.use(GrowingLab)
st.set_page_config(page_title="rollout-lab", layout="wide")
run()
