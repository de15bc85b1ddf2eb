"""axe-core on every page, in both themes and languages, on a laptop and a phone: nothing serious is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.pages import Tab

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]
WORSE: Final = ("serious", "critical")
PAGES: Final = {
    "lab": ("?lesson=2233&lang=ko", "#live .phases li"),
    "canary": ("?lesson=2234&lang=en", "#live .phases li"),
    "viewer": ("?lesson=2233&lang=en&viewer=1", "#live .phases li"),
    "projector": ("projector?lesson=2234&lang=ko", "#live .place [data-pod]"),
    "replay": ("replay?lang=en&run=peer-canary-course&t=6", "#live .phases li"),
    "compare": ("compare?lang=ko", "#live .run .area"),
    "playground": ("playground?lang=en", "#live .run .area"),
    "board": ("board?lang=ko", "#live .seat"),
}
LOOKS: Final = (("1280x800", "light"), ("390x844", "dark"))


def told(violation: dict[str, Any]) -> list[str]:
    """A finding in words: rule, element, and what axe says of it."""
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']}: {node['failureSummary']}"
        for node in violation["nodes"]
    ]


def worse(page: Tab) -> list[dict[str, Any]]:
    response = Axe().run(page.page, options={"resultTypes": ["violations"]}).response
    return [violation for violation in response["violations"] if violation["impact"] in WORSE]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", list(PAGES))
def test_axe_finds_nothing_serious(name: str, replayed: str, tab: Open) -> None:
    """Who uses a keyboard, a screen reader or a weak projector can use the page too."""
    path, drawn = PAGES[name]
    found = []
    if name == "board":
        tab(f"{replayed}/?lesson=2234&seat=min-ji&lang=ko")
    for size, scheme in LOOKS:
        page = tab(f"{replayed}/{path}", size=size, scheme=scheme, motion="reduce", drawn=drawn)
        page.page.wait_for_load_state("networkidle")
        page.page.locator("[data-testid=stStatusWidget]").wait_for(state="hidden", timeout=60_000)
        found += [f"{size} {scheme}: {line}" for violation in worse(page) for line in told(violation)]
    assert not found, "\n".join(found)


def test_axe_looks_into_the_live_part(replayed: str, tab: Open) -> None:
    """A button without a name inside the component is found; else the test above would prove nothing."""
    page = tab(f"{replayed}/?lesson=2233&lang=en")
    page.ask("live.append(document.createElement('button'))")
    assert "button-name" in [violation["id"] for violation in worse(page)]
