"""Seats: what is applied for one, and two students on one embedded cluster who do not meet."""

from __future__ import annotations

import pytest

from rollout_lab.api.names import INSTANCE_ID_LABEL
from rollout_lab.client.resources import NAMESPACES
from rollout_lab.errors import NotFound, UsageError
from rollout_lab.lab import Lab
from rollout_lab.lab.seats import Seats, seated


def test_a_seats_objects_have_an_owner_and_no_fixed_port() -> None:
    """Two seats apply the same lecture: its node ports must not clash, its engine must be the seats' own."""
    service = {
        "kind": "Service",
        "spec": {"ports": [{"port": 80, "nodePort": 32233}], "selector": {"a": "b"}},
    }
    assert seated(service)["spec"] == {"ports": [{"port": 80}], "selector": {"a": "b"}}
    assert service["spec"]["ports"][0] == {"port": 80, "nodePort": 32233}  # type: ignore[index]
    rollout = {"kind": "Rollout", "metadata": {"name": "x", "labels": {"part-of": "course"}}}
    assert seated(rollout)["metadata"]["labels"] == {"part-of": "course", INSTANCE_ID_LABEL: "seats"}


@pytest.mark.cluster
def test_two_seats_and_a_host_go_their_own_ways() -> None:
    """An update of one seat goes through its own engine and ports; the others stay as they were."""
    with Lab.start("embedded", speed=20) as host:
        seats = Seats(host, most=2)
        try:
            one, two = seats.open("one"), seats.open("two")
            for lab in (one, two):
                lab.apply("course-2233")
            for lab in (host, one, two):
                assert lab.wait_for(lambda seen: (seen["rollout"] or {}).get("phase") == "Healthy", 600)
            assert one.do("set-image", version="2.0.0").ok
            assert one.wait_for(lambda seen: seen["rollout"]["phase"] == "Paused", 600)
            assert {lab.view()["rollout"]["version"] for lab in (host, two)} == {"1.0.0"}
            ports = [s["port"] for lab in (host, one, two) for s in lab.view()["services"]]
            assert len(set(ports)) == 6
            assert seats.names == ("one", "two")
            with pytest.raises(UsageError, match="2 seats are taken"):
                seats.open("three")
            with pytest.raises(UsageError, match="lower-case"):
                seats.open("Not A Name")
            assert seats.open("one") is one
            seats.reset("one")
            assert one.wait_for(lambda seen: (seen["rollout"] or {}).get("phase") == "Healthy", 600)
            assert one.view()["rollout"]["version"] == "1.0.0"
            seats.free("one")
            with pytest.raises(NotFound):
                host.client.get(NAMESPACES, None, "seat-one")
            assert seats.names == ("two",)
            assert two.view()["rollout"]["phase"] == "Healthy"
            with pytest.raises(UsageError, match="nobody sits"):
                seats.reset("one")
            again = seats.open("one")
            again.apply("course-2234")
            assert again.wait_for(lambda seen: (seen["rollout"] or {}).get("phase") == "Healthy", 600)
        finally:
            seats.close()
