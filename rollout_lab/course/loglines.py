"""Counts lines in the logs of Pods: what reached an app although nobody heard its answer, as copies do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from rollout_lab.client.kube import KubeClient
from rollout_lab.errors import LabError

EVERY: Final = 0.5  # wall seconds between two readings
TAIL: Final = 1000  # last lines of each log that are read


class LogLines:
    """How many of the last lines in the logs of Pods have certain words in them."""

    def __init__(self, client: KubeClient, namespace: str, words: str) -> None:
        self._client, self._namespace, self._words = client, namespace, words
        self._read: tuple[float, tuple[str, ...], int] = (0.0, (), 0)  # when (monotonic), which Pods, count

    def count(self, pods: Sequence[str]) -> int:
        """Of these Pods together; a Pod without a log yet has none."""
        when, which, known = self._read
        now = time.monotonic()
        if which == tuple(pods) and now - when < EVERY:
            return known
        found = sum(self._lines(pod) for pod in pods)
        self._read = (now, tuple(pods), found)
        return found

    def _lines(self, pod: str) -> int:
        try:
            return self._client.logs(self._namespace, pod, tail_lines=TAIL).count(self._words)
        except LabError:
            return 0
