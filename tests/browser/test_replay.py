"""A recorded run in a real browser: dropped, refused with its line, looked through, taken away as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.pages import ROOT, SIZES, Tab

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]
TRACE = ROOT / "tests" / "data" / "traces" / "canary-course.jsonl"
WIDE = "[document.documentElement, document.querySelector('.stMain'), live].map((n) => n.scrollWidth)"


@pytest.mark.parametrize("size", ["1280x720", "390x844"])
def test_nothing_is_wider_than_the_screen(replayed: str, tab: Open, size: str) -> None:
    """The page of a recording is the lab page's picture, at every size."""
    page = tab(f"{replayed}/replay?lang=en", size=size)
    wide = page.ask(WIDE)
    assert isinstance(wide, list)
    assert max(wide) <= SIZES[size][0]
    assert page.ask("live.querySelectorAll('.buttons button').length") == 0


def test_a_moment_is_in_the_url_and_a_reload_keeps_it(replayed: str, tab: Open) -> None:
    """A link to a moment of a run that ships."""
    page = tab(f"{replayed}/replay?lang=en&run=peer-canary-course&t=6")
    page.wait("live.querySelector('.strip h2')?.textContent === 'api-tester-2234' && live.live?.data?.past")
    page.page.keyboard.press("ArrowRight")
    page.wait("live.live.data.time.t > 6")
    page.page.reload()
    page.wait("live.live?.data?.past && live.querySelector('.strip h2')?.textContent === 'api-tester-2234'")


def test_a_dropped_file_is_shown_or_explained(replayed: str, tab: Open, tmp_path: Path) -> None:
    """A good file opens; a bad one says line, field and remedy, and what is open stays."""
    page = tab(f"{replayed}/replay?lang=en")
    good, bad = tmp_path / "mine.jsonl", tmp_path / "cut.jsonl"
    lines = TRACE.read_text(encoding="utf-8").splitlines()
    good.write_text("\n".join(lines), encoding="utf-8")
    bad.write_text("\n".join([*lines[:4], '{"type": "ADDED", "kind": "Pod", "name": "x"}']), encoding="utf-8")
    page.page.locator("input[type=file]").set_input_files(good)
    page.wait("live.querySelector('.strip h2')?.textContent === 'api-tester-2234'")
    page.page.locator("input[type=file]").set_input_files(bad)
    told = page.page.get_by_role("alert").filter(has_text="cut.jsonl")
    told.wait_for(timeout=20_000)
    text = told.inner_text()
    assert "line 5" in text
    assert "field t" in text
    assert "To mend it" in text
    assert page.ask("live.querySelector('.strip h2')?.textContent") == "api-tester-2234"


def test_the_run_can_be_taken_away(replayed: str, tab: Open, tmp_path: Path) -> None:
    """The picture as SVG and PNG from the browser, the run as a page of its own from the server."""
    page = tab(f"{replayed}/replay?lang=en&run=peer-canary-course")
    for kind in ("svg", "png"):
        with page.page.expect_download() as caught:
            page.page.click(f"#take [data-take={kind}]")
        caught.value.save_as(tmp_path / f"picture.{kind}")
    drawn = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert "v2.0.0" in drawn
    assert "foreignObject" not in drawn
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    page.page.get_by_role("button", name="Export").click()
    with page.page.expect_download() as caught:
        page.page.get_by_role("button", name="A page of its own (HTML)").click()
    caught.value.save_as(tmp_path / "run.html")
    assert "<title>canary-course" in (tmp_path / "run.html").read_text(encoding="utf-8")


def test_the_run_of_this_lab_is_there_to_look_at(fresh: str, tab: Open) -> None:
    """Without a file: the lab's own run, as far as it has come, also after a reload of its link."""
    tab(f"{fresh}/?lesson=2234&lang=en")
    page = tab(f"{fresh}/replay?lang=en&run=live-api-tester-2234")
    page.wait("live.querySelector('.strip h2')?.textContent === 'api-tester-2234'")
    assert page.page.get_by_role("button", name="Read it up to now").is_visible()
    page.page.keyboard.press("ArrowLeft")
    page.page.wait_for_url("**t=*")
    page.page.get_by_role("button", name="Read it up to now").click()
    page.page.reload()
    page.wait("live.querySelector('.strip h2')?.textContent === 'api-tester-2234' && live.live?.data?.past")
