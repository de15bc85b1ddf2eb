"""The other programs of the catalogue: a web server's first page, and Argo's colours.

Here: answers only. # upstream: README of argoproj/rollouts-demo (GET /color answers a JSON string)
"""

from __future__ import annotations

import json
import random

from rollout_lab.clusters.embedded.kubelet.apps.app import Answer, Request, Surroundings
from rollout_lab.clusters.embedded.kubelet.apps.faults import Faults


class _Plain:
    """What the demo programs share: a start line, a latency, answers that fail."""

    __slots__ = ("_around", "_faults", "_rng", "crash_after", "stop_delay", "version")
    title = "demo"

    def __init__(
        self, version: str, faults: Faults, around: Surroundings, rng: random.Random | None = None
    ) -> None:
        self.version = version
        self.crash_after = faults.crash_after
        self.stop_delay = faults.stop_delay
        self._faults = faults
        self._around = around
        self._rng = rng or random.Random()

    def start(self) -> None:
        self._around.write(f"{self.title} {self.version} starts in Pod {self._around.pod}")

    def _fails(self) -> bool:
        return self._rng.random() * 100 < self._faults.fail_percent


class Nginx(_Plain):
    """``nginx:*``: 200 on every path."""

    __slots__ = ()
    title = "nginx"

    def answer(self, request: Request) -> Answer:
        text = f"nginx {self.version} in {self._around.pod}"
        page = f"<!doctype html>\n<title>Welcome to nginx!</title>\n<p>{text}\n"
        return Answer(200, page, "text/html; charset=utf-8", self._faults.latency_ms / 1000)


class RolloutsDemo(_Plain):
    """``argoproj/rollouts-demo:COLOUR``: ``GET /color`` answers the colour as a JSON string.

    The peer's tags ``bad-COLOUR`` (answers fail) and ``slow-COLOUR`` (answers late) work too.
    """

    __slots__ = ()
    title = "rollouts-demo"

    def answer(self, request: Request) -> Answer:
        colour = self.version.removeprefix("bad-").removeprefix("slow-")
        delay = self._faults.latency_ms / 1000 + (2.0 if self.version.startswith("slow-") else 0.0)
        if request.path == "/color":
            bad = self.version.startswith("bad-") and self._rng.random() < 0.15
            return Answer(500 if bad or self._fails() else 200, json.dumps(colour), "application/json", delay)
        return Answer(200, f"rollouts-demo: {colour}\n")
