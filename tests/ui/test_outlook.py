"""A prediction on the page: dashed lines from where it begins, a drawing, and what was only assumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rollout_lab.api import manifest
from rollout_lab.lab.forecast import predict
from rollout_lab.ui.outlook import BLINK, KEPT, Outlook, drawing, end_of, lines, outlook, words
from rollout_lab.ui.payload import payload
from rollout_lab.ui.series import Series
from tests.ui import examples

COURSE = Path(__file__).parents[2] / "manifests" / "course-2234.yaml"
SMALL = Outlook(((0.0, {"a": 2}), (3.0, {"a": 2, "b": 1})), {"a": "1.0.0", "b": "2.0.0"}, 20.0, "done")


def predicted() -> Outlook:
    """The course's canary, as the engine's own planner plays it."""
    objects = manifest.load(COURSE.read_text(encoding="utf-8"), "course")
    return outlook(predict(objects).timeline(), "api-tester-2234")


def test_what_is_drawn_is_what_the_planner_plays() -> None:
    """Both versions, one Pod more than wanted, and the person who is supposed to promote."""
    found = predicted()
    assert set(found.versions.values()) == {"1.0.0", "2.0.0"}
    assert max(sum(counts.values()) for _, counts in found.pods) == 3
    assert found.ended == "done"
    assert len(found.assumed) == 1


def test_behind_a_router_the_parts_of_the_requests_are_told() -> None:
    """Protects lesson 11 before it is applied: 5 %, whatever the Pods are; without a router nothing of it."""
    file = COURSE.with_name("canary-nginx.yaml")
    objects = manifest.load(file.read_text(encoding="utf-8"), "nginx")
    found = outlook(predict(objects).timeline(), "api-tester-2234-nginx")
    times = [t for t, _ in found.parts]
    assert (found.version, [part for _, part in found.parts]) == ("2.0.0", [0.0, 5.0, 50.0, 100.0])
    assert times == sorted(times) and times[-1] < found.length
    assert drawing("en", found, {}).count("by weight and not by Pods") == 2, "in the label, and at its line"
    assert "Requests to 2.0.0: 0 → 5 → 50 → 100 %, by weight and not by Pods." in words("en", found)
    assert (predicted().parts, len(words("en", predicted()))) == ((), 3)


def test_states_of_a_blink_are_no_steps() -> None:
    """A Pod that is made in the moment another one goes would draw a needle."""
    times = [t for t, _ in predicted().pods]
    assert all(after - before >= BLINK for before, after in zip(times[:-1], times[1:-1], strict=False))


def test_before_it_is_applied_it_begins_now_and_then_it_stays() -> None:
    """The lines move with the present until they are a promise that can be held against the run."""
    assert lines(SMALL, 40.0, ["a"])[0]["steps"][0][0] == 40.0
    held = SMALL.applied(50.0)
    assert lines(held, 55.0, ["a"])[0]["steps"][0][0] == 50.0
    assert (end_of(held, 55.0), end_of(None, 55.0)) == (70.0, 0.0)
    assert not held.over(70.0 + KEPT)
    assert held.over(70.1 + KEPT)


def test_new_versions_lie_on_top_of_those_of_the_chart() -> None:
    """The stack has the order of the real one below it."""
    shown = lines(SMALL, 0.0, ["a", "old"])
    assert [(line["hash"], line["steps"][-1][1:]) for line in shown] == [("a", [0.0, 2.0]), ("b", [2.0, 3.0])]


def test_the_chart_has_room_for_what_comes() -> None:
    """The axis reaches to the end of the prediction, and its Pods fit."""
    now = examples.canary_waiting()
    series = Series("api-tester-2234")
    far = Outlook(((0.0, {examples.V1: 2}), (3.0, {examples.V1: 9})), {examples.V1: "1.0.0"}, 300.0, "done")
    chart = payload("en", now, series, tick=1, ack=0, session="s", predicted=far)["chart"]
    assert chart["x1"] >= now["t"] + 300.0
    assert chart["top"] >= 9
    assert chart["outlook"][0]["colour"] == 0


def test_it_is_told_in_words_with_what_was_assumed() -> None:
    """Whoever cannot see the lines reads how long, how many, and on what condition."""
    said = words("en", predicted())
    assert said[0].startswith("Applied now, it is done after")
    assert said[1].startswith("3 Pods at most")
    assert "It is assumed that somebody promotes" in said[2]
    assert words("ko", Outlook(((0.0, {"a": 2}),), {"a": "1.0.0"}, 0.0, "done")) == [
        "지금과 달라지는 것이 없습니다."
    ]


def test_the_drawing_is_named_and_never_holds_markup_of_a_manifest() -> None:
    """An image tag comes from whoever writes the YAML."""
    evil: dict[str, Any] = {"a": "1.0.0", "b": '"><script>x</script>'}
    text = drawing("en", Outlook(SMALL.pods, evil, 20.0, "done"), {"1.0.0": 0})
    assert "<script" not in text
    assert 'role="img" aria-label="predicted Pods per version.' in text
    assert text.count("<path") == 2
