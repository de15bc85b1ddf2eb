"""Much to show at every size: 60 Pods, and names longer than their boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.browser import pages
from tests.browser.pages import SIZES, Tab

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]
PODS = "#live [data-pod]"
OUTSIDE = """[...live.querySelectorAll('.routing .pods > *, .routing .share, .routing .box')].filter((n) => {
  const r = n.getBoundingClientRect(), home = n.closest('.card, .screen').getBoundingClientRect();
  return r.right > home.right + 1 || r.left < home.left - 1
    || r.bottom > home.bottom + 1 || r.top < home.top - 1;
}).map((n) => n.textContent)"""
CUT = """[...live.querySelectorAll('.box .part, .box .count, .box .name > .set')].filter((n) => {
  const r = n.getBoundingClientRect(), home = n.closest('.box').getBoundingClientRect();
  return n.scrollWidth > n.clientWidth + 1 || r.right > home.right + 1 || r.bottom > home.bottom + 1;
}).map((n) => n.textContent)"""


@pytest.fixture(scope="module")
def crowded() -> Iterator[str]:
    with pages.serving(pages.ROOT / "tests" / "browser" / "crowded.py") as url:
        yield url


@pytest.mark.parametrize("page", ["/", "/projector"])
@pytest.mark.parametrize(("lesson", "count"), [("2234", 60), ("2233", 4)])
def test_all_of_it_has_room(crowded: str, tab: Open, page: str, lesson: str, count: int) -> None:
    """No Pod and no label beyond the picture; a share, a count and a revision are never cut."""
    opened = tab(f"{crowded}{page}?lesson={lesson}&lang=en", drawn=PODS, motion="reduce")
    for size in ("1280x800", "1920x1080", "390x844"):
        width, height = SIZES[size]
        opened.page.set_viewport_size({"width": width, "height": height})
        tick = opened.ask("live.live.tick")
        opened.wait(f"live.live.tick > {tick} + 1")
        assert opened.ask("document.documentElement.scrollWidth") == width
        assert opened.ask("live.querySelectorAll('[data-pod]:not(.gone)').length") == count
        assert opened.ask(OUTSIDE) == [], size
        assert opened.ask(CUT) == [], size
