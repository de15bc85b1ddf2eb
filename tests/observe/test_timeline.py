"""Rows of a run: the recorded format, and no more of it than needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.observe import timeline as module
from rollout_lab.observe.timeline import Timeline, event_row, line, reduced

TRACES = sorted((Path(__file__).parents[1] / "data" / "traces").glob("*.jsonl"))
Json = dict[str, Any]


def _object(row: Json) -> Json | None:
    """The smallest object whose reduction is the recorded row."""
    meta: Json = {
        "name": row["name"],
        "annotations": row.get("annotations") or {},
        "labels": row.get("labels") or {},
    }
    match row["kind"]:
        case "Service":
            return {"kind": "Service", "metadata": meta, "spec": {"selector": row["selector"]}}
        case "ReplicaSet":
            template = {"spec": {"containers": [{"image": row["image"]}]}}
            spec = {"replicas": row["replicas"], "template": template}
            return {"kind": "ReplicaSet", "metadata": meta, "spec": spec, "status": row["status"]}
        case "Rollout":
            template = {"spec": {"containers": [{"image": row["image"]}]}}
            spec = {"replicas": row["replicas"], "template": template}
            spec |= {k: row[k] for k in ("paused", "restartAt") if row[k] is not None}
            meta["generation"] = row["generation"]
            return {"kind": "Rollout", "metadata": meta, "spec": spec, "status": row["status"]}
    return None


@pytest.mark.parametrize("path", TRACES, ids=lambda p: p.stem)
def test_reduced_objects_have_exactly_the_recorded_fields(path: Path) -> None:
    """Our runs and the peer's are compared line by line; a field more or less would differ everywhere."""
    checked = 0
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        obj = _object(row) if row.get("kind") in ("Service", "ReplicaSet", "Rollout") else None
        if obj is not None:
            assert reduced(obj) == {k: v for k, v in row.items() if k not in ("t", "type")}
            checked += 1
    assert checked > 10


def test_an_event_row_is_the_recorded_one() -> None:
    """Events are told apart by whom they are about, and by Normal or Warning."""
    event = {
        "metadata": {"name": "web.17"},
        "involvedObject": {"kind": "Rollout", "name": "web"},
        "reason": "RolloutPaused",
        "message": "m",
        "type": "Normal",
    }
    assert event_row(event) == {
        "kind": "Event",
        "about": "Rollout",
        "name": "web",
        "reason": "RolloutPaused",
        "message": "m",
        "type": "Normal",
    }


def service(hash_: str) -> Json:
    return {"kind": "Service", "metadata": {"name": "a"}, "spec": {"selector": {"h": hash_}}}


def test_a_change_that_matters_to_nobody_is_no_row() -> None:
    """Kubelets and servers touch objects all the time; a run holds decisions."""
    rows = Timeline()
    assert rows.change(1.0, "ADDED", service("x")) is not None
    assert rows.change(2.0, "MODIFIED", {**service("x"), "status": {"noise": 1}}) is None
    assert rows.change(3.0, "MODIFIED", service("y")) is not None
    assert rows.change(4.0, "DELETED", service("y")) is not None
    assert rows.change(5.0, "ADDED", service("y")) is not None
    assert [row["type"] for row in rows.rows] == ["ADDED", "MODIFIED", "DELETED", "ADDED"]


def test_readers_get_each_row_once() -> None:
    """The page asks for what is new; nothing is lost or told twice."""
    rows = Timeline()
    for n in range(5):
        rows.add(n, {"type": "ACTION", "action": str(n)})
    first, number = rows.since(0)
    rows.add(9, {"type": "END"})
    second, last = rows.since(number)
    assert (len(first), len(second), rows.since(last)) == (5, 1, ((), last))


def test_an_hour_of_answers_costs_what_a_minute_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old probe rows are merged, so that memory stays flat; no answer is lost from the sum."""
    monkeypatch.setattr(module, "PROBE_ROWS_KEPT", 100)
    rows, sizes = Timeline(), []
    for n in range(4000):
        rows.probe(n, n + 1, "a", 80, {"1.0.0": 2}, 1)
        sizes.append(len(rows))
    assert max(sizes) <= 800
    assert sum(row["versions"]["1.0.0"] for row in rows.rows) == 8000
    assert sum(row["failed"] for row in rows.rows) == 4000
    assert (rows.rows[0]["t"], rows.rows[-1]["until"]) == (0, 4000)


def test_a_crash_loop_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pod rows go first; what was decided stays."""
    monkeypatch.setattr(module, "ROWS_KEPT", 1000)
    rows = Timeline()
    rows.add(0, {"type": "SCENARIO", "name": "s", "objects": []})
    for n in range(5000):
        pod = {"kind": "Pod", "metadata": {"name": f"p{n}"}, "status": {"phase": "Running"}}
        rows.change(n, "ADDED", pod)
        _, number = rows.since(0)
    assert len(rows) <= 1200 and rows.dropped >= 3800
    assert rows.rows[0]["type"] == "SCENARIO" and number == 5001


def test_lines_are_json_with_sorted_keys() -> None:
    """Two recordings of one run are compared as text by eye, too."""
    assert (
        line({"t": 1.5, "action": "적용", "type": "ACTION"})
        == '{"action": "적용", "t": 1.5, "type": "ACTION"}'
    )
