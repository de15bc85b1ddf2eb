"""Runs a command of a lesson's text on the lesson's lab: actions and curl by itself, else with kubectl.

What may be run is decided by whoever calls: a student's own terminal anything, the page only the
commands that stand in the lesson. Sentences are the caller's; here are codes.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rollout_lab.course.commands import Act, Curl, Switch, parse
from rollout_lab.observe.probe import ask

if TYPE_CHECKING:
    from rollout_lab.course.walk import Walk

TIMEOUT: Final = 60.0  # wall seconds for one command
END_PATIENCE: Final = 3.0  # wall seconds between SIGTERM and SIGKILL
_running: Final[set[subprocess.Popen[str]]] = set()


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a command. `text` is its output as it is; `code` names a sentence, with `params`.

    Codes: ``verdict.<code>`` (an action, as `messages` has it), ``no_port``, ``unknown``, ``no_kubectl``,
    ``timeout`` (`text` is what it printed until then).
    """

    ok: bool
    text: str = ""
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def run(walk: Walk, line: str, folder: Path | None = None) -> Ran:
    """Carry out one command line, in `folder` (default: where the program is). Raises LabError."""
    what = parse(line)
    if isinstance(what, Act):
        verdict = walk.lab.do(what.action, what.rollout or None, **what.args)
        return Ran(verdict.ok, code=f"verdict.{verdict.code}", params=dict(verdict.params))
    if isinstance(what, Curl):
        address = walk.port_address(what.port)
        if not address:
            return Ran(False, code="no_port", params={"port": what.port})
        response = ask(address, what.path)
        return Ran(response.ok, response.text if response.ok else f"curl: {response.reason}")
    if isinstance(what, Switch):
        return Ran(True, walk.lab.engine.turn(what.what))
    if what is None and line.startswith("rollout-lab "):
        return _shell(line, walk.lab.kubeconfig, folder)
    if what is None:
        return Ran(False, code="unknown")
    if shutil.which("kubectl", path=_path()) is None:
        return Ran(False, code="no_kubectl")
    return _shell(line, walk.lab.kubeconfig, folder)


def _shell(line: str, kubeconfig: str, folder: Path | None) -> Ran:
    """A line for a shell, as the lessons have them; it ends with all that it started."""
    environment = {**os.environ, "PATH": _path()} | ({"KUBECONFIG": kubeconfig} if kubeconfig else {})
    process = subprocess.Popen(
        ["/bin/sh", "-c", line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )
    _running.add(process)
    try:
        out, err = process.communicate(timeout=TIMEOUT)
        return Ran(process.returncode == 0, (out + err).rstrip())
    except subprocess.TimeoutExpired:
        _end(process)
        out, err = process.communicate()
        return Ran(False, (out + err).rstrip(), "timeout", {"seconds": int(TIMEOUT)})
    except BaseException:
        _end(process)
        raise
    finally:
        _running.discard(process)


def _end(process: subprocess.Popen[str]) -> None:
    """A script that waits for ever has children of its own: end the whole group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_PATIENCE)


@atexit.register
def _end_all() -> None:
    for process in list(_running):
        _end(process)


def _path() -> str:
    """The program's own environment first: its kubectl is of the version the lessons were tried with."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
