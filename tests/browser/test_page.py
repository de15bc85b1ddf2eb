"""The page in a real browser, over replayed pictures: sizes, themes, identity, keyboard, languages."""

from __future__ import annotations

import http.client
from collections.abc import Callable

import pytest

from tests.browser.pages import SIZES, Tab

pytestmark = pytest.mark.browser
Open = Callable[..., Tab]

MARK_NODES = """(() => {
  const nodes = {};
  const kept = '[data-pod], .box, .band, .area, .phases li, [data-action], .plot';
  for (const node of live.querySelectorAll(kept)) {
    const { pod, action } = node.dataset;
    const name = pod || action || node.title || node.getAttribute('aria-label') || node.textContent;
    nodes[node.getAttribute('class') + ' ' + name.slice(0, 60)] = node;
  }
  window.marked = nodes;
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: 'layout-shift' });
  window.missing = 0;
  const watch = () => {
    if (!live.isConnected || !live.querySelector('[data-pod]')) window.missing += 1;
    requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
  return [live.live.tick, Object.keys(nodes).length];
})()"""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("query", ["lesson=2233&lang=ko", "lesson=2234&lang=en"])
def test_nothing_is_wider_than_the_screen(replayed: str, tab: Open, size: str, query: str) -> None:
    """No horizontal scrolling of the page at any size, in both lectures and languages."""
    page = tab(f"{replayed}/?{query}", size=size)
    width = SIZES[size][0]
    wide = page.ask(
        "[document.documentElement, document.querySelector('.stMain'), live].map((n) => n.scrollWidth)"
    )
    assert isinstance(wide, list)
    assert max(wide) <= width
    cut = page.ask(
        "[...live.querySelectorAll('.box > div, .box')]"
        ".filter((n) => n.scrollWidth > n.clientWidth + 1 || n.scrollHeight > n.clientHeight + 2)"
        ".map((n) => n.textContent)"
    )
    assert cut == []


def test_refreshes_keep_every_node(replayed: str, tab: Open) -> None:
    """No flicker: after ten refreshes the same elements are there, nothing blinked, nothing jumped."""
    page = tab(f"{replayed}/?lesson=2233")
    page.page.wait_for_timeout(600)
    tick, count = page.ask(MARK_NODES)  # type: ignore[misc]
    assert count > 20
    page.wait(f"live.live.tick >= {tick + 10}")
    gone = page.ask("Object.entries(window.marked).filter(([, n]) => !n.isConnected).map(([name]) => name)")
    assert gone == []
    assert page.ask("[window.missing, window.shift < 0.01]") == [0, True]


def test_promote_by_mouse(fresh: str, tab: Open) -> None:
    """A press reaches the lab once; the picture shows what came of it and the button goes off."""
    page = tab(f"{fresh}/?lesson=2234")
    page.page.click(page.button("promote"))
    page.wait("live.querySelector('[data-action=promote]').getAttribute('aria-disabled') === 'true'")
    page.wait("live.querySelectorAll('[data-state=terminating][data-pod]').length === 2")
    assert "이미" in str(page.ask("live.querySelector('[data-action=promote]').title"))


def test_promote_by_keyboard(fresh: str, tab: Open) -> None:
    """P promotes, and does nothing while a person types."""
    page = tab(f"{fresh}/?lesson=2233")
    area, _ = page.manifest("Rollout YAML 보기")
    area.focus()
    page.page.keyboard.type("p")
    tick = page.ask("live.live.tick")
    page.wait(f"live.live.tick >= {tick} + 3")
    assert page.ask("live.querySelector('[data-action=promote]').getAttribute('aria-disabled')") is None
    page.page.locator("h1").first.click()
    page.page.keyboard.press("p")
    page.wait("live.querySelector('[data-action=promote]').getAttribute('aria-disabled') === 'true'")


def test_a_button_that_is_off_gives_its_reason_and_does_nothing(replayed: str, tab: Open) -> None:
    """It can be reached by keyboard, so that its reason can be read."""
    page = tab(f"{replayed}/?lesson=2233&lang=en")
    page.page.focus(page.button("retry"))
    page.page.keyboard.press("Enter")
    page.wait("live.querySelector('.reason').textContent.includes('only after an abort')")
    assert page.ask("live.live.asked.queue.length") == 0


def test_each_action_shows_its_command(replayed: str, tab: Open) -> None:
    """Hover, focus or a menu entry: the line shows the command that does the same."""
    page = tab(f"{replayed}/?lesson=2233")
    page.page.hover(page.button("abort"))
    page.wait("live.querySelector('.command code').textContent.startsWith('kubectl argo rollouts abort')")
    page.page.click(page.button("set-image"))
    page.page.keyboard.press("ArrowDown")
    page.wait("live.querySelector('.command code').textContent.includes('api-tester=1pro/api-tester:')")
    page.page.keyboard.press("Escape")
    page.wait("!live.querySelector('[role=menu]')")
    assert page.ask("live.getRootNode().activeElement.dataset.action") == "set-image"


def test_an_error_is_told_with_its_remedy_and_can_be_closed(replayed: str, tab: Open) -> None:
    """What went wrong stands above the buttons until it is read."""
    page = tab(f"{replayed}/?lesson=2234")
    page.new_version("missing")
    page.wait("live.querySelector('.says')?.textContent.includes('refused by this replay')")
    assert page.ask("live.querySelector('.notice').getAttribute('role')") == "alert"
    page.page.click("#live .says button")
    page.wait("!live.querySelector('.says')")


def test_a_mistake_in_the_manifest_shows_field_and_remedy(replayed: str, tab: Open) -> None:
    """The YAML is checked before it can be applied."""
    page = tab(f"{replayed}/?lesson=2233&lang=en")
    area, good = page.manifest("See and edit the Rollout's YAML")
    area.fill(good.replace("replicas: 2", "replicas: two"))
    area.press("Control+Enter")
    page.page.get_by_role("alert").get_by_text("spec.replicas").wait_for()
    assert page.page.get_by_role("button", name="Apply").is_disabled()


FRAMED = """
window.shifts = []; window.framed = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts.push({ at: entry.startTime, value: entry.value });
}).observe({ type: 'layout-shift', buffered: true });
const look = () => {
  const frame = document.querySelector('.st-key-frame');
  if (frame && getComputedStyle(frame, '::before').position === 'absolute') window.framed = performance.now();
  else requestAnimationFrame(look);
};
look();
"""
AT = "live.live?.data?.time.t"
"""Seconds of the moment shown, null for live."""
WHERE = "live.querySelector('.where')?.textContent"


def test_stepping_through_the_run_by_keyboard(replayed: str, tab: Open) -> None:
    """Arrows go from mark to mark and back to live; the URL keeps the moment; nothing can be done there."""
    page = tab(f"{replayed}/?lesson=2233&lang=en")
    page.page.keyboard.press("ArrowLeft")
    page.wait(f"{AT} === 5 && live.dataset.past === ''")
    page.page.keyboard.press("ArrowLeft")
    page.wait(f"{AT} === 4 && {WHERE}.startsWith('0:04 · set image 2.0.0')")
    page.page.wait_for_url("**t=4*")
    page.page.keyboard.press("p")
    page.wait("live.querySelector('.reason').textContent === 'You look at the past. Go back to live to act.'")
    assert page.ask("live.live.asked.queue.length") == 0
    for _ in range(2):
        page.page.keyboard.press("ArrowRight")
        page.page.wait_for_timeout(300)
    page.wait(f"{AT} === null && live.dataset.past === undefined")
    page.page.wait_for_url(lambda url: "&t=" not in url)
    assert page.ask("live.querySelector('[data-action=promote]').getAttribute('aria-disabled')") is None


def test_the_slider_by_mouse_and_by_its_own_keys(replayed: str, tab: Open) -> None:
    """Dragging shows each moment on the way; Home and End are the ends of the run; a chart can be pressed."""
    page = tab(f"{replayed}/?lesson=2234&lang=ko")
    box = page.page.locator("#live .range").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] * 0.3, y, steps=6)
    page.page.mouse.up()
    page.wait(f"{AT} > 0.2 * live.live.data.time.end && {AT} < 0.4 * live.live.data.time.end")
    page.page.wait_for_url("**&t=*")
    page.page.keyboard.press("Home")
    page.wait(f"{AT} === 0")
    page.page.keyboard.press("End")
    page.wait(f"{AT} === null")
    plot = page.page.locator("#live .pods_over_time .plot")
    size = plot.bounding_box()
    assert size is not None
    plot.click(position={"x": size["width"] * 0.3, "y": size["height"] * 0.5})
    page.wait(f"{AT} > 0 && live.querySelector('.looking').getAttribute('visibility') === null")
    page.page.click("#live .golive")
    page.wait(f"{AT} === null")


def test_a_replay_runs_to_the_present(replayed: str, tab: Open) -> None:
    """Space plays from the last update on, faster where asked, and ends live."""
    page = tab(f"{replayed}/?lesson=2233")
    page.page.get_by_label("다시 보기 속도").click()
    page.page.locator("h1").first.click()
    page.page.keyboard.press("Space")
    page.wait(f"{AT} > 3 && {AT} < 30 && live.live.time.timer !== null")
    page.wait(f"{AT} === null && live.live.time.timer === null")


def test_a_link_to_a_moment_survives_a_reload(replayed: str, tab: Open) -> None:
    """What a student asks about can be sent to the lecturer."""
    page = tab(f"{replayed}/?lesson=2233&lang=en&t=4.5", drawn="#live .where")
    page.wait(f"{AT} === 4.5 && {WHERE}.startsWith('0:04')")
    page.page.reload()
    page.wait(f"{AT} === 4.5")


def test_the_grounds_of_a_reason_are_behind_a_fold(replayed: str, tab: Open) -> None:
    """Press a line: object, field and the formula; a refresh leaves it open."""
    page = tab(f"{replayed}/?lesson=2234&lang=en")
    page.page.locator("#live .lines summary").nth(1).click()
    tick = page.ask("live.live.tick")
    page.wait(f"live.live.tick > {tick} + 2")
    shown = str(page.ask("live.querySelector('.lines details[open] dl').textContent"))
    assert "ReplicaSet/api-tester-2234-" in shown
    assert "spec.strategy.canary.steps[0].setWeight" in shown
    assert "33 % of 2 is 0.66 → 1 canary and 2 stable" in shown


def test_the_status_is_sent_only_while_it_is_open(replayed: str, tab: Open) -> None:
    """A closed fold costs nothing on each refresh."""
    page = tab(f"{replayed}/?lesson=2233&lang=en")
    assert page.ask("live.live.data.status") is None
    page.page.locator("#live .status summary").click()
    page.wait(
        "typeof live.live.data.status === 'string' && live.querySelector('.yaml').textContent.length > 5"
    )


def test_the_frame_is_there_before_the_picture(replayed: str, tab: Open) -> None:
    """Nothing jumps when the picture comes: the place is kept from the first moment."""
    page = tab(f"{replayed}/?lesson=2233")
    page.page.add_init_script(FRAMED)
    page.page.reload()
    page.wait("live.querySelectorAll('.phases li').length > 0")
    page.page.wait_for_timeout(800)
    assert page.page.evaluate("window.framed") > 0, "the frame came before the picture"
    late = "window.shifts.filter((s) => s.at > window.framed + 50).reduce((sum, s) => sum + s.value, 0)"
    assert page.page.evaluate(late) < 0.1


def test_kubectl_alone_or_the_plugin(replayed: str, tab: Open) -> None:
    """The command line shows the one a person prefers, also after a reload."""
    page = tab(f"{replayed}/?lesson=2233&lang=en")
    page.page.hover(page.button("abort"))
    page.page.click("#live [data-kind=kubectl]")
    page.wait("live.querySelector('.command code').textContent.startsWith('kubectl patch rollout')")
    page.page.reload()
    page.wait("live.querySelector('[data-kind=kubectl]')?.getAttribute('aria-pressed') === 'true'")


def test_what_a_manifest_would_bring_is_shown_before_it_is_applied(replayed: str, tab: Open) -> None:
    """Lint while typing, a prediction in words and dashed in the chart; after applying it stays there."""
    page = tab(f"{replayed}/?lesson=2234&lang=en")
    area, good = page.manifest("See and edit the Rollout's YAML")
    area.fill(good.replace("replicas: 2", "replicas: -1"))
    page.page.get_by_role("alert").get_by_text("spec.replicas").wait_for()
    area.fill(good)
    page.page.get_by_text("Applied now, it is done after").wait_for(timeout=20_000)
    page.wait("live.querySelectorAll('.ahead').length === 1")
    now = page.ask("live.live.data.chart.outlook[0].steps[0][0]")
    page.wait(f"live.live.data.chart.outlook[0].steps[0][0] > {now}")
    page.page.get_by_role("button", name="Apply").click()
    page.page.get_by_text("was applied").wait_for(timeout=20_000)
    page.page.wait_for_timeout(700)
    begun = page.ask("live.live.data.chart.outlook[0].steps[0][0]")
    page.wait(f"live.live.data.chart.t > {begun} + 1")
    assert page.ask("live.live.data.chart.outlook[0].steps[0][0]") == begun


def test_language_and_lesson_by_their_switches(replayed: str, tab: Open) -> None:
    """The page changes its language as a whole, and a reload keeps it."""
    page = tab(f"{replayed}/?lesson=2233")
    page.page.get_by_role("radio", name="English").or_(page.page.get_by_text("English")).first.click()
    page.wait("live.lang === 'en' && live.querySelector('.why h2')?.textContent === 'Why?'")
    page.page.get_by_test_id("stSelectbox").first.click()
    page.page.get_by_role("option").filter(has_text="7 ·").first.click()
    page.wait("live.querySelector('.strip h2')?.textContent === 'api-tester-2234'")
    assert "lesson=2234" in page.page.url
    assert "lang=en" in page.page.url
    page.page.reload()
    page.wait("live.lang === 'en' && live.querySelector('.strip h2')?.textContent === 'api-tester-2234'")
    assert page.ask("document.documentElement.lang") == "en"


def test_less_motion_where_it_is_asked_for(replayed: str, tab: Open) -> None:
    """`prefers-reduced-motion` takes transitions and animations away."""
    page = tab(f"{replayed}/?lesson=2233", motion="reduce")
    moving = page.ask(
        "[...live.querySelectorAll('*')].filter((n) => { const s = getComputedStyle(n);"
        " return parseFloat(s.transitionDuration) > 0 || s.animationName !== 'none'; }).length"
    )
    assert moving == 0


def test_everything_has_a_name_for_the_screen_reader(replayed: str, tab: Open) -> None:
    """Buttons, sections and charts are named; the routing is there as sentences."""
    page = tab(f"{replayed}/?lesson=2234")
    nameless = page.ask(
        "[...live.querySelectorAll('button, section, [role=img], [role=menu]')].filter((n) =>"
        " !(n.getAttribute('aria-label') || n.textContent.trim())).map((n) => n.outerHTML.slice(0, 80))"
    )
    assert nameless == []
    assert "보냅니다" in str(page.ask("live.querySelector('.routing .sr').textContent"))
    assert page.ask("live.querySelector('[aria-current=step] b').textContent") == "Promote 대기"


@pytest.mark.parametrize(
    ("origin", "status"), [("http://127.0.0.1:{port}", 101), ("http://evil.example", 403)]
)
def test_another_site_cannot_press_the_buttons(replayed: str, origin: str, status: int) -> None:
    """A page of another origin in the same browser must not reach the page's websocket."""
    port = int(replayed.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(
        "GET",
        "/_stcore/stream",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version": "13",
            "Origin": origin.format(port=port),
        },
    )
    assert connection.getresponse().status == status
    connection.close()


def test_a_service_that_had_no_ready_pod_tells_only_what_is_now(replayed: str, tab: Open) -> None:
    """No word of the moment before stays beside the new ones."""
    page = tab(f"{replayed}/?lesson=2234&lang=en")
    drawn = """(() => {
      const { live: part } = live;
      const bare = structuredClone(part.data);
      for (const service of bare.services) Object.assign(service, { shares: [], mixed: 'no ready Pod' });
      const lead = () => live.querySelector('.box.service .lead').textContent;
      return [part.data, bare, part.data].map((data) => { part.routing.draw(data, 700); return lead(); });
    })()"""
    first, none, again = page.ask(drawn)  # type: ignore[misc]
    assert (none, again) == ("no ready Pod", first)


def test_the_page_turns_dark_and_stays_so(fresh: str, tab: Open) -> None:
    """By the button in the head, on every page and after a reload, whatever the system's setting is."""
    page = tab(f"{fresh}/?lesson=2234&lang=en")
    page.wait("live.dataset.theme === 'light'")
    page.page.get_by_role("button", name="Dark page").click()
    page.wait("live.dataset.theme === 'dark'")
    assert "lesson=2234" in page.page.url
    page.page.goto(f"{fresh}/compare?lang=en")
    page.wait("live.dataset.theme === 'dark'")
    page.page.get_by_role("button", name="Light page").press("Enter")
    page.wait("live.dataset.theme === 'light'")
