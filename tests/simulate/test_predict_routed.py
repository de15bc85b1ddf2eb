"""A canary behind a router, predicted: its part of the requests follows the weight, not the Pods."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rollout_lab.api.rollout import Rollout
from rollout_lab.lab.forecast import predict
from rollout_lab.observe.replay import Recording
from rollout_lab.routers import table
from tests.observe.runs import Watched, objects, predicted

ROUTERS = ("canary-nginx", "canary-gatewayapi", "canary-istio")
Json = dict[str, Any]


def parts(found: Recording) -> list[tuple[float, int]]:
    """The new version's part of the requests wherever it changes, and its ready Pods then."""
    seen: list[tuple[float, int]] = []
    for point in (p for p in found.figures()["series"] if p["weights"]):
        part = point["weights"].get("2.0.0", 0.0)
        if not seen or seen[-1][0] != part:
            seen.append((part, point["ready"].get("2.0.0", 0)))
    return seen


@pytest.mark.parametrize("name", ROUTERS)
def test_the_parts_are_those_of_the_steps(name: str) -> None:
    """Protects the lesson seen before it happens: 5 % on one Pod of eleven, then 50 %, then all."""
    assert parts(predicted(name)) == [(0.0, 0), (0.05, 1), (0.5, 5), (1.0, 10)]
    whole = [sum(point["weights"].values()) for point in predicted(name).figures()["series"]]
    assert set(whole) == {1.0}


def test_an_abort_takes_the_requests_back_and_leaves_the_pods_for_a_while() -> None:
    """Protects what is predicted of an abort: no part any more, while the Pod is still there."""
    found = predict(objects("canary-nginx"), ("set image 2.0.0", "abort"))
    assert parts(found) == [(0.0, 0), (0.05, 1), (0.0, 1)]
    series = found.figures()["series"]
    gone = next(p["t"] for p in series if p["t"] > 10 and not p["ready"].get("2.0.0"))
    back = next(p["t"] for p in series if p["t"] > 3 and set(p["weights"]) == {"1.0.0"})
    assert 29 < gone - back < 32


def test_without_a_router_the_endpoints_are_the_parts() -> None:
    """Protects lesson 7 beside lesson 11: there is no weight to tell, Pods decide."""
    for name in ("course-2234", "course-2233", "deployment-rollingupdate"):
        assert all(point["weights"] == {} for point in predicted(name).figures()["series"])


def test_a_running_canary_is_predicted_from_its_weight() -> None:
    """Protects the chart under the real one: from 5 % on, without beginning again."""
    watched = Watched("canary-nginx")
    for obj in sorted(watched.objects, key=lambda o: o["kind"] == "Rollout"):
        if obj["kind"] in ("Service", "Ingress", "Rollout"):
            watched.world.apply(obj)
    watched.world.run(10)
    watched.world.act("set image 2.0.0")
    watched.world.run(20)
    rollout = Rollout(watched.world.rollout.raw)
    there = {ref: watched.world.store.get(ref.kind.name, ref.name) for ref in table.refs(rollout)}
    routes = {ref: body for ref, body in there.items() if body is not None}
    found = predict((), ("promote",), start=replace(watched._observed(), routes=routes))
    assert found.ended == "done"
    assert parts(found) == [(0.05, 1), (0.5, 5), (1.0, 10)]
