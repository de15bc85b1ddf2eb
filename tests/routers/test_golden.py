"""What each router writes, object by object: first deploy, weights, routes, a second update, an abort."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from rollout_lab.api import fields, meta
from rollout_lab.api.fields import Json
from rollout_lab.routers import table
from rollout_lab.routers.istio import PROTOCOLS
from tests.routers.golden import Case, files, without_owner


@pytest.fixture(params=files(), ids=lambda file: file.stem)
def case(request: pytest.FixtureRequest) -> Case:
    file: Path = request.param
    return Case(file)


def test_every_step_writes_exactly_the_golden_objects(case: Case) -> None:
    """Protects what a gateway obeys: each object whole, in order, and not one write more."""
    assert table.problems(case.rollout, case.objects, {}) == []
    for step in case.steps:
        changes = case.changes(step.traffic)
        assert [without_owner(change.body) for change in changes] == step.wanted, step.name
        case.apply(changes)
        assert case.changes(step.traffic) == [], f"{step.name}: written again without need"


def test_every_case_goes_through_a_second_update_and_an_abort(case: Case) -> None:
    """Protects the cases themselves: one that skips the hard part would prove little."""
    traffics = [step.traffic for step in case.steps]
    versions = list(
        dict.fromkeys(t.canary_hash for t in traffics if t.canary_hash != traffics[0].stable_hash)
    )
    assert len(versions) >= 2, "a second update has a version of its own"
    last = traffics[-1]
    assert last.clear and last.weight == 0 and last.canary_hash == versions[-1] != last.stable_hash


def test_a_step_may_be_done_again_from_any_write_on(case: Case) -> None:
    """Protects an engine that dies between two writes: the next pass writes what is missing, no more."""
    for step in case.steps:
        changes = case.changes(step.traffic)
        end = {**case.objects, **{change.ref: change.body for change in changes}}
        for written in range(len(changes)):
            again = copy.copy(case)
            again.objects = {**case.objects, **{c.ref: c.body for c in changes[:written]}}
            rest = again.changes(step.traffic)
            again.apply(rest)
            assert again.objects == end, step.name
            assert [c.ref for c in rest] == [c.ref for c in changes[written:]], step.name
        case.apply(changes)


def test_an_abort_leaves_what_the_first_deploy_left(case: Case) -> None:
    """Protects the way back: no route or weight of a canary stays, whatever came between."""
    steps = list(case.steps)
    clean, abort = copy.copy(case), steps[-1].traffic
    assert abort.clear and abort.weight == 0
    clean.objects = dict(case.objects)
    clean.apply(clean.changes(abort))
    for step in steps:
        case.apply(case.changes(step.traffic))
    assert case.objects == clean.objects


def test_weights_add_up_to_the_maximum(case: Case) -> None:
    """Protects the share of every request: whatever the weight, the two sides are the whole."""
    some = next(iter(case.steps)).traffic
    for weight in (0, 1, some.maximum // 3, some.maximum - 1, some.maximum):
        case.apply(case.changes(replace(some, weight=weight, clear=True, routes=())))
        found = [split for body in case.objects.values() for split in splits(body)]
        assert any(set(split) == {weight, some.maximum - weight} for split in found)
        assert all(sum(split) == some.maximum and min(split) >= 0 for split in found), found


def splits(body: Json) -> list[list[int]]:
    """The two weights of every place of the object that splits between stable and canary."""
    if body["kind"] == "Ingress":
        notes = {key.rpartition("/")[2]: value for key, value in meta.annotations(body).items()}
        if "canary-weight" not in notes:
            return []
        weight, total = int(notes["canary-weight"]), int(notes.get("canary-weight-total", 100))
        return [[weight, total - weight]]
    places = [("rules", "backendRefs")] if body["kind"] == "HTTPRoute" else [(p, "route") for p in PROTOCOLS]
    found = [
        [fields.integer(one, "weight") or 0 for one in fields.objects(rule, below)]
        for rules, below in places
        for rule in fields.objects(body, "spec", rules)
    ]
    return [weights for weights in found if len(weights) > 1]
