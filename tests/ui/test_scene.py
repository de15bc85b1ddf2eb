"""The routing picture as data: who leads where, in words that hold, for every picture there is."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from rollout_lab.ui.payload import answers, payload, plain, why_lines
from rollout_lab.ui.scene import clock, name_of, scene, shown_sets, summary
from rollout_lab.ui.series import Series
from tests.ui import examples

Json = dict[str, Any]
PICTURES = sorted((Path(__file__).parent.parent / "data" / "pictures").glob("*.json"))


@pytest.mark.parametrize("path", PICTURES, ids=lambda p: p.stem)
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_recorded_picture_can_be_drawn(path: Path, lang: str) -> None:
    """The page is fed by `observe.picture`: each of its examples must become JSON for the drawing."""
    picture = json.loads(path.read_text(encoding="utf-8"))
    name = (picture["rollout"] or {"name": "none"})["name"]
    data = plain(payload(lang, picture, Series(name), tick=1, ack=0, session="s"))
    assert data["lang"] == lang
    assert len(data["pods"]) <= len(picture["pods"])
    assert all(action["reason"] for action in data["actions"] if not action["ok"])


def test_a_band_stands_only_where_an_endpoint_is() -> None:
    """Arrows are EndpointSlices, not wishes: without routes a Service leads nowhere and says so."""
    picture = examples.blue_green_waiting()
    picture["routes"] = [r for r in picture["routes"] if r["service"].endswith("active")]
    active, preview = scene("en", picture)["services"]
    assert [part["hash"] for part in active["shares"]] == [examples.V1]
    assert preview["shares"] == []
    assert preview["mixed"] == "no ready Pod"


def test_share_is_unknown_until_something_was_measured() -> None:
    """An arrow without answers has no width to show: None, not 100 %."""
    picture = examples.canary_waiting()
    picture["services"][0] |= {"shares": {}, "requests": 0}
    (service,) = scene("en", picture)["services"]
    assert [part["share"] for part in service["shares"]] == [None, None]
    assert service["sample"] == "no requests yet"


def test_a_canary_says_both_shares_and_the_sample() -> None:
    """One Service, two versions: the box names both with what was counted."""
    (service,) = scene("ko", examples.canary_waiting())["services"]
    assert service["mixed"] == "v1.0.0 68 % : v2.0.0 32 %"
    assert service["sample"] == "322 요청 · 실패 0"
    assert service["colour"] is None


def test_what_changed_last_is_marked_and_flashes_only_for_a_while() -> None:
    """The selector's change keeps its time; the flash ends."""
    picture = examples.blue_green_waiting()
    picture["t"] = 6.0
    preview = scene("ko", picture)["services"][1]
    assert preview["changed"] == "← 0:05 변경"
    assert preview["fresh"]
    picture["t"] = 60.0
    assert not scene("ko", picture)["services"][1]["fresh"]


def test_empty_replica_sets_stay_as_history_but_do_not_crowd() -> None:
    """An old ReplicaSet at 0 is worth seeing (undo); ten of them are not."""
    picture = examples.blue_green_waiting()
    old = [examples.replica_set("x", f"h{i}", i - 10, f"0.{i}.0", "old", 0, 0) for i in range(10)]
    picture["replicaSets"] = old + picture["replicaSets"]
    shown = shown_sets(picture)
    assert [s["hash"] for s in shown] == ["h8", "h9", examples.V1, examples.V2]
    assert [s["empty"] for s in scene("en", picture)["sets"]] == [True, True, False, False]


def test_a_failing_pod_says_its_reason() -> None:
    """The reason is what a learner must look up next."""
    picture = examples.canary_waiting()
    picture["pods"][2] |= {"state": "failing", "reason": "ImagePullBackOff"}
    found = scene("en", picture)["pods"][2]
    assert found["label"].endswith("ImagePullBackOff")
    assert found["title"].endswith("failing, ImagePullBackOff")


def test_the_picture_can_be_heard() -> None:
    """A screen reader gets the routing as sentences."""
    said = summary("ko", examples.blue_green_waiting())
    assert "api-tester-2233-active는 v1.0.0 100 %로 보냅니다." in said
    assert "v2.0.0: Pod 2개 중 2개 준비됨." in said


def test_more_versions_than_colours_still_have_one() -> None:
    """A fifth version takes the first colour again rather than none."""
    picture = copy.deepcopy(examples.canary_waiting())
    picture["replicaSets"][1]["colour"] = 4
    assert scene("en", picture)["sets"][1]["colour"] == 0


def test_answers_have_their_versions_colour_and_keep_their_keys() -> None:
    """A line of the curl loop is the same line at the next refresh: its key does not depend on its place."""
    picture = examples.blue_green_waiting()
    before = answers(picture)
    assert before[0]["colour"] == 1
    picture["answers"] = picture["answers"][1:] + examples.answers([(32233, "1.0.0")], 60.0)
    after = answers(picture)
    kept = {line["key"] for line in before} & {line["key"] for line in after}
    assert len(kept) == len(before) - 1
    assert len({line["key"] for line in after}) == len(after)


def test_reasons_are_sentences_with_versions_and_their_formula() -> None:
    """A learner reads "v2.0.0", not a name with a hash; the numbers are behind the fold."""
    newest, older = why_lines("ko", examples.canary_waiting())
    assert newest["text"] == "2단계는 누군가 Promote할 때까지 기다립니다. pause에 시간이 없습니다."
    assert newest["source"] == "Rollout/api-tester-2234 · spec.strategy.canary.steps[1].pause"
    assert older["formula"].startswith("2의 33 %는 0.66 → canary 1개 + stable 2개.")
    assert newest["formula"] == ""


def test_numbers_that_are_not_json_are_found_here_and_not_in_the_browser() -> None:
    """Streamlit would send such a value as one long string and say nothing."""
    with pytest.raises(ValueError, match="JSON"):
        plain({"share": float("nan")})


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00"), (65.9, "1:05"), (3725, "1:02:05"), (-3, "0:00")])
def test_the_stop_watch(seconds: float, said: str) -> None:
    """Times are read as on a stop watch, and never below zero."""
    assert clock(seconds) == said


def test_versions_have_a_v_and_words_have_none() -> None:
    """`latest` is no number."""
    assert (name_of("2.0.0"), name_of("latest")) == ("v2.0.0", "latest")


def test_a_version_keeps_its_row_when_it_is_used_again() -> None:
    """Undo raises the revision of an old ReplicaSet; on the picture nothing may change places for that."""
    picture = examples.blue_green_waiting()
    before = [s["hash"] for s in scene("en", picture)["sets"]]
    picture["replicaSets"][0]["revision"] = 3
    picture["replicaSets"].reverse()
    assert [s["hash"] for s in scene("en", picture)["sets"]] == before
