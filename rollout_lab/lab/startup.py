"""How a page learns of a lab that is still being made: a file of JSON lines that `up` writes and it reads.

A real cluster takes a while; the page is there before it and shows what happens. Lines are
``{"stage", "words"}``, then one ``{"environment"}`` (the lab is ready: how to join it) or ``{"failed"}``.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from rollout_lab.errors import LabError

VARIABLE: Final = "ROLLOUT_LAB_PROGRESS"
"""Names the file for the page."""
POLL: Final = 0.2  # wall seconds
PATIENCE: Final = 1800.0  # wall seconds the page waits for the next line


class Report:
    """The writing side."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o600)

    @property
    def environment(self) -> dict[str, str]:
        """What the page's process needs to find it."""
        return {VARIABLE: str(self.path)}

    def stage(self, stage: str, words: str) -> None:
        """The lab has come this far."""
        self._write({"stage": stage, "words": words})

    def ready(self, environment: Mapping[str, str]) -> None:
        """The lab can be joined with these variables."""
        self._write({"environment": dict(environment)})

    def failed(self, why: str) -> None:
        """There will be no lab."""
        self._write({"failed": why})

    def _write(self, row: Mapping[str, object]) -> None:
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")


def follow(patience: float = PATIENCE) -> Iterator[tuple[str, str]]:
    """(stage, words) of the lab that is being made, until it is ready; then its variables are set here.

    Gives nothing where no lab is being made. Raises LabError when it failed.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        return
    pause = threading.Event()
    rest = ""
    try:
        with Path(name).open(encoding="utf-8") as lines:
            for _ in range(int(patience / POLL)):
                rest += lines.read()
                *whole, rest = rest.split("\n")
                for line in whole:
                    row = json.loads(line)
                    if "failed" in row:
                        raise LabError(row["failed"])
                    if "environment" in row:
                        os.environ.update(row["environment"])
                        return
                    yield row["stage"], row["words"]
                pause.wait(POLL)
    except (OSError, ValueError, KeyError) as problem:
        raise LabError(f"the lab does not say how far it is ({problem}); start it again") from None
    raise LabError(f"the lab did not say anything for {patience / 60:g} minutes; look at its terminal")
