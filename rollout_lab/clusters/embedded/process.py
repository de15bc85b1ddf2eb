"""The embedded cluster as one process: API server, controllers, kubelet and network put together.

Here: composition, the port, the kubeconfig, signals and the end. No rules of Kubernetes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from rollout_lab.clock import Clock, ScaledClock
from rollout_lab.clusters.base import write_kubeconfig
from rollout_lab.clusters.embedded.api import Api
from rollout_lab.clusters.embedded.bootstrap import prepare
from rollout_lab.clusters.embedded.http.app import Server
from rollout_lab.clusters.embedded.kubelet import KubeletOptions, Node
from rollout_lab.clusters.embedded.persistence import Archive
from rollout_lab.clusters.embedded.store import Store
from rollout_lab.errors import LabError, UsageError

HOST = "127.0.0.1"
SERVICE_CIDR = "127.96.0.0/16"


@dataclass(slots=True)
class Running:
    """A cluster that answers: its parts, its address and its token.

    `url` ends in a secret path (see `http.app.Server.key`): show `address` to people instead.
    """

    api: Api
    server: Server
    url: str
    address: str
    token: str
    port: int


@contextlib.asynccontextmanager
async def running(
    *,
    port: int = 0,
    clock: Clock | None = None,
    data_dir: Path | None = None,
    controllers: bool = True,
    kubelet: bool = True,
    service_cidr: str = SERVICE_CIDR,
    kubelet_options: KubeletOptions | None = None,
) -> AsyncIterator[Running]:
    """A cluster on the running event loop, stopped at the end of the block.

    `port` 0 takes a free one. Without `kubelet` no Pod runs and no Service listens; without `controllers`
    objects only change when somebody writes them. Raises UsageError for a taken port or a bad folder.
    """
    clock = clock or ScaledClock.start()
    archive = Archive(data_dir) if data_dir else None
    async with contextlib.AsyncExitStack() as stack:
        if archive:
            stack.callback(archive.close)
        store = archive.load() if archive else Store()
        api = Api(clock, service_cidr=service_cidr, store=store)
        if archive:
            archive.follow(store)
        token = (archive.value("token") if archive else None) or secrets.token_urlsafe(24)
        key = (archive.value("key") if archive else None) or secrets.token_urlsafe(18)
        if archive:
            archive.set_value("token", token)
            archive.set_value("key", key)
        server = Server(api, token, key)
        web_runner = web.AppRunner(
            server.application(),
            access_log=None,
            handler_cancellation=True,
            keepalive_timeout=3600,  # a client must never meet a connection that is just being closed
            shutdown_timeout=0.5,
        )
        await web_runner.setup()
        stack.push_async_callback(web_runner.cleanup)
        stack.callback(server.closing.set)
        number = await _listen(web_runner, port)
        server.address = f"{HOST}:{number}"
        prepare(api, number)
        if kubelet:
            await _start_node(stack, api, clock, server, kubelet_options)
        if controllers:
            await _start_controllers(stack, api)
        address = f"http://{HOST}:{number}"
        yield Running(api, server, f"{address}/{key}", address, token, number)


async def _listen(web_runner: web.AppRunner, port: int) -> int:
    site = web.TCPSite(web_runner, HOST, port)
    try:
        await site.start()
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            why = "is taken by another program" if error.errno == errno.EADDRINUSE else "may not be used"
            raise UsageError(
                f"port {port} of {HOST} {why}: choose another one with --port N, "
                "or let the cluster find a free one with --port 0."
            ) from None
        raise
    found: int = web_runner.addresses[0][1]
    return found


async def _start_node(
    stack: contextlib.AsyncExitStack,
    api: Api,
    clock: Clock,
    server: Server,
    options: KubeletOptions | None,
) -> None:
    node = await Node.start(api, clock, options)
    stack.push_async_callback(node.stop)
    server.addresses = node.addresses
    server.extra["gateway"] = node.gateway.report
    server.logs = node.logs


async def _start_controllers(stack: contextlib.AsyncExitStack, api: Api) -> None:
    from rollout_lab.clusters.embedded.controllers import Controllers

    found = Controllers(api)
    found.start()
    stack.push_async_callback(found.stop)


def serve(
    port: int,
    kubeconfig: Path,
    data_dir: Path | None = None,
    clock: Clock | None = None,
    controllers: bool = True,
    kubelet: bool = True,
    service_cidr: str = SERVICE_CIDR,
    *,
    lifeline: int | None = None,
    kubelet_options: KubeletOptions | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Run a cluster in the foreground until SIGTERM, SIGINT or the end of the lifeline.

    Writes `kubeconfig` (0600) when the cluster answers and says one line. `lifeline` is the number of an
    inherited pipe: when its other end closes (the parent died), the cluster stops. Raises UsageError.
    """

    async def main() -> None:
        stop = asyncio.Event()
        _stop_on_signals(stop)
        async with running(
            port=port,
            clock=clock,
            data_dir=data_dir,
            controllers=controllers,
            kubelet=kubelet,
            service_cidr=service_cidr,
            kubelet_options=kubelet_options,
        ) as cluster:
            if lifeline is not None:
                _stop_with_parent(lifeline, stop)
            write_kubeconfig(kubeconfig, cluster.url, cluster.token)
            say(f"cluster ready at {cluster.address}, kubeconfig {kubeconfig}")
            await stop.wait()

    asyncio.run(main())


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


def _stop_with_parent(lifeline: int, stop: asyncio.Event) -> None:
    """Watch the reading end of a pipe that only the parent holds open."""
    loop = asyncio.get_running_loop()
    try:
        os.set_blocking(lifeline, False)
    except OSError:
        raise UsageError(
            f"--lifeline {lifeline} is no open file descriptor: pass the reading end of a pipe."
        ) from None

    def readable() -> None:
        try:
            data = os.read(lifeline, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            loop.remove_reader(lifeline)
            stop.set()

    loop.add_reader(lifeline, readable)


def main(argv: list[str] | None = None) -> int:
    """`python -m rollout_lab.clusters.embedded.process`: the cluster without the rest of the terminal."""
    parser = argparse.ArgumentParser(description="Serve the embedded Kubernetes API on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="written when the cluster answers")
    parser.add_argument("--data-dir", type=Path, help="keep the objects here over restarts")
    parser.add_argument("--clock", default="1", help="how fast lab time runs: FACTOR or FACTOR@ORIGIN")
    parser.add_argument("--lifeline", type=int, help="stop when this inherited pipe is closed")
    parser.add_argument("--no-controllers", action="store_true", help="objects change only by requests")
    parser.add_argument("--no-kubelet", action="store_true", help="no Pod runs, no Service listens")
    usual = KubeletOptions()
    parser.add_argument(
        "--pod-start-delay",
        type=float,
        default=usual.pod_start_delay,
        metavar="SECONDS",
        help="lab seconds from a Pod's creation to the start of its containers",
    )
    parser.add_argument(
        "--pod-start-stagger",
        type=float,
        default=usual.pod_start_stagger,
        metavar="SECONDS",
        help="at least so many lab seconds between the starts of two Pods",
    )
    parser.add_argument("--service-cidr", default=SERVICE_CIDR)
    asked: Any = parser.parse_args(argv)
    try:
        clock = ScaledClock.parse(asked.clock)
    except ValueError as error:
        parser.error(f"--clock {asked.clock}: {error}")
    try:
        serve(
            asked.port,
            asked.kubeconfig,
            asked.data_dir,
            clock,
            not asked.no_controllers,
            not asked.no_kubelet,
            asked.service_cidr,
            lifeline=asked.lifeline,
            kubelet_options=KubeletOptions(
                pod_start_delay=asked.pod_start_delay, pod_start_stagger=asked.pod_start_stagger
            ),
            say=lambda line: print(line, flush=True),
        )
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
