"""What the page costs, measured: a press until its picture, a refresh against the run's length, memory.

Run with `make bench`, on a machine that does nothing else. Never part of `make test`.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, sync_playwright

from rollout_lab.ui.payload import payload, plain
from rollout_lab.ui.series import axis_end
from rollout_lab.ui.session import Source
from rollout_lab.ui.timebar import timebar
from tests.bench.long_lab import HOUR, LongLab
from tests.bench.test_budgets import within
from tests.browser import pages
from tests.browser.pages import Tab, open_tab, serving

pytestmark = pytest.mark.bench
Json = dict[str, Any]


def refresh(source: Source, t: float | None = None) -> Json:
    """One refresh of the page's live part, all but Streamlit's own work."""
    name = source.lab.last.current  # type: ignore[attr-defined]
    picture, series = source.look(name)
    moments = source.moments(name)
    now = picture["t"]
    data = payload(
        "ko",
        picture,
        series,
        tick=1,
        ack=0,
        session="s",
        past=None if t is None else moments.at(t),
        time=timebar("ko", moments.marks(), now, t, 0, axis_end(now)),
        status=moments.status_yaml(now if t is None else t),
    )
    return plain(data)


def cost(source: Source, t: float | None = None) -> float:
    """Milliseconds of a refresh at the median."""
    times = []
    for _ in range(15):
        began = time.perf_counter()
        refresh(source, t)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def test_a_refresh_after_an_hour() -> None:
    """The same picture after a minute and after an hour, live and in the middle of the past."""
    for seconds, name in ((60.0, "a minute"), (HOUR, "an hour")):
        source = Source(LongLab(seconds))
        began = time.perf_counter()
        data = refresh(source)
        first = (time.perf_counter() - began) * 1000
        print(f"\n| {name}: {len(source.lab.all)} rows, first look {first:.0f} ms |", end="")  # type: ignore[attr-defined]
        print(f" {len(json.dumps(data)) / 1024:.1f} KiB to the browser |", end="")
        within(f"a refresh after {name}", cost(source), 150, "ms")
        within(f"a look back after {name}", cost(source, seconds / 2), 150, "ms")


def test_memory_over_an_hour() -> None:
    """What the page keeps of one rollout for an hour of updates, in Python's own count."""
    lab = LongLab(HOUR)
    gc.collect()
    tracemalloc.start()
    source = Source(lab)
    refresh(source)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] / 2**20
    for _ in range(30):
        refresh(source)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0] / 2**20
    tracemalloc.stop()
    within("kept for an hour of updates", held, 60, "MiB")
    within("more after 30 refreshes", max(0.0, after - held), 1, "MiB")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not pages.CHROMIUM:
        pytest.skip("no Chromium on this machine: install one or name it in ROLLOUT_LAB_CHROMIUM")
    with sync_playwright() as playwright:
        found = pages.launch(playwright)
        yield found
        found.close()


PRESS = """(action, shown) => new Promise((done) => {
  const began = performance.now();
  const look = () => (shown() ? done(performance.now() - began) : requestAnimationFrame(look));
  live.querySelector(`[data-action=${action}]`).click();
  look();
})"""


def pressed(tab: Tab, action: str, shown: str) -> float:
    """Milliseconds from the press of a button to the picture that shows what came of it."""
    found = tab.ask(f"({PRESS})('{action}', () => {shown})")
    assert isinstance(found, int | float)
    return float(found)


def test_a_press_until_its_picture(browser: Browser, tmp_path: Any) -> None:
    """Pause and resume on the real lab: the press, the API server, the engine, the watch, the drawing."""
    environment = {"ROLLOUT_LAB_SPEED": "1", "ROLLOUT_LAB_HOME": str(tmp_path)}
    with serving(pages.ROOT / "app.py", environment) as url:
        tab = open_tab(browser, f"{url}/?lesson=2234")
        tab.wait("live.querySelector('.state').dataset.tone === 'ok'")
        times = []
        for _ in range(8):
            times.append(pressed(tab, "pause", "live.querySelector('[data-action=resume]')"))
            tab.page.wait_for_timeout(900)
            times.append(pressed(tab, "resume", "live.querySelector('[data-action=pause]')"))
            tab.page.wait_for_timeout(900)
        tab.page.context.close()
    print(f"\n| presses: {', '.join(f'{t:.0f}' for t in sorted(times))} ms |", end="")
    within("press until the picture shows it (median)", statistics.median(times), 700, "ms")


DRAWN = """(() => {
  const page = live.live;
  const draw = page.draw.bind(page);
  window.costs = [];
  page.draw = () => {
    const began = performance.now();
    draw();
    live.getBoundingClientRect();
    window.costs.push(performance.now() - began);
  };
  return true;
})()"""
"""From here on what each drawing costs the browser, layout included."""


def heap(tab: Tab) -> tuple[float, int]:
    """MiB of JavaScript and DOM nodes that are still in use."""
    client = tab.page.context.new_cdp_session(tab.page)
    for _ in range(3):
        client.send("HeapProfiler.collectGarbage")
    client.send("Performance.enable")
    found = {m["name"]: m["value"] for m in client.send("Performance.getMetrics")["metrics"]}
    client.detach()
    return found["JSHeapUsedSize"] / 2**20, int(found["Nodes"])


def served(port: int) -> psutil.Process:
    """The process that serves a page of this machine."""
    children = psutil.Process().children(recursive=True)
    return next(c for c in children if any(x.laddr.port == port for x in c.net_connections("tcp")))


def test_an_hour_in_the_browser(browser: Browser, tmp_path: Path) -> None:
    """The page open for a whole run of an hour: a refresh on the server and in the browser, and memory."""
    notes = tmp_path / "notes"
    with serving(Path(__file__).with_name("long_page.py"), {"ROLLOUT_LAB_NOTES": str(notes)}) as url:
        tab = open_tab(browser, f"{url}/?lesson=2234")
        server = served(int(url.rpartition(":")[2]))

        def until(seconds: float) -> tuple[float, int, float]:
            tab.wait(f"live.live.data.chart.t >= {seconds}", timeout=180_000)
            return (*heap(tab), server.memory_full_info().uss / 2**20)

        early = until(HOUR / 6)
        assert tab.ask(DRAWN)
        late = until(HOUR)
        tab.ask("(window.costs = [], 1)")
        before = len(notes.read_text().split())
        tab.page.wait_for_timeout(10_000)
        costs = tab.ask("window.costs")
        told = [float(line) for line in notes.read_text().split()][before:]
        tab.page.context.close()
    assert isinstance(costs, list)
    drawing, serving_ = statistics.median(costs), statistics.median(told)
    print(
        f"\n| {serving_:.0f} ms on the server, {drawing:.0f} ms in the browser ({len(told)} refreshes) |",
        end="",
    )
    within("a refresh of the live part after an hour (median)", serving_ + drawing, 150, "ms")
    print(f"\n| after 10 min and 60 min: {early[1]} and {late[1]} DOM nodes |", end="")
    within("more JavaScript memory in the browser, 10 to 60 min", max(0.0, late[0] - early[0]), 5, "MiB")
    within("more memory of the page's server, 10 to 60 min", max(0.0, late[2] - early[2]), 60, "MiB")
