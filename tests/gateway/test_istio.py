"""VirtualService and DestinationRule: order, matches, subsets, mirrors, hosts, what is not obeyed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from rollout_lab.gateway.choose import choose
from tests.gateway.worlds import compiled, grid, request, said, taken

NAMES = ("web", "first", "second", "third", "fourth", "rest")


def virtual(http: str, name: str = "vs", hosts: str = "'*'", **spec: Any) -> dict[str, Any]:
    about = {"name": name, "namespace": "demo"}
    given = {"hosts": yaml.safe_load(f"[{hosts}]"), "http": yaml.safe_load(http), **spec}
    return {"metadata": about, "spec": given}


def to(match: str, host: str) -> str:
    return f"- {{match: [{match}], route: [{{destination: {{host: {host}}}}}]}}\n"


RULES = (
    to("{uri: {prefix: /pre}}", "first")
    + to("{uri: {exact: /pre/x}}", "second")
    + to("{headers: {x-user: {exact: kim}}, uri: {regex: '/r.*'}}, {method: {exact: POST}}", "third")
    + to("{queryParams: {q: {exact: '1'}}, withoutHeaders: {x-no: {}}}", "fourth")
    + "- {route: [{destination: {host: rest}}]}\n"
)


@pytest.mark.parametrize(
    ("path", "method", "headers", "wanted"),
    [
        ("/pre/x", "GET", {}, "first"),
        ("/prefixed", "GET", {}, "first"),
        ("/rr", "GET", {"x_user": "kim"}, "third"),
        ("/rr", "GET", {"x_user": "lee"}, "rest"),
        ("/", "POST", {}, "third"),
        ("/?q=1", "GET", {}, "fourth"),
        ("/?q=1", "GET", {"x_no": "1"}, "rest"),
        ("/", "GET", {}, "rest"),
    ],
)
def test_the_first_route_that_matches_is_taken(
    path: str, method: str, headers: dict[str, str], wanted: str
) -> None:
    """Protects Istio's order: as written, however specific a later route is."""
    table = compiled(NAMES, VirtualService=[virtual(RULES)])
    assert said(table) == []
    assert taken(table, request(path, method=method, **headers)) == wanted


RULE = """
metadata: {name: web}
spec:
  host: web
  subsets:
    - {name: old, labels: {version: "1"}}
    - {name: new, labels: {version: "2"}}
"""
SPLIT = """
- route:
    - {destination: {host: web, subset: old}, weight: 75}
    - {destination: {host: web.demo.svc.cluster.local, subset: new}, weight: 25}
"""


def test_subsets_are_the_pods_with_their_labels() -> None:
    """Protects subsets: one Service, its endpoints told apart by Pod labels, split by weight."""
    endpoints = [
        {"addresses": [f"10.1.0.{n}"], "conditions": {"ready": True}, "targetRef": {"name": f"pod-{n}"}}
        for n in range(3)
    ]
    labels = {"kubernetes.io/service-name": "web"}
    pieces = [
        {
            "metadata": {"name": "w", "labels": labels},
            "endpoints": endpoints,
            "ports": [{"name": "http", "port": 1}],
        }
    ]
    pods = [
        {"metadata": {"name": f"pod-{n}", "labels": {"version": "2" if n == 2 else "1"}}} for n in range(3)
    ]
    ports = {"spec": {"ports": [{"name": "http", "port": 80}]}}
    table = compiled(
        (),
        VirtualService=[virtual(SPLIT)],
        DestinationRule=RULE,
        Service=[{"metadata": {"name": "web"}, **ports}],
        EndpointSlice=pieces,
        Pod=pods,
    )
    assert said(table) == []
    draw = grid(100)
    found = [taken(table, request(), draw) for _ in range(100)]
    assert (found.count("web/old"), found.count("web/new")) == (75, 25)
    by_subset = {pool[3]: [host for host, _ in there] for pool, there in table.table.pools.items()}
    assert by_subset == {
        (("version", "1"),): ["10.1.0.0", "10.1.0.1"],
        (("version", "2"),): ["10.1.0.2"],
    }


def test_mirrors_by_percentage() -> None:
    """Protects mirrorPercentage, mirrors, and the marked host of a copy."""
    http = """
- mirror: {host: second}
  mirrorPercentage: {value: 12.5}
  mirrors: [{destination: {host: third}}]
  route: [{destination: {host: first}}]
"""
    table, draw = compiled(NAMES, VirtualService=[virtual(http)]), grid(1000)
    found = [choose(table.table, request(), draw) for _ in range(1000)]
    assert sum(m.backend.service == "second" for d in found for m in d.mirrors) == 125
    assert sum(m.backend.service == "third" for d in found for m in d.mirrors) == 1000
    assert {m.host_suffix for d in found for m in d.mirrors} == {"-shadow"}


GATEWAY = "metadata: {name: gw}\nspec: {servers: [{hosts: ['demo/*.example'], port: {number: 80}}]}"


@pytest.mark.parametrize(
    ("hosts", "spec", "asked", "wanted"),
    [
        ("web", {}, "web", "first"),
        ("web", {}, "web.demo.svc.cluster.local", "first"),
        ("web", {}, "other", "404"),
        ("'*.example'", {}, "a.b.example", "first"),
        ("'*'", {"gateways": ["gw"]}, "a.example", "first"),
        ("'*'", {"gateways": ["gw"]}, "a.other", "404"),
        ("a.other", {"gateways": ["gw"]}, "a.other", "404"),
        ("a.other", {"gateways": ["gw", "mesh"]}, "a.other", "first"),
    ],
)
def test_hosts_and_gateways(hosts: str, spec: dict[str, Any], asked: str, wanted: str) -> None:
    """Protects hosts: short names are Services, and a named Gateway lets only its own hosts in."""
    made = virtual("- {route: [{destination: {host: first}}]}", hosts=hosts, **spec)
    table = compiled(NAMES, VirtualService=[made], IstioGateway=GATEWAY)
    assert taken(table, request(host=asked)) == wanted


def test_what_is_not_obeyed_is_said_by_field() -> None:
    """Protects a student from a silent field; a match that cannot be obeyed takes nothing."""
    http = """
- {match: [{sourceLabels: {a: b}}], route: [{destination: {host: second}}]}
- {match: [{uri: {prefix: /go}}], redirect: {uri: /}}
- timeout: 1s
  route:
    - {destination: {host: first, subset: none}, weight: 1}
    - {destination: {host: first}, weight: 1}
"""
    made = virtual(http, tcp=[{"route": []}], gateways=["mesh", "lost"])
    rule = "metadata: {name: dr}\nspec: {host: nobody, trafficPolicy: {tls: {}}}"
    table = compiled(NAMES, VirtualService=[made], DestinationRule=rule)
    assert sorted(said(table)) == [
        "DestinationRule dr spec.host",
        "DestinationRule dr spec.trafficPolicy",
        "VirtualService vs spec.gateways[1]",
        "VirtualService vs spec.http[0].match[0]",
        "VirtualService vs spec.http[1].redirect",
        "VirtualService vs spec.http[2].route[0].destination.subset",
        "VirtualService vs spec.http[2].timeout",
        "VirtualService vs spec.tcp",
    ]
    assert taken(table, request("/go")) == "501"
    draw = grid(2)
    assert sorted(taken(table, request(), draw) for _ in range(2)) == ["503", "first"]


def test_a_weight_that_is_left_out_counts_for_a_single_destination_only() -> None:
    """Protects the peer's habit of writing 0: beside a weighted one, no weight is none."""
    http = "- route: [{destination: {host: first}}, {destination: {host: second}, weight: 1}]"
    table, draw = compiled(NAMES, VirtualService=[virtual(http)]), grid(10)
    assert {taken(table, request(), draw) for _ in range(10)} == {"second"}
