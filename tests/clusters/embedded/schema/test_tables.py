"""Tables: columns and cells as recorded, and the parts of a Pod's state no recording shows."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from rollout_lab.api.times import parse_time
from rollout_lab.clusters.embedded.schema.ages import age, human_duration
from rollout_lab.clusters.embedded.schema.builtin import schema_for
from rollout_lab.clusters.embedded.schema.jsonpath import find, text
from rollout_lab.clusters.embedded.schema.tables import table
from tests.clusters.embedded.schema.recordings import FOLDER, NOW_TEXT, cases, concrete

NOW = parse_time(NOW_TEXT) + 300
CRDS = {
    c["spec"]["names"]["plural"]: c for c in json.loads((FOLDER / "fixtures.json").read_text())["fixtures"]
}
KINDS = {
    **{"pods": "Pod", "services": "Service", "replicasets": "ReplicaSet", "statefulsets": "StatefulSet"},
    **{"daemonsets": "DaemonSet", "configmaps": "ConfigMap", "secrets": "Secret", "nodes": "Node"},
    **{"serviceaccounts": "ServiceAccount", "ingresses": "Ingress", "ingressclasses": "IngressClass"},
    **{"namespaces": "Namespace", "events": "Event", "endpoints": "Endpoints", "widgets": "Widget"},
    **{"endpointslices": "EndpointSlice", "gadgets": "Gadget"},
}


def resource(group: str, plural: str, kind: str, custom: bool = False) -> Any:
    return SimpleNamespace(group=group, plural=plural, kind=kind, custom=custom)


def recorded() -> list[Any]:
    """Per recorded Table: the resource, the objects as last answered, and the Table."""
    found: list[Any] = []
    for case in cases():
        if case["topic"] != "tables" or "argo-crds" in str(case.get("needs")):
            continue
        objects: dict[str, dict[str, Any]] = {}
        for index, step in enumerate(case["steps"]):
            body = concrete(step["expect"].get("body"))
            parts = step["path"].replace("/namespaces/${ns}", "").strip("/").split("/")
            group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
            if not rest or not isinstance(body, dict) or (step.get("query") or {}).get("limit"):
                continue
            known = objects.setdefault(rest[0], {})
            if body.get("kind") == "Table":
                names = [concrete(rest[1])] if len(rest) > 1 else sorted(known)
                res = resource(group, rest[0], KINDS[rest[0]], "example" in group)
                rows = [known[name] for name in names]
                found.append(pytest.param(res, rows, body, id=f"{case['id']}#{index}"))
            elif (body.get("metadata") or {}).get("name"):
                known[body["metadata"]["name"]] = body
    return found


def test_many_kinds_were_recorded() -> None:
    """Protects the comparison below from comparing nothing."""
    assert len({p.values[0].plural for p in recorded()}) >= 14


@pytest.mark.parametrize(("res", "objects", "expected"), recorded())
def test_tables_are_as_recorded(res: Any, objects: list[Any], expected: dict[str, Any]) -> None:
    """Protects what ``kubectl get`` prints, with and without ``-o wide``."""
    columns = CRDS[res.plural]["spec"]["versions"][0].get("additionalPrinterColumns") if res.custom else None
    made = table(res, objects, NOW, columns)
    assert made["columnDefinitions"] == expected["columnDefinitions"]
    assert len(made["rows"]) == len(expected["rows"])
    for row, wanted in zip(made["rows"], expected["rows"], strict=True):
        ages = [i for i, cell in enumerate(wanted["cells"]) if cell == "<age>"]
        assert [c for i, c in enumerate(row["cells"]) if i not in ages] == [
            c for i, c in enumerate(wanted["cells"]) if i not in ages
        ]
        assert row.get("conditions") == wanted.get("conditions")


def pod_row(**status: Any) -> list[Any]:
    pod = {
        "metadata": {"name": "p", "creationTimestamp": NOW_TEXT},
        "spec": {"containers": [{"name": "c"}], "initContainers": [{"name": "i"}]},
        "status": status,
    }
    cells: list[Any] = table(resource("", "pods", "Pod"), [pod], NOW)["rows"][0]["cells"]
    return cells[1:5]


def container(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "c", "ready": False, "restartCount": 0, "state": state, **more}


@pytest.mark.parametrize(
    ("status", "ready", "shown", "restarts"),
    [
        (
            {
                "phase": "Pending",
                "containerStatuses": [container({"waiting": {"reason": "ImagePullBackOff"}})],
            },
            "0/1",
            "ImagePullBackOff",
            "0",
        ),
        (
            {"phase": "Failed", "containerStatuses": [container({"terminated": {"exitCode": 3}})]},
            "0/1",
            "ExitCode:3",
            "0",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [container({"terminated": {"exitCode": 137, "signal": 9}})],
            },
            "0/1",
            "Signal:9",
            "0",
        ),
        (
            {
                "phase": "Pending",
                "initContainerStatuses": [container({"terminated": {"exitCode": 1, "reason": "Error"}})],
            },
            "0/1",
            "Init:Error",
            "0",
        ),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            },
            "0/1",
            "SchedulingGated",
            "0",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [
                    container(
                        {"running": {}},
                        ready=True,
                        restartCount=2,
                        lastState={"terminated": {"finishedAt": "2020-01-01T00:04:00Z"}},
                    )
                ],
            },
            "1/1",
            "Running",
            "2 (60s ago)",
        ),
    ],
)
def test_the_state_of_a_pod_in_one_word(
    status: dict[str, Any], ready: str, shown: str, restarts: str
) -> None:
    """Protects the word a learner watches while a Pod starts or fails."""
    assert pod_row(**status) == [ready, shown, restarts, "5m"]


def test_deployments_show_ready_of_wanted() -> None:
    """Protects the columns of the course's plain Deployments, which were not recorded."""
    made = table(
        resource("apps", "deployments", "Deployment"),
        [
            {
                "metadata": {"name": "d", "creationTimestamp": NOW_TEXT},
                "spec": {
                    "replicas": 3,
                    "selector": {"matchLabels": {"b": "2", "a": "1"}},
                    "template": {
                        "spec": {"containers": [{"name": "x", "image": "i:1"}, {"name": "y", "image": "j"}]}
                    },
                },
                "status": {"readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2},
            }
        ],
        NOW,
    )
    assert made["rows"][0]["cells"] == ["d", "2/3", 1, 2, "5m", "x,y", "i:1,j", "a=1,b=2"]
    assert [c["name"] for c in made["columnDefinitions"]][:5] == [
        "Name",
        "Ready",
        "Up-to-date",
        "Available",
        "Age",
    ]
    assert len(made["columnDefinitions"]) == 8


def test_kinds_without_columns_show_name_and_time() -> None:
    """Protects ``kubectl get`` of kinds nobody wrote a printer for."""
    made = table(
        resource("policy", "poddisruptionbudgets", "PodDisruptionBudget"),
        [{"metadata": {"name": "b", "creationTimestamp": NOW_TEXT}}],
        NOW,
    )
    assert made["rows"] == [{"cells": ["b", NOW_TEXT]}]
    assert [c["name"] for c in made["columnDefinitions"]] == ["Name", "Created At"]


def test_every_printed_kind_exists() -> None:
    """Protects the table of printers from a misspelt group or kind."""
    from rollout_lab.clusters.embedded.schema.cells import CELLS

    for group, kind in CELLS:
        assert schema_for(group, "v1", kind) is not None, (group, kind)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (599, "9m59s"),
        (600, "10m"),
        (179 * 60, "179m"),
        (3 * 3600 + 300, "3h5m"),
        (8 * 3600 - 60, "7h59m"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (7 * 86400 + 23 * 3600, "7d23h"),
        (8 * 86400, "8d"),
        (729 * 86400, "729d"),
        (730 * 86400, "2y"),
        (731 * 86400, "2y1d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_ages_are_as_kubectl_shows_them(seconds: int, shown: str) -> None:
    """Protects the change of units at every border."""
    assert human_duration(seconds) == shown


def test_an_age_needs_a_time() -> None:
    """Protects objects without a creation time from breaking the table."""
    assert age(None, NOW) == "<unknown>"
    assert age("yesterday", NOW) == "<invalid>"
    assert age("2020-01-01T00:04:00Z", NOW) == "60s"


PATHS = {
    "spec": {"a": [{"n": "x", "v": 1}, {"n": "y", "v": 2.5}], "m": {"k.l": True}},
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (".spec.a[*].n", ["x", "y"]),
        (".spec.a[1].v", [2.5]),
        (".spec.a[-1].n", ["y"]),
        (".spec.a[9].n", []),
        ('.spec.a[?(@.n=="y")].v', [2.5]),
        (".spec.a[?(@.v>1)].n", ["y"]),
        (".spec.a[?(@.q)].n", []),
        (".spec.m['k.l']", [True]),
        (r".spec.m.k\.l", [True]),
        ("{.spec.a[0].v}", [1]),
        (".none", [None]),
        (".spec.missing.deep", []),
        (".spec[", []),
    ],
)
def test_json_paths_find_what_columns_ask_for(path: str, values: list[Any]) -> None:
    """Protects custom columns; a bad path gives an empty cell, never an error."""
    assert find(PATHS, path) == values


@pytest.mark.parametrize(("value", "shown"), [(True, "true"), (2.0, "2"), ({"a": 1}, '{"a":1}'), ("x", "x")])
def test_string_columns_show_any_value(value: Any, shown: str) -> None:
    """Protects string columns that point at something else."""
    assert text(value) == shown
