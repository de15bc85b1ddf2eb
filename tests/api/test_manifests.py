"""The manifests of the project: they lint clean, fit our own CRD, and have the course's names and ports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.api import gofields, unsupported, validation
from rollout_lab.api.lint import lint_text
from rollout_lab.api.manifest import load
from rollout_lab.api.names import Phase
from rollout_lab.clusters.embedded.schema.crd import compile_version

MANIFESTS = Path(__file__).parents[2] / "manifests"
FILES = sorted(MANIFESTS.glob("*.yaml"))
(CRD,) = load((MANIFESTS / "crds/rollouts.yaml").read_text(encoding="utf-8"), "rollouts.yaml")
(VERSION,) = CRD["spec"]["versions"]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]
PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}


def objects(name: str) -> dict[str, dict[str, Any]]:
    found = load((MANIFESTS / name).read_text(encoding="utf-8"), name)
    return {f"{obj['kind']}/{obj['metadata']['name']}": obj for obj in found}


def misfits(value: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """What the API server would refuse or drop of a value under a structural schema."""
    if value is None:
        return
    if schema.get(INT_OR_STRING):
        if not isinstance(value, (int, str)) or isinstance(value, bool):
            yield f"{path}: neither number nor text"
        return
    kind = TYPES[schema["type"]]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield f"{path}: not {schema['type']}"
        return
    for name in schema.get("required", []):
        if name not in value:
            yield f"{path}.{name}: missing"
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from misfits(item, schema["items"], f"{path}[{index}]")
    if isinstance(value, dict) and path != ".metadata":
        for key, below in value.items():
            inner = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
            if inner is not None:
                yield from misfits(below, inner, f"{path}.{key}")
            elif not schema.get(PRESERVE):
                yield f"{path}.{key}: dropped"


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for key, below in schema.get("properties", {}).items():
        yield from nodes(below, f"{path}.{key}".lstrip("."))
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], path + "[*]")


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_every_manifest_lints_clean(file: Path) -> None:
    """What we hand to students must not have what we warn them of."""
    assert [str(f) for f in lint_text(file.read_text(encoding="utf-8"), file.name)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_every_rollout_fits_the_crd(file: Path) -> None:
    """No field of ours is refused or dropped by our own CRD."""
    for obj in load(file.read_text(encoding="utf-8"), file.name):
        if obj["kind"] == "Rollout":
            assert list(misfits(obj, SCHEMA)) == []


def test_the_crd_is_structural_and_small() -> None:
    """Every node has a type, and client-side apply keeps the whole of it in an annotation of 256 KiB."""
    for path, schema in nodes(SCHEMA):
        assert schema.get("type") in TYPES or schema.get(INT_OR_STRING) is True, path
    assert len(json.dumps(CRD)) < 60_000


def test_the_crd_has_the_peers_names_and_subresources() -> None:
    assert CRD["metadata"]["name"] == "rollouts.argoproj.io"
    assert CRD["spec"]["names"]["shortNames"] == ["ro"]
    assert VERSION["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.HPAReplicas",
            "labelSelectorPath": ".status.selector",
        },
    }
    columns = [column["name"] for column in VERSION["additionalPrinterColumns"]]
    assert columns == ["Desired", "Current", "Up-to-date", "Available", "Age"]
    selector = SCHEMA["properties"]["spec"]["properties"]["selector"]
    assert [rule["rule"] for rule in selector["x-kubernetes-validations"]] == ["self == oldSelf"]


@pytest.mark.parametrize("missing", unsupported.LIST, ids=lambda m: m.path)
def test_what_is_refused_exists_and_reaches_the_engine(missing: unsupported.Missing) -> None:
    """A field dropped by the API server could not be refused by name; and the path must be a real one."""
    assert missing.path in dict(nodes(SCHEMA))
    type_, rollout, where = "Rollout", {}, None
    for part in missing.path.split("."):
        name = part.removesuffix("[*]")
        field = gofields.field(type_, name)
        assert field is not None, f"{missing.path}: {name}"
        type_ = gofields.element(field.type) or field.type
    scalar = type_ in gofields.SCALARS - {gofields.RAW}
    value: Any = {"bool": True}.get(type_, 3) if scalar else {"any": {"thing": [1]}}
    for part in reversed(missing.path.split(".")):
        value = {part.removesuffix("[*]"): [value] if part.endswith("[*]") else value}
    rollout, where = value, missing.path.replace("[*]", "[0]")
    assert [m for m in misfits(rollout, SCHEMA) if not m.endswith("missing")] == []
    (error,) = [e for e in validation.unsupported(rollout) if e.field == where]
    assert "not supported yet" in error.detail and "; " in error.detail


def test_the_crd_keeps_the_recorded_status() -> None:
    """Every status the peer was seen to write survives: nothing refused, nothing dropped."""
    traces = Path(__file__).parents[1] / "data/traces"
    seen = 0
    for file in sorted(traces.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("kind") == "Rollout" and row.get("status"):
                seen += 1
                assert list(misfits(row["status"], SCHEMA["properties"]["status"])) == []
                assert row["status"].get("phase", Phase.HEALTHY) in list(Phase)
    assert seen > 50


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_the_embedded_cluster_takes_our_rollouts_whole(file: Path) -> None:
    """Its own reading of our CRD agrees: nothing pruned, nothing refused, and the selector is fixed."""
    schema = compile_version(CRD, "v1alpha1")
    assert schema.unsupported_rules == ()
    for obj in load(file.read_text(encoding="utf-8"), file.name):
        if obj["kind"] == "Rollout":
            kept, unknown = schema.prune(obj)
            assert unknown == [] and kept == obj
            assert schema.validate(obj) == [] and schema.validate_update(obj, obj) == []
            other = {**obj, "spec": {**obj["spec"], "selector": {"matchLabels": {"app": "other"}}}}
            (cause,) = schema.validate_update(other, obj)
            assert cause.field == "spec.selector" and "selector cannot be changed" in cause.message


def test_lecture_2233_has_the_courses_names_and_ports() -> None:
    found = objects("course-2233.yaml")
    ports = {
        key: obj["spec"]["ports"][0]["nodePort"] for key, obj in found.items() if obj["kind"] == "Service"
    }
    assert ports == {"Service/api-tester-2233-active": 32233, "Service/api-tester-2233-preview": 32243}
    rollout = found["Rollout/api-tester-2233"]
    assert rollout["spec"]["replicas"] == 2
    assert rollout["spec"]["strategy"] == {
        "blueGreen": {
            "activeService": "api-tester-2233-active",
            "previewService": "api-tester-2233-preview",
            "autoPromotionEnabled": False,
        }
    }


def test_lecture_2234_has_the_courses_names_and_steps() -> None:
    found = objects("course-2234.yaml")
    assert found["Service/api-tester-2234"]["spec"]["ports"][0]["nodePort"] == 32234
    rollout = found["Rollout/api-tester-2234"]
    assert rollout["spec"]["strategy"]["canary"]["steps"] == [
        {"setWeight": 33}, {"pause": {}}, {"setWeight": 66}, {"pause": {"duration": "2m"}}
    ]  # fmt: skip


@pytest.mark.parametrize("lecture", ["2233", "2234"])
def test_the_courses_pods_are_those_of_the_course_and_run_anywhere(lecture: str) -> None:
    found = objects(f"course-{lecture}.yaml")
    assert {obj["metadata"].get("namespace", "anotherclass-223") for obj in found.values()} == {
        "anotherclass-223"
    }
    template = found[f"Rollout/api-tester-{lecture}"]["spec"]["template"]
    assert template["metadata"]["labels"] == {
        "part-of": "k8s-anotherclass", "component": "backend-server", "name": "api-tester",
        "instance": f"api-tester-{lecture}", "version": "1.0.0",
    }  # fmt: skip
    assert "nodeSelector" not in template["spec"]
    (container,) = template["spec"]["containers"]
    assert container["name"] == f"api-tester-{lecture}"
    assert container["image"] == "1pro/api-tester:1.0.0" and container["imagePullPolicy"] == "IfNotPresent"
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    paths = [container[f"{p}Probe"]["httpGet"]["path"] for p in ("startup", "readiness", "liveness")]
    assert paths == ["/startup", "/readiness", "/liveness"]
    startup = container["startupProbe"]
    assert (startup["periodSeconds"], startup["failureThreshold"]) == (5, 24)


def test_the_two_deployments_are_one_object_with_two_strategies() -> None:
    """So that applying one over the other shows the difference and nothing else."""
    one, other = (objects(f"deployment-{s}.yaml") for s in ("recreate", "rollingupdate"))
    key = "Deployment/api-tester-1231"
    assert one[key]["spec"].pop("strategy")["type"] == "Recreate"
    assert other[key]["spec"].pop("strategy")["type"] == "RollingUpdate"
    assert one == other
    assert one["Service/api-tester-1231"]["spec"]["ports"][0]["nodePort"] == 31231
