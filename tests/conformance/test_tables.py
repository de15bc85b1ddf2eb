"""The peer's arithmetic, row by row: sizes, hashes, validation. Every row of every file counts.

`ROLLOUT_LAB_TABLES` names a folder with more files of the same three formats (told apart by how
their names begin); without it the copies under tests/data/tables are used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.api import validation
from rollout_lab.api.hashing import pod_template_hash, step_hash
from rollout_lab.api.intstr import surge_and_unavailable
from rollout_lab.api.names import Strategy
from rollout_lab.api.problems import Type
from rollout_lab.api.rollout import Rollout
from rollout_lab.plan.replicas import Counts, Size, canary_counts, weight_in_force

FOLDER = Path(os.environ.get("ROLLOUT_LAB_TABLES") or Path(__file__).parents[1] / "data" / "tables")
TABLES = ("canary_replica_counts", "pod_template_hashes", "validation")
SHOWN = 5

# What the engine refuses although the peer takes it. Rows of the validation table that set one of
# these get our "not supported yet" for exactly that field, beside the errors the peer recorded.
NOT_YET = (
    "spec.workloadRef",
    "spec.analysis",
    "spec.strategy.blueGreen.prePromotionAnalysis",
    "spec.strategy.blueGreen.postPromotionAnalysis",
    "spec.strategy.blueGreen.antiAffinity",
    "spec.strategy.blueGreen.previewMetadata",
    "spec.strategy.blueGreen.activeMetadata",
    "spec.strategy.canary.trafficRouting.alb",
    "spec.strategy.canary.trafficRouting.smi",
    "spec.strategy.canary.trafficRouting.ambassador",
    "spec.strategy.canary.trafficRouting.appMesh",
    "spec.strategy.canary.trafficRouting.traefik",
    "spec.strategy.canary.trafficRouting.apisix",
    "spec.strategy.canary.analysis",
    "spec.strategy.canary.antiAffinity",
    "spec.strategy.canary.canaryMetadata",
    "spec.strategy.canary.stableMetadata",
    "spec.strategy.canary.replicaProgressThreshold",
    "spec.strategy.canary.steps[].analysis",
    "spec.strategy.canary.steps[].experiment",
    "spec.strategy.canary.steps[].plugin",
)

Row = dict[str, Any]


def rows_of(table: str) -> Iterator[tuple[str, Row]]:
    """(file:line, row) of every file of that table."""
    files = sorted(FOLDER.rglob(f"{table}*.jsonl"))
    if not files and any(one for other in TABLES for one in FOLDER.rglob(f"{other}*.jsonl")):
        pytest.skip(f"the folder of ROLLOUT_LAB_TABLES has other tables, but no {table}*.jsonl")
    assert files, f"none of {', '.join(TABLES)} in {FOLDER}"
    for file in files:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{file.name}:{number}", json.loads(line)


def compare(table: str, answer: Callable[[Row], Any], wanted: Callable[[Row], Any]) -> None:
    """Ask for every row and fail once, with how many rows differ and the first few in full."""
    count, wrong = 0, []
    for place, row in rows_of(table):
        count += 1
        got, want = answer(row), wanted(row)
        if got != want:
            wrong.append(
                f"{place}\n  row    {json.dumps(row, ensure_ascii=False)}\n  got    {got}\n  want   {want}"
            )
    if wrong:
        pytest.fail(
            f"{len(wrong)} of {count} rows of {table} differ:\n" + "\n".join(wrong[:SHOWN]), pytrace=False
        )
    assert count > 0


def size(found: Row | None) -> Size | None:
    return None if found is None else Size(found["replicas"], found["available"])


def counts(row: Row) -> Counts:
    surge, unavailable = surge_and_unavailable(row["maxSurge"], row["maxUnavailable"], row["replicas"])
    weight = weight_in_force(
        row["setWeight"],
        abort=row.get("abort", False),
        promote_full=row.get("promoteFull", False),
        has_stable=row["stable"] is not None,
    )
    old = [Size(**found) for found in row["old"]]
    return canary_counts(
        row["replicas"], weight, surge, unavailable, size(row["new"]), size(row["stable"]), old
    )


def test_canary_replica_counts() -> None:
    """One Pod more or less in any of these is another update than the peer's."""
    compare("canary_replica_counts", counts, lambda row: Counts(row["wantNew"], row["wantStable"]))


def test_pod_template_hashes() -> None:
    """A hash that differs re-rolls every Rollout on the day an engine takes over."""
    compare(
        "pod_template_hashes",
        lambda row: pod_template_hash(row["template"], row["collisionCount"]),
        lambda row: row["hash"],
    )


def test_validation_decodes() -> None:
    """A manifest the peer cannot read is refused here too, and no other."""
    compare(
        "validation", lambda row: validation.decode_error(row["rollout"]) is None, lambda row: row["decodes"]
    )


def test_validation_errors() -> None:
    """Type and field of every error, in the peer's order; the words are ours."""

    def found(row: Row) -> list[tuple[str, str]] | None:
        if not row["decodes"]:
            return None
        return [(str(error.type), error.field) for error in validation.validate(row["rollout"])]

    def wanted(row: Row) -> list[tuple[str, str]] | None:
        return [(e["type"], e["field"]) for e in row["errors"]] if row["decodes"] else None

    compare("validation", found, wanted)


def test_validation_step_hashes() -> None:
    """A step hash that differs restarts an update at step 0."""

    def found(row: Row) -> str | None:
        rollout = Rollout(row["rollout"])
        if not row["decodes"]:
            return None
        if rollout.strategy is not Strategy.CANARY or rollout.canary is None:
            return ""
        return step_hash(rollout.canary.raw_steps)

    compare("validation", found, lambda row: row.get("stepHash"))


def uses(row: Row, path: str) -> bool:
    """Whether the Rollout of the row sets the field (null and false do not count)."""
    found: list[Any] = [row["rollout"]]
    for part in path.split("."):
        below = [o.get(part.removesuffix("[]")) for o in found if isinstance(o, dict)]
        found = [item for items in below for item in items or []] if part.endswith("[]") else below
    return any(item is not None and item is not False for item in found)


def test_what_is_not_supported_yet_is_refused_by_name() -> None:
    """Never ignored silently: exactly the fields of the list above, each named with its whole path."""

    def found(row: Row) -> set[str] | None:
        if not row["decodes"]:
            return None
        errors = validation.unsupported(row["rollout"])
        assert all(e.type is Type.FORBIDDEN and "not supported yet" in e.detail for e in errors)
        return {"".join(c for c in error.field if not c.isdigit()) for error in errors}

    compare("validation", found, lambda row: {p for p in NOT_YET if uses(row, p)} if row["decodes"] else None)
