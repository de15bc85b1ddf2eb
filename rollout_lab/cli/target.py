"""Which cluster, namespace and rollout a verb talks to.

In this order: --kubeconfig and --context; the running lab that $KUBECONFIG names; the newest running
lab. A kubeconfig of another cluster is never used without being named, so that a verb cannot hit a
cluster by accident.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rollout_lab.errors import ClusterUnavailable, UsageError

if TYPE_CHECKING:
    from rollout_lab.client.kube import KubeClient

NAMESPACE = "anotherclass-223"
NO_LAB = (
    "no lab runs. Start one with `rollout-lab up` in another terminal, or name a cluster with "
    "--kubeconfig FILE or --context NAME."
)
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster that answers. `scenario` and `clock` are the running lab's, ``""`` on other clusters."""

    client: KubeClient
    namespace: str
    scenario: str = ""
    clock: str = ""


def options(function: F) -> F:
    """--kubeconfig, --context and --namespace."""
    for option in (
        click.option("--namespace", "-n", help=f"Default: the lab's own ({NAMESPACE})."),
        click.option("--context", help="Context of the kubeconfig."),
        click.option("--kubeconfig", type=click.Path(), help="Default: that of the running lab."),
    ):
        function = option(function)
    return function


def language_option(function: F) -> F:
    """--lang."""
    choice = click.Choice(["ko", "en"])
    return click.option("--lang", type=choice, help="Language of sentences; default: the locale's.")(function)


def json_option(function: F) -> F:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")(function)


def find(kubeconfig: str | None, context: str | None, namespace: str | None) -> Target:
    """The cluster the options name, or the running lab. Raises ClusterUnavailable (exit code 3)."""
    from rollout_lab.clusters.context import connect
    from rollout_lab.lab.folder import live_labs

    if kubeconfig or context:
        return Target(connect(kubeconfig, context), namespace or NAMESPACE)
    labs = live_labs()
    named = [lab for lab in labs if lab.kubeconfig and lab.kubeconfig == os.environ.get("KUBECONFIG")]
    for lab in named or labs:
        client = connect(lab.kubeconfig or None, lab.context if not lab.kubeconfig else None)
        return Target(client, namespace or lab.namespace, lab.scenario, lab.clock)
    raise ClusterUnavailable(NO_LAB)


def rollout_name(target: Target, name: str | None) -> str:
    """The rollout a verb is about: the one named, the only one, or the lab's lecture. Raises UsageError."""
    if name:
        return name.removeprefix("rollout/").removeprefix("rollouts/")
    from rollout_lab.client.resources import ROLLOUTS

    found = [o["metadata"]["name"] for o in target.client.list(ROLLOUTS, target.namespace).get("items") or []]
    if len(found) == 1:
        return str(found[0])
    if not found:
        raise UsageError(f"there is no rollout in namespace {target.namespace}")
    lecture = [one for one in found if target.scenario and one.endswith(target.scenario.rpartition("-")[2])]
    if len(lecture) == 1:
        return str(lecture[0])
    raise UsageError(f"name one of the rollouts of namespace {target.namespace}: {', '.join(found)}")
