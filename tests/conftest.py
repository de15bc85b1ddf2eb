"""The order of the whole suite: what needs a browser comes last.

Playwright's synchronous API keeps an event loop running in the main thread as long as the browser is
open, and no other test could start one of its own meanwhile.
"""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A stable sort: tests marked `browser` after all others."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
