"""The lab's own ways to ask through the gateway: the verb `curl --gateway`, and many requests counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rollout_lab.cli.verbs import rollout_lab
from rollout_lab.client.actions import Action
from rollout_lab.errors import UsageError
from rollout_lab.lab import Lab
from tests.gateway.bounds import bounds
from tests.lab.routed import scenario
from tests.waiting import poll

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]

NAME = "api-tester-2234-gatewayapi"
HOST = f"{NAME}.localhost"
SAMPLE = 600
SURE = 0.999999  # chance is not seeded here, and must not fail the test


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A canary behind the gateway that waits: 20 % by weight, all of "x-tester: yes", half of them copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROLLOUT_LAB_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("ROLLOUT_LAB_LANG", "en")
        patch.delenv("KUBECONFIG", raising=False)
        with Lab.start(speed=20, scenario=scenario("gatewayapi")) as found:
            assert found.rollout().wait_for("Healthy", 900)
            found.do(Action.SET_IMAGE, version="2.0.0")
            assert found.rollout().wait_for("Paused", 900)
            yield found


def call(*arguments: str) -> Result:
    return CliRunner().invoke(rollout_lab, ["curl", *arguments], standalone_mode=False)


def read(*arguments: str) -> Any:
    result = call(*arguments, "--every", "0.001", "--json")
    assert result.exception is None, result.exception
    return json.loads(result.output)


def test_the_verb_asks_through_the_gateway_and_a_header_changes_the_answer(lab: Lab) -> None:
    """What lesson 12 has students type; the host is found in the route, by connections of both kinds."""
    (tester,) = read("--gateway", "-H", "x-tester: yes", "--count", "12")
    assert tester["versions"] == {"2.0.0": 12} and tester["connections"] == 12
    fresh, kept = read("--host", HOST, "--fresh", "--keep-alive", "--count", "60")
    assert fresh["versions"]["1.0.0"] + fresh["versions"].get("2.0.0", 0) == 60
    assert kept["connections"] == 1 and kept["versions"].get("2.0.0", 0) < 60
    (direct,) = read(f"{NAME}-canary", "-H", "x-other: 1", "--count", "2")
    assert direct["versions"] == {"2.0.0": 2}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--gateway", "--host", "nobody.localhost", "--count", "1"), None),
        (("--gateway", f"{NAME}-stable"), "name no Service"),
        (("--gateway", "-H", "x-tester"), "NAME: VALUE"),
        (("--gateway", "--port-forward"), "no --port-forward"),
    ],
)
def test_what_cannot_be_asked_is_said(lab: Lab, words: tuple[str, ...], told: str | None) -> None:
    """A host nobody serves is a failed answer (exit code 1); a wrong word is a usage error."""
    result = call(*words)
    if told is None:
        assert result.return_value == 1 and "HTTP 404" in result.output
    else:
        assert isinstance(result.exception, UsageError) and told in str(result.exception)


def test_many_requests_are_counted_by_version(lab: Lab) -> None:
    """The measured share is the weight's, not that of the Pods; a header leaves no choice."""
    count = lab.measure_gateway(SAMPLE)
    low, high = bounds(SAMPLE, 0.20, SURE)
    assert count.failed == 0 and low <= count.versions["2.0.0"] <= high
    assert lab.measure_gateway(40, headers={"x-tester": "yes"}).versions.keys() == {"2.0.0"}


def test_get_says_which_gateway_it_is_and_what_it_sends_where(lab: Lab) -> None:
    """Protects people without the page: tree and JSON name the gateway, its address and the weights."""
    place = lab.gateway()
    assert place is not None
    shares = f"{NAME}-stable 80 %, {NAME}-canary 20 %"
    wanted = f"Gateway of the lab  http://{place.address} (Host {HOST})  → {shares}"
    result = CliRunner().invoke(rollout_lab, ["get"], standalone_mode=False, env={"COLUMNS": "200"})
    assert wanted in " ".join(result.output.splitlines()), result.output
    told = CliRunner().invoke(rollout_lab, ["get", "--json"], standalone_mode=False)
    gate = next(p for p in json.loads(told.output) if p["rollout"]["name"] == NAME)["gateway"]
    assert gate["known"] and gate["address"] == place.address and gate["hosts"] == [HOST]


def test_the_run_keeps_the_gateway_and_its_counts(lab: Lab) -> None:
    """What the page shows now, the slider shows later: arrows, shares and hosts from the rows alone."""
    assert lab.wait_for(lambda p: (p["gateway"] or {}).get("window", {}).get("n", 0) >= 20, 600)
    seen = lab.view()
    gate = seen["gateway"]
    assert [a["kind"] for a in gate["arrows"]] == ["weight", "weight", "header", "mirror"]
    assert [a["weight"] for a in gate["arrows"]] == [80, 20, 100, 50]
    assert gate["failed"] == 0 and gate["hosts"] == [HOST] and gate["problems"] == []
    assert {a["service"] for a in seen["answers"]} == {f"gateway/{HOST}"}, "Services are not asked besides"
    kept = lambda: lab.past().at(lab.view()["t"])["gateway"]  # noqa: E731
    assert poll(lambda: len(kept()["shares"]) == 2, 60), "answers become rows about once a second"
    rows = lab.timeline()
    assert {row["name"] for row in rows if row.get("kind") == "Probe"} == {f"gateway/{HOST}"}
    assert 2 <= sum(row.get("kind") == "Gateway" for row in rows) < 200
    assert [a["weight"] for a in kept()["arrows"]] == [80, 20, 100, 50]
    assert kept()["shares"].keys() == {a["hash"] for a in gate["arrows"]}
    early = lab.past().at(next(r["t"] for r in rows if str(r.get("action")).startswith("set image")))
    assert [a["weight"] for a in early["gateway"]["arrows"] if a["kind"] == "weight"] == [100, 0]
