"""The numbers of a plain Deployment: equal to those of the embedded cluster's own controller."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rollout_lab.clusters.embedded.controllers.deployment import sizes
from rollout_lab.simulate.deployments import room_of
from rollout_lab.simulate.rolling import Room, Size, grown, shrunk

Json = dict[str, Any]
amount = st.one_of(st.integers(0, 6), st.integers(0, 100).map("{}%".format))
size = st.integers(0, 12).flatmap(lambda n: st.builds(Size, st.just(n), st.integers(0, n)))


def deployment(replicas: int, surge: int | str, unavailable: int | str) -> Json:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}


def replica_set(name: str, one: Size, age: int) -> Json:
    return {
        "metadata": {"name": name, "creationTimestamp": f"2026-01-01T00:00:{age:02}Z"},
        "spec": {"replicas": one.wanted},
        "status": {"availableReplicas": one.available},
    }


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 20), amount, amount)
def test_room_is_what_the_cluster_allows(replicas: int, surge: int | str, unavailable: int | str) -> None:
    """maxSurge rounds up, maxUnavailable down, and both 0 would never move."""
    found = deployment(replicas, surge, unavailable)
    room = room_of(found)
    assert room.most == sizes.most_pods(found)
    if replicas:
        assert room.least == sizes.least_available(found)


def test_what_is_not_written_is_a_quarter() -> None:
    """A manifest without rollingUpdate rolls by the defaults of Kubernetes."""
    assert room_of({"spec": {"replicas": 10}}) == Room(10, 3, 2)
    assert room_of({"spec": {}}) == Room(1, 1, 0)


@settings(max_examples=600, deadline=None)
@given(st.integers(1, 12), amount, amount, size, st.lists(size, max_size=3))
def test_each_pass_takes_the_sizes_the_cluster_takes(
    replicas: int, surge: int | str, unavailable: int | str, new: Size, old: list[Size]
) -> None:
    """A predicted RollingUpdate makes and removes Pods exactly when the embedded cluster would."""
    found = deployment(replicas, surge, unavailable)
    room = room_of(found)
    newest = replica_set("new", new, 50)
    others = [replica_set(f"old-{i}", one, i) for i, one in enumerate(old)]
    wanted = min(sizes.new_size(found, [*others, newest], newest), replicas)
    assert grown(room, new, old) == wanted
    active = [one for one in old if one.wanted]
    left = sizes.old_sizes(found, sizes.active(others), newest)
    names = [f"old-{i}" for i, one in enumerate(old) if one.wanted]
    expected = [left.get(name, one.wanted) for name, one in zip(names, active, strict=True)]
    assert shrunk(room, new, active) == expected
