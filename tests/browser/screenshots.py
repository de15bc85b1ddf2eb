"""`make screenshots`: the pictures of the README, from a running lab.

`python -m tests.browser.screenshots [FOLDER [all]]`.

Real page, real cluster, real requests. ``all`` takes both lectures at every
size in both themes, for looking at them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser import pages
from tests.browser.pages import Tab, open_tab, serving

PAUSED = "live.querySelector('.state').dataset.tone === 'wait'"
SETTLED = "live.querySelector('.state').dataset.tone === 'ok'"
STAGE = "#live .screen .box"
REST = 9_000
"""Milliseconds for the curl loop to count answers before a picture is taken."""


def main() -> int:
    if not pages.CHROMIUM:
        print("no Chromium on this machine: install one or name it in ROLLOUT_LAB_CHROMIUM", file=sys.stderr)
        return 1
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else pages.ROOT / "docs" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        environment = {"ROLLOUT_LAB_SPEED": "1", "ROLLOUT_LAB_HOME": home}
        with serving(pages.ROOT / "app.py", environment) as url:
            browser = pages.launch(playwright)
            to_pause(browser, f"{url}/?lesson=2233")
            to_pause(browser, f"{url}/?lesson=2234")
            shoot(browser, f"{url}/?lesson=2233", folder / "bluegreen-preview.png")
            shoot(browser, f"{url}/?lesson=2234", folder / "canary-first-pause.png", scheme="dark")
            shoot(browser, f"{url}/?lesson=2233", folder / "phone.png", size="390x844", scroll=True)
            shoot(browser, f"{url}/?lesson=2233", folder / "scrubbing.png", keys=("ArrowLeft",) * 2)
            projector = f"{url}/projector?lesson=2234"
            shoot(browser, projector, folder / "projector.png", size="1280x720", scheme="dark", drawn=STAGE)
            to_pause(browser, f"{url}/?lesson=12", promotes=1)  # past the testers' route, to the copies
            shoot(browser, f"{url}/?lesson=12&lang=en", folder / "gateway.png")
            if "all" in sys.argv[2:]:
                every(browser, url, folder)
            browser.close()
    print(f"screenshots are in {folder}")
    return 0


def to_pause(browser: Browser, url: str, promotes: int = 0) -> None:
    """Bring a lecture to where it waits for a person, after so many promotes."""
    tab = open_tab(browser, url)
    tab.wait(SETTLED)
    tab.page.wait_for_timeout(REST)
    tab.new_version("2.0.0")
    tab.wait(PAUSED)
    tab.page.wait_for_timeout(REST)
    for _ in range(promotes):
        tab.page.keyboard.press("p")
        tab.page.wait_for_timeout(REST)
        tab.wait(PAUSED)
    tab.page.context.close()


def shoot(
    browser: Browser,
    url: str,
    path: Path,
    size: str = "1440x900",
    scheme: str = "light",
    scroll: bool = False,
    keys: tuple[str, ...] = (),
    drawn: str = "#live .phases li",
) -> None:
    """One picture of the page at rest, after `keys`; `scroll` brings the live picture into view."""
    tab: Tab = open_tab(browser, url, size=size, scheme=scheme, drawn=drawn)
    tab.page.wait_for_timeout(2_500)
    for key in keys:
        tab.page.keyboard.press(key)
        tab.page.wait_for_timeout(700)
    if scroll:
        tab.ask("live.querySelector('.strip').scrollIntoView(true)")
        tab.page.wait_for_timeout(400)
    tab.page.screenshot(path=path)
    tab.page.context.close()
    if tab.complaints:
        raise SystemExit(f"{path.name}: the page complained: {tab.complaints}")


def every(browser: Browser, url: str, folder: Path) -> None:
    """Both lectures, every size, both themes, both languages where they differ most."""
    for size in pages.SIZES:
        for scheme in ("light", "dark"):
            for lesson, lang in (("2233", "ko"), ("2234", "en")):
                name = f"{lesson}-{lang}-{size}-{scheme}.png"
                link = f"{url}/?lesson={lesson}&lang={lang}"
                shoot(browser, link, folder / name, size, scheme, scroll=size == "390x844")


if __name__ == "__main__":
    sys.exit(main())
