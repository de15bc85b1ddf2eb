"""What keeps a router from routing is said with the field and what to do; and what servers fill in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollout_lab.api import meta
from rollout_lab.api.fields import Json
from rollout_lab.routers import table
from rollout_lab.routers.model import Change
from rollout_lab.routers.nginx import child_name
from tests.routers.golden import FOLDER, Case, ref_of, rollout


def case(name: str) -> Case:
    return Case(FOLDER / f"{name}.yaml")


def problems(found: Case) -> list[tuple[str, str]]:
    errors = table.problems(found.rollout, found.objects, {})
    return [(e.field.removeprefix("spec.strategy.canary.trafficRouting."), e.detail) for e in errors]


def without(found: Case, kind: str, name: str) -> None:
    found.objects = {ref: body for ref, body in found.objects.items() if ref.about != f"{kind}/{name}"}


def edited(kind: str, name: str, edit: Callable[[Json], Any]) -> Callable[[Case], None]:
    def change(found: Case) -> None:
        edit(next(body for ref, body in found.objects.items() if ref.about == f"{kind}/{name}"))

    return change


def strategy(**changes: Json) -> Callable[[Case], None]:
    """Other settings of the case's router."""

    def change(found: Case) -> None:
        canary = found.raw["canary"]
        found.rollout = rollout({**canary, "trafficRouting": {**canary["trafficRouting"], **changes}})

    return change


PLUGIN = "plugins[argoproj-labs/gatewayAPI]"
WEB = {"name": "web"}


@pytest.mark.parametrize(
    ("name", "change", "field", "said"),
    [
        ("nginx", strategy(nginx={}), "nginx.stableIngress", "name the Ingress"),
        (
            "nginx",
            lambda c: without(c, "Ingress", "web"),
            "nginx.stableIngress",
            '"web" not found in namespace demo',
        ),
        (
            "nginx",
            edited("Ingress", "web", lambda o: o["spec"].update(rules=o["spec"]["rules"][1:])),
            "nginx.stableIngress",
            'no rule of Ingress "web" leads to the stable Service "shop-stable"',
        ),
        (
            "nginx",
            strategy(nginx={"stableIngress": "web", "stableIngresses": ["web"]}),
            "nginx.stableIngresses",
            "either one stableIngress or a list",
        ),
        (
            "nginx-several",
            edited("Ingress", "shop-api-canary", lambda o: o["metadata"].pop("ownerReferences")),
            "nginx.stableIngresses[1]",
            "belongs to nobody; delete or rename it",
        ),
        ("istio-hosts", strategy(istio={}), "istio.virtualService", "either one virtualService or a list"),
        (
            "istio-hosts",
            strategy(istio={"virtualService": WEB, "virtualServices": [WEB]}),
            "istio.virtualService",
            "either one virtualService or a list",
        ),
        (
            "istio-hosts",
            lambda c: without(c, "VirtualService", "web"),
            "istio.virtualService.name",
            "not found in namespace demo; create it",
        ),
        (
            "istio-hosts",
            edited("VirtualService", "web", lambda o: o["spec"]["http"].append({"route": []})),
            "istio.virtualService",
            "it has 2 http routes; list the names",
        ),
        (
            "istio-hosts",
            edited("VirtualService", "web", lambda o: o["spec"]["http"][0]["route"].pop()),
            "istio.virtualService",
            "spec.http[0].route of VirtualService web has no canary destination; add shop-canary",
        ),
        (
            "istio-routes",
            edited("VirtualService", "web", lambda o: o["spec"]["http"][0].update(name="renamed")),
            "istio.virtualServices[0]",
            "no http route named primary",
        ),
        (
            "istio-routes",
            edited("VirtualService", "wire", lambda o: o["spec"]["tcp"][0]["match"][0].update(port=1)),
            "istio.virtualServices[1]",
            "no tcp route that matches exactly",
        ),
        (
            "istio-subsets",
            lambda c: without(c, "DestinationRule", "shop"),
            "istio.destinationRule.name",
            "not found in namespace demo",
        ),
        (
            "istio-subsets",
            edited("DestinationRule", "shop", lambda o: o["spec"]["subsets"].pop()),
            "istio.destinationRule.stableSubsetName",
            "no such subset; it has new",
        ),
        (
            "istio-subsets",
            edited(
                "DestinationRule",
                "shop",
                lambda o: o["metadata"].update(
                    annotations={"argo-rollouts.argoproj.io/managed-by-rollouts": "other"}
                ),
            ),
            "istio.destinationRule.name",
            'another Rollout ("other") writes its subsets',
        ),
        (
            "gateway",
            lambda c: without(c, "HTTPRoute", "web"),
            f"{PLUGIN}.httpRoute",
            "not found in namespace demo",
        ),
        (
            "gateway",
            edited("HTTPRoute", "web", lambda o: o["spec"].update(rules=o["spec"]["rules"][2:])),
            f"{PLUGIN}.httpRoute",
            "both shop-stable and shop-canary in its backendRefs; add them",
        ),
        (
            "gateway",
            strategy(plugins={"argoproj-labs/gatewayAPI": {"httpRoute": "web", "tcpRoute": "t"}}),
            f"{PLUGIN}.tcpRoute",
            "only HTTPRoutes by name",
        ),
        (
            "gateway",
            strategy(plugins={"argoproj-labs/gatewayAPI": {}}),
            f"{PLUGIN}.httpRoute",
            "name the HTTPRoute",
        ),
    ],
)
def test_what_keeps_a_router_from_routing_is_said(
    name: str, change: Callable[[Case], None], field: str, said: str
) -> None:
    """Protects the person: one problem, the field it stands in, and what to do about it."""
    found = case(name)
    assert problems(found) == []
    change(found)
    (problem,) = problems(found)
    assert problem[0] == field and said in problem[1]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("", "the API server: does not know it; install Istio"),
        ("virtualservices is forbidden", "the API server: virtualservices is forbidden; install"),
    ],
)
def test_a_kind_the_server_does_not_give_is_named_once(why: str, said: str) -> None:
    """Protects a cluster without the CRDs: one clear sentence, and no word about missing objects."""
    found = case("istio-hosts")
    kind = "VirtualService (networking.istio.io/v1)"
    (error,) = table.problems(found.rollout, {}, {kind: why})
    assert error.detail.startswith(f"needs the kind {kind}, but {said}") and "istio" in error.field


def test_the_child_ingress_goes_with_the_rollout() -> None:
    """Protects the cluster from a child Ingress that nobody owns; and a long name from being refused."""
    found = case("nginx")
    (change,) = found.changes(next(iter(found.steps)).traffic)
    assert meta.is_controlled_by(change.body, found.rollout.raw)
    assert len(child_name("r" * 200, "i" * 200)) == 253 and child_name("r" * 200, "i" * 200).endswith(
        "-canary"
    )


def filled_in(change: Change, *, names: bool) -> Json:
    """An HTTPRoute as an API server stores it: every default written out, and old ones know no rule names."""
    rules = []
    for rule in change.body["spec"]["rules"]:
        refs = [{"group": "", "kind": "Service", "weight": 1, **ref} for ref in rule["backendRefs"]]
        path = {"path": {"type": "PathPrefix", "value": "/"}}
        matches = [{**path, **match} for match in rule.get("matches") or [{}]]
        stored = {**rule, "matches": matches, "backendRefs": refs}
        rules.append(stored if names else {k: v for k, v in stored.items() if k != "name"})
    return {**change.body, "spec": {**change.body["spec"], "rules": rules}}


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("name", ["gateway", "gateway-several"])
def test_what_a_server_fills_in_is_no_reason_to_write_again(name: str, names: bool) -> None:
    """Protects against a write in every pass, and against a rule that no abort takes away."""
    found = case(name)
    for step in found.steps:
        for change in found.changes(step.traffic):
            found.objects[ref_of(change.body)] = filled_in(change, names=names)
        assert found.changes(step.traffic) == [], step.name
    for body in found.objects.values():
        rules = body["spec"]["rules"]
        assert len(rules) == len(
            next(g for g in found.raw["given"] if meta.name(g) == meta.name(body))["spec"]["rules"]
        )
