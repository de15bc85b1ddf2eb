"""The engine as a process of its own: options, signals and the end.

Here is nothing of rollouts; `run` is the engine.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from rollout_lab.client.kube import KubeClient
from rollout_lab.clock import ScaledClock
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
    log: Callable[[str], None] = to_stderr,
) -> None:
    """Run the engine in the foreground until SIGTERM, SIGINT or the end of the lifeline.

    `lifeline` is the number of an inherited pipe: when its other end closes (the parent died), the
    engine stops. Raises ClusterUnavailable for a kubeconfig that names no cluster.
    """
    client = KubeClient.from_kubeconfig(kubeconfig, context)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if lifeline is not None:
        threading.Thread(target=_watch, args=(lifeline, stop), name="lifeline", daemon=True).start()
    run(
        client,
        namespace=namespace,
        instance_id=instance_id,
        clock=clock or ScaledClock.start(),
        stop=stop,
        workers=workers,
        log=log,
    )


def _watch(lifeline: int, stop: threading.Event) -> None:
    """Read until the parent's end of the pipe is closed."""
    try:
        while os.read(lifeline, 4096):
            pass
    except OSError:
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
        )
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
