"""Seats and the host's board in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.pages import SIZES, Tab

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]


def test_a_seat_is_taken_acts_and_is_seen_on_the_board(fresh: str, tab: Open) -> None:
    """A student's promote moves the student's card and nobody else's; Pods are drawn, nothing overflows."""
    student = tab(f"{fresh}/?lesson=2234&seat=min-ji&lang=en")
    tab(f"{fresh}/?lesson=2234&seat=07&lang=en")
    board = tab(f"{fresh}/board?lang=en", size="390x844", drawn="#live .seat")
    card = "live.querySelector('[data-seat={}]')"
    board.wait("live.querySelectorAll('.seat').length === 2")
    assert board.ask("document.documentElement.scrollWidth") == SIZES["390x844"][0]
    shown = "[...live.querySelectorAll('.disc')].filter((n) => getComputedStyle(n).opacity === '1').length"
    board.wait(f"{shown} === 6")
    student.page.keyboard.press("p")
    board.wait(f"{card.format('min-ji')}.dataset.tone === 'go'")
    assert board.ask("live.querySelector('[data-seat=\"07\"]').dataset.tone") == "wait"


def test_a_seats_name_opens_it_to_look_at(fresh: str, tab: Open) -> None:
    """The host looks without acting by mistake."""
    tab(f"{fresh}/?lesson=2234&seat=min-ji&lang=en")
    board = tab(f"{fresh}/board?lang=en", drawn="#live .seat")
    link = str(board.ask("live.querySelector('.seat a').href"))
    looking = tab(link)
    assert looking.ask("live.querySelectorAll('.buttons button').length") == 0


def test_the_host_sets_a_seat_free_after_a_question(fresh: str, tab: Open) -> None:
    """What cannot be taken back is asked once more; the card goes, and the student is told why."""
    student = tab(f"{fresh}/?lesson=2234&seat=min-ji&lang=en")
    board = tab(f"{fresh}/board?lang=en", drawn="#live .seat")
    board.page.get_by_role("button", name="min-ji: Free the seat").click()
    board.page.get_by_role("button", name="Leave it").click()
    board.page.get_by_role("button", name="min-ji: Free the seat").click()
    assert "All that min-ji applied" in str(board.ask("live.querySelector('.tidy .said').textContent"))
    board.page.get_by_role("button", name="Free the seat").click()
    board.wait("live.querySelectorAll('.seat').length === 0")
    student.page.get_by_text("The host has set the seat min-ji free").first.wait_for()
