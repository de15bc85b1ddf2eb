"""Waiting for something in the tests: asked again and again, never slept through."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def poll(condition: Callable[[], bool], seconds: float = 90.0) -> bool:
    """Ask again until it holds or the wall time is over."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        if time.monotonic() > end:
            return False
        pause.wait(0.1)
    return True
