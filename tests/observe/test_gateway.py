"""The gateway in the picture: its arrows, what was measured through it, and the same from a recorded run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rollout_lab.observe import export, routed, sketch
from rollout_lab.observe.gateways import Place, hosts
from rollout_lab.observe.history import Memory
from rollout_lab.observe.moments import Moments
from rollout_lab.observe.observed import Observed, Traffic
from rollout_lab.observe.picture import picture
from rollout_lab.observe.replay import Recording, read
from rollout_lab.observe.timeline import line
from rollout_lab.observe.track import COUNTS_EVERY, Track
from tests.observe import objects, scenes

Json = dict[str, Any]
PLACE = Place("127.0.0.1:8800", "/lab/v1/gateway")
HOST = f"{scenes.R}.localhost"


def moment() -> Observed:
    return scenes.routed()[0][0]


def gate(observed: Observed) -> Json:
    found: Json = picture(observed, Memory())["gateway"]
    return found


def arrows(found: Json) -> dict[str, Json]:
    return {f"{a['kind']} {a['service'].removeprefix(scenes.R + '-')}": a for a in found["arrows"]}


def test_each_way_a_request_may_take_is_an_arrow_of_its_own() -> None:
    """Weights with the share measured, the testers' header, the mirror; nothing of other people's routes."""
    found = arrows(gate(moment()))
    assert list(found) == ["weight stable", "weight canary", "header canary", "mirror canary"]
    assert [a["weight"] for a in found.values()] == [95, 5, 100, 35]
    assert [a["share"] for a in found.values()] == [pytest.approx(0.941), pytest.approx(0.059), None, None]
    assert [a["requests"] for a in found.values()] == [381, 19, 12, 137]
    assert found["header canary"]["headers"] == [{"x-tester": "exact yes"}]
    assert [p["name"] for p in gate(moment())["problems"]] == [scenes.R]


def test_services_tell_what_came_through_the_gateway() -> None:
    """Nobody asks them besides: the canary's answers are 5 % of all, and all of them are version 2."""
    services = {s["role"]: s for s in picture(moment(), Memory())["services"]}
    assert services["stable"]["versions"] == {"1.0.0": 303}
    assert services["canary"]["versions"] == {"2.0.0": 19}
    assert services["canary"]["shares"] == {objects.V2: 1.0} and services["canary"]["requests"] == 31


def test_two_services_of_the_same_pods_share_the_answers_by_weight() -> None:
    """Before an update both Services lead to the stable Pods: the canary's weight is 0, so is its share."""
    seen = moment()
    both = tuple(objects.service(s["metadata"]["name"], scenes.R, 0, "1.0.0") for s in seen.services)
    calm = replace(
        seen,
        services=both,
        gateway=routed.sight(scenes.report(0.0), PLACE, seen),
        traffic={routed.probe_name(HOST): Traffic(40, 0, objects.T0, {"1.0.0": 40})},
    )
    found = arrows(gate(calm))
    assert (found["weight stable"]["share"], found["weight canary"]["share"]) == (1.0, 0.0)
    assert picture(calm, Memory())["services"][1]["versions"] == {}


def test_a_gateway_that_tells_nothing_is_drawn_by_what_the_engine_told_the_router() -> None:
    """A real ingress controller has no report of ours; the weights are the status', nothing is invented."""
    seen = moment()
    silent = replace(seen, gateway=routed.sight(None, Place("127.0.0.1:80", "", "ingress-nginx"), seen))
    found = gate(silent)
    assert (found["known"], found["name"], found["hosts"]) == (False, "ingress-nginx", [HOST])
    assert [(a["kind"], a["weight"], a["requests"]) for a in found["arrows"]] == [
        ("weight", 95, None),
        ("weight", 5, None),
    ]
    assert [a["weight"] for a in gate(replace(seen, gateway=None))["arrows"]] == [95, 5]


def test_a_canary_ingress_and_subsets_are_arrows_too() -> None:
    """NGINX elects by header inside one route; Istio leads to subsets of one Service."""
    seen = moment()
    ingress: Json = {
        "kind": "Ingress",
        "namespace": objects.NS,
        "name": "web",
        "rule": "/",
        "matches": [{"path": "prefix /"}],
        "elects": {"headers": {"x-tester": "exact yes"}, "cookie": "tester"},
        "backends": [
            scenes.backend(scenes.STABLE_SERVICE, 80.0),
            scenes.backend(scenes.ROUTED_CANARY, 20.0, "canary"),
        ],
    }
    found = gate(replace(seen, gateway=routed.sight({"routes": [ingress]}, PLACE, seen)))
    assert [(a["kind"], a["weight"]) for a in found["arrows"]] == [
        ("weight", 80),
        ("weight", 20),
        ("header", 100),
    ]
    assert found["arrows"][2]["cookie"] == "tester" and found["arrows"][2]["requests"] is None
    subset = {"rollouts-pod-template-hash": objects.V2}
    split = {
        **ingress,
        "elects": {},
        "backends": [
            scenes.backend(scenes.STABLE_SERVICE, 80.0),
            {**scenes.backend(scenes.STABLE_SERVICE, 20.0), "subset": "canary", "labels": subset},
        ],
    }
    found = gate(replace(seen, gateway=routed.sight({"routes": [split]}, PLACE, seen)))
    assert [(a["subset"], a["hash"], a["share"]) for a in found["arrows"]] == [
        ("", objects.V1, pytest.approx(0.941)),
        ("canary", objects.V2, pytest.approx(0.059)),
    ]


def recorded() -> tuple[list[Mapping[str, Any]], Observed]:
    """A run with a gateway: 20 % at first, 5 % from second 30 on, requests counted in between."""
    seen = moment()
    track = Track(scenes.R, objects.T0, "canary-gatewayapi", (seen.rollout or {}, *seen.services))
    for kind in (seen.services, (seen.rollout,), seen.replica_sets, seen.pods, seen.slices):
        for obj in kind:
            assert obj is not None
            track.change(objects.T0 + 1, "ADDED", obj, seen)
    name = routed.probe_name(HOST)

    def told(t: float, weight: float) -> bool:
        row, new = track.gateway(objects.T0 + t, routed.sight(scenes.report(weight), PLACE, seen))
        return row is not None and new

    assert told(2, 20.0) and not told(3, 20.0), "counts alone are told now and then"
    assert track.gateway(objects.T0 + 3, routed.sight(scenes.report(20.0), PLACE, seen)) == (None, False)
    track.probe(objects.T0 + 3, objects.T0 + 4, name, 8800, {"1.0.0": 8, "2.0.0": 2}, 0)
    assert told(30, 5.0)
    track.probe(objects.T0 + 31, objects.T0 + 32, name, 8800, {"1.0.0": 19, "2.0.0": 1}, 1)
    return list(track.timeline.rows), seen


def test_every_moment_of_a_recorded_run_has_its_gateway() -> None:
    """The slider, a replayed file and the export all look here; shares begin anew with the weight."""
    rows, seen = recorded()
    run = Recording(read("\n".join(line(row) for row in rows)))
    early, late = run.view(at=10.0)["gateway"], run.view()["gateway"]
    assert [a["weight"] for a in early["arrows"]] == [80, 20, 100, 35]
    assert early["versions"] == {"1.0.0": 8, "2.0.0": 2} and early["window"] == {"since": 2.0, "n": 10}
    assert [a["weight"] for a in late["arrows"]] == [95, 5, 100, 35]
    assert late["window"] == {"since": 30.0, "n": 20} and (late["requests"], late["failed"]) == (31, 1)
    assert late["hosts"] == [HOST] and late["address"] == "" and late["name"] == ""
    assert "8800" not in "".join(line(row) for row in rows if row.get("kind") == "Gateway")
    assert run.figures()["requests"] == 31 and run.figures()["failed"] == 1
    without = Moments([row for row in rows if row.get("kind") not in ("Gateway", "Probe")]).at(40.0)
    assert without["gateway"]["known"] is False and len(without["gateway"]["arrows"]) == 2
    assert COUNTS_EVERY > 0 and seen.gateway is not None


def test_a_sketch_and_an_exported_page_have_the_gateway_too() -> None:
    """Notebooks draw the one, people pass on the other: all four ways, each with its own mark."""
    rows, _ = recorded()
    run = Recording(rows)
    drawn = sketch.svg(run.view(), "en")
    assert "gateway" in drawn and "x-tester: yes" in drawn and "mirror 35 %" in drawn
    assert drawn.count('stroke-dasharray="8 4"') == 1 and drawn.count('stroke-dasharray="1 4"') == 1
    page = export.html(run, "ko")
    for said in ("x-tester: yes", "복사 35 %", "설정 5 %", "설정 20 %"):
        assert said in page
    assert "gateway" not in sketch.svg(scenes.render("canary-33-paused"))


def test_hosts_are_those_of_all_kinds_of_routes() -> None:
    """The curl loop asks for the name that the routes are for; stars name nobody."""
    objects = [
        {"kind": "Ingress", "spec": {"rules": [{"host": "a.test"}, {}, {"host": "*.b.test"}]}},
        {"kind": "VirtualService", "spec": {"hosts": ["c.test", "a.test"]}},
        {"kind": "DestinationRule", "spec": {"host": "svc"}},
    ]
    assert hosts(objects) == ["a.test", "c.test"]
