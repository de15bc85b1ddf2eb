"""The gateway on the page: a canary behind a router, replayed at every size and driven on the real lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from rollout_lab.observe.probe import ask
from tests.browser import pages
from tests.browser.pages import SIZES, Tab
from tests.browser.test_axe import CONTRAST, serious
from tests.lab.routed import objects

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]

NAME = "api-tester-2234-gatewayapi"
STATE = "live.querySelector('.state').textContent"
ARROWS = "[...live.querySelectorAll('.arrow:not(.gone)')].map((n) => `${n.dataset.arrow} ${n.dataset.to}`)"
SAID = "[...live.querySelectorAll('.way-label')].map((n) => n.textContent)"
WAYS = "[...live.querySelectorAll('.ways-in > span')].map((n) => n.textContent)"
MARKS = "[...live.querySelectorAll('.arrow .way')].map((n) => getComputedStyle(n).strokeDasharray)"
WEIGHTS = (
    "[...live.querySelectorAll('[data-weight]')].map((n) => [n.dataset.weight, n.lastChild.textContent])"
)
OUTSIDE = """[...live.querySelectorAll('.routing :is(.box, .way-label text, .pods > *, .users, .not-obeyed)')]
.filter((n) => n.getClientRects().length).filter((n) => {
  const r = n.getBoundingClientRect(), home = n.closest('.card, .screen').getBoundingClientRect();
  return r.right > home.right + 1 || r.left < home.left - 1
    || r.bottom > home.bottom + 1 || r.top < home.top - 1;
}).map((n) => n.textContent)"""
COVERED = """[...live.querySelectorAll('.way-label text')].filter((n) => n.textContent).filter((n) => {
  const r = n.getBoundingClientRect();
  return [...live.querySelectorAll('.box')].some((b) => {
    const home = b.getBoundingClientRect();
    return r.left < home.right - 1 && r.right > home.left + 1 && r.top < home.bottom && r.bottom > home.top;
  });
}).map((n) => n.textContent)"""
CUT = """[...live.querySelectorAll('.box :is(.title, .port, .count, .ways-in > span > span, .sample)')]
.filter((n) => n.getClientRects().length).filter((n) => {
  const r = n.getBoundingClientRect(), home = n.closest('.box').getBoundingClientRect();
  return n.scrollWidth > n.clientWidth + 1 || r.right > home.right + 1 || r.bottom > home.bottom + 1;
}).map((n) => n.textContent)"""
STABLE, CANARY = f"{NAME}-stable", f"{NAME}-canary"
ALL = [f"weight {STABLE}", f"weight {CANARY}", f"header {CANARY}", f"mirror {CANARY}"]


@pytest.fixture(scope="module")
def gated() -> Iterator[str]:
    with pages.serving(pages.ROOT / "tests" / "browser" / "gated.py") as url:
        yield url


@pytest.mark.parametrize(("page", "lang"), [("/", "ko"), ("/", "en"), ("/projector", "ko")])
def test_every_way_is_drawn_and_has_room(gated: str, tab: Open, page: str, lang: str) -> None:
    """Four arrows told apart without colour; nothing cut, covered or outside; all of it said as words too."""
    opened = tab(f"{gated}{page}?lesson=2234&lang={lang}", drawn="#live .box.gate", motion="reduce")
    for size in ("1440x900", "1280x720", "1920x1080", "390x844"):
        width, height = SIZES[size]
        opened.page.set_viewport_size({"width": width, "height": height})
        tick = opened.ask("live.live.tick")
        opened.wait(f"live.live.tick > {tick} + 1")
        assert opened.ask("document.documentElement.scrollWidth") == width
        assert opened.ask(ARROWS) == ALL
        assert len(set(map(str, opened.ask(MARKS) or ()))) == 3, "solid, dashed and dotted"
        assert opened.ask(OUTSIDE) == [], size
        assert opened.ask(CUT) == [], size
        if size == "390x844":
            ways = list(map(str, opened.ask(WAYS) or ()))
            assert "x-tester: yes" in ways and len(ways) == 4, ways
        else:
            assert opened.ask(COVERED) == [], size
            said = " ".join(map(str, opened.ask(SAID) or ()))
            assert "94 %" in said and "x-tester: yes" in said and "35 %" in said
    assert opened.ask(WEIGHTS) == [
        ["asked", "5 %"],
        ["configured", "5 %"],
        ["measured", "5.9 % ± 2.6 (n = 322)"],
        ["pods", "9.1 % (1 / 11)"],
    ]
    spoken = str(opened.ask("live.querySelector('.routing .sr').textContent"))
    assert f"{CANARY}" in spoken and "x-tester: yes" in spoken and "35 %" in spoken
    assert "timeouts" in str(opened.ask("live.querySelector('.not-obeyed').textContent"))


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with a lab of its own, whose scenario is a canary behind the embedded gateway."""
    folder: Path = tmp_path_factory.mktemp("routed")
    manifest = folder / "routed.yaml"
    manifest.write_text(yaml.safe_dump_all(objects("gatewayapi", replicas=4, weight=20, mirror=50)))
    environment = {
        "ROLLOUT_LAB_SPEED": "10",
        "ROLLOUT_LAB_HOME": str(folder / "home"),
        "ROLLOUT_LAB_SCENARIO": str(manifest),
    }
    with pages.serving(pages.ROOT / "app.py", environment) as url:
        yield url


@pytest.mark.cluster
@pytest.mark.timeout(240)
def test_a_routed_canary_on_the_real_lab(routed: str, tab: Open) -> None:
    """Before the update all goes to stable; at the pause 20 % by weight, testers by header, half copied."""
    page = tab(f"{routed}/?rollout={NAME}&lang=en")
    page.wait(f"{STATE} === 'Healthy'", timeout=120_000)
    page.wait(f"{ARROWS}.length === 2 && {SAID}[0] === '100 %set 100 %'", timeout=120_000)

    page.new_version("2.0.0")
    page.wait(f"{STATE} === 'Paused'", timeout=120_000)
    page.wait(f"JSON.stringify({ARROWS}) === '{str(ALL).replace(chr(39), chr(34)).replace(', ', ',')}'")
    page.wait(f"{SAID}[1].endsWith('set 20 %') && {SAID}[0].endsWith('set 80 %')")
    page.wait("/n = \\d{2,}/.test(live.querySelector('[data-weight=measured] b').textContent)")
    weights = dict(page.ask(WEIGHTS) or ())  # type: ignore[call-overload]
    assert (weights["asked"], weights["configured"], weights["pods"]) == ("20 %", "20 %", "20 % (1 / 5)")
    assert "±" in weights["measured"]
    assert page.ask("live.querySelector('.lane .who').textContent") == "gateway"

    port = str(page.ask("live.querySelector('.box.gate .port').textContent")).removeprefix(":")
    headers = {"Host": f"{NAME}.localhost", "x-tester": "yes"}
    heard = [ask(f"127.0.0.1:{port}", headers=headers).version for _ in range(5)]
    assert heard == ["2.0.0"] * 5
    page.wait(f"{SAID}[2] === 'x-tester: yes5 requests' && /^mirror 50 %\\d+ cop/.test({SAID}[3])")
    assert str(page.ask("live.querySelector('.box.gate .sample').textContent")).endswith("0 failed")

    page.page.locator("h1").first.click()
    for _ in range(40):  # back, mark by mark, to before the update
        page.page.keyboard.press("ArrowLeft")
    page.wait(f"{ARROWS}.length === 0 || {SAID}[0].endsWith('set 100 %')")
    page.page.keyboard.press("End")

    big = tab(f"{routed}/projector?rollout={NAME}&lang=en", drawn="#live .box.gate")
    big.wait(f"{ARROWS}.length === 4")
    assert big.ask("document.documentElement.scrollWidth") == SIZES["1440x900"][0]


def test_it_is_open_to_everybody(gated: str, tab: Open) -> None:
    """No serious finding of axe-core, every text at 4.5 to 1, both themes, wide and narrow."""
    page = tab(f"{gated}/?lesson=2234&lang=en", drawn="#live .box.gate", motion="reduce")
    for size, theme in (
        ("1280x720", "light"),
        ("390x844", "dark"),
        ("1440x900", "dark"),
        ("390x844", "light"),
    ):
        width, height = SIZES[size]
        page.page.set_viewport_size({"width": width, "height": height})
        page.page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.wait(f"live.dataset.theme === '{theme}'")
        tick = page.ask("live.live.tick")
        page.wait(f"live.live.tick > {tick} + 1")
        assert serious(page) == [], (size, theme)
        assert page.ask(f"({CONTRAST})(live)") == [], (size, theme)
