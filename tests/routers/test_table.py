"""The table of routers: ours, and one that comes in from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout_lab.api import routing
from rollout_lab.routers import table
from rollout_lab.simulate.world import World
from tests.plan.rollouts import service, until, update
from tests.plan.routed_worlds import TWO, routed

EXAMPLE = Path(__file__).parents[2] / "examples" / "router-configmap"


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place on the path whose entry points are found; the table looks again before and after."""
    info = tmp_path / "routers-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: routers\nVersion: 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(EXAMPLE))
    table.known.cache_clear()
    yield info / "entry_points.txt"
    table.known.cache_clear()


def test_the_table_has_what_the_validation_lets_through() -> None:
    """Protects a router that is listed in one place only."""
    ours = {(router.name, router.plugin) for router in table.BUILT_IN}
    assert ours == {(n, False) for n in routing.BUILT_IN} | {(n, True) for n in routing.BUILT_IN_PLUGINS}
    assert not set(routing.BUILT_IN) & set(routing.NOT_YET)


def test_the_example_plugin_routes_a_whole_canary(outside: Path) -> None:
    """Protects the door for others: an entry point, no change in this package."""
    outside.write_text(f"[{table.GROUP}]\nconfigmap = router_configmap:ROUTER\n")
    assert "example/configmap" in table.plugin_names()
    obj = routed("gateway", [{"setWeight": 30}, {"pause": {}}])
    plugins = {"example/configmap": {"configMap": "weights"}}
    obj["spec"]["strategy"]["canary"] |= {**TWO, "trafficRouting": {"plugins": plugins}}
    world = World()
    for name in TWO.values():
        world.apply(service(name))
    world.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "weights"}, "data": {"a": "b"}}
    )
    world.apply(obj)
    until(world, "Healthy")
    update(world)
    until(world, "Paused")
    found = world.store.get("ConfigMap", "weights")
    assert found is not None and found["data"] == {"a": "b", "canary": "30", "stable": "70"}


def test_a_plugin_that_cannot_be_loaded_is_named_and_stops_nothing(outside: Path) -> None:
    """Protects the engine from somebody else's mistake."""
    lines = ("broken = no_such_module:ROUTER", "wrong = router_configmap:CONFIG_MAP")
    outside.write_text(f"[{table.GROUP}]\n" + "\n".join(lines) + "\n")
    routers, failed = table.known()
    assert routers == table.BUILT_IN
    assert "no_such_module" in failed["broken"] and "has no" in failed["wrong"]
