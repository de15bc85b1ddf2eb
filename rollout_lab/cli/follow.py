"""Rows as they come, to standard output: JSON lines for programs, sentences for people."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from rollout_lab.cli.narrate import Narrator
from rollout_lab.cli.printing import console, show_line
from rollout_lab.observe.timeline import line


class Follower:
    """Give it to `Recorder.listen`. `broken` is set once nobody reads the output any more."""

    def __init__(self, rollout: str, lang: str, *, as_json: bool) -> None:
        self.broken = threading.Event()
        self._rollout = rollout
        self._narrator = None if as_json else Narrator(lang)
        self._console = None if as_json else console()

    def __call__(self, rollout: str, row: Mapping[str, Any]) -> None:
        if rollout != self._rollout or self.broken.is_set():
            return
        try:
            self._write(row)
        except (BrokenPipeError, ValueError):
            self.broken.set()
            _discard_output()

    def _write(self, row: Mapping[str, Any]) -> None:
        if self._narrator is None or self._console is None:
            sys.stdout.write(line(row) + "\n")
            sys.stdout.flush()
            return
        told = self._narrator.line(row)
        if told is not None:
            show_line(self._console, told)


def _discard_output() -> None:
    """Nobody reads any more: let what is still printed go nowhere, so that leaving says nothing."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
