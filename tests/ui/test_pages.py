"""The pages beside the lab page as Streamlit runs them, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rollout_lab.ui import session
from tests.ui.replayed_lab import ReplayedLab

Json = dict[str, Any]


@pytest.fixture
def lab() -> Iterator[ReplayedLab]:
    """A replaying lab behind the pages, and the real opener put back."""
    replayed = ReplayedLab()
    st.cache_resource.clear()
    session.use(lambda: replayed)
    yield replayed
    st.cache_resource.clear()
    session.use(session._real_lab)


def opened(module: str, **query: str) -> AppTest:
    script = f"from rollout_lab.ui.{module} import page\npage()\n"
    page = AppTest.from_string(script, default_timeout=30)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def drawn(page: AppTest) -> Json:
    data: Json = json.loads(page.get("bidi_component")[0].proto.json)
    return data


def press(page: AppTest, *queue: list[Any]) -> None:
    """What the drawing does when a key is pressed: its queue goes to the server."""
    states = page._tree.get_widget_states()
    state = states.widgets.add()
    state.id = page.get("bidi_component")[0].proto.id
    state.json_value = json.dumps({"queue": queue})
    page._run(states)


def test_the_projector_follows_what_the_lab_page_shows(lab: ReplayedLab) -> None:
    """A lecturer who changes the lecture changes the projector too."""
    assert drawn(opened("pages.projector"))["headline"]["title"] == "Blue/Green"
    session.source().shown = "api-tester-2234"
    assert drawn(opened("pages.projector"))["headline"]["title"] == "Canary 33 %"


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
