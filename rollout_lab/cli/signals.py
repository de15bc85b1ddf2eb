"""SIGTERM and SIGHUP end a verb as Ctrl-C does, so that everything it started is stopped."""

from __future__ import annotations

import signal
import threading
from types import FrameType


def stop_like_ctrl_c() -> None:
    """Raise KeyboardInterrupt in the main thread on SIGTERM and SIGHUP; further signals change nothing."""
    if threading.current_thread() is not threading.main_thread():
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        for other in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
