"""Small Rollouts and worlds for the tests of the planner."""

from __future__ import annotations

from typing import Any

from rollout_lab.api.fields import Json
from rollout_lab.plan.actions import Emit
from rollout_lab.simulate.pods import Timing
from rollout_lab.simulate.script import Moment
from rollout_lab.simulate.world import World

LABELS = {"app": "demo"}


def template(version: str) -> Json:
    container = {"name": "demo", "image": f"demo:{version}"}
    return {"metadata": {"labels": dict(LABELS)}, "spec": {"containers": [container]}}


def service(name: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": dict(LABELS), "ports": [{"port": 80}]},
    }


def rollout(strategy: Json, replicas: int | None = 2, **spec: Any) -> Json:
    size = {} if replicas is None else {"replicas": replicas}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "demo"},
        "spec": {
            **size,
            "selector": {"matchLabels": dict(LABELS)},
            "template": template("1"),
            "strategy": strategy,
            **spec,
        },
    }


def blue_green(replicas: int | None = 2, spec: Json | None = None, **strategy: Any) -> Json:
    named = {"activeService": "active", "previewService": "preview", **strategy}
    return rollout({"blueGreen": named}, replicas, **(spec or {}))


def canary(steps: list[Json] | None, replicas: int = 4, spec: Json | None = None, **strategy: Any) -> Json:
    found = {**strategy, **({} if steps is None else {"steps": steps})}
    return rollout({"canary": found}, replicas, **(spec or {}))


def deployed(obj: Json, **timing: Any) -> World:
    """A world in which version 1 of `obj` is up and healthy."""
    world = World(Timing(**timing))
    strategy = obj["spec"]["strategy"]
    names = [v for part in strategy.values() for k, v in part.items() if k.endswith("Service")]
    for name in names:
        world.apply(service(name))
    world.apply(obj)
    assert world.run_until(lambda m: m.phase == "Healthy"), world.rollout.status.raw
    return world


def update(world: World, version: str = "2") -> None:
    world.act(f"set image {version}")


def until(world: World, phase: str, message: str | None = None) -> Moment:
    """Let time pass until the rollout is in this phase (and says this)."""

    def there(moment: Moment) -> bool:
        return moment.phase == phase and message in (None, moment.message)

    assert world.run_until(there), (phase, message, world.moment, world.rollout.status.raw)
    return world.moment


def reasons(world: World) -> list[str]:
    """The Events of the run."""
    return [str(r["reason"]) for r in world.rows if r.get("kind") == "Event"]


def emitted(world: World) -> list[str]:
    """All Events that were decided, posted or not."""
    return [a.reason for p in world.plans for a in p.actions if isinstance(a, Emit)]


def sizes(world: World) -> dict[str, int]:
    return dict(world.moment.sizes)


def selectors(world: World) -> dict[str, str]:
    return dict(world.moment.selectors)


def codes(world: World) -> set[str]:
    return {why.code for p in world.plans for why in p.why}
