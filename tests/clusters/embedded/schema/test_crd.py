"""The pipeline of custom objects against the recorded Widgets, and the rules of CRD objects."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from rollout_lab.clusters.embedded.patching import apply_json, apply_merge
from rollout_lab.clusters.embedded.schema.builtin import schema_of
from rollout_lab.clusters.embedded.schema.crd import CustomSchema, compile_version
from rollout_lab.clusters.embedded.schema.decode import DecodeError, prune
from rollout_lab.clusters.embedded.schema.defaults import default
from rollout_lab.clusters.embedded.schema.validate import validate_create
from tests.clusters.embedded.schema.recordings import FOLDER, Step, plain, steps, without

FIXTURES = json.loads((FOLDER / "fixtures.json").read_text())["fixtures"]
SCHEMAS = {crd["spec"]["names"]["kind"]: compile_version(crd, "v1") for crd in FIXTURES}


def causes(step: Step) -> list[tuple[str, str, str]]:
    """Sorted: the real server gives the causes of custom objects in no fixed order."""
    return sorted(step.causes)


def found(
    schema: CustomSchema, new: dict[str, Any], old: dict[str, Any] | None
) -> list[tuple[str, str, str]]:
    made = schema.validate(new) if old is None else schema.validate_update(new, old)
    return sorted((c.field, c.message, c.reason) for c in made)


def written() -> list[Any]:
    wanted = [
        s for s in steps() if s.method == "POST" and isinstance(s.body, dict) and s.status in (201, 422)
    ]
    return [
        pytest.param(s, id=s.name)
        for s in wanted
        if s.body.get("kind") in SCHEMAS and f"/{s.body['kind'].lower()}s" in s.path
    ]


@pytest.mark.parametrize("step", written())
def test_new_custom_objects_are_pruned_defaulted_and_judged_as_recorded(step: Step) -> None:
    """Protects pruning, warnings, defaults, texts and fields of custom resources."""
    schema = SCHEMAS[step.body["kind"]]
    before = copy.deepcopy(step.body)
    pruned, unknown = schema.prune(step.body)
    made = schema.default(pruned)
    assert step.body == before
    assert found(schema, made, None) == causes(step)
    if step.status == 201:
        answer = plain(step.answer)
        hidden = ("status",) if "status" not in answer else ()  # a new object's status is dropped later
        assert without(made, "metadata", *hidden) == without(answer, "metadata")
        warned = [w for w in step.warnings if "unknown field" in w]
        if warned:
            assert [f'299 - "unknown field \\"{path}\\""' for path in unknown] == warned


def changed() -> list[Any]:
    return [
        pytest.param(s, id=s.name)
        for s in steps()
        if s.method == "PATCH"
        and s.status in (200, 422)
        and s.old is not None
        and s.old.get("kind") in SCHEMAS
        and not s.path.endswith(("/status", "/scale"))
        and isinstance(s.body, (dict, list))
        and s.content_type in ("application/merge-patch+json", "application/json-patch+json")
    ]


@pytest.mark.parametrize("step", changed())
def test_changed_custom_objects_are_judged_as_recorded(step: Step) -> None:
    """Protects ``self == oldSelf`` and the checks that run after a patch."""
    old = step.old
    assert old is not None
    schema = SCHEMAS[old["kind"]]
    patched = apply_json(old, step.body) if isinstance(step.body, list) else apply_merge(old, step.body)
    made = schema.default(schema.prune(patched)[0])
    mine = [cause for cause in causes(step) if not cause[0].startswith("metadata")]
    assert found(schema, made, old) == mine


def test_enough_was_recorded() -> None:
    """Protects the comparisons above from comparing nothing."""
    assert len([p for p in written() if p.values[0].status == 422]) >= 20
    assert len(changed()) >= 10


def crds() -> list[Any]:
    return [
        pytest.param(s, id=s.name)
        for s in steps()
        if s.method == "POST"
        and isinstance(s.body, dict)
        and s.body.get("kind") == "CustomResourceDefinition"
        and s.status in (201, 422)
    ]


@pytest.mark.parametrize("step", crds())
def test_crds_are_judged_as_recorded(step: Step) -> None:
    """Protects the texts for a CRD with a wrong name, no schema, no storage version or a bad column."""
    schema = schema_of(step.body)
    assert schema is not None
    made = default(prune(step.body, schema)[0])
    assert [(c.field, c.message, c.reason) for c in validate_create(made)] == step.causes


def small(**properties: Any) -> CustomSchema:
    return CustomSchema({"type": "object", "properties": properties})


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "string", "minLength": 2}, "x", "x in body should be at least 2 chars long"),
        ({"type": "integer", "multipleOf": 5}, 7, "x in body should be a multiple of 5"),
        (
            {"type": "number", "minimum": 1.5, "exclusiveMinimum": True},
            1.5,
            "x in body should be greater than 1.5",
        ),
        (
            {"type": "array", "minItems": 1, "items": {"type": "string"}},
            [],
            "x in body should have at least 1 items",
        ),
        ({"type": "object", "minProperties": 1}, {}, "x in body should have at least 1 properties"),
        ({"type": "string", "format": "ipv4"}, "1.2.3", 'x in body must be of type ipv4: "1.2.3"'),
        ({"type": "string", "not": {"enum": ["a"]}}, "a", '"x" must not validate the schema (not)'),
        (
            {"type": "string", "anyOf": [{"pattern": "^a"}, {"pattern": "^b"}]},
            "c",
            '"x" must validate at least one schema (anyOf)',
        ),
        (
            {"type": "array", "items": {"type": "integer"}},
            [None],
            'x[0] in body must be of type integer: "null"',
        ),
    ],
)
def test_the_other_rules_of_a_schema_speak_kubernetes_words(
    schema: dict[str, Any], value: Any, message: str
) -> None:
    """Protects keywords that the recordings do not touch."""
    assert any(c.message.endswith(message) for c in small(x=schema).validate({"x": value}))


def test_a_whole_float_is_an_integer() -> None:
    """Protects manifests written by tools that know only floats."""
    schema = small(x={"type": "integer"}, y={"type": "number"})
    made, _ = schema.prune({"x": 2.0, "y": 3})
    assert made == {"x": 2, "y": 3}
    assert schema.validate(made) == []
    assert schema.validate({"x": 2.0}) == []


def test_old_mistakes_are_forgiven_where_nothing_changes() -> None:
    """Protects objects that were stored before their CRD became stricter."""
    schema = small(x={"type": "string", "maxLength": 1}, y={"type": "string"})
    assert schema.validate_update({"x": "long", "y": "b"}, {"x": "long", "y": "a"}) == []
    assert len(schema.validate_update({"x": "longer"}, {"x": "long"})) == 1


def test_immutable_fields_inside_a_list_are_found_by_key() -> None:
    """Protects the rule from comparing an item with its neighbour after a reordering."""
    item = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "v": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
        },
    }
    schema = small(
        x={
            "type": "array",
            "items": item,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        }
    )
    old = {"x": [{"name": "a", "v": "1"}, {"name": "b", "v": "2"}]}
    assert schema.validate_update({"x": [old["x"][1], old["x"][0]]}, old) == []
    broken = schema.validate_update({"x": [{"name": "a", "v": "2"}]}, old)
    assert [(c.field, c.message) for c in broken] == [
        ("x[0].v", 'Invalid value: "string": failed rule: self == oldSelf')
    ]


def test_rules_that_are_not_understood_are_named_and_never_in_the_way() -> None:
    """Protects against pretending: the caller can tell which rules are not checked."""
    schema = small(x={"type": "integer", "x-kubernetes-validations": [{"rule": "self > 3"}]})
    assert schema.unsupported_rules == ("self > 3",)
    assert schema.validate({"x": 1}) == []
    assert schema.validate_update({"x": 1}, {"x": 2}) == []


def test_pruning_stops_where_unknown_fields_are_preserved() -> None:
    """Protects free-form parts, with the specified parts inside them still pruned."""
    inner = {"type": "object", "properties": {"b": {"type": "string"}}}
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": inner}}
    made, unknown = small(free=free, open={"type": "object", "additionalProperties": inner}).prune(
        {"free": {"z": {"y": 1}, "a": {"b": "", "c": 1}}, "open": {"k": {"b": "", "d": 1}}, "w": 1}
    )
    assert unknown == ["free.a.c", "open.k.d", "w"]
    assert made == {"free": {"z": {"y": 1}, "a": {"b": ""}}, "open": {"k": {"b": ""}}}


def test_labels_that_are_no_strings_are_refused() -> None:
    """Protects the store from metadata that typed clients cannot read."""
    with pytest.raises(DecodeError, match="number into Go struct field ObjectMeta.labels of type string"):
        small().prune({"metadata": {"name": "x", "labels": {"a": 1}}})


def test_a_nested_default_fills_in_only_below_what_is_there() -> None:
    """Protects optional parts from appearing by themselves."""
    part = {"type": "object", "properties": {"n": {"type": "integer", "default": 1}}}
    schema = small(given={**part, "default": {}}, optional=part)
    assert schema.default({}) == {"given": {"n": 1}}
    assert schema.default({"optional": {}}) == {"given": {"n": 1}, "optional": {"n": 1}}
    assert schema.default({"optional": {"n": None}})["optional"] == {"n": 1}
