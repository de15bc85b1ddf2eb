"""A page server and a headless Chromium for the browser tests and the screenshots.

Nothing is asserted here. The server is a child with its own port; whoever starts it stops it.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, expect

ROOT = Path(__file__).parents[2]
SIZES = {
    "1440x900": (1440, 900),
    "1280x720": (1280, 720),
    "1280x800": (1280, 800),
    "1920x1080": (1920, 1080),
    "390x844": (390, 844),
}
CHROMIUM = os.environ.get("ROLLOUT_LAB_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
HARMLESS = ("_stcore/health", "_stcore/host-config")
"""Two requests Streamlit itself tries at a deep link and that answer 404."""


@contextlib.contextmanager
def serving(script: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve a page script on a free loopback port; its address. Raises RuntimeError with the log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait(child, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGINT)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait(10)
        if child.stdout is not None:
            child.stdout.close()


def _wait(child: subprocess.Popen[bytes], port: int) -> None:
    pause = threading.Event()
    for _ in range(600):
        if child.poll() is not None:
            said = child.stdout.read().decode() if child.stdout is not None else ""
            raise RuntimeError(f"the page server ended: {said}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        pause.wait(0.1)
    raise RuntimeError("the page server does not answer")


def launch(playwright: Playwright) -> Browser:
    """A headless Chromium of this machine."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, headless=True)


@dataclass
class Tab:
    """One page with everything it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    drawn: str = "#live .phases li"

    def console(self, message: ConsoleMessage) -> None:
        text, where = message.text, str(message.location.get("url", ""))
        if message.type == "error" and not any(h in where or h in text for h in HARMLESS):
            self.complaints.append(f"{text} {where}")

    def open(self, url: str) -> Tab:
        self.page.on("console", self.console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(url)
        self.page.wait_for_selector(self.drawn, timeout=60_000)
        return self

    def button(self, action: str) -> str:
        return f'#live button[data-action="{action}"]'

    def new_version(self, version: str) -> None:
        """Choose a version from the menu with the mouse."""
        self.page.click(self.button("set-image"))
        self.page.click(f'#live [data-item="{version}"]')

    def manifest(self, title: str) -> tuple[Locator, str]:
        """Open the fold of the Rollout's YAML; its text area and the text, once it is written there."""
        self.page.get_by_text(title).click()
        area = self.page.locator("textarea")
        expect(area).to_have_value(re.compile("kind: Rollout"), timeout=60_000)
        return area, area.input_value()

    def wait(self, script: str, timeout: float = 60_000) -> None:
        """Wait until a JavaScript expression over `live` (the component's root) holds."""
        self.page.wait_for_function(f"() => {{ {ROOT_OF_LIVE} return {script}; }}", timeout=timeout)

    def ask(self, script: str) -> object:
        """The value of a JavaScript expression over `live`."""
        return self.page.evaluate(f"() => {{ {ROOT_OF_LIVE} return {script}; }}")


ROOT_OF_LIVE = """
const find = (node) => {
  const here = node.querySelector('#live');
  if (here) return here;
  for (const child of node.querySelectorAll('*')) {
    const found = child.shadowRoot && find(child.shadowRoot);
    if (found) return found;
  }
  return null;
};
const live = find(document);
if (!live) return null;
"""


def open_tab(
    browser: Browser,
    url: str,
    size: str = "1440x900",
    scheme: str = "light",
    motion: str = "no-preference",
    drawn: str = "#live .phases li",
) -> Tab:
    """A new page of its own context, opened at `url`; returns once `drawn` (a selector) is there."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce" if motion == "reduce" else "no-preference",
        locale="ko-KR",
    )
    return Tab(context.new_page(), drawn=drawn).open(url)
