"""A trial that is over as soon as it began: the predicted rows as if they were real, with answers between."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from rollout_lab.lab.forecast import predict
from tests.ui import plain_objects

Json = dict[str, Any]


class ReplayedTrial:
    """`session.TrialLike`. Of ten answers a second one fails, from the update on."""

    stage = "done"
    trouble = ""

    def __init__(self, objects: Sequence[Json], name: str, image: str, about: str) -> None:
        self.name = name
        self.about = about
        self.plain = any(o["kind"] == "Deployment" for o in objects)
        version = image.rpartition(":")[2]
        run = predict(objects, [f"set image {version}"], name=name)
        service = run.figures()["service"]
        rows: list[Json] = [dict(row) for row in run.timeline() if row["type"] != "END"]
        t0 = run.figures()["t0"]
        for i in range(int(run.end)):
            answered = {"1.0.0" if i < t0 else version: 9}
            rows.append(
                {"t": float(i), "until": i + 1.0, "type": "PROBE", "kind": "Probe", "name": service,
                 "port": 80, "failed": int(i >= t0), "versions": answered}
            )  # fmt: skip
        self._rows = tuple(sorted(rows, key=lambda row: float(row["t"])))

    def rows(self) -> tuple[Json, ...]:
        return self._rows

    def picture(self) -> Json | None:
        return copy.deepcopy(plain_objects.picture()) if self.plain else None
