"""The reasons shown are the planner's, and never one that only our own late look makes up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rollout_lab.api import manifest
from rollout_lab.observe.observed import Observed
from rollout_lab.observe.reasons import reasons

COURSE = Path(__file__).parents[2] / "manifests" / "course-2233.yaml"


def codes(rollout: dict[str, Any]) -> list[str]:
    return [why.code for why in reasons(Observed(now=10.0, started=0.0, rollout=rollout))]


def test_a_service_not_seen_yet_is_no_mistake_of_the_rollout() -> None:
    """The Services' watch may come a moment after the Rollout's: nobody wrote anything wrong."""
    objects = manifest.load(COURSE.read_text(encoding="utf-8"), "course")
    rollout = next(o for o in objects if o["kind"] == "Rollout")
    assert "invalid" not in codes(rollout)


def test_what_the_engine_calls_invalid_is_told() -> None:
    """Once the engine refuses the Rollout, its reason must not be lost."""
    objects = manifest.load(COURSE.read_text(encoding="utf-8"), "course")
    rollout = next(o for o in objects if o["kind"] == "Rollout")
    refused = {"type": "InvalidSpec", "status": "True", "reason": "InvalidSpec", "message": "not found"}
    refused |= dict.fromkeys(("lastUpdateTime", "lastTransitionTime"), "1970-01-01T00:00:05Z")
    assert "invalid" in codes({**rollout, "status": {"conditions": [refused]}})
