"""The gateway in words: what each arrow is called, subsets as boxes, and the four shares side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.observe.arrows import condition
from rollout_lab.ui.charts import charts
from rollout_lab.ui.progress import weights
from rollout_lab.ui.scene import scene
from rollout_lab.ui.series import Series
from rollout_lab.ui.stage import shown
from tests.ui import examples

Json = dict[str, Any]
PICTURES = Path(__file__).parent.parent / "data" / "pictures"
R = "api-tester-2234-gatewayapi"


@pytest.fixture
def picture() -> Json:
    found: Json = json.loads((PICTURES / "canary-routed.json").read_text(encoding="utf-8"))
    return found


def subsets(picture: Json) -> Json:
    """The same behind one Service with two subsets, as Istio leads."""
    arrows = [
        {**a, "service": "web", "subset": "stable" if a["service"].endswith("stable") else "canary"}
        for a in picture["gateway"]["arrows"]
    ]
    service = {**picture["services"][0], "name": "web", "role": "service", "selectorHash": ""}
    routes = [{**r, "service": "web"} for r in picture["routes"]]
    gate = {**picture["gateway"], "arrows": arrows}
    return {**picture, "gateway": gate, "services": [service], "routes": routes}


def test_arrows_say_what_is_measured_and_what_is_set(picture: Json) -> None:
    """A weight by its share and its setting, a header by its words, a mirror by its percent."""
    gate = scene("en", picture)["gateway"]
    assert [(a["kind"], a["label"], a["sub"]) for a in gate["arrows"]] == [
        ("weight", "94 %", "set 95 %"),
        ("weight", "6 %", "set 5 %"),
        ("header", "x-tester: yes", "12 requests"),
        ("mirror", "mirror 35 %", "137 copies"),
    ]
    assert len({a["key"] for a in gate["arrows"]}) == 4
    assert gate["title"] == "gateway" and gate["port"] == ":8800" and gate["host"] == f"{R}.localhost"
    assert "timeouts" in gate["notes"][0] and len(gate["notes"]) == 1
    named = {**picture, "gateway": {**picture["gateway"], "name": "ingress-nginx", "address": ""}}
    assert (scene("ko", named)["gateway"]["title"], scene("ko", named)["gateway"]["port"]) == (
        "ingress-nginx",
        "",
    )


def test_behind_a_gateway_a_band_is_as_wide_as_its_part_of_all_requests(picture: Json) -> None:
    """Not 100 % for the canary's one Pod; and a Service only testers reach is not drawn as idle."""
    services = {s["title"]: s for s in scene("en", picture)["services"]}
    assert services["canary"]["shares"][0]["share"] == pytest.approx(0.059)
    assert services["canary"]["shares"][0]["text"] == "" and services["canary"]["role"] == "Service"
    for arrow in picture["gateway"]["arrows"]:
        if arrow["kind"] == "weight":
            arrow["share"] = 0.0 if arrow["service"].endswith("canary") else 1.0
    picture["services"][1]["shares"] = {}
    services = {s["title"]: s for s in scene("en", picture)["services"]}
    assert services["canary"]["shares"][0]["share"] is None


def test_subsets_of_one_service_are_boxes_of_their_own(picture: Json) -> None:
    """Each leads to its own Pods; the projector draws them too."""
    split = subsets(picture)
    found = scene("en", split)
    assert [(s["id"], s["title"], s["role"]) for s in found["services"]] == [
        ("web/stable", "stable", "subset"),
        ("web/canary", "canary", "subset"),
    ]
    assert {(r["service"], r["set"]) for r in found["routes"]} == {
        ("web/stable", picture["rollout"]["stableHash"]),
        ("web/canary", picture["rollout"]["currentHash"]),
    }
    assert {a["to"] for a in found["gateway"]["arrows"]} == {"web/stable", "web/canary"}
    assert [s["sample"] for s in shown("ko", split)["services"]] == ["subset · :80", "subset · :80"]
    shares = [r["share"] for r in found["routes"] if r["service"] == "web/canary"]
    assert shares == [pytest.approx(0.059)], "the canary's one Pod has all of the canary's part"
    for arrow in split["gateway"]["arrows"]:
        arrow["hash"] = picture["rollout"]["stableHash"]
    assert [len(s["shares"]) for s in scene("en", split)["services"]] == [1, 1], "at rest both lead to stable"


def test_wanted_configured_and_measured_stand_beside_the_pods(picture: Json) -> None:
    """5 % asked, 5 % set, 5.9 % measured with its error, and one of eleven Pods."""
    found = weights("en", picture)
    assert [(w["key"], w["value"]) for w in found] == [
        ("asked", "5 %"),
        ("configured", "5 %"),
        ("measured", "5.9 % ± 2.6 (n = 322)"),
        ("pods", "9.1 % (1 / 11)"),
    ]
    assert found[2]["low"] < 0.059 < found[2]["high"]
    silent = {**picture["gateway"], "arrows": [], "window": {"since": 0.0, "n": 0}}
    assert [w["value"] for w in weights("en", {**picture, "gateway": silent})][1:3] == [
        "5 %",
        "no requests yet",
    ]
    assert [w["key"] for w in weights("en", {**picture, "gateway": None})] == ["asked", "pods", "measured"]


def test_the_gateway_has_a_lane_of_what_was_answered_through_it(picture: Json) -> None:
    """Its answers are counted under its host, in place of those of a Service without a hash."""
    series = Series(R)
    row = {"kind": "Probe", "name": f"gateway/{R}.localhost", "port": 8800, "failed": 0}
    series.feed([{**row, "t": 30.0, "until": 31.0, "versions": {"1.0.0": 19, "2.0.0": 1}}])
    lanes = charts("en", picture, series)["lanes"]
    assert [lane["title"] for lane in lanes] == ["gateway"]
    assert [p["share"] for p in lanes[0]["segments"][0]["parts"]] == [0.95, 0.05]
    assert lanes[0]["split"] == "94 : 6"


@pytest.mark.parametrize(
    ("headers", "cookie", "said"),
    [
        ([{"x-tester": "exact yes"}], "", "x-tester: yes"),
        ([{"x-a": "prefix v", "x-b": "present"}], "", "x-a: v* + x-b"),
        ([{"x-a": "regex ^v[0-9]"}, {"x-b": "exact 1"}], "", "x-a ~ ^v[0-9] / x-b: 1"),
        ([], "tester", "cookie tester"),
    ],
)
def test_conditions_read_as_people_write_them(headers: list[Json], cookie: str, said: str) -> None:
    assert condition({"headers": headers, "cookie": cookie}) == said


def test_older_recordings_have_no_gateway() -> None:
    """Pictures of before, and of rollouts without a router, are drawn as ever."""
    old = examples.canary_waiting()
    old.pop("gateway", None)
    found = scene("ko", old)
    assert found["gateway"] is None and len(found["services"]) == len(old["services"])
