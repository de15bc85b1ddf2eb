"""Scenarios with a router whose steps set a header route and a mirror, small enough for a test."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from rollout_lab.api.manifest import load
from rollout_lab.lab.scenario import Scenario, scenario_of

Json = dict[str, Any]
MANIFESTS = Path(__file__).parents[2] / "manifests"
HEADER, MIRROR = "testers", "copies"


def steps(weight: int, mirror: int) -> list[Json]:
    """One canary Pod, a weight, "x-tester: yes" to the canary, copies of some requests; then it waits."""
    return [
        {"setCanaryScale": {"replicas": 1}},
        {"setWeight": weight},
        {
            "setHeaderRoute": {
                "name": HEADER,
                "match": [{"headerName": "x-tester", "headerValue": {"exact": "yes"}}],
            }
        },
        {
            "setMirrorRoute": {
                "name": MIRROR,
                "percentage": mirror,
                "match": [{"method": {"exact": "GET"}, "path": {"prefix": "/"}}],
            }
        },
        {"pause": {}},
        {"setWeight": 60},
        {"pause": {}},
    ]


def objects(router: str, *, replicas: int, weight: int, mirror: int) -> list[Json]:
    """The objects of ``manifests/canary-ROUTER.yaml`` with those steps."""
    path = MANIFESTS / f"canary-{router}.yaml"
    found: list[Json] = deepcopy(load(path.read_text(), str(path)))
    rollout = next(o for o in found if o["kind"] == "Rollout")
    rollout["spec"]["replicas"] = replicas
    canary = rollout["spec"]["strategy"]["canary"]
    canary["steps"] = steps(weight, mirror)
    routing = canary["trafficRouting"]
    if router != "nginx":
        routing["managedRoutes"] = [{"name": HEADER}, {"name": MIRROR}]
    if router == "gatewayapi":
        plugin = routing["plugins"]["argoproj-labs/gatewayAPI"]
        name = plugin.pop("httpRoute")
        plugin.pop("namespace")
        plugin["httpRoutes"] = [{"name": name, "useHeaderRoutes": True}]
    if router == "nginx":
        routing["nginx"]["additionalIngressAnnotations"] = {
            "canary-by-header": "x-tester",
            "canary-by-header-value": "yes",
        }
        canary["steps"] = [s for s in canary["steps"] if "Route" not in next(iter(s))]
    return found


def scenario(router: str, *, replicas: int = 4, weight: int = 20, mirror: int = 50) -> Scenario:
    return scenario_of(
        objects(router, replicas=replicas, weight=weight, mirror=mirror), f"routed-{router}", None
    )
