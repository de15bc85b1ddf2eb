"""Whether the engine is alive, for the probes of a Pod, and two numbers about it, for a scraper.

`/healthz` fails when the engine has shown no sign of life for a minute, `/readyz` until it has spoken to
the API server once, `/metrics` has text for Prometheus. Nothing of rollouts is served here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from rollout_lab.errors import UsageError

SILENCE: Final = 60.0  # wall seconds without a sign of life


class Health:
    """What is known of the engine's state; any thread may tell or ask."""

    def __init__(self, *, watched: bool = True, seconds: Callable[[], float] = time.monotonic) -> None:
        """`watched` False: nobody will call `beat`, so silence means nothing."""
        self._seconds = seconds
        self._watched = watched
        self._beat = seconds()
        self._met = not watched
        self.leading: Callable[[], bool] = lambda: True

    def beat(self, answered: bool) -> None:
        """A sign of life, and whether the API server `answered`."""
        self._beat = self._seconds()
        self._met = self._met or answered

    @property
    def alive(self) -> bool:
        return not self._watched or self._seconds() - self._beat < SILENCE

    def answer(self, path: str) -> tuple[int, str]:
        """Status and text for a path."""
        if path == "/healthz":
            return (200, "ok\n") if self.alive else (500, f"no sign of life for {SILENCE:g} s\n")
        if path == "/readyz":
            return (200, "ok\n") if self._met else (503, "the API server has not answered yet\n")
        if path == "/metrics":
            return 200, (
                "# HELP rollout_lab_engine_leader Whether this engine works (1) or stands by (0).\n"
                "# TYPE rollout_lab_engine_leader gauge\n"
                f"rollout_lab_engine_leader {int(self.leading())}\n"
                "# HELP rollout_lab_engine_silence_seconds Seconds since its last sign of life.\n"
                "# TYPE rollout_lab_engine_silence_seconds gauge\n"
                f"rollout_lab_engine_silence_seconds {max(0.0, self._seconds() - self._beat):.1f}\n"
            )
        return 404, "paths: /healthz /readyz /metrics\n"


@contextmanager
def served(health: Health, address: str, port: int) -> Iterator[int]:
    """Answer on `address` (0.0.0.0 only in a Pod) while the block lasts; gives the port.

    Raises UsageError where the port cannot be opened.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = health.answer(self.path.partition("?")[0])
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes do not belong into the engine's log."""

    try:
        server = ThreadingHTTPServer((address, port), Handler)
    except OSError as problem:
        raise UsageError(
            f"--metrics-port {port}: {address}:{port} cannot be opened ({problem.strerror})"
        ) from None
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="health", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2.0)
