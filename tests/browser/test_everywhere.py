"""Both lectures on the real lab at every size of screen, by mouse and by keyboard alone, with pictures kept.

What each moment of a lecture must show is held by `test_lectures`; here it is the page that must hold:
nothing complains, nothing is wider than the screen, and no refresh exchanges an element.
Pictures go to the folder that ROLLOUT_LAB_SCREENSHOTS names, else to the test's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import pages
from tests.browser.pages import SIZES, Tab
from tests.browser.test_lectures import PHASE, STATE, VERSIONS
from tests.browser.test_page import MARK_NODES

pytestmark = [pytest.mark.browser, pytest.mark.cluster]
Open = Callable[..., Tab]
WIDE = "[document.documentElement, document.querySelector('.stMain'), live].map((n) => n.scrollWidth)"
EXCHANGED = "Object.entries(window.marked).filter(([, node]) => !node.isConnected).map(([name]) => name)"
WAITS = f"{STATE} === 'Paused' && {PHASE} === 'Wait for promote'"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with a lab of its own, 40 times as fast: a pause of two minutes takes three seconds."""
    home = str(tmp_path_factory.mktemp("labs"))
    environment = {"ROLLOUT_LAB_SPEED": "40", "ROLLOUT_LAB_HOME": home}
    with pages.serving(pages.ROOT / "app.py", environment) as url:
        yield url


def by_mouse(page: Tab, action: str) -> None:
    page.page.click(page.button(action))
    if action == "set-image":
        page.page.locator("#live [role=menuitem]").first.click()


def by_keyboard(page: Tab, action: str) -> None:
    """Tab to the button and Enter; a promotion by its own key."""
    keys = page.page.keyboard
    if action == "promote":
        page.page.locator("h1").first.focus()
        keys.press("p")
        return
    page.page.locator(page.button("promote")).focus()
    keys.press("Shift+Tab")
    expect(page.page.locator(page.button(action))).to_be_focused()
    keys.press("Enter")
    expect(page.page.locator("#live [role=menuitem]").first).to_be_focused()
    keys.press("Enter")


def holds(page: Tab, size: str) -> None:
    """No overflow, and the same elements after four refreshes of a picture that stands still."""
    wide = page.ask(WIDE)
    assert isinstance(wide, list)
    assert max(wide) <= SIZES[size][0]
    page.page.wait_for_timeout(600)  # what was just drawn may still move
    tick, count = page.ask(MARK_NODES)  # type: ignore[misc]
    assert count > 15
    page.wait(f"live.live.tick >= {tick + 4}")
    assert page.ask(EXCHANGED) == []
    assert page.ask("window.missing") == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", ["1280x800", "1920x1080", "390x844"])
@pytest.mark.parametrize("lesson", ["2233", "2234"])
def test_a_lecture_at_every_size(quick: str, tab: Open, tmp_path: Path, lesson: str, size: str) -> None:
    """Version after version to where a person is asked, and on to its end, once by each hand."""
    folder = Path(os.environ.get("ROLLOUT_LAB_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    page = tab(f"{quick}/?lesson={lesson}&lang=en", size=size)
    for way in (by_mouse, by_keyboard):
        page.wait(f"{STATE} === 'Healthy' && live.querySelectorAll('.pod[data-pod]:not(.gone)').length === 2")
        before = page.ask(f"{VERSIONS}[0]")
        way(page, "set-image")
        page.wait(WAITS)
        holds(page, size)
        page.page.screenshot(path=folder / f"{lesson}-{size}-{way.__name__}.png")
        way(page, "promote")
        page.wait(
            f"{STATE} === 'Healthy' && {VERSIONS}.every((v) => v !== '{before}' && v.endsWith(' 100 %'))"
        )
