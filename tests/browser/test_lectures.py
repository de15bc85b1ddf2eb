"""Both lectures on the real lab, driven in the browser to their end: nothing here is replayed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.pages import Tab

pytestmark = [pytest.mark.browser, pytest.mark.cluster]
Open = Callable[..., Tab]

VERSIONS = "[...live.querySelectorAll('.box.service .lead')].map((n) => n.textContent)"
STATE = "live.querySelector('.state').textContent"
PHASE = "live.querySelector('.phases [aria-current=step] b')?.textContent"
FAILED = "[...live.querySelectorAll('.box.service :is(.sample, .beside)')].map((n) => n.textContent)"


def pods(version: str, state: str) -> str:
    """How many Pods of a version are drawn in a state; what only fades away is none of them."""
    colour = int(version[0]) - 1
    return f"live.querySelectorAll('.pod:not(.gone)[data-state={state}][data-colour=\"{colour}\"]').length"


@pytest.mark.timeout(240)
def test_lecture_2233_by_mouse(real: str, tab: Open) -> None:
    """Blue/green from v1 to the last old Pod gone: preview first, then users, old Pods 30 s later."""
    page = tab(f"{real}/?lesson=2233&lang=en")
    page.wait(f"{STATE} === 'Healthy' && {pods('1.0.0', 'ready')} === 2")
    page.wait(f"{VERSIONS}.every((v) => v === 'v1.0.0 100 %')")

    page.new_version("2.0.0")
    page.wait(f"{STATE} === 'Paused' && {PHASE} === 'Wait for promote'")
    page.wait(f"{VERSIONS}[0] === 'v1.0.0 100 %' && {VERSIONS}[1] === 'v2.0.0 100 %'")
    assert page.ask(pods("1.0.0", "ready")) == 2
    assert "autoPromotionEnabled" in str(page.ask("live.querySelector('.why').textContent"))

    page.page.click(page.button("promote"))
    switched = f"{STATE} !== 'Paused' && live.querySelectorAll('.timer').length === 1"
    page.wait(f"{switched} && {pods('1.0.0', 'ready')} === 2")  # old Pods stay for the scale-down delay
    page.wait(f"{VERSIONS}.every((v) => v === 'v2.0.0 100 %')")
    page.wait(f"{STATE} === 'Healthy' && live.querySelectorAll('.pod[data-pod]:not(.gone)').length === 2")
    assert page.ask("live.querySelectorAll('.phases [data-state=done]').length") == 6
    assert str(page.ask(f"{FAILED}[0]")).endswith("· 0 failed"), "users lost no request"


@pytest.mark.timeout(240)
def test_lecture_2234_by_keyboard_and_mouse(real: str, tab: Open) -> None:
    """Canary: 1 and 2 Pods at 33 %, promote by P, 2 and 1 at 66 %, a countdown, and 100 % by itself."""
    page = tab(f"{real}/?lesson=2234&lang=ko")
    page.wait(f"{STATE} === '정상' && {pods('1.0.0', 'ready')} === 2")

    page.new_version("2.0.0")
    page.wait(f"{STATE} === '일시 정지' && {PHASE} === 'Promote 대기'")
    assert (page.ask(pods("1.0.0", "ready")), page.ask(pods("2.0.0", "ready"))) == (2, 1)
    page.wait("live.querySelector('[data-weight=pods] b').textContent === '33.3 % (1 / 3)'")
    page.wait("live.querySelectorAll('.band').length === 2 && live.querySelectorAll('.line').length === 3")

    page.page.keyboard.press("p")
    page.wait(f"{PHASE} === '2분 대기' && live.querySelectorAll('.timer').length === 1")
    page.wait(f"{pods('1.0.0', 'ready')} === 1 && {pods('2.0.0', 'ready')} === 2")
    page.wait("live.querySelector('[data-weight=asked] b').textContent === '66 %'")

    page.wait(
        f"{STATE} === '정상' && live.querySelectorAll('.pod[data-pod]:not(.gone)').length === 2",
        timeout=90_000,
    )
    page.wait(f"{VERSIONS}[0] === 'v2.0.0 100 %'")
    assert str(page.ask(f"{FAILED}[0]")).endswith("· 실패 0")
    look_back_to_the_first_pause(page)


def look_back_to_the_first_pause(page: Tab) -> None:
    """By keyboard from the end of the lecture to where 33 % were 1 and 2 Pods, and back to the present."""
    page.page.locator("h1").first.click()
    there = (
        f"{STATE} === '일시 정지' && {PHASE} === 'Promote 대기'"
        f" && {pods('1.0.0', 'ready')} === 2 && {pods('2.0.0', 'ready')} === 1"
    )
    seen = []
    while not page.ask(there):
        before = page.ask("live.live.data.time.t")
        seen.append((before, page.ask(STATE), page.ask(PHASE)))
        assert before != 0, f"no mark shows the first pause: {seen}"
        page.page.keyboard.press("ArrowLeft")
        page.wait(f"live.live.data.time.t !== {'null' if before is None else before}")
    page.page.locator("#live .status summary").click()
    page.wait("live.querySelector('.yaml').textContent.includes('currentStepIndex: 1')")
    assert page.ask(STATE) == "일시 정지"
    assert page.ask("live.querySelectorAll('.buttons button:not([aria-disabled])').length") == 0
    page.page.locator("#live .range").press("End")
    page.wait(
        f"{STATE} === '정상' && live.querySelector('.yaml').textContent.includes('currentStepIndex: 4')"
    )


@pytest.mark.timeout(240)
def test_two_pages_see_the_same_and_abort_and_retry_work(real: str, tab: Open) -> None:
    """One lab, two browsers: what one does the other sees. An abort leaves users where they were."""
    one, two = tab(f"{real}/?lesson=2234&lang=en"), tab(f"{real}/?lesson=2234&lang=en", size="390x844")
    one.wait(f"{STATE} === 'Healthy'")
    one.new_version("3.0.0")
    two.wait(f"{STATE} === 'Paused' && {pods('3.0.0', 'ready')} === 1")
    two.page.click(two.button("abort"))
    one.wait(f"{STATE} === 'Degraded' && {pods('3.0.0', 'ready')} === 0")
    one.wait(f"{VERSIONS}[0] === 'v2.0.0 100 %'")
    one.page.click(one.button("retry"))
    two.wait(f"{STATE} === 'Paused' && {pods('3.0.0', 'ready')} === 1")
    two.page.click(two.button("promote-full"))
    one.wait(f"{STATE} === 'Healthy' && {pods('3.0.0', 'ready')} === 2")


@pytest.mark.timeout(240)
def test_a_broken_version_and_a_manifest_by_hand(real: str, tab: Open) -> None:
    """A missing image shows as failing Pods with its reason; a mistake in the YAML is told before it acts."""
    page = tab(f"{real}/?lesson=2233&lang=en")
    page.wait(f"{STATE} === 'Healthy'")
    page.new_version("missing")
    page.wait(
        "[...live.querySelectorAll('.pod[data-state=failing] .label')]"
        ".some((n) => /ErrImagePull|ImagePullBackOff/.test(n.textContent))"
    )
    page.page.click(page.button("undo"))
    page.page.click("#live [role=menuitem]")
    page.wait(f"{STATE} === 'Healthy'", timeout=90_000)

    area, good = page.manifest("See and edit the Rollout's YAML")
    area.fill(good.replace("replicas: 2", "replicas: -1"))
    area.press("Control+Enter")
    page.page.get_by_role("alert").get_by_text("spec.replicas").wait_for()
    area.fill(good.replace("replicas: 2", "replicas: 3"))
    page.page.get_by_text("Pods at most").wait_for(timeout=30_000)
    page.page.get_by_role("button", name="Apply").click()
    page.wait("live.querySelectorAll('.pod[data-state=ready]').length >= 3")
    page.wait("live.querySelectorAll('.ahead').length > 0")
