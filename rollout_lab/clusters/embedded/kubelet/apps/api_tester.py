"""Api Tester, the course's application: says its version, has the three probe paths, can be at fault.

Here: what it answers. Faults come from `faults.py`, HTTP from `http.py`.

| path                                       | answer                                                |
|--------------------------------------------|-------------------------------------------------------|
| /version                                   | ``[App Version] : Api Tester v1.0.0``                 |
| /hostname                                  | the Pod's name                                        |
| /info                                      | JSON: version, pod, namespace, ip, node, environment  |
| /startup, /readiness, /liveness            | 200, or 503 while it is not so                        |
| POST /readiness/off, /liveness/on, …       | switches a probe path, to see what the cluster does   |
| POST /memory-leak                          | the program ends as if out of memory (137, OOMKilled) |
| /                                          | the paths                                             |
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from rollout_lab.clusters.embedded.kubelet.apps.app import Answer, Exit, Request, Surroundings
from rollout_lab.clusters.embedded.kubelet.apps.faults import Faults

PROBE_PATHS = ("/startup", "/readiness", "/liveness")
_PAGE = "Api Tester v{version}\npaths: /version /hostname /info /startup /readiness /liveness\n"


class ApiTester:
    """One run of the program."""

    __slots__ = ("_around", "_faults", "_off", "_rng", "_started", "crash_after", "stop_delay", "version")

    def __init__(
        self, version: str, faults: Faults, around: Surroundings, rng: random.Random | None = None
    ) -> None:
        """`rng` decides which answers fail; pass a seeded one to repeat a run."""
        self.version = version
        self.crash_after = faults.crash_after
        self.stop_delay = faults.stop_delay
        self._faults = faults
        self._around = around
        self._rng = rng or random.Random()
        self._off: set[str] = {"/readiness"} if faults.never_ready else set()
        self._started = around.now()

    def start(self) -> None:
        self._started = self._around.now()
        self._around.write(f"Api Tester v{self.version} starts in Pod {self._around.pod}")

    @property
    def is_up(self) -> bool:
        """Whether the start delay has passed."""
        return self._around.now() - self._started >= self._faults.start_delay

    def answer(self, request: Request) -> Answer:
        path = request.path.rstrip("/") or "/"
        if path in PROBE_PATHS:
            delay = self._faults.probe_latency_ms / 1000
            if not self.is_up:
                return Answer(503, "starting\n", delay=delay)
            return (
                Answer(503, "off\n", delay=delay) if path in self._off else Answer(200, "ok\n", delay=delay)
            )
        if not self.is_up:
            return Answer(503, "starting\n")
        delay = self._faults.latency_ms / 1000
        if self._faults.fail_percent and self._rng.random() * 100 < self._faults.fail_percent:
            return Answer(500, f"Api Tester v{self.version} fails on purpose\n", delay=delay)
        status, body = self._say(request.method, path)
        kind = "application/json" if path == "/info" else "text/plain; charset=utf-8"
        return Answer(status, body, kind, delay)

    def _say(self, method: str, path: str) -> tuple[int, str]:
        match path:
            case "/version":
                return 200, f"[App Version] : Api Tester v{self.version}\n"
            case "/hostname":
                return 200, f"{self._around.pod}\n"
            case "/info":
                return 200, json.dumps(self._info(), indent=2) + "\n"
            case "/":
                return 200, _PAGE.format(version=self.version)
            case "/memory-leak":
                return self._act(method, self._leak)
        base, _, turn = path.rpartition("/")
        if base in PROBE_PATHS and turn in ("on", "off"):
            return self._act(method, lambda: self._switch(base, turn))
        return 404, f"no such path: {path}\n"

    def _act(self, method: str, action: Callable[[], str]) -> tuple[int, str]:
        if method != "POST":
            return 405, "this changes the Pod: send a POST (curl -X POST …)\n"
        return 200, action()

    def _switch(self, path: str, turn: str) -> str:
        if turn == "off":
            self._off.add(path)
        else:
            self._off.discard(path)
        self._around.write(f"{path} is {turn}")
        return f"{path} is {turn}\n"

    def _leak(self) -> str:
        self._around.write("memory is full")
        self._around.exit(Exit(137, "OOMKilled"))
        return "memory fills up\n"

    def _info(self) -> dict[str, object]:
        around = self._around
        return {
            "app": "Api Tester",
            "version": self.version,
            "pod": around.pod,
            "namespace": around.namespace,
            "ip": around.ip,
            "node": around.node,
            "image": around.image,
            "environment": {name: around.environment[name] for name in sorted(around.shown)},
        }
