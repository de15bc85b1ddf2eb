"""The options by which `up` and `run` name a cluster, and the question before anything is installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from rollout_lab.errors import UsageError
from rollout_lab.messages import say

if TYPE_CHECKING:
    from rollout_lab.lab.opening import Confirm, Progress

F = TypeVar("F", bound=Callable[..., Any])
QUIET: Final = ("watch",)
CLUSTER_HELP: Final = "embedded, kind, or context:NAME of your kubeconfig."


def cluster_options(function: F) -> F:
    """--cluster and what goes with it; the verb gets all of them as keyword arguments for `chosen`."""
    for option in (
        click.option("--yes", "-y", is_flag=True, help="Do not ask before installing on a context."),
        click.option(
            "--namespace-only",
            is_flag=True,
            help="Touch nothing outside of the namespace: CRD, namespace and engine are there already.",
        ),
        click.option("--namespace", "-n", help="Namespace of the lecture; default: the manifest's own."),
        click.option(
            "--engine",
            type=click.Choice(["out", "in-cluster", "argo"]),
            help="Our engine on this machine (out, the default) or in the cluster, or Argo Rollouts.",
        ),
        click.option("--node-image", default="", help="Node image for kind ($ROLLOUT_LAB_KIND_NODE_IMAGE)."),
        click.option("--nodes", default=1, show_default=True, help="Nodes of the kind cluster: 1 or 3."),
        click.option("--name", default="", help="Name of the kind cluster ($ROLLOUT_LAB_KIND_NAME)."),
        click.option("--cluster", default="embedded", show_default=True, help=CLUSTER_HELP),
    ):
        function = option(function)
    return function


def chosen(
    lang: str,
    *,
    cluster: str,
    name: str,
    nodes: int,
    node_image: str,
    engine: str | None,
    namespace: str | None,
    namespace_only: bool,
    yes: bool,
) -> dict[str, Any]:
    """The arguments of `Lab.start` that the options mean. Raises UsageError."""
    from rollout_lab.clusters.kind.create import Wanted

    if cluster.partition(":")[0] != "kind" and (name or node_image or nodes != 1):
        raise UsageError("--name, --nodes and --node-image are for --cluster kind")
    if cluster == "embedded" and engine in ("in-cluster", "argo"):
        raise UsageError(
            f"--engine {engine} needs a real cluster: say --cluster kind or context:NAME as well"
        )
    if namespace_only and not cluster.startswith("context:"):
        raise UsageError("--namespace-only is for --cluster context:NAME")
    return {
        "cluster": cluster,
        "kind": Wanted(name, nodes, node_image),
        "engine": engine or ("argo" if namespace_only else "out"),
        "namespace": namespace,
        "namespace_only": namespace_only,
        "confirm": None if yes or not cluster.startswith("context:") else asker(lang, cluster),
    }


def asker(lang: str, cluster: str) -> Confirm:
    """Ask in the terminal whether things may be installed. Raises UsageError where nobody can answer."""

    def ask(things: Sequence[str]) -> bool:
        click.echo(say(lang, "install.list", cluster=cluster.partition(":")[2]), err=True)
        for thing in things:
            click.echo(f"  {thing}", err=True)
        click.echo(say(lang, "install.later"), err=True)
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked: say --yes to install this")
        return click.confirm(say(lang, "install.ask"), err=True)

    return ask


def narrator(lang: str, *, err: bool = False, dim: bool = False) -> Progress:
    """Progress as lines of the terminal."""

    def tell(stage: str, words: str) -> None:
        if stage not in QUIET:
            click.secho(say(lang, f"stage.{stage}", words=words), err=err, dim=dim)

    return tell
