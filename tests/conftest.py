"""One browser for the whole suite, and what needs it comes last.

Playwright's synchronous API keeps an event loop running in the main thread as long as the browser is
open, and no other test could start one of its own meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import pages

NO_BROWSER = "no Chromium on this machine: install one or name it in ROLLOUT_LAB_CHROMIUM"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; without one the test is skipped and says so."""
    if not pages.CHROMIUM:
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        found = pages.launch(playwright)
        yield found
        found.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A stable sort: tests marked `browser` after all others."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
