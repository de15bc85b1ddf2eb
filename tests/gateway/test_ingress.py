"""Ingress and its canary annotations: which backend a request gets, and what is not obeyed."""

from __future__ import annotations

import pytest

from tests.gateway.worlds import compiled, grid, request, said, taken

PREFIX = "nginx.ingress.kubernetes.io"


def ingress(name: str, *paths: tuple[str, str, str], host: str = "", **notes: str) -> dict[str, object]:
    """`paths` are (type, path, service); `notes` are annotations with _ for -."""
    listed = [
        {"path": p, "pathType": t, "backend": {"service": {"name": s, "port": {"number": 80}}}}
        for t, p, s in paths
    ]
    rule = {"http": {"paths": listed}, **({"host": host} if host else {})}
    given = {f"{PREFIX}/{k.replace('_', '-')}": v for k, v in notes.items()}
    about = {"name": name, "namespace": "demo", "annotations": given}
    return {"metadata": about, "spec": {"ingressClassName": "nginx", "rules": [rule]}}


def canary(**notes: str) -> list[dict[str, object]]:
    main = ingress("main", ("Prefix", "/", "stable"))
    return [main, ingress("main-canary", ("Prefix", "/", "canary"), canary="true", **notes)]


@pytest.mark.parametrize(
    ("notes", "headers", "wanted"),
    [
        ({}, {}, "stable"),
        ({"canary_weight": "100"}, {}, "canary"),
        ({"canary_weight": "0"}, {}, "stable"),
        ({"canary_by_header": "X-Try"}, {"x_try": "always"}, "canary"),
        ({"canary_by_header": "X-Try", "canary_weight": "100"}, {"x_try": "never"}, "stable"),
        ({"canary_by_header": "X-Try", "canary_weight": "100"}, {"x_try": "other"}, "canary"),
        ({"canary_by_header": "X-Try", "canary_by_header_value": "kr"}, {"x_try": "kr"}, "canary"),
        ({"canary_by_header": "X-Try", "canary_by_header_value": "kr"}, {"x_try": "always"}, "stable"),
        ({"canary_by_header": "X-Try", "canary_by_header_pattern": "^k"}, {"x_try": "kr"}, "canary"),
        ({"canary_by_header": "X-Try", "canary_by_header_pattern": "^k"}, {"x_try": "us"}, "stable"),
        (
            {"canary_by_header": "X", "canary_by_header_value": "a", "canary_by_header_pattern": "."},
            {"x": "b"},
            "stable",
        ),
        ({"canary_by_cookie": "try"}, {"cookie": "x=1; try=always"}, "canary"),
        ({"canary_by_cookie": "try", "canary_weight": "100"}, {"cookie": "try=never"}, "stable"),
        ({"canary_by_cookie": "try", "canary_weight": "100"}, {"cookie": "try=1"}, "canary"),
        (
            {"canary_by_header": "X-Try", "canary_by_cookie": "try"},
            {"x_try": "never", "cookie": "try=always"},
            "stable",
        ),
        (
            {"canary_by_header": "X-Try", "canary_by_cookie": "try"},
            {"x_try": "what", "cookie": "try=always"},
            "canary",
        ),
    ],
)
def test_canary_annotations(notes: dict[str, str], headers: dict[str, str], wanted: str) -> None:
    """Protects each annotation, and header before cookie before weight."""
    table = compiled(Ingress=canary(**notes))
    assert said(table) == []
    assert taken(table, request(**headers)) == wanted


@pytest.mark.parametrize(
    ("weight", "total", "parts", "wanted"),
    [(5, None, 100, 5), (99, None, 100, 99), (25, "1000", 1000, 25), (3, "50", 100, 3), (7, "200", 200, 7)],
)
def test_canary_weight_is_exact(weight: int, total: str | None, parts: int, wanted: int) -> None:
    """Protects weight and weight-total: of equally spread numbers exactly the weight is taken."""
    notes = {"canary_weight": str(weight), **({"canary_weight_total": total} if total else {})}
    table, draw = compiled(Ingress=canary(**notes)), grid(parts)
    assert [taken(table, request(), draw) for _ in range(parts)].count("canary") == wanted


def test_a_canary_without_endpoints_takes_nothing() -> None:
    """Protects users from a canary whose Pods are not there: the stable version answers."""
    slices = [{"metadata": {"name": "canary-x", "labels": {"kubernetes.io/service-name": "canary"}}}]
    ports = [{"metadata": {"name": "canary"}, "spec": {"ports": [{"port": 80}]}}]
    given = canary(canary_weight="100", canary_by_header="x")
    table = compiled(("stable",), Ingress=given, Service=ports, EndpointSlice=slices)
    assert taken(table, request(x="always")) == "stable"


PATHS = [
    ingress(
        "main",
        ("Prefix", "/", "root"),
        ("Prefix", "/a", "prefix"),
        ("Exact", "/a", "exact"),
        ("Prefix", "/a/b/", "longer"),
        ("ImplementationSpecific", "/raw", "raw"),
        host="a.example",
    ),
    ingress("star", ("Prefix", "/", "star"), host="*.example"),
    ingress("any", ("Prefix", "/only", "any")),
]


@pytest.mark.parametrize(
    ("host", "path", "wanted"),
    [
        ("a.example", "/", "root"),
        ("a.example", "/a", "exact"),
        ("a.example", "/a/", "prefix"),
        ("a.example", "/ab", "root"),
        ("a.example", "/a/b", "longer"),
        ("a.example", "/a/b/c", "longer"),
        ("a.example", "/rawness", "raw"),
        ("b.example", "/x", "star"),
        ("c.b.example", "/only", "any"),
        ("c.b.example", "/", "404"),
        ("a.example", "/only", "root"),
    ],
)
def test_hosts_and_paths(host: str, path: str, wanted: str) -> None:
    """Protects the choice of a rule: best host, then longest path, then exact; a star is one label."""
    names = ("root", "prefix", "exact", "longer", "raw", "star", "any")
    assert taken(compiled(names, Ingress=PATHS), request(path, host=host)) == wanted


def test_default_backends() -> None:
    """Protects defaultBackend: the rest of an Ingress's own hosts, or of everything without rules."""
    backend = {"service": {"name": "rest", "port": {"name": "http"}}}
    some = ingress("some", ("Prefix", "/a", "stable"), host="a.example")
    some["spec"]["defaultBackend"] = {"service": {"name": "own", "port": {"number": 80}}}  # type: ignore[index]
    all_ = {"metadata": {"name": "all"}, "spec": {"ingressClassName": "nginx", "defaultBackend": backend}}
    table = compiled(("stable", "own", "rest"), Ingress=[some, all_])
    assert [
        taken(table, request(p, host=h)) for h, p in (("a.example", "/a"), ("a.example", "/b"), ("z", "/"))
    ] == [
        "stable",
        "own",
        "rest",
    ]


def test_what_is_not_obeyed_is_said_by_field() -> None:
    """Protects a student from a silent field: each one is named."""
    strange = ingress("strange", ("Prefix", "/", "nobody"), rewrite_target="/", canary_weight="5")
    strange["spec"]["tls"] = [{"hosts": ["a"]}]  # type: ignore[index]
    lonely = ingress("lonely", ("Prefix", "/else", "canary"), canary="true", canary_weight="x")
    other = ingress("other", ("Prefix", "/o", "stable"))
    other["spec"]["ingressClassName"] = "traefik"  # type: ignore[index]
    twice = ingress("twice", ("Prefix", "/", "stable"))
    table = compiled(Ingress=[strange, lonely, other, twice])
    place = "spec.rules[0].http.paths[0]"
    assert sorted(said(table)) == sorted(
        [
            f"Ingress strange metadata.annotations[{PREFIX}/rewrite-target]",
            "Ingress strange spec.tls",
            f"Ingress strange {place}.backend.service",
            f"Ingress lonely metadata.annotations[{PREFIX}/canary-weight]",
            f"Ingress lonely {place}",
            "Ingress other spec.ingressClassName",
            f"Ingress twice {place}",
        ]
    )
    assert taken(table, request()) == "503"
