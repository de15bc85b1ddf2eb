"""Typed decoding: what is dropped, what is written although empty, and how wrong types are refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rollout_lab.clusters.embedded.schema.builtin import schema_for, schema_of
from rollout_lab.clusters.embedded.schema.decode import (
    DecodeError,
    Dialect,
    cannot_handle,
    prune,
    strict_text,
    unknown_texts,
)
from tests.clusters.embedded.schema.recordings import Step, steps


def answers() -> list[Any]:
    found = []
    for step in steps():
        body = step.answer
        if step.status < 300 and isinstance(body, dict):
            items = body.get("items")
            kind = str(body.get("kind", "")).removesuffix("List")
            objects = (
                [{"apiVersion": body["apiVersion"], "kind": kind, **item} for item in items or []]
                if "items" in body
                else [body]
            )
            found += [pytest.param(o, id=f"{step.name}-{n}") for n, o in enumerate(objects) if schema_of(o)]
    return found


ANSWERS = answers()


def test_there_are_answers_to_compare_with() -> None:
    """Protects the comparison below from comparing nothing."""
    assert len(ANSWERS) > 400


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_recorded_object_is_already_in_the_form_we_write(answer: dict[str, Any]) -> None:
    """Protects zero values, omitted fields, quantities and times: a server's answer is a fixed point."""
    schema = schema_of(answer)
    assert schema is not None
    before = copy.deepcopy(answer)
    assert prune(answer, schema) == (answer, [])
    assert answer == before


def refused() -> list[Any]:
    wanted = [s for s in steps() if s.status == 400 and s.method == "POST" and isinstance(s.body, dict)]
    return [
        pytest.param(s, id=s.name)
        for s in wanted
        if "cannot be handled" in s.answer["message"]
        and "conversion" not in s.answer["message"]
        and "registered" not in s.answer["message"]
        and schema_of(s.body)
    ]


@pytest.mark.parametrize("step", refused())
def test_wrong_types_and_unknown_fields_are_refused_in_the_recorded_words(step: Step) -> None:
    """Protects the texts kubectl shows for a manifest with the wrong type or a field that does not exist."""
    schema = schema_of(step.body)
    assert schema is not None
    kind, version = step.body["kind"], step.body["apiVersion"].rpartition("/")[2]
    try:
        _, unknown = prune(step.body, schema)
        detail = strict_text(unknown_texts(unknown))
    except DecodeError as error:
        detail = str(error)
    assert cannot_handle(kind, version, kind, detail).message == step.answer["message"]


def test_some_refusals_were_recorded() -> None:
    """Protects the test above from having no cases."""
    assert len(refused()) >= 10


@pytest.mark.parametrize(
    ("spec", "detail"),
    [
        (
            {"replicas": 2147483648},
            "number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ({"paused": "yes"}, "string into Go struct field DeploymentSpec.spec.paused of type bool"),
        (
            {"strategy": []},
            "array into Go struct field DeploymentSpec.spec.strategy of type v1.DeploymentStrategy",
        ),
        (
            {"selector": {"matchLabels": 1}},
            "number into Go struct field LabelSelector.spec.selector.matchLabels of type map[string]string",
        ),
        (
            {"template": {"spec": {"containers": [1]}}},
            "number into Go struct field PodSpec.spec.template.spec.containers of type v1.Container",
        ),
    ],
)
def test_type_errors_name_struct_path_and_type(spec: dict[str, Any], detail: str) -> None:
    """Protects Go's wording for the kinds of mistakes a learner makes in YAML."""
    schema = schema_for("apps", "v1", "Deployment")
    assert schema is not None
    with pytest.raises(DecodeError) as caught:
        prune({"kind": "Deployment", "spec": spec}, schema)
    assert str(caught.value) == f"json: cannot unmarshal {detail}"


@pytest.mark.parametrize(
    ("patch_result", "detail"),
    [
        ({"spec": 5}, "cannot restore struct from: int64"),
        ({"spec": {"template": {"spec": {"containers": {"name": "x"}}}}}, "cannot restore slice from map"),
        ({"metadata": {"labels": {"a": 1}}}, "cannot convert int64 to string"),
        ({"metadata": {"labels": ["a"]}}, "cannot restore map from slice"),
    ],
)
def test_strategic_patches_have_their_own_type_errors(patch_result: dict[str, Any], detail: str) -> None:
    """Protects the second dialect: results of strategic merge patches go through another decoder."""
    schema = schema_for("apps", "v1", "Deployment")
    assert schema is not None
    with pytest.raises(DecodeError, match=detail.replace("(", r"\(")):
        prune(patch_result, schema, Dialect.MAP)


def test_unknown_fields_are_told_with_list_indexes_and_dropped() -> None:
    """Protects strict validation from pointing at the wrong place."""
    schema = schema_for("", "v1", "Pod")
    assert schema is not None
    made, unknown = prune(
        {"spec": {"containers": [{"name": "a"}, {"name": "b", "imag": "x"}], "x": 1}}, schema
    )
    assert unknown == ["spec.containers[1].imag", "spec.x"]
    assert made["spec"]["containers"][1] == {"name": "b", "resources": {}}


def test_a_null_means_not_given() -> None:
    """Protects ``kubectl create`` output, which carries creationTimestamp: null."""
    schema = schema_for("", "v1", "Service")
    assert schema is not None
    made, unknown = prune({"metadata": {"name": "s", "creationTimestamp": None}, "spec": None}, schema)
    assert (made, unknown) == ({"metadata": {"name": "s"}, "spec": {}, "status": {"loadBalancer": {}}}, [])


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("not base64!", "illegal base64 data at input byte 3"),
        ("v", "illegal base64 data at input byte 0"),
        ("YQ=", "illegal base64 data at input byte 2"),
    ],
)
def test_secrets_must_be_base64(text: str, detail: str) -> None:
    """Protects the offset in the error, which tells where the typing mistake is."""
    schema = schema_for("", "v1", "Secret")
    assert schema is not None
    with pytest.raises(DecodeError, match=detail):
        prune({"data": {"k": text}}, schema)


def test_times_are_brought_to_utc_and_seconds() -> None:
    """Protects comparisons of time stamps, which clients make as text."""
    schema = schema_for("coordination.k8s.io", "v1", "Lease")
    assert schema is not None
    meta = {"creationTimestamp": "2024-03-01T10:00:00.5+02:00"}
    spec = {"renewTime": "2024-03-01T10:00:00.500000+02:00"}
    made, _ = prune({"metadata": meta, "spec": spec}, schema)
    assert made["metadata"]["creationTimestamp"] == "2024-03-01T08:00:00Z"
    assert made["spec"]["renewTime"] == "2024-03-01T08:00:00.500000Z"
    with pytest.raises(DecodeError, match='cannot parse "yesterday" as "2006"'):
        prune({"metadata": {"creationTimestamp": "yesterday"}}, schema)


def test_schemas_inside_a_crd_lose_what_go_omits() -> None:
    """Protects the CRD answers: false flags vanish below items and additionalProperties too."""
    schema = schema_for("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
    assert schema is not None
    tree = {
        "type": "array",
        "items": {"type": "object", "additionalProperties": {"type": "string", "nullable": False}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": tree}}
    spec = {"group": "a.b", "names": {"plural": "x", "kind": "X"}, "scope": "Cluster", "versions": [version]}
    made, unknown = prune({"spec": spec}, schema)
    kept = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert kept["items"]["additionalProperties"] == {"type": "string"}
    assert unknown == []
