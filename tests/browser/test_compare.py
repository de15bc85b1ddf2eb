"""Comparison and playground in a real browser: sizes, the sets, sliders, and running what was chosen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.pages import SIZES, Tab

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]
DRAWN = "#live .run .area"
WIDE = "[document.documentElement, document.querySelector('.stMain'), live].map((n) => n.scrollWidth)"


@pytest.mark.parametrize(
    ("size", "query"), [("390x844", "lang=en"), ("1280x720", "lang=ko"), ("1920x1080", "lang=ko")]
)
@pytest.mark.parametrize("page", ["compare", "playground"])
def test_nothing_is_wider_than_the_screen(replayed: str, tab: Open, page: str, size: str, query: str) -> None:
    """Charts take the room there is; a wide table scrolls by itself."""
    opened = tab(f"{replayed}/{page}?{query}", size=size, drawn=DRAWN)
    wide = opened.ask(WIDE)
    assert isinstance(wide, list)
    assert max(wide) <= SIZES[size][0]


def test_another_set_and_a_reload(replayed: str, tab: Open) -> None:
    """What is compared stands in the URL."""
    page = tab(f"{replayed}/compare?lang=en", drawn=DRAWN)
    assert page.ask("live.querySelectorAll('.run').length") == 4
    page.page.get_by_text("Our prediction and Argo Rollouts").click()
    page.wait("live.querySelectorAll('.run').length === 2")
    page.page.reload()
    page.wait("live.querySelectorAll('.run').length === 2 && live.querySelector('.area')")
    assert page.ask("[...live.querySelectorAll('.badge')].map((n) => n.textContent)") == [
        "predicted",
        "recorded",
    ]


def test_a_slider_changes_the_prediction_and_it_runs(fresh: str, tab: Open) -> None:
    """More replicas, more Pods, at once; what really came of it lies beside, also after a reload."""
    page = tab(f"{fresh}/playground?lang=en&new=failing&p1=10", drawn=DRAWN)
    assert page.ask("live.querySelector('.grid [data-wanted] text').textContent") == "4"
    page.page.locator("input[type=range]").first.focus()
    page.page.keyboard.press("ArrowRight")
    page.wait("live.querySelector('.grid [data-wanted] text').textContent === '5'")
    page.page.get_by_role("button", name="Run it in the lab").click()
    page.wait("live.querySelectorAll('.run').length === 2 && live.querySelector('.heard [data-down]')")
    assert all(part in page.page.url for part in ("replicas=5", "new=failing", "p1=10"))
    page.page.reload()
    page.wait("live.querySelectorAll('.run').length === 2 && live.querySelector('.heard [data-down]')")
    page.page.get_by_role("link", name="Lab", exact=True).last.click()
    page.page.get_by_role("heading", name="try-canary").first.wait_for(timeout=20_000)
    page.page.get_by_role("button", name="Back to the lesson").click()
    page.wait("live.querySelector('.strip h2')?.textContent === 'api-tester-2233'")
    assert "rollout=" not in page.page.url


def test_a_deployment_runs_and_shows_its_pods(fresh: str, tab: Open) -> None:
    """Recreate on the page: the failed requests over time, and Services and Pods as they are now."""
    page = tab(f"{fresh}/playground?lang=ko&kind=Recreate", size="390x844", drawn=DRAWN)
    page.page.get_by_role("button", name="실습에서 실행").click()
    page.wait("live.querySelectorAll('.run').length === 2 && live.querySelector('.heard [data-down]')")
    page.page.locator("#live .routing").first.wait_for()
    wide = page.ask(WIDE)
    assert isinstance(wide, list)
    assert max(wide) <= 390
    page.page.get_by_role("link", name="비교", exact=True).last.click()
    page.wait("[...live.querySelectorAll('.run h3')].some((n) => n.textContent === 'try-recreate')")
    assert page.ask("live.querySelectorAll('.run').length") == 2
