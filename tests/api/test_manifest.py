"""Text to objects: what kubectl reads is read, and every mistake has its line, field and remedy."""

from __future__ import annotations

import json

import pytest

from rollout_lab.api.manifest import ManifestError, load, load_with_lines

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"


def problem(text: str) -> tuple[int, str]:
    """(line, the whole message) of the one problem of a text."""
    with pytest.raises(ManifestError) as caught:
        load(text, "f.yaml")
    assert len(caught.value.problems) == 1
    return caught.value.problems[0].line, str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (POD + "spec:\n\treplicas: 2\n", 6, "tab"),
        (POD + "spec: {}\nspec: {}\n", 6, "written twice, here and in line 5"),
        (POD + "spec: a: b\n", 5, "colon"),
        (POD + 'spec: "a\n', 6, "not closed"),
        (POD + "spec: *other\n", 5, "anchor"),
        (POD + "spec: &a [*a]\n", 5, "contains itself"),
        (POD + "spec: !!python/object/apply:os.system [ls]\n", 5, "tag"),
        (POD + "spec: @x\n", 5, "cannot begin with @"),
        (POD + "spec:\n  a: 1\n b: 2\n", 7, "indented otherwise"),
        (POD + "spec: 1e999\n", 5, "too large"),
        ("just words\n", 1, "object with fields"),
        ("- a\n", 1, "object with fields"),
        ("", 0, "no object"),
        ("# only a comment\n---\n", 0, "no object"),
        ("apiVersion: v1\nmetadata: {name: a}\n", 1, "kind: is missing"),
        ("kind: Pod\nmetadata: {name: a}\n", 1, "apiVersion: is missing"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}\n", 3, "metadata.name: is missing"),
        ("apiVersion: v1\nkind: Pod\nmetadata:\n  name: 2234\n", 4, "must be text"),
    ],
)
def test_every_mistake_is_placed_and_has_a_remedy(text: str, line: int, said: str) -> None:
    found, message = problem(text)
    assert said in message and ";" in message
    assert found == line and message.startswith(f"f.yaml:{line}: " if line else "f.yaml: ")


def test_a_mistake_in_a_later_document_is_placed_there() -> None:
    assert problem(POD + "---\n" + POD + "spec: a: b\n")[0] == 10


def test_anchors_that_multiply_are_refused_quickly() -> None:
    """Ten lines must not become a billion values."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for before, here in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{here}: &{here} [{','.join([f'*{before}'] * 10)}]")
    assert "repeat too much" in problem(POD + "\n".join(lines))[1]


def test_nesting_without_end_is_refused() -> None:
    assert "too deeply" in problem(POD + "spec: " + "[" * 200 + "]" * 200)[1]
    assert "too deeply" in problem(POD + "spec: " + "[" * 20000 + "]" * 20000)[1]


def test_several_documents_and_lists_come_apart() -> None:
    text = (
        POD
        + "---\n---\n"
        + "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n"
    )
    assert [obj["metadata"]["name"] for obj in load(text, "f")] == ["a", "b"]


def test_json_is_read_too() -> None:
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"x": [1.5, None, "\t"]}}
    assert load(json.dumps(obj, indent="\t"), "f.json") == [obj]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("yes", True), ("off", False), ("~", None), ("null", None), ("", None), ("'5'", "5"), ("0644", 420),
        ("0x1f", 31), ("1_000", 1000), ("1.5", 1.5), ("1e3", 1000.0), ("2m", "2m"), ("1:30", "1:30"),
        ("2026-01-31", "2026-01-31"), ("1.0.0", "1.0.0"), ("{a: 2m}", {"a": "2m"}), ("[]", []),
    ],
)  # fmt: skip
def test_values_mean_what_they_mean_to_kubectl(written: str, wanted: object) -> None:
    assert load(POD + f"spec:\n  x: {written}\n", "f")[0]["spec"]["x"] == wanted


def test_anchors_and_merges_work_and_share_nothing() -> None:
    text = POD + "a: &a {x: {y: 1}}\nb: *a\nc:\n  <<: *a\n  z: 2\n"
    found = load(text, "f")[0]
    assert found["b"] == {"x": {"y": 1}} and found["c"] == {"x": {"y": 1}, "z": 2}
    assert found["a"]["x"] is not found["b"]["x"]


def test_lines_are_those_of_the_text() -> None:
    text = POD + "spec:\n  steps:\n  - setWeight: 33\n  - pause: {}\n"
    loaded = load_with_lines(text, "f")[0]
    assert loaded.line("spec.steps[0].setWeight") == 7
    assert loaded.line("spec.steps[1].pause") == 8
    assert loaded.line("spec.steps[1].pause.duration") == 8
    assert loaded.line("status.phase") == 1
