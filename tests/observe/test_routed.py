"""A rollout with a router, as the page sees it: weights told, reasons given, and how it will go on."""

from __future__ import annotations

from typing import Any

from rollout_lab.api.fields import Json
from rollout_lab.api.steps import parse
from rollout_lab.lab.forecast import predict
from rollout_lab.observe.states import step_text
from tests.plan.rollouts import canary, service
from tests.plan.routed_worlds import objects as routed_objects
from tests.plan.routed_worlds import routed

INGRESS: Json = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web"},
    "spec": {
        "rules": [
            {
                "host": "web.local",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "stable", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ]
    },
}
STEPS: list[Json] = [{"setCanaryScale": {"replicas": 2}}, {"setWeight": 5}, {"pause": {}}]
ROUTED: dict[str, Any] = {
    "stableService": "stable",
    "canaryService": "canary",
    "trafficRouting": {"nginx": {"stableIngress": "web"}, "maxTrafficWeight": 1000},
}


def objects() -> list[Json]:
    return [INGRESS, service("stable"), service("canary"), canary(STEPS, 10, **ROUTED)]


def test_a_prediction_knows_the_router() -> None:
    """Protects predictions of routed canaries: the weight is told, and two Pods carry it, not one of ten."""
    run = predict(objects(), promote_after=None)
    assert run.ended == "waiting"
    rows, _ = run.rows()
    last = [row for row in rows if row.get("kind") == "Rollout"][-1]
    assert last["status"]["canary"]["weights"]["canary"]["weight"] == 5
    assert last["status"]["phase"] == "Paused" and last["status"]["updatedReplicas"] == 2
    codes = [row["code"] for row in rows if row.get("type") == "WHY"]
    assert "invalid" not in codes
    assert {"weight.set", "route.write", "scale.fixed"} <= set(codes)
    weights = run.view(at=run.end)["rollout"]["weight"]
    assert weights == {
        "asked": 0.5,
        "canaryPods": 2,
        "totalPods": 12,
        "configured": 0.5,
        "routers": ["nginx"],
    }


def test_steps_are_named_as_people_write_them() -> None:
    assert step_text(parse({"setCanaryScale": {"weight": 20}})) == "setCanaryScale weight 20"
    assert step_text(parse({"setCanaryScale": {"replicas": 3}})) == "setCanaryScale 3 Pods"
    assert (
        step_text(parse({"setHeaderRoute": {"name": "testers", "match": [{}]}})) == "setHeaderRoute testers"
    )


def test_users_are_on_the_new_version_when_the_router_sends_them_there() -> None:
    """Protects the figures of subsets: old Pods wait out their 30 s, and no request goes to them."""
    steps: list[Json] = [{"setWeight": 50}, {"pause": {"duration": 5}}]
    found = predict([*routed_objects(), routed("subsets", steps, 4)]).figures()
    assert found["finished"] and found["duration"] - found["usersOnNewAfter"] >= 29
