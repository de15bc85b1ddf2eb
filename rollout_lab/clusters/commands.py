"""Running the tools of a real cluster (docker, kind, kubectl): the only place that starts foreign programs.

Always an argument list, never a shell; a deadline on every call; what a tool prints is cut down to
the lines that say what went wrong. What the tools are asked for is decided elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

from rollout_lab.errors import LabError

KEPT_LINES: Final = 200
SHOWN_LINES: Final = 6
LONGEST_LINE: Final = 240
TERM_PATIENCE: Final = 10.0  # wall seconds between SIGTERM and SIGKILL
_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NOISE: Final = re.compile(r"^(Stack Trace:|goroutine |\s*at |sigs\.k8s\.io/|\s+/|\t)")
_TELLING: Final = re.compile(
    r"error|fail|denied|refused|cannot|not found|no space|in use|unable", re.IGNORECASE
)
REMEDIES: Final[Mapping[str, str]] = {
    "docker": "install Docker (https://docs.docker.com/get-docker) and start it",
    "kind": "install kind (https://kind.sigs.k8s.io/docs/user/quick-start) and put it on PATH",
    "kubectl": "install kubectl (https://kubernetes.io/docs/tasks/tools) and put it on PATH",
}


class ToolMissing(LabError):
    """A program is not on PATH."""

    def __init__(self, program: str) -> None:
        remedy = REMEDIES.get(program, f"install {program} and put it on PATH")
        super().__init__(
            f"{program} was not found: {remedy}. `rollout-lab doctor` checks all that is needed."
        )
        self.program = program


class ToolFailed(LabError):
    """A program said no. `code` is its exit code, `output` all it printed (the last lines)."""

    def __init__(self, words: str, code: int, output: str) -> None:
        said = telling(output)
        super().__init__(f"{words} failed (exit code {code})" + (f": {said}" if said else ""))
        self.code = code
        self.output = output


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended: `code` 0 is success; -1 that it did not end in time."""

    code: int
    out: str
    err: str

    @property
    def ok(self) -> bool:
        return self.code == 0


def where(program: str) -> str:
    """The path of a program, ``""`` where it is not on PATH."""
    return shutil.which(program) or ""


def telling(output: str) -> str:
    """The lines of an output that say what went wrong, without colours, progress and stack traces.

    >>> telling("Creating\\nERROR: failed: no space left\\nStack Trace: \\ngoroutine 1")
    'ERROR: failed: no space left'
    """
    lines = [line.rstrip() for line in _COLOUR.sub("", output).replace("\r", "\n").splitlines()]
    kept = [line for line in lines if line.strip() and not _NOISE.match(line)]
    found = [line for line in kept if _TELLING.search(line)] or kept
    return "\n".join(dict.fromkeys(_short(line) for line in found[-SHOWN_LINES:]))


def _short(line: str) -> str:
    """A long line without its middle: a whole `docker run` with all its options."""
    return line if len(line) <= LONGEST_LINE else f"{line[:90]} … {line[-140:]}"


def call(
    program: str,
    *arguments: str,
    timeout: float = 60.0,
    env: Mapping[str, str] | None = None,
    stdin: bytes | IO[bytes] | None = None,
) -> Done:
    """Run to the end and give what it printed. Raises ToolMissing; any exit code is an answer."""
    path = where(program)
    if not path:
        raise ToolMissing(program)
    given, data = (None, stdin or b"") if isinstance(stdin, bytes | None) else (stdin, None)
    try:
        process = subprocess.Popen(
            [path, *arguments],
            stdin=given or subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(env),
            start_new_session=True,  # Ctrl-C is for us, who clean up in order
        )
    except OSError as problem:
        return Done(127, "", f"{path} cannot be run: {problem}")
    try:
        out, err = process.communicate(data, timeout)
    except subprocess.TimeoutExpired:
        return Done(-1, "", f"no answer within {timeout:g} s")
    finally:
        _end(process)
    return Done(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


def check(
    program: str,
    *arguments: str,
    timeout: float = 60.0,
    env: Mapping[str, str] | None = None,
    stdin: bytes | IO[bytes] | None = None,
) -> str:
    """Run to the end and give its standard output. Raises ToolFailed with the lines that say why."""
    done = call(program, *arguments, timeout=timeout, env=env, stdin=stdin)
    if not done.ok:
        words = " ".join([program, *(a for a in arguments[:2] if not a.startswith("-"))])
        raise ToolFailed(words, done.code, done.err or done.out)
    return done.out


def follow(
    program: str,
    *arguments: str,
    on_line: Callable[[str], None],
    timeout: float,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run to the end and hand on each line it prints (both streams) at once.

    However this is left (KeyboardInterrupt too), the program and its children have ended then.
    Raises ToolFailed, also when it takes longer than `timeout` wall seconds.
    """
    path = where(program)
    if not path:
        raise ToolMissing(program)
    kept: deque[str] = deque(maxlen=KEPT_LINES)
    process = subprocess.Popen(
        [path, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(env),
        start_new_session=True,
        text=True,
        errors="replace",
    )
    late = threading.Event()

    def expire() -> None:
        late.set()
        _signal(process, signal.SIGTERM)

    timer = threading.Timer(timeout, expire)
    timer.daemon = True
    timer.start()
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            line = _COLOUR.sub("", raw).rstrip()
            if line:
                kept.append(line)
                on_line(line)
        code = process.wait()
    finally:
        timer.cancel()
        _end(process)
    if late.is_set():
        kept.append(f"error: not done within {timeout:g} s")
    if code != 0:
        words = " ".join([program, *_leading(arguments)])
        raise ToolFailed(words, code, "\n".join(kept))


def _leading(arguments: Sequence[str]) -> list[str]:
    return [a for a in arguments[:2] if not a.startswith("-")]


def _environment(extra: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if extra is None else {**os.environ, **extra}


def _signal(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    """To the program and all it started: it leads a process group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _end(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        try:
            process.wait(TERM_PATIENCE)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
