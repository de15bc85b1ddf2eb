"""No object, however odd, makes the schema side raise anything but its own errors."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollout_lab.clusters.embedded.patching import apply_json, apply_merge, apply_strategic
from rollout_lab.clusters.embedded.schema.builtin import Field, Scalar, Shape, Struct, schema_for
from rollout_lab.clusters.embedded.schema.cells import CELLS
from rollout_lab.clusters.embedded.schema.crd import CustomSchema
from rollout_lab.clusters.embedded.schema.decode import DecodeError, prune
from rollout_lab.clusters.embedded.schema.defaults import default
from rollout_lab.clusters.embedded.schema.pod_table import pod_cells
from rollout_lab.clusters.embedded.schema.validate import validate_create, validate_update
from rollout_lab.clusters.embedded.schema.warnings import warnings
from rollout_lab.errors import ApiError

KINDS = [
    ("", "Pod"),
    ("", "Service"),
    ("", "ConfigMap"),
    ("", "Secret"),
    ("", "Namespace"),
    ("", "Node"),
    ("", "Endpoints"),
    ("", "Event"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
    ("coordination.k8s.io", "Lease"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("networking.k8s.io", "Ingress"),
    ("policy", "PodDisruptionBudget"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
]

VALUES: dict[Scalar, list[Any]] = {
    Scalar.STRING: ["", "a", "Always", "RollingUpdate", "Bad_!", "x" * 70],
    Scalar.BOOL: [True, False],
    Scalar.INT32: [-1, 0, 1, 70000],
    Scalar.INT64: [-1, 0, 1, 700],
    Scalar.DOUBLE: [0, 1.5],
    Scalar.BYTES: ["", "YQ=="],
    Scalar.QUANTITY: ["1", "-1", "128m", "1Gi", 2, "1e3"],
    Scalar.INT_OR_STRING: [0, 1, "25%", "x%", "http"],
    Scalar.TIME: [None, "2024-01-01T00:00:00Z"],
    Scalar.MICRO_TIME: [None, "2024-01-01T00:00:00.000000Z"],
    Scalar.RAW: [None, {}, {"a": 1}],
    Scalar.SCHEMA: [True, {"type": "string"}, ["a"]],
    Scalar.STRINGS: [[], ["a"]],
}


class Maker:
    """Random objects of a struct: fields left out, null, empty or filled."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def struct(self, schema: Struct, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, field in schema.fields.items():
            chance = 0.6 if depth < 3 else 0.25
            if self.random.random() < chance:
                out[name] = self.field(field, depth)
        return out

    def field(self, field: Field, depth: int) -> Any:
        if self.random.random() < 0.08:
            return None
        count = self.random.choice([0, 1, 1, 2])
        if field.shape is Shape.LIST and field.type is not Scalar.STRINGS:
            return [self.one(field, depth) for _ in range(count)]
        if field.shape is Shape.MAP:
            keys = self.random.sample(["a", "b/c", "Bad !", "cpu", "memory"], count)
            return {key: self.one(field, depth) for key in keys}
        return self.one(field, depth)

    def one(self, field: Field, depth: int) -> Any:
        if isinstance(field.type, Struct):
            return self.struct(field.type, depth + 1) if depth < 9 else {}
        return self.random.choice(VALUES[field.type])


@pytest.mark.parametrize(("group", "kind"), KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_any_well_typed_object_passes_through_the_pipeline(group: str, kind: str, seed: int) -> None:
    """Protects the server's loop: an object of the right types is stored or refused, never a crash."""
    schema = schema_for(group, "v1", kind)
    assert schema is not None
    maker = Maker(seed)
    objects = []
    for _ in range(6):
        made = maker.struct(schema, 0)
        made |= {"apiVersion": f"{group}/v1".lstrip("/"), "kind": kind}
        made["metadata"] = {**(made.get("metadata") or {}), "name": "n"}
        before = copy.deepcopy(made)
        decoded, unknown = prune(made, schema)
        assert unknown == []
        filled = default(decoded)
        assert made == before
        assert prune(filled, schema)[0] == filled
        assert default(filled) == filled
        objects.append(filled)
        validate_create(filled)
        warnings(filled)
        for cause in validate_create(filled):
            json.dumps(cause.as_dict())
        if (group, kind) == ("", "Pod"):
            assert len(pod_cells(filled, 0.0)) == 9
        elif (group, kind) in CELLS:
            CELLS[(group, kind)](filled, 0.0)
    for new in objects:
        for old in objects:
            frozen = copy.deepcopy((new, old))
            validate_update(new, old)
            validate_update(new, old, "status")
            assert apply_merge(old, new) is not None
            assert (new, old) == frozen


KEYS = st.sampled_from(["spec", "metadata", "name", "template", "containers", "$patch", "ports"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=15,
)


@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(["spec", "metadata", "status", "data"]), JSON))
def test_any_json_is_decoded_or_refused(kind: tuple[str, str], body: dict[str, Any]) -> None:
    """Protects the server from a body of any shape."""
    schema = schema_for(kind[0], "v1", kind[1])
    assert schema is not None
    try:
        prune(body, schema)
    except DecodeError as error:
        assert str(error)


@settings(max_examples=300)
@given(JSON, st.booleans())
def test_any_patch_is_applied_or_refused(patch: Any, as_json: bool) -> None:
    """Protects the server from a patch of any shape."""
    schema = schema_for("apps", "v1", "Deployment")
    assert schema is not None
    old = {"metadata": {"name": "a"}, "spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}}
    try:
        apply_json(old, patch) if as_json else apply_strategic(old, patch, schema)
    except ApiError as error:
        assert error.message


WIDGET = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "default": "x", "pattern": "^[a-z]+$", "maxLength": 3},
                "ports": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                },
                "template": {"x-kubernetes-int-or-string": True},
                "containers": {
                    "type": "array",
                    "x-kubernetes-list-type": "set",
                    "items": {"type": "integer"},
                },
            },
            "x-kubernetes-validations": [{"rule": "self == oldSelf"}],
        }
    },
}


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["spec", "status"]), JSON), st.dictionaries(st.just("spec"), JSON))
def test_any_custom_object_is_judged(body: dict[str, Any], old: dict[str, Any]) -> None:
    """Protects the pipeline of custom resources from a body of any shape."""
    schema = CustomSchema(
        WIDGET, kind="", scale={"specReplicasPath": ".spec.name", "statusReplicasPath": ".status.name"}
    )
    frozen = copy.deepcopy(body)
    made = schema.default(schema.prune(body)[0])
    schema.validate(made)
    schema.validate_update(made, old)
    assert body == frozen
    assert schema.default(made) == made
