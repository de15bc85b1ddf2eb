"""The three patch types, against the recorded answers and their laws."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout_lab.clusters.embedded.patching import apply_json, apply_merge, apply_strategic, go_print
from rollout_lab.clusters.embedded.schema.builtin import Struct, schema_for, schema_of
from rollout_lab.clusters.embedded.schema.decode import prune
from rollout_lab.clusters.embedded.schema.defaults import default
from rollout_lab.errors import ApiError
from tests.clusters.embedded.schema.recordings import Step, plain, steps

PATCHES = {
    "application/merge-patch+json": "merge",
    "application/json-patch+json": "json",
    "application/strategic-merge-patch+json": "strategic",
}


def apply(kind: str, old: Any, patch: Any, schema: Struct) -> dict[str, Any]:
    if kind == "json":
        return apply_json(old, patch)
    return apply_merge(old, patch) if kind == "merge" else apply_strategic(old, patch, schema)


def patched() -> list[Any]:
    """Recorded patches of built-in kinds whose answer follows from object and patch alone."""
    return [
        pytest.param(s, id=s.name)
        for s in steps()
        if s.method == "PATCH"
        and s.status == 200
        and s.content_type in PATCHES
        and s.old is not None
        and schema_of(s.old) is not None
        and isinstance(s.body, (dict, list))
        and not s.path.endswith(("/scale", "/finalize", "/ephemeralcontainers", "/resize"))
        and s.name.split("/")[0]
        in ("patch-strategic", "patch-merge", "patch-json", "crud", "errors", "subresources")
        and "deletionTimestamp" not in s.old["metadata"]
    ]


@pytest.mark.parametrize("step", patched())
def test_patches_give_the_recorded_object(step: Step) -> None:
    """Protects merge keys, element order, directives, nulls and defaults after a patch."""
    old = step.old
    assert old is not None
    schema = schema_of(old)
    assert schema is not None
    kept, sent = copy.deepcopy(old), copy.deepcopy(step.body)
    made = default(prune(apply(PATCHES[step.content_type], old, step.body, schema), schema)[0])
    assert (old, step.body) == (kept, sent)
    if step.path.endswith("/status"):
        assert made["status"] == step.answer["status"]
        return
    before, answer = plain(made), plain(step.answer)
    if "status" in answer:
        before["status"] = answer["status"]  # the main address does not write the status
    for key in ("clusterIP", "clusterIPs"):
        if key in (answer.get("spec") or {}):
            before["spec"].setdefault(key, answer["spec"][key])  # the allocator keeps what is left out
    assert before == answer


def test_enough_patches_were_recorded() -> None:
    """Protects the comparison above from comparing nothing."""
    kinds = [p.values[0].content_type for p in patched()]
    assert all(kinds.count(kind) >= 5 for kind in PATCHES)


def refused() -> list[Any]:
    return [
        pytest.param(s, id=s.name)
        for s in steps()
        if s.method == "PATCH"
        and s.content_type in PATCHES
        and s.old is not None
        and schema_of(s.old) is not None
        and isinstance(s.body, (dict, list))
        and (s.status in (400, 500) or "rejected our request" in str(s.answer))
        and "does not match the name" not in str(s.answer)
    ]


@pytest.mark.parametrize("step", refused())
def test_bad_patches_are_refused_as_recorded(step: Step) -> None:
    """Protects code, reason and text of a patch that cannot be carried out."""
    old = step.old
    assert old is not None
    schema = schema_of(old)
    assert schema is not None
    with pytest.raises(ApiError) as caught:
        apply(PATCHES[step.content_type], old, step.body, schema)
    error = caught.value
    assert (error.code, error.reason, error.message) == (
        step.status,
        step.answer.get("reason", ""),
        step.answer["message"],
    )


def test_some_refusals_were_recorded() -> None:
    """Protects the comparison above from comparing nothing."""
    assert len(refused()) >= 7


@pytest.mark.parametrize(
    ("kind", "patch", "detail"),
    [
        ("merge", [], "cannot unmarshal array into Go value of type map[string]interface {}"),
        ("merge", 1, "cannot unmarshal number into Go value of type map[string]interface {}"),
        ("strategic", "x", "cannot unmarshal string into Go value of type map[string]interface {}"),
        ("json", {}, "cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
    ],
)
def test_a_patch_of_the_wrong_shape_is_a_bad_request(kind: str, patch: Any, detail: str) -> None:
    """Protects the recorded texts for a patch that is no map or no list."""
    with pytest.raises(ApiError) as caught:
        apply(kind, {}, patch, deployment())
    assert (caught.value.code, caught.value.message) == (400, f"error decoding patch: json: {detail}")


def test_a_json_patch_has_a_length_limit() -> None:
    """Protects the server from a patch that would hold the loop."""
    with pytest.raises(ApiError) as caught:
        apply_json({}, [{"op": "test", "path": "", "value": {}}] * 10_001)
    assert caught.value.code == 413


def deployment() -> Struct:
    schema = schema_for("apps", "v1", "Deployment")
    assert schema is not None
    return schema


def containers(*items: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(items)}}}}


def names(obj: dict[str, Any]) -> list[str]:
    return [c["name"] for c in obj["spec"]["template"]["spec"]["containers"]]


def test_a_list_can_be_replaced_by_a_directive() -> None:
    """Protects ``$patch: replace`` inside a merging list."""
    made = apply_strategic(
        containers({"name": "a"}, {"name": "b"}),
        containers({"$patch": "replace"}, {"name": "c"}),
        deployment(),
    )
    assert names(made) == ["c"]


def test_a_map_can_be_replaced_by_a_directive() -> None:
    """Protects ``$patch: replace`` of a map, with no directive left in the object."""
    old = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}}
    assert apply_strategic(old, patch, deployment()) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_directives_do_not_stay_where_the_object_had_nothing() -> None:
    """Protects a first apply from storing directives as fields."""
    patch = containers({"name": "a", "$retainKeys": ["name"], "env": [{"name": "X", "$patch": "delete"}]})
    assert apply_strategic({}, patch, deployment()) == containers({"name": "a", "env": []})


def test_retained_keys_may_be_sent_with_one_that_is_taken_away() -> None:
    """``kubectl apply`` of another Deployment strategy sends ``rollingUpdate: null`` beside the kept type."""
    old = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    new = {"$retainKeys": ["type"], "rollingUpdate": None, "type": "Recreate"}
    found = apply_strategic(old, {"spec": {"strategy": new}}, deployment())
    assert found == {"spec": {"strategy": {"type": "Recreate"}}}
    with pytest.raises(ApiError, match="retainKeys"):
        apply_strategic(old, {"spec": {"strategy": {**new, "rollingUpdate": {"maxSurge": 2}}}}, deployment())


def test_labels_are_a_plain_map_even_when_named_like_a_directive() -> None:
    """Protects maps of strings, where nothing merges by key."""
    made = apply_strategic(
        {"metadata": {"labels": {"a": "1"}}}, {"metadata": {"labels": {"b": "2", "a": None}}}, deployment()
    )
    assert made == {"metadata": {"labels": {"b": "2"}}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_is_final_and_changes_no_input(obj: dict[str, Any], patch: dict[str, Any]) -> None:
    """Protects RFC 7386: applying the patch twice is applying it once, and inputs stay."""
    before = copy.deepcopy((obj, patch))
    once = apply_merge(obj, patch)
    assert apply_merge(once, patch) == once
    assert (obj, patch) == before


NAMED = st.lists(st.sampled_from("abcdef"), unique=True, max_size=5)


@given(NAMED, NAMED)
def test_merging_lists_keeps_every_item_once(present: list[str], patch: list[str]) -> None:
    """Protects containers from getting lost or doubled; the patch's order is kept among its items."""
    old = containers(*({"name": n} for n in present))
    made = names(apply_strategic(old, containers(*({"name": n} for n in patch)), deployment()))
    assert sorted(made) == sorted({*present, *patch})
    assert [n for n in made if n in patch] == patch


@given(NAMED, st.data())
def test_set_element_order_sets_the_order(present: list[str], data: st.DataObject) -> None:
    """Protects kubectl apply: the listed items come in the listed order."""
    order = data.draw(st.permutations(present))
    patch = {"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": n} for n in order]}}}}
    if present:
        made = apply_strategic(containers(*({"name": n} for n in present)), patch, deployment())
        assert names(made) == order


def test_values_print_as_in_go() -> None:
    """Protects error texts that show a patch."""
    value = {"b": [1, 2.5, None, True], "a": {"x": "y"}, "c": 1e21}
    assert go_print(value) == "map[a:map[x:y] b:[1 2.5 <nil> true] c:1e+21]"
