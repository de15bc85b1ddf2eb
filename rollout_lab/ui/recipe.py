"""A strategy with its numbers, and the manifest that says the same. Pure.

The playground turns its sliders into a `Recipe`; comparisons have a few of their own. A recipe holds
only what a slider can say; whatever else a manifest may hold keeps its default.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Json = dict[str, Any]
IMAGE: Final = "1pro/api-tester:1.0.0"
MOST_REPLICAS: Final = 20


class Kind(StrEnum):
    """The four ways to replace version 1 by version 2."""

    RECREATE = "Recreate"
    ROLLING = "RollingUpdate"
    BLUE_GREEN = "blueGreen"
    CANARY = "canary"


@dataclass(frozen=True, slots=True)
class Recipe:
    """`surge` and `unavailable` in percent, `pause` and `delay` in seconds.

    `weights`: of a canary, each followed by a pause. `pause` 0 waits for a person, as it does before
    the switch of a blue/green.
    """

    kind: Kind
    replicas: int = 4
    surge: int = 25
    unavailable: int = 0
    weights: tuple[int, ...] = (25, 50)
    pause: int = 0
    delay: int = 30


def objects(recipe: Recipe, name: str = "playground") -> tuple[Json, ...]:
    """The Services and the Rollout or Deployment of a recipe."""
    kinds = ("active", "preview") if recipe.kind is Kind.BLUE_GREEN else ("",)
    services = tuple(_service(f"{name}-{kind}" if kind else name, name) for kind in kinds)
    return (*services, _workload(recipe, name))


def _service(name: str, app: str) -> Json:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    spec = {"type": "NodePort", "selector": {"app": app}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _workload(recipe: Recipe, name: str) -> Json:
    ours = recipe.kind in (Kind.BLUE_GREEN, Kind.CANARY)
    probe = {"httpGet": {"path": "/readiness", "port": "http"}, "periodSeconds": 2}
    ports = [{"name": "http", "containerPort": 8080}]
    container = {"name": "api-tester", "image": IMAGE, "ports": ports, "readinessProbe": probe}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "argoproj.io/v1alpha1" if ours else "apps/v1",
        "kind": "Rollout" if ours else "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": recipe.replicas,
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
            found["autoPromotionEnabled"] = bool(recipe.pause)
            if recipe.pause:
                found["autoPromotionSeconds"] = recipe.pause
            return {"blueGreen": {**found, "scaleDownDelaySeconds": recipe.delay}}
        case Kind.CANARY:
            pause: Json = {"pause": {"duration": f"{recipe.pause}s"} if recipe.pause else {}}
            steps = [step for weight in recipe.weights for step in ({"setWeight": weight}, pause)]
            return {"canary": {**sizes, "steps": steps}}
