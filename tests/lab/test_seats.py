"""Seats: what is applied for one, and two students on one embedded cluster who do not meet."""

from __future__ import annotations

import pytest

from rollout_lab.api.names import INSTANCE_ID_LABEL
from rollout_lab.client.resources import NAMESPACES
from rollout_lab.errors import NotFound, UsageError
from rollout_lab.lab import Lab
from rollout_lab.lab.scenario import load_scenario
from rollout_lab.lab.seats import Seats, seated
from rollout_lab.observe.gateways import hosts


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


def test_a_seats_routes_are_for_hosts_of_its_own() -> None:
    """All seats have one gateway: a host of two seats would lead to the Pods of whoever came first."""
    space = "seat-min-ji"
    moved = [seated(obj, space) for obj in load_scenario("only-the-testers", space).objects]
    route = next(obj for obj in moved if obj["kind"] == "HTTPRoute")
    assert hosts([route]) == ["seat-min-ji.api-tester-2234-testers.localhost"]
    rollout = next(obj for obj in moved if obj["kind"] == "Rollout")
    (plugin,) = rollout["spec"]["strategy"]["canary"]["trafficRouting"]["plugins"].values()
    assert plugin["namespace"] == route["metadata"]["namespace"] == space
    assert seated(route, space)["spec"] == route["spec"], "a route that was moved stays where it is"
    ingress = {"kind": "Ingress", "spec": {"rules": [{"host": "a.localhost"}, {"host": "shop.example"}]}}
    assert hosts([seated(ingress, space)]) == ["seat-min-ji.a.localhost", "shop.example"]
    assert seated(ingress, "anotherclass-223") == ingress


@pytest.mark.cluster
@pytest.mark.timeout(240)
def test_two_seats_behind_one_gateway_do_not_meet() -> None:
    """Both do lesson 12; the testers of one meet its new version, those of the other none."""
    with Lab.start("embedded", speed=20, scenario="course-2233") as host:
        seats = Seats(host, most=2)
        try:
            one, two = seats.open("one"), seats.open("two")
            for lab in (one, two):
                lab.apply("only-the-testers")
            for lab in (one, two):
                assert lab.wait_for(lambda seen: (seen["rollout"] or {}).get("phase") == "Healthy", 900)
            assert one.do("set-image", version="2.0.0").ok
            assert one.wait_for(lambda seen: seen["rollout"]["phase"] == "Paused", 900)
            tester, lecture = {"x-tester": "yes"}, "api-tester-2234-testers.localhost"
            assert one.measure_gateway(10, headers=tester).versions == {"2.0.0": 10}
            assert two.measure_gateway(10, headers=tester, host=lecture).versions == {"1.0.0": 10}
            assert one.wait_for(lambda seen: len(seen["gateway"]["arrows"]) == 3, 900)
            assert len(two.view()["gateway"]["arrows"]) == 2
        finally:
            seats.close()


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
