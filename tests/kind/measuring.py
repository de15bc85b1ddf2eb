"""Where the numbers of the README come from: each is printed, and kept where a file is named."""

from __future__ import annotations

import json
import os
from pathlib import Path

RESULTS = "ROLLOUT_LAB_KIND_RESULTS"
"""Names a file that gets one JSON line for each thing that was measured."""


def measured(what: str, value: float, unit: str) -> None:
    """Note a measurement: printed, and kept where a file is named."""
    print(f"\n| {what} | {value:.1f} {unit} |", end="")
    path = os.environ.get(RESULTS)
    if path:
        with Path(path).open("a", encoding="utf-8") as out:
            out.write(json.dumps({"what": what, "value": round(value, 2), "unit": unit}) + "\n")
