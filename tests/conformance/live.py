"""The embedded cluster and the engine as processes, and a recorded run played on them.

Used by the tests of recorded runs and of a killed engine; asserts nothing itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rollout_lab.client.actions import send
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.requests import requests
from rollout_lab.client.resources import NAMESPACES, REPLICASETS, ROLLOUTS
from rollout_lab.clock import ScaledClock
from rollout_lab.observe.recorder import Recorder
from rollout_lab.simulate.script import Follower, Moment, Script, action_of

ROOT = Path(__file__).parents[2]
SETTLE = 1.2  # lab seconds without a change before a person acts, unless a test asks for more
PATIENCE = 90.0  # lab seconds for one moment of a run, timed pauses included
SHORT = 8.0  # lab seconds for the rest of it once everything is decided

Row = dict[str, Any]


@dataclass
class Engine:
    """The engine as a process that can be killed and started again."""

    command: list[str]
    log: Path
    lifeline: int
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0
    said_before: int = 0

    def start(self) -> None:
        self.said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            command = [*self.command, "--lifeline", str(self.lifeline)]
            fds = [self.lifeline]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, pass_fds=fds)

    def kill(self) -> None:
        """SIGKILL: nothing of it gets a chance to tidy up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.kills += 1

    @property
    def at_work(self) -> bool:
        """Whether the engine that was started last has said that it sees everything."""
        return b"watching " in self.log.read_bytes()[self.said_before :]

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)


@dataclass
class Live:
    """A running cluster with its engine."""

    client: KubeClient
    clock: ScaledClock
    engine: Engine
    names: list[str] = field(default_factory=list)

    def namespace(self, name: str) -> str:
        """A new namespace; names are made different for each call."""
        unused = f"{name}-{len(self.names)}"
        self.names.append(unused)
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": unused}}
        self.client.create(NAMESPACES, None, body)
        return unused


@contextlib.contextmanager
def running(folder: Path, speed: float = 4.0) -> Iterator[Live]:
    """Cluster and engine on free ports, ended at the end of the block."""
    clock = ScaledClock.start(speed)
    kubeconfig = folder / "kubeconfig"
    python = [sys.executable, "-m"]
    lifeline, ours = os.pipe()
    cluster = subprocess.Popen(
        [*python, "rollout_lab.clusters.embedded.process", "--kubeconfig", str(kubeconfig)]
        + ["--clock", clock.spec, "--lifeline", str(lifeline)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        pass_fds=[lifeline],
    )
    engine = Engine(
        [*python, "rollout_lab.controller.process", "--kubeconfig", str(kubeconfig), "--clock", clock.spec],
        folder / "engine.log",
        lifeline,
    )
    try:
        assert cluster.stdout is not None
        assert b"ready" in cluster.stdout.readline(), "the cluster did not start"
        client = KubeClient.from_kubeconfig(str(kubeconfig))
        for document in yaml.safe_load_all((ROOT / "manifests/crds/rollouts.yaml").read_text("utf-8")):
            client.apply(document)
        engine.start()
        yield Live(client, clock, engine)
    finally:
        engine.stop()
        os.close(ours)
        os.close(lifeline)
        try:
            cluster.wait(15)
        finally:
            cluster.kill()


class Run:
    """One recorded scenario, played live in a namespace of its own."""

    def __init__(
        self,
        live: Live,
        script: Script,
        on_moment: Callable[[Moment], None] = lambda moment: None,
        patience: float = PATIENCE,
    ) -> None:
        self.live = live
        self.patience = patience
        self.script = script
        self.namespace = live.namespace(script.name or "run")
        self._on_moment = on_moment
        self._recorder = Recorder(live.client, self.namespace, live.clock, period=0)
        self._follower = Follower()
        self._taken = 0
        self._told: Moment | None = None

    def play(self) -> list[str]:
        """From the first apply to the last moment of the recording; the rows as JSON lines."""
        name = self.script.rollout
        self._recorder.start()
        try:
            self._recorder.begin(name, self.script.name, list(self.script.objects))
            self._recorder.action(name, "apply")
            for obj in self.script.objects:
                about = {**obj["metadata"], "namespace": self.namespace}
                self.live.client.apply({**obj, "metadata": about})
            for act in self.script.acts:
                self._reach(act.before, f"before {act.words!r}")
                self._act(act.words)
            self._reach(self.script.final, "at the end")
            self._recorder.end(name)
            rows, _ = self._recorder.rows(name)
            return [json.dumps(row) for row in rows]
        finally:
            self._recorder.close()

    def _act(self, words: str) -> None:
        name, client = self.script.rollout, self.live.client
        self._recorder.action(name, words)
        action, args = action_of(words, self.live.clock.now())
        rollout = client.get(ROLLOUTS, self.namespace, name)
        replica_sets = client.list(REPLICASETS, self.namespace)["items"]
        send(client, self.namespace, name, requests(action, rollout, replica_sets, **args))

    def _reach(self, wanted: Moment, where: str) -> None:
        """Wait for a moment of the recording: all of it, or all that was decided and then quiet."""
        if self._quiet(lambda moment: moment == wanted, self.patience, stop=wanted):
            return
        decided = self._moment().settled and self._moment().decided_as(wanted)
        said = self.live.engine.log.read_text("utf-8", "replace")[-3000:]
        assert decided, f"{where}: the run is at {self._moment()}, the recording at {wanted}\n{said}"

    def _quiet(self, holds: Callable[[Moment], bool], patience: float, stop: Moment) -> bool:
        """Wait until `holds` for `SETTLE`; False after `patience`, or `SHORT` once all is decided."""
        clock = self.live.clock
        end = clock.now() + patience
        decided_since: float | None = None
        while clock.now() < end:
            if not self.live.engine.at_work:
                decided_since = None
            elif holds(self._moment()):
                seen = self._taken
                changed = self._recorder.wait(lambda seen=seen: self._rows() > seen, SETTLE)  # type: ignore[misc]
                if not changed and holds(self._moment()) and self.live.engine.at_work:
                    return True
                continue
            elif self._moment().settled and self._moment().decided_as(stop):
                decided_since = decided_since or clock.now()
                if clock.now() - decided_since > SHORT:
                    return False
            else:
                decided_since = None
            seen = self._taken
            self._recorder.wait(lambda seen=seen: self._rows() > seen, 1.0)  # type: ignore[misc]
        return False

    def _rows(self) -> int:
        """Take in what came since the last look; how many rows there are (Pods and endpoints aside)."""
        rows, number = self._recorder.rows(self.script.rollout, self._next)
        self._next = number
        for row in rows:
            self._follower.take(dict(row))
            if row.get("kind") in ("Rollout", "ReplicaSet", "Service"):
                self._taken += 1
            moment = self._follower.moment
            if moment != self._told:
                self._told = moment
                self._on_moment(moment)
        return self._taken

    _next = 0

    def _moment(self) -> Moment:
        self._rows()
        return self._follower.moment
