"""Parts of a lab as child processes: the embedded cluster and the engine, each with a lifeline.

A lifeline is a pipe whose writing end only the parent holds. However the parent ends, SIGKILL
included, the child reads the end of the pipe and stops. What the children do is not known here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rollout_lab.errors import LabError

TAIL_LINES: Final = 12
STOP_PATIENCE: Final = 5.0  # wall seconds between SIGTERM and SIGKILL


class Child:
    """One process of ours: started, watched, stopped. Its output goes to `log`."""

    def __init__(
        self, name: str, arguments: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        self._arguments = list(arguments)
        self._env = None if env is None else dict(env)
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        process = self._process
        return process is not None and process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs or before it started."""
        return self._process.poll() if self._process is not None else None

    def start(self) -> None:
        """Start the process (``python -m rollout_lab …``); nothing if it runs already."""
        with self._lock:
            if self.running:
                return
            self._drop_lifeline()
            read_end, self._lifeline = os.pipe()
            command = [sys.executable, "-m", "rollout_lab", *self._arguments, "--lifeline", str(read_end)]
            try:
                with self.log.open("ab") as log:
                    self._process = subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        env=self._env,
                        pass_fds=(read_end,),
                        start_new_session=True,  # Ctrl-C is for the parent, which stops us in order
                    )
            except OSError as problem:
                raise LabError(f"{self.name} cannot be started: {problem}") from None
            finally:
                os.close(read_end)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that does not help; nothing if it does not run."""
        with self._lock:
            process = self._process
            if process is not None and process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            self._drop_lifeline()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._drop_lifeline()

    def tail(self) -> str:
        """The last lines of its log."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-TAIL_LINES:])

    def ended(self) -> LabError:
        """The error that says it ended, with the end of its log."""
        said = self.tail()
        about = f"; its log ({self.log}) ends with:\n{said}" if said else f"; its log {self.log} is empty"
        return LabError(f"{self.name} ended with exit code {self.exit_code}{about}")

    def _drop_lifeline(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


def watch_lifeline(fd: int | None, ended: Callable[[], None]) -> None:
    """In the child: call `ended` once the parent is gone. Does nothing without a lifeline."""
    if fd is None:
        return

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(fd, 1):
                pass
        ended()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
