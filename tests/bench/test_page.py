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
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from rollout_lab.observe.replay import Recording
from rollout_lab.ui.payload import payload, plain
from rollout_lab.ui.series import axis_end
from rollout_lab.ui.session import Source
from rollout_lab.ui.timebar import timebar
from tests.bench.test_budgets import within
from tests.browser import pages
from tests.browser.pages import Tab, open_tab, serving
from tests.ui.replayed_lab import ReplayedLab

pytestmark = pytest.mark.bench
Json = dict[str, Any]
TRACE = pages.ROOT / "tests" / "data" / "traces" / "canary-ten-replicas-timed.jsonl"


class LongLab(ReplayedLab):
    """A recorded update of ten Pods over and over, with the curl loop's counts between."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        once = [json.loads(line) for line in TRACE.read_text(encoding="utf-8").splitlines()]
        once = [row for row in once if row.get("type") != "END"]
        length = float(once[-1]["t"]) + 20.0
        self.all: list[Json] = []
        t = 0.0
        while t < seconds:
            self.all += [{**row, "t": round(row["t"] + t, 2)} for row in once if t == 0.0 or _repeats(row)]
            self.all += [
                {"type": "PROBE", "kind": "Probe", "t": t + i, "until": t + i + 1, "name": "api-tester",
                 "port": 80, "failed": 0, "versions": {"1.0.0": 2}}
                for i in range(int(length))
            ]  # fmt: skip
            t += length
        self.all.sort(key=lambda row: float(row["t"]))
        self.last = Recording(self.all)

    def rows(self, rollout: str, since: int = 0) -> tuple[tuple[Json, ...], int]:
        return tuple(self.all[since:]), len(self.all)

    def picture(self, rollout: str) -> Json:
        return self.last.view()


def _repeats(row: Json) -> bool:
    return row.get("type") != "SCENARIO"


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
    for seconds, name in ((60.0, "a minute"), (3600.0, "an hour")):
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
    lab = LongLab(3600.0)
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
