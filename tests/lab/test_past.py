"""Looking back in a running lab: what was live then, seen again; and a prediction from where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rollout_lab.lab import Lab, predict_from
from tests.observe.runs import plain

Json = dict[str, Any]
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]
SPEED = 10.0
COUNTED = ("shares", "versions", "window", "requests", "failed")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.start("embedded", speed=SPEED, scenario="course-2233") as found:
        yield found


def settled(lab: Lab, phase: str) -> Json:
    """The live picture once the phase is reached and nothing but answers came for a while."""

    def moved() -> int:
        return sum(row.get("kind") != "Probe" for row in lab.timeline())

    while True:
        reached = lab.wait_for(
            lambda p: p["rollout"] is not None and p["rollout"]["phase"] == phase and _sized(p), 900
        )
        assert reached, lab.view()["rollout"]
        before = moved()
        if not lab.recorder.wait(lambda n=before: moved() != n, 0.5 * SPEED):  # type: ignore[misc]
            found = lab.view()
            if moved() == before:
                return found


def _sized(picture: Json) -> bool:
    return all(pod["state"] == "ready" for pod in picture["pods"]) and len(picture["pods"]) > 1


def stripped(found: Json) -> Json:
    """Without answers and counts, which rows hold only in buckets of a second."""
    services = [{k: v for k, v in s.items() if k not in COUNTED} for s in found["services"]]
    routes = [{k: r[k] for k in ("service", "pod")} for r in plain(found)["routes"]]
    kept = {k: v for k, v in found.items() if k not in ("answers", "seq", "lab")}
    return {**kept, "services": services, "routes": routes}


def test_each_settled_moment_of_the_lecture_can_be_seen_again(lab: Lab) -> None:
    """The slider of a running lab: the real cluster's objects and the rows tell the same."""
    seen = [settled(lab, "Healthy")]
    lab.do("set-image", version="2.0.0")
    assert lab.wait_for(lambda p: p["rollout"]["version"] == "2.0.0", 60)
    seen.append(settled(lab, "Paused"))
    forecast = predict_from(lab, ["promote"])
    lab.do("promote")
    assert lab.wait_for(lambda p: p["rollout"]["phase"] == "Healthy" and len(p["pods"]) == 2, 900)
    seen.append(settled(lab, "Healthy"))
    for live in seen:
        assert stripped(lab.view(at=live["t"])) == stripped(live)
    _foreseen(lab, forecast.view(), seen)


def _foreseen(lab: Lab, last: Json, seen: list[Json]) -> None:
    """What was predicted at the pause is what came."""
    assert {pod["name"] for pod in last["pods"]} == {pod["name"] for pod in seen[-1]["pods"]}
    assert last["rollout"]["stableHash"] == seen[-1]["rollout"]["stableHash"]
    assert last["services"][0]["selectorHash"] == seen[-1]["services"][0]["selectorHash"]
    assert lab.view(at=seen[0]["t"])["lab"]["cluster"] == "embedded"


def test_the_past_names_its_steps_and_starts_anew_with_the_lecture(lab: Lab) -> None:
    """Marks while the lab runs, the status of any moment; after a reset the old run is over."""
    past = lab.past()
    assert past is lab.past()
    assert {"promote", "set image 2.0.0"} <= {mark["text"] for mark in past.marks()}
    paused = next(mark["t"] for mark in past.marks() if mark["text"] == "Paused")
    assert "BlueGreenPause" in past.status_yaml(paused)
    assert any(why["code"] == "pause.bluegreen" for why in past.why(paused + 5))
    lab.reset()
    assert lab.wait_for(lambda p: p["rollout"] is not None, 60)
    assert "promote" not in {mark["text"] for mark in past.marks()}
