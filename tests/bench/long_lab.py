"""A lab whose run is as long as one likes, for measuring: a recorded update over and over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rollout_lab.observe.replay import Recording
from tests.ui.replayed_lab import ReplayedLab

Json = dict[str, Any]
TRACE = Path(__file__).parents[1] / "data" / "traces" / "canary-ten-replicas-timed.jsonl"
HOUR = 3600.0


class LongLab(ReplayedLab):
    """A recorded update of ten Pods over and over, with the curl loop's counts between."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        once = [json.loads(line) for line in TRACE.read_text(encoding="utf-8").splitlines()]
        once = [row for row in once if row.get("type") != "END"]
        length = float(once[-1]["t"]) + 20.0
        self.all: list[Json] = []
        t = 0.0
        while t < seconds:
            self.all += [{**row, "t": round(row["t"] + t, 2)} for row in once if t == 0.0 or _repeats(row)]
            self.all += [
                {"type": "PROBE", "kind": "Probe", "t": t + i, "until": t + i + 1, "name": "api-tester",
                 "port": 80, "failed": 0, "versions": {"1.0.0": 2}}
                for i in range(int(length))
            ]  # fmt: skip
            t += length
        self.all.sort(key=lambda row: float(row["t"]))
        self.last = Recording(self.all)

    def rows(self, rollout: str, since: int = 0) -> tuple[tuple[Json, ...], int]:
        return tuple(self.all[since:]), len(self.all)

    def picture(self, rollout: str) -> Json:
        return self.last.view()


def _repeats(row: Json) -> bool:
    return row.get("type") != "SCENARIO"
