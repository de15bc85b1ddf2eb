"""The page as Streamlit runs it, without a browser: over replayed pictures, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rollout_lab.errors import ClusterUnavailable
from rollout_lab.ui import session
from tests.ui.components import data_of
from tests.ui.replayed_lab import ReplayedLab

APP = str(Path(__file__).parents[2] / "app.py")
Json = dict[str, Any]


def run(**query: str) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=30)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def drawn(page: AppTest) -> Json:
    return data_of(page)


def test_the_page_opens_in_korean_on_the_first_lecture(lab: ReplayedLab) -> None:
    """A new student sees lecture 2233 in Korean, lesson and picture."""
    page = run()
    assert page.title[0].value.startswith("5. Blue/Green: 미리 보고")
    assert drawn(page)["head"]["name"] == "api-tester-2233"
    assert drawn(page)["lang"] == "ko"


def test_lesson_and_language_are_in_the_url(lab: ReplayedLab) -> None:
    """A reload or a link loses nothing."""
    page = run(lesson="2234", lang="en")
    assert page.title[0].value.startswith("7. Canary: a little more")
    assert drawn(page)["head"]["name"] == "api-tester-2234"
    assert drawn(page)["label"]["why"] == "Why?"


def test_a_url_that_makes_no_sense_opens_the_first_lecture(lab: ReplayedLab) -> None:
    """A mistyped link is no error page."""
    page = run(lesson="9999", lang="fr")
    assert drawn(page)["head"]["name"] == "api-tester-2233"


def test_a_moment_of_the_url_is_shown_and_cannot_act(lab: ReplayedLab) -> None:
    """A link to a moment shows that moment; buttons are for the present."""
    data = drawn(run(t="6"))
    assert data["past"] is True
    assert data["time"]["t"] == 6.0
    assert not any(action["ok"] for action in data["actions"])
    assert data["chart"]["cursor"] == 6.0
    assert data["chart"]["t"] > 40


@pytest.mark.parametrize("moment", ["nan", "-3", "soon", "99999999999"])
def test_a_moment_that_makes_no_sense_is_the_present(lab: ReplayedLab, moment: str) -> None:
    """A mistyped link is no error page, and the future is not shown as the past."""
    data = drawn(run(t=moment))
    assert data["past"] is False
    assert any(action["ok"] for action in data["actions"])


def test_switching_goes_into_the_url(lab: ReplayedLab) -> None:
    """The switch and the URL say the same."""
    page = run()
    page.selectbox(key="lesson-choice").set_value("2234").run()
    assert page.query_params["lesson"] == "2234"
    assert drawn(page)["head"]["name"] == "api-tester-2234"
    page.segmented_control(key="lang-choice").set_value("en").run()
    assert drawn(page)["lang"] == "en"


def test_refreshes_are_numbered(lab: ReplayedLab) -> None:
    """The drawing drops an answer that comes late: ticks only rise."""
    page = run()
    first = drawn(page)["tick"]
    page.run()
    assert drawn(page)["tick"] > first


def test_a_lab_that_cannot_start_is_told_with_a_remedy() -> None:
    """No traceback in front of a class."""

    def broken() -> Any:
        raise ClusterUnavailable("no API server answers at 127.0.0.1:1")

    st.cache_resource.clear()
    session.use(broken)
    try:
        page = run()
        assert "실습 환경을 시작하지 못했습니다" in page.error[0].value
        assert "no API server answers" in page.error[0].value
    finally:
        session.use(session._real_lab)


def test_other_origins_may_not_press_buttons() -> None:
    """The websocket's origin check, loopback only, and no statistics: what the configuration must keep."""
    import tomllib

    config = tomllib.loads((Path(APP).parent / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["enableCORS"] is True
    assert config["server"]["enableXsrfProtection"] is True
    assert config["browser"]["gatherUsageStats"] is False
