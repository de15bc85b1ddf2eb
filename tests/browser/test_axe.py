"""Every page for those who see, hear or move differently: axe-core, and the contrast of what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.pages import SIZES, Tab, open_tab

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]

LIVE = "#live .phases li"
RUNS = "#live .run .area"
PAGES = {
    "2233 paused": ("/?lesson=2233", LIVE),
    "2234 paused": ("/?lesson=2234", LIVE),
    "2233 at rest": ("/?lesson=2233&t=3", LIVE),
    "projector": ("/projector?lesson=2234", "#live .place [data-pod]"),
    "viewer": ("/?lesson=2234&viewer=1", LIVE),
    "replay": ("/replay?run=peer-canary-course", LIVE),
    "compare": ("/compare?set=strategies", RUNS),
    "playground": ("/playground?replicas=4", RUNS),
    "board": ("/board?most=24", "#live .seat"),
}
LOOKS = {
    "ko": (("1280x800", "light"), ("390x844", "dark")),
    "en": (("390x844", "light"), ("1280x800", "dark")),
}
STREAMLITS: dict[str, tuple[str, ...]] = {}
"""Rules that an element of Streamlit itself breaks, each with the selector it may be broken by."""


CONTRAST = """(here) => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const over = (top, low) => top.slice(0, 3).map((v, i) => v * top[3] + low[i] * (1 - top[3])).concat(1);
  const linear = (v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const back = (node) => {
    const chain = [];
    for (let n = node; n; n = n.parentElement || n.getRootNode().host) chain.push(n);
    const paint = (low, n) => over(rgba(getComputedStyle(n).backgroundColor), low);
    return chain.reverse().reduce(paint, [255, 255, 255, 1]);
  };
  const bad = [];
  for (const node of here.querySelectorAll('*')) {
    const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
    if (!own || node.closest('[hidden], .sr, title') || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    const ink = rgba(node instanceof SVGElement ? style.fill : style.color);
    const area = `.area[data-colour="${node.dataset.on}"]`; // text on a version's own colour
    const under = node.dataset.on &&
      (node.parentNode.querySelector('rect') || node.closest('svg').querySelector(area));
    const page = back(node instanceof SVGElement ? node.closest('.card, .bar, .screen') || here : node);
    const ground = under ? over(rgba(getComputedStyle(under).fill), page) : page;
    const [a, b] = [light(over(ink, ground)), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(`${node.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return [...new Set(bad)];
}"""


@pytest.fixture(scope="module")
def seated(replayed: str, browser: Browser) -> Iterator[str]:
    """The replayed page, with a seat taken so that the board has something to show."""
    open_tab(browser, f"{replayed}/?lesson=2234&seat=min-ji&lang=en").page.context.close()
    yield replayed


def serious(tab: Tab) -> list[str]:
    """What axe-core finds serious or critical, each with its element, but for Streamlit's own."""
    found: dict[str, Any] = Axe().run(tab.page).response
    told = []
    for rule in found["violations"]:
        for node in rule["nodes"]:
            where = str(node["target"])
            if rule["impact"] in ("serious", "critical") and not where.endswith(
                STREAMLITS.get(rule["id"], ())
            ):
                told.append(f"{rule['id']}: {where} {node['html'][:120]}")
    assert found["passes"], "axe-core looked at something"
    return told


@pytest.mark.parametrize("lang", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_open_to_everybody(seated: str, tab: Open, name: str, lang: str) -> None:
    """No serious or critical finding of axe-core, every text at 4.5 to 1, both themes, wide and narrow."""
    link, drawn = PAGES[name]
    (size, scheme), narrow = LOOKS[lang]
    page = tab(f"{seated}{link}&lang={lang}", size=size, scheme=scheme, motion="reduce", drawn=drawn)
    for look in ((size, scheme), narrow):
        width, height = SIZES[look[0]]
        page.page.set_viewport_size({"width": width, "height": height})
        page.page.emulate_media(
            color_scheme="dark" if look[1] == "dark" else "light", reduced_motion="reduce"
        )
        page.wait(f"live.dataset.theme === '{look[1]}'")
        page.page.wait_for_timeout(250)
        assert serious(page) == [], look
        assert page.ask(f"({CONTRAST})(live)") == [], look


def test_a_tried_strategy_is_open_to_everybody(fresh: str, tab: Open) -> None:
    """The same for a run beside its prediction, with the red of failed answers."""
    page = tab(f"{fresh}/playground?lang=en&kind=Recreate", motion="reduce", drawn=RUNS)
    page.page.get_by_role("button", name="Run it in the lab").click()
    page.wait("live.querySelector('.heard [data-down]')")
    for look in ("light", "dark"):
        page.page.emulate_media(color_scheme=look, reduced_motion="reduce")  # type: ignore[arg-type]
        page.wait(f"live.dataset.theme === '{look}'")
        page.page.wait_for_timeout(250)
        assert serious(page) == [], look
        assert page.ask(f"({CONTRAST})(live)") == [], look
