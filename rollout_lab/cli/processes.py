"""The parts of a lab as processes of their own: `cluster start|stop|status` and `controller`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from pathlib import Path

import click

from rollout_lab.cli.verbs import Examples
from rollout_lab.clock import ScaledClock
from rollout_lab.errors import ClusterUnavailable, UsageError

CLOCK_HELP = "How fast lab time runs: FACTOR, or FACTOR@ORIGIN."


def parse_clock(spec: str) -> ScaledClock:
    """The clock of ``--clock``. Raises UsageError."""
    try:
        return ScaledClock.parse(spec)
    except ValueError as problem:
        raise UsageError(f"--clock {spec}: {problem}; write a factor such as 20, or FACTOR@ORIGIN") from None


@click.group(name="cluster")
def cluster_verb() -> None:
    """The embedded cluster: a Kubernetes API with Pods that answer, on loopback."""


@cluster_verb.command(
    "start",
    cls=Examples,
    examples="""
    rollout-lab cluster start --port 6443 --kubeconfig lab.kubeconfig
    kubectl --kubeconfig lab.kubeconfig get nodes
    """,
)
@click.option("--port", default=0, show_default=True, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--kubeconfig", required=True, type=click.Path(path_type=Path), help="Written once the cluster answers."
)
@click.option("--data-dir", type=click.Path(path_type=Path), help="Keep the objects here over restarts.")
@click.option(
    "--clock", default="1", show_default=True, metavar="SPEC", help="Speed: FACTOR or FACTOR@ORIGIN."
)
@click.option("--lifeline", type=int, hidden=True)
def start(port: int, kubeconfig: Path, data_dir: Path | None, clock: str, lifeline: int | None) -> None:
    """Serve the API in the foreground until Ctrl-C."""
    from rollout_lab.clusters.embedded.process import serve

    serve(
        port,
        kubeconfig,
        data_dir,
        parse_clock(clock),
        lifeline=lifeline,
        say=lambda line: print(line, flush=True),
    )


@cluster_verb.command("stop", cls=Examples, examples="rollout-lab cluster stop")
def stop() -> None:
    """Stop the lab that was started last, as Ctrl-C in its terminal would."""
    from rollout_lab.lab.folder import newest_lab

    found = newest_lab()
    if found is None:
        raise ClusterUnavailable("no lab runs; there is nothing to stop")
    os.kill(found.pid, signal.SIGTERM)
    click.echo(f"asked the lab in {found.folder} to stop")


@cluster_verb.command("status", cls=Examples, examples="rollout-lab cluster status --json")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(as_json: bool) -> None:
    """Which labs run, where their page and their kubeconfig are."""
    from dataclasses import asdict

    from rollout_lab.lab.folder import live_labs

    labs = live_labs()
    if as_json:
        click.echo(json.dumps([asdict(lab) for lab in labs], indent=1))
    elif not labs:
        raise ClusterUnavailable("no lab runs; `rollout-lab up` starts one")
    else:
        for lab in labs:
            page = f"  page {lab.url}" if lab.url else ""
            click.echo(f"{lab.cluster}  {lab.scenario or 'nothing applied'}  speed x{lab.speed:g}{page}")
            click.echo(f"  export KUBECONFIG={lab.kubeconfig or os.environ.get('KUBECONFIG', '')}")


@click.command(
    "controller",
    cls=Examples,
    examples="""
    rollout-lab controller --kubeconfig lab.kubeconfig
    rollout-lab controller --context kind-lab --namespace anotherclass-223
    rollout-lab controller --leader-elect --lease-namespace rollout-lab
    """,
)
@click.option("--kubeconfig", type=click.Path(), help="Default: $KUBECONFIG, ~/.kube/config.")
@click.option("--context", help="Context of the kubeconfig.")
@click.option("--namespace", "-n", help="Only this namespace; all without it.")
@click.option("--instance-id", default="", help="Only Rollouts labelled with this instance id.")
@click.option(
    "--clock", default="1", show_default=True, metavar="SPEC", help="Speed: FACTOR or FACTOR@ORIGIN."
)
@click.option("--workers", default=4, show_default=True, type=click.IntRange(1, 64))
@click.option("--leader-elect", is_flag=True, help="Work only while holding the Lease; else stand by.")
@click.option(
    "--lease-namespace", default="", help="Where the Lease is; default: the Pod's, then --namespace."
)
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), help="Serve /healthz, /readyz, /metrics there."
)
@click.option("--metrics-address", default="127.0.0.1", show_default=True, help="0.0.0.0 in a Pod.")
@click.option("--lifeline", type=int, hidden=True)
def controller_verb(
    kubeconfig: str | None,
    context: str | None,
    namespace: str | None,
    instance_id: str,
    clock: str,
    workers: int,
    leader_elect: bool,
    lease_namespace: str,
    metrics_port: int | None,
    metrics_address: str,
    lifeline: int | None,
) -> None:
    """The engine alone, on any API server, until Ctrl-C. Never beside another controller."""
    from rollout_lab.client.kube import KubeClient
    from rollout_lab.clusters import peer
    from rollout_lab.controller.process import Standing, serve

    def before(client: KubeClient) -> None:
        with contextlib.suppress(ClusterUnavailable):  # the engine waits for a cluster that is not up yet
            peer.refuse(client, ScaledClock().now(), namespace)

    serve(
        kubeconfig,
        context,
        namespace,
        instance_id,
        parse_clock(clock) if clock != "1" else ScaledClock(),
        workers,
        lifeline=lifeline,
        before=before,
        election=Standing(lease_namespace) if leader_elect else None,
        metrics=None if metrics_port is None else (metrics_address, metrics_port),
    )


@click.command("page", hidden=True)
@click.argument("app", type=click.Path(path_type=Path))
@click.option("--port", type=int, required=True)
@click.option("--lifeline", type=int)
def page_verb(app: Path, port: int, lifeline: int | None) -> None:
    """The page's own process: the Streamlit server on `app`, ended with its parent."""
    import runpy

    from rollout_lab.clusters.spawn import watch_lifeline

    def end() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(3.0)
        os._exit(0)

    watch_lifeline(lifeline, end)
    settings = {
        "server.address": "127.0.0.1",
        "server.port": str(port),
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
        "server.fileWatcherType": "none",
    }
    sys.argv = ["streamlit", "run", str(app), *(f"--{key}={value}" for key, value in settings.items())]
    runpy.run_module("streamlit", run_name="__main__")
