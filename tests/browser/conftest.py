"""Servers and browser for the tests beside it; without a Chromium they are skipped and say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import pages
from tests.browser.pages import Tab


@pytest.fixture(scope="module")
def replayed() -> Iterator[str]:
    """The real page over replayed pictures."""
    with pages.serving(pages.ROOT / "tests" / "browser" / "replayed.py") as url:
        yield url


@pytest.fixture
def fresh() -> Iterator[str]:
    """The same, for one test that presses buttons."""
    with pages.serving(pages.ROOT / "tests" / "browser" / "replayed.py") as url:
        yield url


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page as `streamlit run app.py` serves it, with a lab of its own, 5 times as fast."""
    home = str(tmp_path_factory.mktemp("labs"))
    environment = {"ROLLOUT_LAB_SPEED": "5", "ROLLOUT_LAB_HOME": home}
    with pages.serving(pages.ROOT / "app.py", environment) as url:
        yield url


@pytest.fixture
def tab(browser: Browser) -> Iterator[Callable[..., Tab]]:
    """Opens pages, closes them, and fails the test for anything they complained about."""
    opened: list[Tab] = []

    def opener(url: str, **options: str) -> Tab:
        opened.append(pages.open_tab(browser, url, **options))
        return opened[-1]

    yield opener
    complaints = [line for one in opened for line in one.complaints]
    for one in opened:
        one.page.context.close()
    assert complaints == []
