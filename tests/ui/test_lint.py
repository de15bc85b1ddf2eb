"""The YAML a person types: every mistake has its field and its remedy, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rollout_lab.ui.attach import written
from rollout_lab.ui.lint import lint

MANIFEST = Path(__file__).parents[2] / "manifests" / "course-2234.yaml"


def rollout() -> str:
    documents = yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))
    return yaml.safe_dump(next(d for d in documents if d["kind"] == "Rollout"), sort_keys=False)


def test_the_courses_own_manifest_has_no_mistake() -> None:
    """What the lab applies itself must pass its own check."""
    assert lint("ko", rollout(), "api-tester-2234") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("replicas: 2", "replicas: -2"), "spec.replicas"),
        (("setWeight: 33", "setWeight: 133"), "spec.strategy.steps[0].setWeight"),  # as the peer reports it
        (("kind: Rollout", "kind: Deployment"), "kind"),
        (("argoproj.io/v1alpha1", "apps/v1"), "apiVersion"),
        (("name: api-tester-2234\n  namespace", "name: api-tester\n  namespace"), "metadata.name"),
    ],
)
def test_a_mistake_names_its_field_and_a_remedy(change: tuple[str, str], field: str) -> None:
    """Field and remedy, or the learner is left alone with it."""
    text = rollout()
    assert change[0] in text
    found = lint("ko", text.replace(*change), "api-tester-2234")
    assert [m.field for m in found] == [field]
    assert found[0].what
    assert found[0].remedy


def test_what_the_engine_cannot_do_yet_is_said() -> None:
    """A field that would be ignored silently is a trap."""
    text = rollout().replace("canary:\n", "canary:\n      trafficRouting: {smi: {}}\n", 1)
    assert any("trafficRouting" in m.field for m in lint("en", text, "api-tester-2234"))


@pytest.mark.parametrize(
    ("text", "field"), [("a: [1", "1번째 줄"), ("", "YAML"), ("a: 1\n---\nb: 2", "YAML"), ("- 1", "YAML")]
)
def test_text_that_is_no_manifest(text: str, field: str) -> None:
    """Broken YAML gives the line; nothing and too much are told apart from a wrong field."""
    (found,) = lint("ko", text, "x")
    assert found.field == field


def test_an_object_is_shown_as_a_person_would_write_it() -> None:
    """What the server and the engine add is noise to a learner, and stale when applied again."""
    stored = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            "name": "x",
            "uid": "1",
            "resourceVersion": "7",
            "annotations": {"rollout.argoproj.io/revision": "2", "note": "mine"},
        },
        "spec": {"replicas": 2},
        "status": {"phase": "Healthy"},
    }
    assert written(stored) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "x", "annotations": {"note": "mine"}},
        "spec": {"replicas": 2},
    }
