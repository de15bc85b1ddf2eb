"""What tests wait for: asked again and again, never slept through."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rollout_lab.client.kube import KubeClient
from rollout_lab.errors import NotFound


def poll(condition: Callable[[], bool], seconds: float = 90.0) -> bool:
    """Ask again until it holds or the wall time is over."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        if time.monotonic() > end:
            return False
        pause.wait(0.1)
    return True


def there(client: KubeClient, *what: Any) -> bool:
    """Whether a cluster has an object, named as for `KubeClient.get`."""
    try:
        client.get(*what)
    except NotFound:
        return False
    return True
