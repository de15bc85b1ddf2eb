"""HTTPRoute: matches and their precedence, weights, filters, parents and what the status says."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from rollout_lab.gateway.choose import choose
from rollout_lab.gateway.compile import Compiled
from rollout_lab.gateway.conditions import dated
from rollout_lab.gateway.forwarding import changed
from rollout_lab.gateway.parents import intersection
from tests.gateway.worlds import compiled, grid, request, said, taken

SERVICES = ("exact", "long", "short", "get", "header", "two", "query", "root", "stable", "canary")


def route(rules: str, name: str = "web", **spec: Any) -> dict[str, Any]:
    """An HTTPRoute on the Gateway ``gw``; `rules` is YAML."""
    about = {"name": name, "namespace": "demo", "generation": 3}
    return {
        "metadata": about,
        "spec": {"parentRefs": [{"name": "gw"}], "rules": yaml.safe_load(rules), **spec},
    }


def rule(match: str, name: str) -> str:
    return f"- {{matches: [{match}], backendRefs: [{{name: {name}, port: 80}}]}}\n"


ORDER = "".join(
    rule(match, name)
    for match, name in [
        ("{path: {type: PathPrefix, value: /}}", "root"),
        ("{path: {type: PathPrefix, value: /a}, queryParams: [{name: q, value: x}]}", "query"),
        ("{path: {type: PathPrefix, value: /a}, headers: [{name: X-A, value: '1'}]}", "header"),
        (
            "{path: {value: /a}, headers: [{name: X-A, value: '1'}, "
            "{name: x-b, type: RegularExpression, value: 'k.*'}]}",
            "two",
        ),
        ("{path: {type: PathPrefix, value: /a}, method: POST}", "get"),
        ("{path: {type: PathPrefix, value: /a}}", "short"),
        ("{path: {type: PathPrefix, value: /a/b}}", "long"),
        ("{path: {type: Exact, value: /a/b}}", "exact"),
    ]
)


@pytest.mark.parametrize(
    ("path", "method", "headers", "wanted"),
    [
        ("/", "GET", {}, "root"),
        ("/ab", "GET", {}, "root"),
        ("/a", "GET", {}, "short"),
        ("/a/b", "GET", {}, "exact"),
        ("/a/b/c", "GET", {"x_a": "1"}, "long"),
        ("/a/x", "POST", {"x_a": "1"}, "get"),
        ("/a/x", "GET", {"x_a": "1"}, "header"),
        ("/a/x", "GET", {"x_a": "1", "x_b": "kr"}, "two"),
        ("/a/x", "GET", {"x_a": "1", "x_b": "okr"}, "header"),
        ("/a/x?q=x", "GET", {"x_a": "1"}, "header"),
        ("/a/x?q=x", "GET", {}, "query"),
        ("/a/x?q=y", "GET", {}, "short"),
    ],
)
def test_the_more_specific_match_wins(path: str, method: str, headers: dict[str, str], wanted: str) -> None:
    """Protects precedence: exact, longer prefix, method, more headers, query; not the order of writing."""
    table = compiled(SERVICES, HTTPRoute=[route(ORDER)])
    assert taken(table, request(path, method=method, **headers)) == wanted


def test_hostnames_go_before_paths_and_older_before_newer() -> None:
    """Protects precedence over several routes: exact host, then star, then none; then age, then name."""
    to = "- {{backendRefs: [{{name: {}, port: 80}}]}}"
    routes = [
        route(to.format("root"), "none"),
        route(to.format("short"), "star", hostnames=["*.example"]),
        route(to.format("exact"), "host", hostnames=["a.example"]),
        route(to.format("two"), "young", hostnames=["a.example"]),
    ]
    for number, one in enumerate(routes):
        one["metadata"]["creationTimestamp"] = f"2026-01-01T00:00:0{number}Z"
    table = compiled(SERVICES, HTTPRoute=routes)
    found = [taken(table, request(host=h)) for h in ("a.example", "b.example", "c.b.example", "example")]
    assert found == ["exact", "short", "short", "root"]


@pytest.mark.parametrize(
    ("backends", "wanted"),
    [
        (
            "[{name: stable, port: 80, weight: 95}, {name: canary, port: 80, weight: 5}]",
            {"stable": 95, "canary": 5},
        ),
        ("[{name: stable, port: 80}, {name: nobody, port: 80, weight: 3}]", {"stable": 25, "500": 75}),
        ("[{name: stable, port: 81}]", {"500": 100}),
        ("[{name: stable, port: 80, namespace: other}]", {"500": 100}),
        ("[{name: stable, port: 80, kind: Bucket}]", {"500": 100}),
        ("[{name: stable, port: 80, weight: 0}]", {"500": 100}),
        ("[]", {"500": 100}),
    ],
)
def test_backends_by_weight_and_what_cannot_be_used(backends: str, wanted: dict[str, int]) -> None:
    """Protects the split, also where a reference leads nowhere: its share gets an error, no one else's."""
    table, draw = compiled(SERVICES, HTTPRoute=[route(f"- backendRefs: {backends}")]), grid(100)
    found = [taken(table, request(), draw) for _ in range(100)]
    assert {name: found.count(name) for name in set(found)} == wanted


def conditions(table: Compiled, kind: str = "HTTPRoute") -> dict[str, str]:
    status = next(s.status for s in table.statuses if s.kind == kind)
    rows = status["parents"][0]["conditions"] if kind == "HTTPRoute" else status["conditions"]
    return {c["type"]: f"{c['status']} {c['reason']}" for c in rows}


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (
            route("- backendRefs: [{name: stable, port: 80}]"),
            {"Accepted": "True Accepted", "ResolvedRefs": "True ResolvedRefs"},
        ),
        (
            route("- backendRefs: [{name: nobody, port: 80}]"),
            {"Accepted": "True Accepted", "ResolvedRefs": "False BackendNotFound"},
        ),
        (
            route("- backendRefs: [{name: stable, port: 80, namespace: b}]"),
            {"Accepted": "True Accepted", "ResolvedRefs": "False RefNotPermitted"},
        ),
        (
            route("- backendRefs: [{name: stable, kind: Bucket}]"),
            {"Accepted": "True Accepted", "ResolvedRefs": "False InvalidKind"},
        ),
        (
            route("- backendRefs: []", parentRefs=[{"name": "gw", "sectionName": "none"}]),
            {"Accepted": "False NoMatchingParent", "ResolvedRefs": "True ResolvedRefs"},
        ),
        (
            route("- {filters: [{type: URLRewrite}], backendRefs: [{name: stable, port: 80}]}"),
            {
                "Accepted": "True Accepted",
                "ResolvedRefs": "True ResolvedRefs",
                "PartiallyInvalid": "True UnsupportedValue",
            },
        ),
    ],
)
def test_the_status_says_what_was_accepted(made: dict[str, Any], wanted: dict[str, str]) -> None:
    """Protects status.parents: Accepted and ResolvedRefs with the reasons of the Gateway API."""
    assert conditions(compiled(SERVICES, HTTPRoute=[made])) == wanted


def test_gateways_say_what_hangs_on_them() -> None:
    """Protects the Gateway's status: programmed, with its routes counted."""
    table = compiled(SERVICES, HTTPRoute=[route("- backendRefs: [{name: stable, port: 80}]")])
    gateway = next(s for s in table.statuses if s.kind == "Gateway")
    assert gateway.status["listeners"][0]["attachedRoutes"] == 1
    assert conditions(table, "Gateway") == {"Accepted": "True Accepted", "Programmed": "True Programmed"}
    first = dated(gateway, {}, "t1")
    assert dated(gateway, first, "t2") == first, "a time changes only with its condition"


def test_other_controllers_keep_their_part_of_a_status() -> None:
    """Protects a cluster with two gateways: a parent written by another stays."""
    table = compiled(SERVICES, HTTPRoute=[route("- backendRefs: [{name: stable, port: 80}]")])
    theirs = {"parentRef": {"name": "gw"}, "controllerName": "example.com/other", "conditions": []}
    wanted = next(s for s in table.statuses if s.kind == "HTTPRoute")
    found = dated(wanted, {"parents": [theirs]}, "t1")
    assert [p["controllerName"] for p in found["parents"]] == ["example.com/other", "rollout-lab/gateway"]


def test_fields_that_are_not_obeyed_are_named() -> None:
    """Protects a student from a silent field, and a lost parent from silence."""
    backends = "backendRefs: [{name: stable, port: 80}]"
    rules = f"- {{timeouts: {{request: 1s}}, filters: [{{type: RequestRedirect}}], {backends}}}"
    lost = route("- backendRefs: []", "lost", parentRefs=[{"name": "nowhere"}])
    table = compiled(SERVICES, HTTPRoute=[route(rules), lost])
    assert sorted(said(table)) == [
        "HTTPRoute lost spec.parentRefs[0]",
        "HTTPRoute web spec.rules[0].filters[0]",
        "HTTPRoute web spec.rules[0].timeouts",
    ]
    assert taken(table, request()) == "500"


def test_header_changes_and_mirrors() -> None:
    """Protects header filters (set, add, remove, any case) and mirrors with a percentage."""
    table = compiled(
        SERVICES,
        HTTPRoute=[
            route(
                """
- filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set: [{name: X-Set, value: new}]
        add: [{name: X-Add, value: more}]
        remove: [X-Gone]
    - type: RequestMirror
      requestMirror: {backendRef: {name: canary, port: 80}, percent: 10}
  backendRefs: [{name: stable, port: 80}]
"""
            )
        ],
    )
    draw = grid(100)
    found = [choose(table.table, request(), draw) for _ in range(100)]
    assert sum(len(d.mirrors) for d in found) == 10
    assert found[0].rule is not None
    sent = [("x-set", "old"), ("X-ADD", "one"), ("x-gone", "1"), ("Other", "2")]
    assert changed(sent, [found[0].rule.request_headers]) == [
        ("X-ADD", "one"),
        ("Other", "2"),
        ("x-set", "new"),
        ("x-add", "more"),
    ]


@pytest.mark.parametrize(
    ("listener", "hosts", "wanted"),
    [
        ("", [], [""]),
        ("", ["a.x"], ["a.x"]),
        ("a.x", [], ["a.x"]),
        ("*.x", ["a.x", "b.y"], ["a.x"]),
        ("a.x", ["*.x"], ["a.x"]),
        ("*.x", ["*.a.x"], ["*.a.x"]),
        ("b.x", ["a.x"], []),
    ],
)
def test_hosts_of_listener_and_route(listener: str, hosts: list[str], wanted: list[str]) -> None:
    """Protects hostnames: a route gets what its listener has too."""
    assert intersection(listener, hosts) == wanted
