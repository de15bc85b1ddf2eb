"""A student who has nothing but the page walks lessons 5 and 7 from start to end on a real lab.

Everything is done by what the page shows: the commands of the text by their buttons, questions by their
fields, and where a task does not pass, what its reason says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import pages
from tests.browser.pages import Tab

pytestmark = [pytest.mark.browser, pytest.mark.cluster]
Open = Callable[..., Tab]
WAIT = 60_000  # milliseconds of the wall
PARTS = "#notes figure.code, #notes .task, #notes .question"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with a lab of its own, 20 times as fast."""
    home = str(tmp_path_factory.mktemp("labs"))
    environment = {"ROLLOUT_LAB_SPEED": "20", "ROLLOUT_LAB_HOME": home}
    with pages.serving(pages.ROOT / "app.py", environment) as url:
        yield url


def carry_out(part: Locator) -> None:
    """Press the run button of a command, and see that it says what became of it."""
    run = part.locator("[data-run]")
    if not run.is_visible():
        return
    expect(run).to_be_enabled(timeout=WAIT)
    run.click()
    expect(part.locator("pre.ran")).to_be_visible(timeout=WAIT)
    expect(run).to_be_enabled(timeout=WAIT)


def guess(part: Locator) -> None:
    """Answer a question with the first that comes to mind; the page must take it."""
    choices = part.locator("input[type=radio]")
    if choices.count():
        choices.first.check(timeout=WAIT)
        expect(choices.first).to_be_checked()
        return
    part.locator("input[type=number]").fill("2", timeout=WAIT)
    part.locator("button[type=submit]").click()
    expect(part.locator("input[type=number]")).to_have_value("2")


def pass_task(tab: Tab, part: Locator) -> None:
    """Wait until a task is green; where it does not get there and its reason speaks of Promote, press it."""
    for second in range(75):
        if part.get_attribute("data-state") == "passed":
            return
        promote = tab.page.locator(tab.button("promote"))
        if second >= 15 and "Promote" in (part.locator(".why").text_content() or "") and promote.is_enabled():
            promote.click()
        tab.page.wait_for_timeout(1_000)
    said = part.locator(".why").text_content()
    raise AssertionError(f"{part.get_attribute('data-task')} does not pass: {said}")


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("lesson", "lang"), [("2233", "ko"), ("2234", "en")])
def test_a_lesson_is_walked_by_what_the_page_says_alone(
    quick: str, tab: Open, lesson: str, lang: str
) -> None:
    """Every task turns green by itself, in the order of the text; questions say whether it was right."""
    page = tab(f"{quick}/?lesson={lesson}&lang={lang}")
    page.page.locator("#notes[data-ready]").wait_for(timeout=WAIT)
    parts = page.page.locator(PARTS)
    for i in range(parts.count()):
        part = parts.nth(i)
        kind = part.get_attribute("class") or ""
        if "task" in kind:
            pass_task(page, part)
        elif "question" in kind:
            guess(part)
        else:
            carry_out(part)
    tasks = page.page.locator("#notes .task")
    assert tasks.count() >= 6
    assert [tasks.nth(i).get_attribute("data-state") for i in range(tasks.count())] == [
        "passed"
    ] * tasks.count()
    expect(page.page.locator("#notes .over")).to_be_visible(timeout=WAIT)
    questions = page.page.locator("#notes .question")
    for i in range(questions.count()):
        expect(questions.nth(i).locator(".verdict")).to_be_visible(timeout=WAIT)
    page.page.reload()
    page.page.locator("#notes .over").wait_for(state="visible", timeout=WAIT)  # a reload loses nothing
