"""The projector in a real browser: no scrolling, nothing cut, keys, a viewer's screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.pages import SIZES, Tab

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]
DRAWN = "#live .place [data-pod]"
TOO_LARGE = """[...live.querySelectorAll('.screen, .screen > *:not(.tools), .box, .box > div, h1, .weight')]
  .filter((n) => n.getClientRects().length)
  .filter((n) => { const r = n.getBoundingClientRect();
    return r.right > innerWidth + 1 || r.bottom > innerHeight + 1 || r.left < -1 || r.top < -1
      || n.scrollWidth > n.clientWidth + 1 && getComputedStyle(n).overflow !== 'visible'; })
  .map((n) => n.className + ': ' + n.textContent.slice(0, 40))"""
COVERED = """(() => {
  const boxes = [...live.querySelector('.screen').children].filter((n) => n.getClientRects().length
    && !n.matches('.tools, .notice')).map((n) => n.getBoundingClientRect());
  return boxes.some((a, i) => i && a.top < boxes[i - 1].bottom - 1);
})()"""


@pytest.mark.parametrize("size", ["1280x720", "1920x1080"])
@pytest.mark.parametrize(
    ("query", "scheme"), [("lesson=2233&lang=en", "light"), ("lesson=2234&lang=ko", "dark")]
)
def test_all_of_it_is_on_the_screen(replayed: str, tab: Open, size: str, query: str, scheme: str) -> None:
    """No scrolling, nothing cut off, nothing over another thing, large type."""
    page = tab(f"{replayed}/projector?{query}", size=size, scheme=scheme, drawn=DRAWN)
    assert page.ask("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        *SIZES[size]
    ]
    assert page.ask(TOO_LARGE) == []
    assert page.ask(COVERED) is False
    assert page.ask("live.dataset.theme") == scheme
    small = page.ask("parseFloat(getComputedStyle(live.querySelector('.step')).fontSize) / innerHeight")
    assert isinstance(small, float)
    assert small > 0.028


def test_keys_act_and_look_back(fresh: str, tab: Open) -> None:
    """Arrows go back and forth, space is live, T changes the theme, P promotes."""
    page = tab(f"{fresh}/projector?lesson=2234&theme=dark", size="1280x720", drawn=DRAWN)
    page.page.keyboard.press("ArrowLeft")
    page.wait("!live.querySelector('.moment').hidden")
    page.page.keyboard.press("Space")
    page.wait("live.querySelector('.moment').hidden")
    page.page.keyboard.press("t")
    page.wait("live.dataset.theme === 'light'")
    assert "theme=light" in page.page.url
    page.page.keyboard.press("p")
    page.wait("live.querySelectorAll('[data-state=terminating][data-pod]').length === 2")


def test_a_viewers_screen_has_no_action(fresh: str, tab: Open) -> None:
    """P does nothing, and no button says otherwise; the lab page of a viewer has no bar."""
    page = tab(f"{fresh}/projector?lesson=2234&viewer=1", size="1280x720", drawn=DRAWN)
    page.page.keyboard.press("p")
    tick = page.ask("live.live.tick")
    page.wait(f"live.live.tick >= {tick} + 3")
    assert page.ask("[live.querySelectorAll('[data-tool=promote]').length, live.live.asked.seq]") == [0, 0]
    other = tab(f"{fresh}/?lesson=2234&viewer=1")
    assert other.ask("live.querySelector('.bar').getClientRects().length") == 0
    assert other.ask("live.querySelectorAll('[data-state=terminating][data-pod]').length") == 0
