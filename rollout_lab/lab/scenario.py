"""What a lab applies: the course's lectures by name, or any manifest file.

Reading and naming only; applying is `lab`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rollout_lab import packed
from rollout_lab.api import fields, manifest, meta
from rollout_lab.errors import LabError, UsageError

Json = dict[str, Any]

SCENARIOS: Final = ("course-2233", "course-2234")
"""The lectures by name: blue/green and canary."""

LESSON_SCENARIOS: Final = ("five-percent", "only-the-testers")
"""What lessons beyond the course are done on, by name: canaries with a traffic router."""

CLUSTER_WIDE: Final = (
    *("Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"),
    *("IngressClass", "GatewayClass"),
)
_FIRST: Final = ("Namespace", "CustomResourceDefinition", "ConfigMap", "Secret", "Service")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Objects to apply, in order, each namespaced one with its namespace; `rollout` is the one to follow."""

    name: str
    namespace: str
    objects: tuple[Json, ...]

    @property
    def rollouts(self) -> tuple[str, ...]:
        return tuple(meta.name(o) for o in self.objects if o.get("kind") == "Rollout")

    @property
    def rollout(self) -> str:
        return self.rollouts[0]


def manifests_folder() -> Path:
    """The folder ``manifests`` of the project. Raises LabError where it is not there."""
    folder = packed.place("manifests")
    if not folder.is_dir():
        raise LabError(f"the manifests of the lectures are missing: expected them in {folder}")
    return folder


def rollout_crd() -> Json:
    """Our CRD for Rollouts."""
    path = manifests_folder() / "crds" / "rollouts.yaml"
    found: Json = manifest.load(path.read_text(encoding="utf-8"), str(path))[0]
    return found


def router_crds() -> list[Json]:
    """Our CRDs of the kinds that split requests: the Gateway API's and Istio's, as far as they are obeyed."""
    paths = [manifests_folder() / "crds" / name for name in ("gatewayapi.yaml", "istio.yaml")]
    return [crd for path in paths for crd in manifest.load(path.read_text(encoding="utf-8"), str(path))]


def load_scenario(name: str, namespace: str | None = None) -> Scenario:
    """A lecture by name (`SCENARIOS`) or a manifest file, moved to `namespace` where one is given.

    Raises UsageError for a name or file that is not there or holds no Rollout.
    """
    path = _path(name)
    return scenario_of(load_objects(name), name if name in SCENARIOS else path.stem, namespace)


def load_objects(name: str) -> list[Json]:
    """The objects of a lecture or manifest file, as written. Raises UsageError where it is not there."""
    path = _path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        known = ", ".join(SCENARIOS)
        reason = problem.strerror or type(problem).__name__
        raise UsageError(f"{name}: {reason}; name a manifest file or one of the lectures: {known}") from None
    return manifest.load(text, str(path))


def _path(name: str) -> Path:
    """Where a name leads: a lecture's before a file of that name, any other manifest of ours after it."""
    ours, given = manifests_folder() / f"{name}.yaml", Path(name)
    known = name in (*SCENARIOS, *LESSON_SCENARIOS)
    return ours if known or (given.name == name and not given.exists() and ours.is_file()) else given


def scenario_of(objects: list[Json], name: str, namespace: str | None = None) -> Scenario:
    """A scenario of loaded objects. Raises UsageError where there is no Rollout among them."""
    rollouts = [o for o in objects if o.get("kind") == "Rollout"]
    if not rollouts:
        raise UsageError(f"{name} holds no Rollout: there is nothing to follow")
    target = namespace or meta.namespace(rollouts[0]) or "default"
    return Scenario(name, target, arranged(objects, target))


def arranged(objects: Iterable[Mapping[str, Any]], namespace: str) -> tuple[Json, ...]:
    """Objects as they are applied to `namespace`: placed there, what others need first."""
    placed = [_placed(o, namespace) for o in objects]
    if not any(o.get("kind") == "Namespace" for o in placed) and namespace != "default":
        placed.insert(0, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    return tuple(sorted(placed, key=_order))


def _placed(obj: Mapping[str, Any], namespace: str) -> Json:
    about = dict(obj.get("metadata") or {})
    if obj.get("kind") == "Namespace":
        about["name"] = namespace
    elif obj.get("kind") not in CLUSTER_WIDE:
        about["namespace"] = namespace
    if obj.get("kind") == "Rollout":
        obj = _plugins_in(obj, meta.namespace(obj), namespace)
    return {**obj, "metadata": about}


def _plugins_in(rollout: Mapping[str, Any], before: str, now: str) -> Mapping[str, Any]:
    """Plugins of traffic routers name the namespace of their routes: they move with the Rollout."""
    path = ("spec", "strategy", "canary", "trafficRouting", "plugins")
    plugins = {
        name: {**own, "namespace": now}
        if isinstance(own, Mapping) and before and own.get("namespace") == before
        else own
        for name, own in fields.mapping(rollout, *path).items()
    }
    return _with(rollout, path, plugins) if plugins else rollout


def _with(obj: Mapping[str, Any], path: tuple[str, ...], value: Any) -> Json:
    """A copy of `obj` with another value at `path`."""
    key, *rest = path
    inner = _with(fields.mapping(obj, key), tuple(rest), value) if rest else value
    return {**obj, key: inner}


def _order(obj: Mapping[str, Any]) -> int:
    kind = str(obj.get("kind"))
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)
