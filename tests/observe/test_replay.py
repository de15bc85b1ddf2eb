"""Recorded runs from files: read as they are, looked at like a lab, and bad files explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollout_lab.cli.narrate import Narrator
from rollout_lab.observe import export, replay
from rollout_lab.observe.compare import compare
from rollout_lab.observe.replay import BadRecording, Recording, load, read
from tests.observe.runs import TRACES, predicted, recorded

Json = dict[str, Any]
ROLLOUT = {"t": 1, "type": "ADDED", "kind": "Rollout", "name": "web", "status": {}, "image": "a:1"}


def text(*rows: Any) -> str:
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_a_recording_of_the_peer_loses_no_row(path: Path) -> None:
    """What was recorded stays what it is: all rows, in order, unchanged; only endpoints are worked out."""
    before = path.read_bytes()
    run = load(path)
    rows = [json.loads(line) for line in before.decode().splitlines()]
    assert [row for row in run.timeline() if row.get("kind") != "EndpointSlice"] == rows
    assert path.read_bytes() == before
    assert len(run.timeline()) > len(rows)


def test_worked_out_endpoints_are_the_ready_pods_the_selector_chooses() -> None:
    """Arrows of a replay lead where traffic would have gone: preview to version 2 before active does."""
    run = recorded("bluegreen-manual")
    promote = next(m["t"] for m in run.marks() if m["text"] == "promote")
    led = {s["name"]: s["endpoints"] for s in run.view(at=promote)["services"]}
    assert led == {"api-tester-active": 2, "api-tester-preview": 2}
    versions = {pod["name"]: pod["version"] for pod in run.view(at=promote)["pods"]}
    routes = run.view(at=promote)["routes"]
    assert {versions[r["pod"]] for r in routes if r["service"] == "api-tester-active"} == {"1.0.0"}
    assert {versions[r["pod"]] for r in routes if r["service"] == "api-tester-preview"} == {"2.0.0"}


def test_our_own_rows_are_kept_as_they_are() -> None:
    """A run with EndpointSlices gets none added."""
    rows = predicted("course-2233").timeline()
    assert Recording(rows).timeline() == rows
    assert load(text(*rows), "again").timeline() == rows


def test_a_recording_has_the_doors_of_a_lab() -> None:
    """The page shows a file as it shows a lab: seq, view(since, at), rows(since), timeline."""
    run = recorded("canary-course")
    first = run.view()
    assert first["seq"] == run.seq and first["t"] == run.end and first["lab"]["cluster"] == "recording"
    assert run.view(since=run.seq)["unchanged"] is True
    assert run.view(since=run.seq, at=run.first)["rollout"] is None or run.first == 0
    rows, number = run.rows()
    assert rows == run.timeline() and run.rows(number) == ((), number)
    assert run.current == "api-tester-2234" and run.name == "canary-course"
    assert json.loads(json.dumps(run.view(at=10.0))) == run.view(at=10.0)


def test_unknown_kinds_and_keys_stay() -> None:
    """A recording of a later version can be looked at: what is unknown is kept and does no harm."""
    rows = [
        ROLLOUT,
        {"t": 2, "type": "NEWS", "kind": "Rabbit", "name": "r", "ears": 2},
        {"t": 3, "type": "END"},
    ]
    run = load(text(*rows))
    assert list(run.timeline()) == rows
    assert run.view()["rollout"]["name"] == "web"


@pytest.mark.parametrize(
    ("content", "line", "field", "said"),
    [
        ("", 0, "", "is empty"),
        ("hello\n", 1, "", "JSON lines"),
        ("apiVersion: v1\nkind: Pod\n", 1, "", "JSON lines"),
        (text(ROLLOUT, '{"t": 2, "type": "ADD'), 2, "", "column"),
        (text(ROLLOUT, "[1, 2]"), 2, "", "list instead of an object"),
        (text(ROLLOUT, {"type": "END"}), 2, "t", "missing"),
        (text(ROLLOUT, {"t": "soon", "type": "END"}), 2, "t", '"soon"'),
        (text(ROLLOUT, {"t": True, "type": "END"}), 2, "t", "true"),
        (text(ROLLOUT, '{"t": NaN, "type": "END"}'), 2, "t", "seconds"),
        (text(ROLLOUT, '{"t": 1e999, "type": "END"}'), 2, "t", "seconds"),
        (text(ROLLOUT, {"t": 2}), 2, "type", "missing"),
        (text({**ROLLOUT, "status": "Healthy"}), 1, "status", "text instead of an object"),
        (text({**ROLLOUT, "name": 7}), 1, "name", "7"),
        (text(ROLLOUT, {"t": 2, "type": "ACTION"}), 2, "action", "missing"),
        (
            text(ROLLOUT, {"t": 2, "type": "PROBE", "kind": "Probe", "name": "s", "versions": {"1": "many"}}),
            2,
            "versions.1",
            "number",
        ),
        (text({"t": 1, "type": "END"}), 0, "kind", "no row tells of a Rollout"),
        (text("[" * 100_000), 1, "", "nested"),
        (text(ROLLOUT, '{"t": ' + "9" * 5000 + ', "type": "END"}'), 2, "", "impossible number"),
    ],
)
def test_a_bad_file_is_explained(content: str, line: int, field: str, said: str) -> None:
    """Line, field, what is wrong and what to do; never a traceback."""
    with pytest.raises(BadRecording) as found:
        load(content, "mine.jsonl")
    assert (found.value.line, found.value.field) == (line, field)
    assert said in str(found.value) and found.value.remedy in str(found.value)
    assert str(found.value).startswith(f"mine.jsonl:{line}:" if line else "mine.jsonl:")
    assert found.value.exit_code == 2


def test_files_that_cannot_be_read_are_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, a folder, not text, too large: said by name, and a large one is not read at all."""
    binary = tmp_path / "b.jsonl"
    binary.write_bytes(b"\xff\xfe\x00{")
    for path, said in ((tmp_path / "none", "No such file"), (tmp_path, "directory"), (binary, "UTF-8")):
        with pytest.raises(BadRecording, match=said):
            load(path)
    large = tmp_path / "l.jsonl"
    large.write_text(text(ROLLOUT) * 3)
    monkeypatch.setattr(replay, "MOST_BYTES", 100)
    with pytest.raises(BadRecording, match="larger than"):
        load(large)
    with pytest.raises(BadRecording, match="larger than"):
        read("x" * 101)
    monkeypatch.setattr(replay, "MOST_BYTES", 10**6)
    monkeypatch.setattr(replay, "MOST_ROWS", 2)
    with pytest.raises(BadRecording, match="more than 2 rows"):
        load(large)


def test_a_mark_of_byte_order_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    """A file that went through another editor is still the run."""
    path = tmp_path / "w.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf" + text(ROLLOUT, "", {"t": 3, "type": "END"}).replace("\n", "\r\n").encode()
    )
    assert load(path).end == 3


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "t",
    "type",
    "kind",
    "name",
    "status",
    "labels",
    "selector",
    "replicas",
    "image",
    "pods",
    "objects",
    "until",
]


def changed(data: st.DataObject, value: Any) -> Any:
    """`value` with anything somewhere in it."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: changed(data, value[key])}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [changed(data, value[0]), *value[1:]]
    return data.draw(anything)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_file_with_any_one_value_changed_is_read_or_explained(data: st.DataObject) -> None:
    """No value anywhere in a file brings more than a message: reading, scrubbing and figures hold."""
    rows = [dict(row) for row in recorded("canary-course").timeline()[:90]]
    rows += [{"t": 9, "type": "SPEC", "kind": "Spec", "of": "Rollout", "name": "api-tester-2234", "spec": {}}]
    rows += [{"t": 9, "type": "WHY", "code": "a", "params": {}, "object": "", "field": ""}]
    row = data.draw(st.sampled_from(rows))
    key = data.draw(st.sampled_from([*KEYS, *row]))
    row[key] = changed(data, row.get(key))
    try:
        run = load(text(*rows))
    except BadRecording as problem:
        assert problem.remedy
        return
    json.dumps(run.view())
    json.dumps(run.view(at=run.end / 2))
    json.dumps([run.view(at=t) for t in (2.0, 5.0, 9.0)])
    json.dumps([run.figures(), run.marks(), run.moments.status_yaml(run.end)])
    narrator = Narrator("en")
    assert [narrator.line(row) for row in run.timeline()]
    assert all(export.csv(run.timeline(), table) for table in export.TABLES)
    assert export.html(run) and compare([run, run])["milestones"] == {}


def spoilt(value: Any) -> Any:
    """`value` with every time and number in it made unreadable."""
    if isinstance(value, dict):
        return {k: "soon" if "Time" in k or "deadline" in k else spoilt(v) for k, v in value.items()}
    if isinstance(value, list):
        return [spoilt(item) for item in value]
    return "many" if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("name", ["bluegreen-manual", "canary-course"])
def test_unreadable_times_and_numbers_of_a_status_cost_only_what_they_say(name: str) -> None:
    """A status is what another program wrote: without its times there are no countdowns, the rest stands."""
    rows = []
    for row in recorded(name).timeline():
        parts = {k: spoilt(v) for k, v in row.items() if k in ("status", "annotations", "generation")}
        rows.append({**row, **parts})
    run = load(text(*rows))
    for t in range(0, int(run.end)):
        json.dumps(run.view(at=float(t)))
    assert run.view()["services"] and run.figures()["version"] == "2.0.0"
    assert {pod["version"] for pod in run.view()["pods"]} == {"2.0.0"}
