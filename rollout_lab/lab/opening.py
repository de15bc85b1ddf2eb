"""Where a lab's cluster comes from: the embedded one, kind, or a context of a kubeconfig.

Each way ends in a `Base`: a cluster that answers, and what is known of it. The rest is `lab`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from rollout_lab.api.names import GROUP, PLURAL
from rollout_lab.client.kube import KubeClient
from rollout_lab.client.resources import CRDS, NAMESPACES, NODES, ROLLOUTS
from rollout_lab.clock import ScaledClock
from rollout_lab.clusters.context import connect, ensure_crd, is_embedded
from rollout_lab.clusters.images import build, nodes
from rollout_lab.clusters.kind import create, machine
from rollout_lab.errors import LabError, NotFound, UsageError
from rollout_lab.lab import folder as files
from rollout_lab.lab.entrance import Entrance
from rollout_lab.lab.installed import Head, Installed, state_folder
from rollout_lab.lab.parts import Base, Json, cluster_child, wait_ready, wait_served
from rollout_lab.lab.scenario import Scenario, rollout_crd, router_crds

Progress = Callable[[str, str], None]
"""Called with a stage (``cluster``, ``crd``, ``engine``, ``watch``, ``apply``, ``ready``, those of
`clusters.kind.create`) and a few words."""
Confirm = Callable[[Sequence[str]], bool]
"""Asked before anything is made on a cluster somebody else runs; gets what would be made, in words."""

KIND_PREFIX: Final = "kind:"


class EngineKind(StrEnum):
    """Who does the work: our engine as a process of this machine, ours in the cluster, or the peer."""

    OUT = "out"
    IN_CLUSTER = "in-cluster"
    ARGO = "argo"


@dataclass(frozen=True, slots=True)
class Where:
    """The cluster a lab is to run on. `name`: ``embedded``, ``kind`` or ``context:NAME``.

    `namespace_only`: the CRD and an engine are there already and nothing outside of the namespace
    (which is there too) may be touched. `confirm` None asks nobody.
    """

    name: str = "embedded"
    speed: float = 1.0
    port: int = 0
    kind: create.Wanted = create.Wanted()
    namespace_only: bool = False
    confirm: Confirm | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What a lab does on its cluster; see `lab.Lab.start` for each."""

    scenario: Scenario | None
    namespace: str | None
    engine: bool | str
    probe_period: float
    observe: bool
    apply: bool
    progress: Progress


def open_cluster(where: Where, scenario: Scenario | None, progress: Progress) -> Base:
    """The cluster, started or found. Raises LabError with the end of the log, or UsageError."""
    name, _, context = where.name.partition(":")
    if name == "embedded" and not context:
        return _embedded(where, progress)
    if name not in ("kind", "context") or (name == "context" and not context):
        known = "embedded, kind, or context:NAME of your kubeconfig"
        raise UsageError(f'unknown cluster "{where.name}": say {known}')
    if where.speed != 1:
        raise UsageError(
            f"--speed {where.speed:g}: a real cluster runs at its own speed, only the embedded one faster"
        )
    if name == "kind":
        wanted = replace(where.kind, name=context) if context else where.kind
        return _kind(wanted, progress)
    progress("cluster.context", context)
    return _found(connect(None, context), context, where, scenario, progress)


def _embedded(where: Where, progress: Progress) -> Base:
    try:
        clock = ScaledClock.start(where.speed)
    except ValueError as problem:
        raise UsageError(str(problem)) from None
    folder = files.new_folder()
    child = cluster_child(folder, clock.spec, where.port)
    try:
        progress("cluster", "embedded")
        child.start()
        client = wait_ready(child, folder / "kubeconfig")
    except BaseException:
        child.stop()
        files.remove(folder)
        raise
    return Base("embedded", client, clock, folder, str(folder / "kubeconfig"), child=child)


def _kind(wanted: create.Wanted, progress: Progress) -> Base:
    folder = files.new_folder()
    try:
        clock = ScaledClock()
        made = create.ensure(wanted, folder / "kubeconfig", state_folder(), progress, clock.now)
    except BaseException:
        files.remove(folder)
        raise
    try:
        build_mark = load_images(made.name, progress)
    except BaseException:
        made.client.close()
        files.remove(folder)
        raise
    base = Base(KIND_PREFIX + made.name, made.client, clock, folder, str(made.kubeconfig))
    installed = None if create.is_ours(made.name) else Installed.begin(_head(base))
    base = replace(base, mapped=mapped_ports(made.client), installed=installed)
    return replace(base, entrance=Entrance(base, lambda: build_mark, progress))


def load_images(cluster: str, progress: Progress) -> str:
    """Api Tester and the engine, made where needed, in every node of a kind cluster; the engine's mark."""

    def say(words: str) -> None:
        progress("images.say", words)

    progress("images", cluster)
    built = build.ensure(say=say)
    nodes.load(cluster, built, say)
    return built[1].mark


def _found(
    client: KubeClient, context: str, where: Where, scenario: Scenario | None, progress: Progress
) -> Base:
    """A cluster somebody else runs: asked first, and everything that is made is written down."""
    try:
        if where.confirm is not None and not where.confirm(to_install(client, where, scenario)):
            raise UsageError("nothing was installed, and nothing was started")
        name = f"context:{client.context_name}"
        only = where.namespace_only
        base = Base(name, client, ScaledClock(), files.new_folder(), "", context, namespace_only=only)
        base = replace(base, mapped=mapped_ports(client), installed=Installed.begin(_head(base)))
        return replace(base, entrance=Entrance(base, None, progress))
    except BaseException:
        client.close()
        raise


def attached(client: KubeClient, kubeconfig: str | None, context: str | None, clock: ScaledClock) -> Base:
    """A cluster another lab opened, or any other: joined, not owned."""
    kind = kind_name(client)
    name = "embedded" if is_embedded(client) else f"context:{client.context_name}"
    if kind:
        name = KIND_PREFIX + kind
    base = Base(name, client, clock, files.new_folder(), kubeconfig or "", context, owner=False)
    base = replace(base, mapped=mapped_ports(client, kind), installed=Installed.join(_head(base)))
    if name == "embedded":
        return base
    images = (lambda: load_images(kind, quiet)) if kind else None
    return replace(base, entrance=Entrance(base, images, quiet))


def quiet(stage: str, words: str) -> None:
    """Progress for nobody."""


def _head(base: Base) -> Head:
    return Head(base.client.context_name, base.client.server)


def prepare(base: Base, namespace: str) -> None:
    """Let the cluster know Rollouts. Raises LabError where that is not allowed to change."""
    if base.namespace_only:
        try:
            base.client.list(ROLLOUTS, namespace)
        except NotFound:
            raise LabError(
                f"this cluster does not know Rollouts ({PLURAL}.{GROUP}), and --namespace-only must not "
                "install the CRD: ask whoever runs it, or leave --namespace-only away"
            ) from None
        return
    if base.name == "embedded":
        for crd in router_crds():  # its gateway obeys them; on other clusters they come with a controller
            ensure_crd(base.client, crd)
    if ensure_crd(base.client, rollout_crd()) and base.installed is not None:
        base.installed.note({**rollout_crd(), **base.client.get(CRDS, None, f"{PLURAL}.{GROUP}")})
    wait_served(base.client, namespace)


def to_install(client: KubeClient, where: Where, scenario: Scenario | None) -> list[str]:
    """What would be made on a cluster, in words: ``kind name``."""
    found: list[str] = []
    if not where.namespace_only:
        try:
            client.get(CRDS, None, f"{PLURAL}.{GROUP}")
        except NotFound:
            found.append(f"CustomResourceDefinition {PLURAL}.{GROUP}")
    for obj in scenario.objects if scenario is not None else ():
        if obj.get("kind") == "Namespace":
            with contextlib.suppress(NotFound):
                if where.namespace_only or client.get(NAMESPACES, None, obj["metadata"]["name"]):
                    continue
        about = obj["metadata"]
        place = f"{about['namespace']}/" if about.get("namespace") else ""
        found.append(f"{obj.get('kind')} {place}{about['name']}")
    return found


def kind_name(client: KubeClient) -> str:
    """The name of the kind cluster of this machine that answers here, ``""`` if it is none.

    # kind writes ``kind://docker/CLUSTER/NODE`` into every Node
    """
    try:
        there: list[Json] = client.list(NODES)["items"]
    except LabError:
        return ""
    identity = str((there[0].get("spec") or {}).get("providerID") or "") if there else ""
    name = (
        identity.removeprefix("kind://docker/").partition("/")[0]
        if identity.startswith("kind://docker/")
        else ""
    )
    if not name:
        return ""
    try:
        served = {node.ports.get(6443, "") for node in machine.nodes(name)}
    except LabError:
        return ""
    return name if client.server.partition("://")[2] in served else ""


def mapped_ports(client: KubeClient, kind: str | None = None) -> dict[int, str]:
    """NodePort -> ``host:port`` of this machine; empty where nothing is known to be mapped."""
    name = kind_name(client) if kind is None else kind
    return machine.mapped_ports(name) if name else {}
