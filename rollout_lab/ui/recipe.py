"""A strategy with its numbers, and the manifest that says the same. Pure.

The playground turns its sliders into a `Recipe`; comparisons have a few of their own. A recipe holds
only what a slider can say; whatever else a manifest may hold keeps its default.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

Json = dict[str, Any]
REPOSITORY: Final = "1pro/api-tester"
IMAGE: Final = f"{REPOSITORY}:1.0.0"
MISSING: Final = "1pro/no-such-image"
"""An image that no registry of the lab has."""
MOST_REPLICAS: Final = 20
MOST_STEPS: Final = 8
DEADLINE: Final = 60
"""progressDeadlineSeconds: a new version that never gets ready is told within a minute."""


class Kind(StrEnum):
    """The ways to replace version 1 by version 2."""

    RECREATE = "Recreate"
    ROLLING = "RollingUpdate"
    BLUE_GREEN = "blueGreen"
    CANARY = "canary"
    ROUTED = "routed"


class Character(StrEnum):
    """What the new version is like: the suffix of its tag, for all but the first."""

    GOOD = "good"
    SLOW = "slow"
    FAILING = "failing"
    NEVER_READY = "never-ready"
    CRASHING = "crashing"
    SLOW_START = "slow-start"
    MISSING = "missing"


ROLLOUTS: Final = (Kind.BLUE_GREEN, Kind.CANARY, Kind.ROUTED)
CANARIES: Final = (Kind.CANARY, Kind.ROUTED)
SLOW_START: Final = 15.0
"""Seconds a Pod of a version that starts slowly answers nothing."""
NEVER_READY: Final = (Character.NEVER_READY, Character.CRASHING, Character.MISSING)
"""Those whose Pods never get ready."""
PROMOTE: Final = 0
"""A step's pause that only a person ends."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """`surge` and `unavailable` in percent; `delay` and pauses in seconds.

    `steps` of a canary: (weight, pause after it); a pause of `PROMOTE` waits for a person. `auto`: a
    blue/green switches by itself, `pause` seconds after the preview is ready. `ready`: seconds from a
    container's start until its readiness is asked for the first time.
    """

    kind: Kind
    replicas: int = 4
    surge: int = 25
    unavailable: int = 0
    steps: tuple[tuple[int, int], ...] = ((25, PROMOTE), (50, PROMOTE))
    auto: bool = False
    pause: int = 0
    delay: int = 30
    new: Character = Character.GOOD
    ready: int = 3

    @property
    def version(self) -> str:
        """The tag of version 2."""
        return "2.0.0" if self.new is Character.GOOD else f"2.0.0-{self.new}"

    @property
    def image(self) -> str:
        """The image of version 2."""
        return f"{MISSING if self.new is Character.MISSING else REPOSITORY}:{self.version}"


def written(recipe: Recipe) -> str:
    """A recipe as text that `read` understands."""
    return json.dumps(asdict(recipe), sort_keys=True)


def read(text: str) -> Recipe:
    """The recipe of `written`."""
    found = json.loads(text)
    steps = tuple((int(weight), int(pause)) for weight, pause in found.pop("steps"))
    kind, new = Kind(found.pop("kind")), Character(found.pop("new"))
    return Recipe(kind, steps=steps, new=new, **found)


def objects(recipe: Recipe, name: str = "playground") -> tuple[Json, ...]:
    """The Services, the Ingress of a routed canary, and the Rollout or Deployment of a recipe."""
    kinds = {Kind.BLUE_GREEN: ("active", "preview"), Kind.ROUTED: ("stable", "canary")}
    services = tuple(
        _service(f"{name}-{kind}" if kind else name, name) for kind in kinds.get(recipe.kind, ("",))
    )
    routes = (_ingress(name),) if recipe.kind is Kind.ROUTED else ()
    return (*services, *routes, _workload(recipe, name))


def _service(name: str, app: str) -> Json:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    spec = {"type": "NodePort", "selector": {"app": app}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _ingress(name: str) -> Json:
    backend = {"service": {"name": f"{name}-stable", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    rules = [{"host": f"{name}.localhost", "http": {"paths": [path]}}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"ingressClassName": "nginx", "rules": rules},
    }


def _workload(recipe: Recipe, name: str) -> Json:
    ours = recipe.kind in ROLLOUTS
    probe: Json = {"httpGet": {"path": "/readiness", "port": "http"}, "periodSeconds": 1}
    probe["initialDelaySeconds"] = recipe.ready
    ports = [{"name": "http", "containerPort": 8080}]
    container = {"name": "api-tester", "image": IMAGE, "ports": ports, "readinessProbe": probe}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "argoproj.io/v1alpha1" if ours else "apps/v1",
        "kind": "Rollout" if ours else "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": recipe.replicas,
            "progressDeadlineSeconds": DEADLINE,
            "strategy": _strategy(recipe, name),
            "selector": {"matchLabels": {"app": name}},
            "template": template,
        },
    }


def _strategy(recipe: Recipe, name: str) -> Json:
    # maxSurge and maxUnavailable must not both be 0: nothing could ever move.
    sizes: Json = {"maxSurge": f"{recipe.surge}%", "maxUnavailable": f"{recipe.unavailable}%"}
    if not recipe.surge and not recipe.unavailable:
        sizes["maxUnavailable"] = 1
    match recipe.kind:
        case Kind.RECREATE:
            return {"type": "Recreate"}
        case Kind.ROLLING:
            return {"type": "RollingUpdate", "rollingUpdate": sizes}
        case Kind.BLUE_GREEN:
            found: Json = {"activeService": f"{name}-active", "previewService": f"{name}-preview"}
            found["autoPromotionEnabled"] = recipe.auto
            if recipe.auto and recipe.pause:
                found["autoPromotionSeconds"] = recipe.pause
            return {"blueGreen": {**found, "scaleDownDelaySeconds": recipe.delay}}
        case Kind.CANARY:
            return {"canary": {**sizes, "steps": _steps(recipe)}}
        case Kind.ROUTED:
            routed: Json = {"stableService": f"{name}-stable", "canaryService": f"{name}-canary"}
            routed["trafficRouting"] = {"nginx": {"stableIngress": name}}
            routed["scaleDownDelaySeconds"] = recipe.delay
            return {"canary": {**routed, "steps": _steps(recipe)}}


def _steps(recipe: Recipe) -> list[Json]:
    return [
        step
        for weight, pause in recipe.steps
        for step in (
            {"setWeight": weight},
            {"pause": {} if pause == PROMOTE else {"duration": f"{pause}s"}},
        )
    ]
