"""The page for people from ingress-nginx: its manifests run, and all forms of a section route alike."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollout_lab.client.actions import Action
from rollout_lab.client.resources import INGRESSES, ROLLOUTS
from rollout_lab.client.routes import resource_of
from rollout_lab.lab import Lab
from rollout_lab.routers.gatewayapi import HTTP_ROUTE
from rollout_lab.routers.model import covers
from tests.clusters.embedded.gateway.scenes import CANARY, ask, create, custom, two_versions, with_kinds
from tests.clusters.embedded.kubelet.bench import Bench
from tests.gateway.bounds import bounds
from tests.waiting import poll

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / name for name in ("from-ingress-nginx.md", "from-ingress-nginx.ko.md")]
HOST = "shop.localhost"
FEW = 40
_FENCE = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SECTION = re.compile(r"^<!-- try: (\S+) -->$(.*?)(?=^## )", re.DOTALL | re.MULTILINE)
Case = tuple[Mapping[str, str], float, int]  # headers, share of the canary, requests
CASES: Mapping[str, tuple[Case, ...]] = {
    "weight": (({}, 0.05, 1000),),
    "weight-total": (({}, 0.005, 2000),),
    "by-header": (
        ({"X-Canary": "always"}, 1, FEW),
        ({"X-Canary": "never"}, 0, FEW),
        ({"X-Canary": "perhaps"}, 0.2, 500),
        ({}, 0.2, 500),
    ),
    "by-header-value": (({"X-Region": "seoul"}, 1, FEW), ({"X-Region": "busan"}, 0, FEW), ({}, 0, FEW)),
    "by-header-pattern": (
        ({"X-Device": "phone"}, 1, FEW),
        ({"X-Device": "old-tablet-3"}, 1, FEW),
        ({"X-Device": "desk"}, 0, FEW),
        ({}, 0, FEW),
    ),
    "by-cookie": (
        ({"Cookie": "tester=always"}, 1, FEW),
        ({"Cookie": "a=b; tester=always; c=d"}, 1, FEW),
        ({"Cookie": "a=b; tester=never"}, 0, FEW),
        ({"Cookie": "nottester=always"}, 0.2, 500),
        ({}, 0.2, 500),
    ),
}
FORMS = ("Ingress", "HTTPRoute", "VirtualService")


def fences(text: str) -> Iterator[dict[str, Any]]:
    for found in _FENCE.finditer(text):
        yield from yaml.safe_load_all(found[1])


def page(path: Path) -> tuple[list[dict[str, Any]], dict[str, dict[str, dict[str, Any]]], list[Any]]:
    """What stands around, the sections' objects by kind, and the excerpts of Rollouts."""
    text = path.read_text(encoding="utf-8")
    sections = {m[1]: {obj["kind"]: obj for obj in fences(m[2])} for m in _SECTION.finditer(text)}
    rest = list(fences(_SECTION.sub("", text)))
    return [o for o in rest if "kind" in o], sections, [o for o in rest if "kind" not in o]


AROUND, SECTIONS, EXCERPTS = page(PAGES[0])


def test_both_languages_have_the_same_manifests_and_each_section_is_tried() -> None:
    """A manifest mended in one language only would be wrong in the other."""
    assert page(PAGES[0]) == page(PAGES[1])
    assert SECTIONS.keys() == CASES.keys()
    assert all(tuple(forms) == FORMS for forms in SECTIONS.values())
    assert len(PAGES[0].read_text().split("\n## ")) == len(PAGES[1].read_text().split("\n## "))


def test_the_excerpts_are_those_of_the_manifests_that_run() -> None:
    """What the page shows of a Rollout stands in the lessons' and the lab's own manifests."""
    names = ("five-percent", "only-the-testers", "canary-istio")
    found = []
    for name in names:
        text = (ROOT / "manifests" / f"{name}.yaml").read_text(encoding="utf-8")
        rollout = next(o for o in yaml.safe_load_all(text) if o["kind"] == "Rollout")
        found.append({"trafficRouting": rollout["spec"]["strategy"]["canary"]["trafficRouting"]})
    assert found == EXCERPTS


def test_the_three_forms_of_each_section_route_alike() -> None:
    """Each form is applied as the page has it and asked: exact for headers, within a bound for weights."""

    async def scene() -> None:
        async with two_versions(1) as b:
            with_kinds(b)
            for role, version in (("stable", "1.0.0"), ("canary", "2.0.0")):
                b.service(f"shop-{role}", {"app": "web", "version": version})
            for obj in AROUND:
                if obj["kind"] == "Gateway":
                    create(b, obj)
            for name, forms in SECTIONS.items():
                for form in FORMS:
                    await tried(b, name, forms[form])

    asyncio.run(scene())


async def tried(b: Bench, name: str, form: dict[str, Any]) -> None:
    """Apply one form of a section, ask as its cases say, and take it away."""
    main = [o for o in AROUND if o["kind"] == "Ingress"] if form["kind"] == "Ingress" else []
    made = [*main, form]
    for obj in made:
        assert covers(create(b, obj)["spec"], obj["spec"]), "the server dropped a field it does not know"

    def obeyed() -> bool:
        report = b.node.gateway.report()
        rows = [r for r in report["routes"] if r["name"] == "shop" and r["kind"] == form["kind"]]
        return bool(rows) and not report["problems"] and (not main or bool(rows[0]["canary"]))

    await b.until(obeyed, f"{name} {form['kind']} is obeyed: {b.node.gateway.report()}")
    for headers, share, n in CASES[name]:
        found = await ask(b, n, headers={"Host": HOST, **headers})
        low, high = bounds(n, share, 0.9999) if 0 < share < 1 else (n * share, n * share)
        assert found.failures == [], (name, form["kind"], headers)
        assert low <= found.answers[CANARY] <= high, (name, form["kind"], headers, found.answers)
    for obj in made:
        b.api.delete(custom(b, obj), "default", obj["metadata"]["name"])
    await b.until(lambda: not any(r["name"] == "shop" for r in b.node.gateway.report()["routes"]))


@pytest.mark.cluster
@pytest.mark.timeout(200)
def test_a_rollout_moves_from_ingress_to_httproute_without_a_new_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order the page gives: both doors stand, the router is changed at rest, the next update uses it."""
    monkeypatch.setenv("ROLLOUT_LAB_HOME", str(tmp_path))
    app, new = "api-tester-2234-weight", "new.localhost"
    space = "anotherclass-223"
    gateway = next(o for o in AROUND if o.get("spec", {}).get("gatewayClassName"))
    route = SECTIONS["weight"]["HTTPRoute"]
    backends = [
        {"name": f"{app}-{role}", "port": 80, "weight": weight}
        for role, weight in (("stable", 100), ("canary", 0))
    ]
    spec = {**route["spec"], "hostnames": [new], "rules": [{"backendRefs": backends}]}
    with Lab.start(speed=20, scenario="five-percent", probe_period=0) as lab:
        assert lab.rollout().wait_for("Healthy", 900)
        for obj in (gateway, {**route, "spec": spec}):
            lab.client.apply({**obj, "metadata": {**obj["metadata"], "namespace": space}})
        plugin = {"argoproj-labs/gatewayAPI": {"httpRoute": "shop", "namespace": space}}
        routing = {"nginx": None, "plugins": plugin}
        body = {"spec": {"strategy": {"canary": {"trafficRouting": routing}}}}
        lab.client.patch(ROLLOUTS, space, app, body, "merge")
        lab.do(Action.SET_IMAGE, version="2.0.0")
        assert lab.rollout().wait_for("Paused", 900)

        def weights() -> list[int]:
            found = lab.client.get(resource_of(HTTP_ROUTE), space, "shop")
            return [ref["weight"] for ref in found["spec"]["rules"][0]["backendRefs"]]

        assert poll(lambda: weights() == [95, 5], 60)
        notes = lab.client.get(INGRESSES, space, f"{app}-users-canary")["metadata"]["annotations"]
        assert notes["nginx.ingress.kubernetes.io/canary-weight"] == "0", "the old door splits nothing"
        assert [rs["revision"] for rs in lab.view()["replicaSets"]] == [1, 2], "the change itself made none"
        before = lab.measure_gateway(60, host=f"{app}.localhost")
        assert dict(before.versions) == {"1.0.0": 60}
