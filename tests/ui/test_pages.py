"""The pages beside the lab page as Streamlit runs them, without a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rollout_lab.ui import session
from tests.ui.components import data_of, drawings, say_to
from tests.ui.replayed_lab import ReplayedLab

Json = dict[str, Any]


def opened(module: str, **query: str) -> AppTest:
    script = f"from rollout_lab.ui.{module} import page\npage()\n"
    page = AppTest.from_string(script, default_timeout=30)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def drawn(page: AppTest, holds: str = "tick") -> Json:
    return data_of(page, holds)


def press(page: AppTest, *queue: list[Any]) -> None:
    """What the drawing does when a key is pressed: its queue goes to the server."""
    say_to(page, "tick", {"queue": queue})


def test_the_projector_follows_what_the_lab_page_shows(lab: ReplayedLab) -> None:
    """A lecturer who changes the lecture changes the projector too."""
    assert drawn(opened("pages.projector"))["headline"]["title"] == "Blue/Green"
    session.host().shown = "api-tester-2234"
    assert drawn(opened("pages.projector"))["headline"]["title"] == "Canary 33 %"


@pytest.mark.parametrize(
    ("key", "scenario"),
    [("2234", "course-2234"), ("06", "course-2233"), ("11", "five-percent"), ("01", None), ("no-such", None)],
)
def test_the_projector_holds_the_rollout_of_a_lesson(
    lab: ReplayedLab, monkeypatch: pytest.MonkeyPatch, key: str, scenario: str | None
) -> None:
    """A link from any lesson shows that lesson's rollout; one without a rollout follows the lab."""
    played: list[str] = []

    def play(name: str) -> str:
        played.append(name)
        return "api-tester-2234"

    monkeypatch.setattr(lab, "play", play)
    session.host().shown = "api-tester-2233"
    title = drawn(opened("pages.projector", lesson=key))["headline"]["title"]
    assert set(played) == ({scenario} if scenario else set())
    assert title == ("Canary 33 %" if scenario else "Blue/Green")


def test_a_key_on_the_projector_acts_once(lab: ReplayedLab) -> None:
    """The queue is sent again and again until it is heard; the lab hears it once."""
    page = opened("pages.projector", lesson="2234")
    press(page, [1, "promote", {}])
    press(page, [1, "promote", {}], [2, "restart", {}])
    assert [action for action, _, _ in lab.done] == ["promote"]


@pytest.mark.parametrize("module", ["pages.projector", "lab_page"])
def test_a_viewer_is_shown_nothing_to_press_and_is_not_heard(lab: ReplayedLab, module: str) -> None:
    """A viewer's browser that sends an action all the same changes nothing."""
    page = opened(module, lesson="2234", viewer="1")
    assert drawn(page)["actions"] == []
    press(page, [1, "promote", {}])
    assert lab.done == []


def test_looking_back_is_this_browsers_own(lab: ReplayedLab) -> None:
    """Arrows move the picture of one session; the lab goes on."""
    page = opened("pages.projector", lesson="2233", viewer="1")
    press(page, [1, "earlier", {}])
    page.run()
    assert drawn(page)["live"] is False
    assert drawn(opened("pages.projector", lesson="2233"))["live"] is True


def test_each_seat_has_its_own_lab(lab: ReplayedLab) -> None:
    """What one student does, the next one does not see."""
    page = opened("lab_page", lesson="2234", seat="min-ji")
    press(page, [1, "promote", {}])
    assert lab.done == []
    assert list(session.host().seats()) == ["min-ji"]
    mine = session.host().seats()["min-ji"].lab
    assert isinstance(mine, ReplayedLab)
    assert [action for action, _, _ in mine.done] == ["promote"]


@pytest.mark.parametrize(("query", "said"), [({"seat": "김"}, "24자"), ({"seat": "full"}, "taken")])
def test_a_seat_that_cannot_be_is_told_and_never_the_hosts(
    lab: ReplayedLab, query: dict[str, str], said: str
) -> None:
    """A misspelt seat must not lead a student to the lecturer's rollout."""
    page = opened("lab_page", **query)
    assert said in page.error[0].value
    assert drawings(page) == 0


def test_a_viewer_takes_no_seat(lab: ReplayedLab) -> None:
    """Looking on makes nothing, not even a namespace."""
    page = opened("lab_page", seat="min-ji", viewer="1")
    assert "min-ji" in page.error[0].value
    assert session.host().seats() == {}


def test_the_board_shows_every_seats_step(lab: ReplayedLab) -> None:
    """The host sees who waits, without asking."""
    opened("lab_page", lesson="2234", seat="min-ji")
    opened("lab_page", lesson="2233", seat="07")
    cards = drawn(opened("pages.board", lang="en"), "seats")["seats"]
    assert [(card["name"], card["step"]) for card in cards] == [
        ("min-ji", "step 2 of 4 · waiting for promote"),
        ("07", "step 4 of 6 · waiting for promote"),
    ]
    assert {card["tone"] for card in cards} == {"wait"}


def test_the_labs_own_run_can_be_compared(lab: ReplayedLab) -> None:
    """What a class has just done, beside what was predicted; a comparison alone starts no lab."""
    session.host()
    page = opened("pages.compare", runs="live-api-tester-2234,canary", lang="en")
    names = [run["name"] for run in drawn(page, "runs")["runs"]]
    assert names == ["api-tester-2234 (this lab)", "Canary"]
    st.cache_resource.clear()
    alone = opened("pages.compare", runs="canary,rolling", lang="en").multiselect[0]
    assert alone.options
    assert not any("this lab" in name for name in alone.options)


def test_the_host_tidies_a_seat_and_nobody_else_can(lab: ReplayedLab) -> None:
    """Begin anew, set free: once for each press; a viewer and a student have no buttons, nor rights."""
    student = opened("lab_page", lesson="2234", seat="min-ji", lang="en")
    for query in ({"viewer": "1"}, {"seat": "07"}):
        looking = opened("pages.board", lang="en", **query)
        assert [card["offer"] for card in drawn(looking, "seats")["seats"]] == [False]
        say_to(looking, "seats", {"queue": [[1, "free", "min-ji"]]})
    assert lab.done == []
    board = opened("pages.board", lang="en")
    say_to(board, "seats", {"queue": [[1, "reset", "min-ji"]]})
    until(lambda: session.host().tidying.state("min-ji") == ("", ""))
    say_to(board, "seats", {"queue": [[1, "reset", "min-ji"], [2, "free", "min-ji"], [3, "free", "nobody"]]})
    until(lambda: not session.host().seats())
    assert lab.done == [("reset-seat", "min-ji", {}), ("free-seat", "min-ji", {})]
    student.run()
    assert "set the seat min-ji free" in student.error[0].value
    assert session.host().seats() == {}, "an open page does not take the seat again by itself"


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    pause = threading.Event()
    for _ in range(200):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it did not come about")


def test_the_playground_runs_a_deployment_beside_its_prediction(lab: ReplayedLab) -> None:
    """Numbers of the link, a press, and the run with its failed requests; a viewer can only look."""
    query = {"kind": "RollingUpdate", "new": "failing", "replicas": "3", "lang": "en"}
    page = opened("pages.playground", **query)
    assert len(drawn(page, "runs")["runs"]) == 1
    page.button(key="run-it").click().run()
    assert not page.exception
    (what, name, told) = lab.done[0]
    assert (what, name, told["image"]) == ("try", "try-rollingupdate", "1pro/api-tester:2.0.0-failing")
    assert told["objects"][-1]["spec"]["replicas"] == 3
    predicted, real = drawn(page, "runs")["runs"]
    assert (predicted["answers"], predicted["predicted"], real["predicted"]) == ([], True, False)
    assert any(span["failed"] for span in real["answers"])
    assert drawn(page, "tick")["head"]["name"] == "try-rollingupdate"
    viewer = opened("pages.playground", viewer="1", **query)
    assert viewer.button(key="run-it").disabled
    assert len(drawn(viewer, "runs")["runs"]) == 2


def test_every_browser_of_a_seat_sees_what_one_tries(lab: ReplayedLab) -> None:
    """A page that was open before shows the run by itself, and keeps its own sliders' prediction."""
    session.host()
    looking = opened("pages.playground", lang="en", kind="blueGreen", viewer="1")
    opened("pages.playground", lang="en", kind="Recreate").button(key="run-it").click().run()
    looking.run()
    assert not looking.exception
    assert drawings(looking, "runs") == 2
    assert "try-recreate" in [d["head"]["name"] for d in [drawn(looking, "tick")]]


def test_the_playground_keeps_every_choice_in_the_link(lab: ReplayedLab) -> None:
    """Steps and pauses too, in words that no language changes; a default takes no room."""
    page = opened("pages.playground", lang="ko", steps="3", w3="80", p3="20", kind="canary")
    assert page.select_slider(key="p3").value == "20"
    page.select_slider(key="p1").set_value("10").run()
    assert page.query_params["p1"] == "10"
    page.select_slider(key="p1").set_value("0").run()
    assert "p1" not in page.query_params
    steps = [line for line in page.code[0].value.splitlines() if "setWeight" in line or "duration" in line]
    assert [line.strip(" -") for line in steps] == [
        *("setWeight: 25", "setWeight: 50", "setWeight: 80"),
        "duration: 20s",
    ]
