"""The engine as a process of its own: options, signals and the end.

Here is nothing of rollouts; `run` is the engine.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rollout_lab.api.times import rfc3339
from rollout_lab.client.kube import KubeClient
from rollout_lab.clock import Clock, ScaledClock
from rollout_lab.controller.health import Health, served
from rollout_lab.controller.leading import Election, LeaseLost, own_namespace, refuse
from rollout_lab.controller.lease import USUAL, Timing
from rollout_lab.controller.run import run, to_stderr
from rollout_lab.errors import LabError


def serve(
    kubeconfig: str | None = None,
    context: str | None = None,
    namespace: str | None = None,
    instance_id: str = "",
    clock: ScaledClock | None = None,
    workers: int = 4,
    *,
    lifeline: int | None = None,
    before: Callable[[KubeClient], None] | None = None,
    election: Standing | None = None,
    metrics: tuple[str, int] | None = None,
    log: Callable[[str], None] = to_stderr,
) -> None:
    """Run the engine in the foreground until SIGTERM, SIGINT or the end of the lifeline.

    `lifeline` is the number of an inherited pipe: when its other end closes (the parent died), the
    engine stops. `before` looks at the cluster first and may refuse. With `election` the engine works
    only while it holds the Lease; without, it does not start beside engines that do. `metrics`: address
    and port for probes. Raises ClusterUnavailable for a kubeconfig that names no cluster, HeldElsewhere,
    and LeaseLost: then it has to be started anew.
    """
    client = KubeClient.from_kubeconfig(kubeconfig, context)
    time = clock or ScaledClock.start()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if lifeline is not None:
        threading.Thread(target=_watch, args=(lifeline, stop), name="lifeline", daemon=True).start()

    def work(halt: threading.Event) -> None:
        run(
            client,
            namespace=namespace,
            instance_id=instance_id,
            clock=time,
            stop=halt,
            workers=workers,
            log=log,
        )

    try:
        if before is not None:
            before(client)
        health = Health(watched=election is not None)
        with served(health, *metrics) if metrics else contextlib.nullcontext():
            if election is None:
                refuse(client, time.now())
                work(stop)
            else:
                election.take_part(client, time, namespace, health, stop, work, log)
    except LabError:
        if not stop.is_set():
            raise
    finally:
        client.close()


@dataclass(frozen=True, slots=True)
class Standing:
    """How an engine takes part in an election. `namespace` ``""``: the Pod's own; lab seconds in `timing`."""

    namespace: str = ""
    timing: Timing = USUAL

    def take_part(
        self,
        client: KubeClient,
        clock: Clock,
        rollouts: str | None,
        health: Health,
        stop: threading.Event,
        work: Callable[[threading.Event], None],
        log: Callable[[str], None],
    ) -> None:
        """Stand by, work, give back. Raises LeaseLost."""
        where = self.namespace or own_namespace(rollouts)

        def say(text: str) -> None:
            log(f"{rfc3339(clock.now())} {text}")

        def end_soon() -> None:
            """Requests on their way may hang; the next engine must not find them still coming."""
            left = clock.real_seconds((self.timing.duration - self.timing.deadline) / 2)
            timer = threading.Timer(left, os._exit, (LeaseLost.exit_code,))
            timer.daemon = True
            timer.start()

        election = Election(
            client, where, clock, say, timing=self.timing, on_tick=health.beat, on_loss=end_soon
        )
        health.leading = lambda: election.leader
        election.run(stop, work)


def _watch(lifeline: int, stop: threading.Event) -> None:
    """Read until the parent's end of the pipe is closed.

    Another child may share the pipe and have made it non-blocking, so wait before each read.
    """
    try:
        while not stop.is_set():
            select.select([lifeline], [], [])
            with contextlib.suppress(BlockingIOError):
                if not os.read(lifeline, 4096):
                    break
    except (OSError, ValueError):
        pass
    stop.set()


def main(argv: list[str] | None = None) -> int:
    """`python -m rollout_lab.controller.process`: the engine without the rest of the terminal."""
    parser = argparse.ArgumentParser(description="Look after Rollouts on any Kubernetes API server.")
    parser.add_argument("--kubeconfig", help="default: $KUBECONFIG, then ~/.kube/config")
    parser.add_argument("--context", help="default: the kubeconfig's own")
    parser.add_argument("--namespace", help="default: all namespaces")
    parser.add_argument("--instance-id", default="", help="only Rollouts with this instance id label")
    parser.add_argument("--clock", default="1", help="how fast lab time runs: FACTOR or FACTOR@ORIGIN")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--leader-elect", action="store_true", help="work only while holding the Lease")
    parser.add_argument("--lease-namespace", default="", help="default: the Pod's own, then --namespace")
    parser.add_argument("--metrics-port", type=int, help="serve /healthz, /readyz and /metrics there")
    parser.add_argument("--metrics-address", default="127.0.0.1", help="0.0.0.0 in a Pod")
    parser.add_argument("--lifeline", type=int, help="stop when this inherited pipe is closed")
    asked: Any = parser.parse_args(argv)
    try:
        clock = ScaledClock.parse(asked.clock)
    except ValueError as error:
        parser.error(f"--clock {asked.clock}: {error}")
    try:
        serve(
            asked.kubeconfig,
            asked.context,
            asked.namespace,
            asked.instance_id,
            clock,
            asked.workers,
            lifeline=asked.lifeline,
            election=Standing(asked.lease_namespace) if asked.leader_elect else None,
            metrics=None if asked.metrics_port is None else (asked.metrics_address, asked.metrics_port),
        )
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
