"""The engine of a running lab, turned off and on by other programs of the same user.

The program that started the lab owns the engine's process. A verb in another terminal, or the page, asks
it by a file in the lab's folder; the owner does it and says in a second file how its engine is.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Final

from rollout_lab.errors import LabError
from rollout_lab.lab.folder import LabState, live_labs
from rollout_lab.lab.parts import Base, Engine

ASKED: Final = "engine.asked"
STATE: Final = "engine.state"
POLL: Final = 0.2  # wall seconds between two looks of the owner, and of who asks
PATIENCE: Final = 20.0  # wall seconds the owner may take


class Keeper:
    """In the owner: does what others ask of its engine, and says how it is. Close it before the engine."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._ended = threading.Event()
        self._said = ""
        self._say()
        self._thread = threading.Thread(target=self._keep, name="engine-switch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more; the engine stays as it is."""
        self._ended.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._ended.wait(POLL):
            with contextlib.suppress(OSError, LabError):  # a start that fails shows in the state
                asked = _read(self._folder / ASKED)
                if asked:
                    (self._folder / ASKED).unlink()
                    self._engine.turn(asked)
                self._say()

    def _say(self) -> None:
        if self._engine.state != self._said:
            self._said = self._engine.state
            _write(self._folder / STATE, self._said)


class DistantEngine(Engine):
    """The engine of a lab that another program of this user runs, by that lab's folder."""

    def __init__(self, folder: Path, kind: str = "none") -> None:
        super().__init__(None, kind)
        self._folder = folder

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def state(self) -> str:
        """As the owner says it; ``none`` where its engine cannot be turned off."""
        return _read(self._folder / STATE) or "none"

    def start(self) -> None:
        """Ask the owner and wait until it is done. Raises LabError."""
        self._ask("start", "running")

    def stop(self) -> None:
        """Ask the owner and wait until it is done. Raises LabError."""
        self._ask("stop", "stopped")

    def close(self) -> None:
        """It goes on: it is not ours."""

    def _ask(self, what: str, wanted: str) -> None:
        if self.state in (wanted, "none"):
            return
        _write(self._folder / ASKED, what)
        pause = threading.Event()
        for _ in range(int(PATIENCE / POLL)):
            if self.state == wanted:
                return
            pause.wait(POLL)
        raise LabError(f"the lab did not {what} its engine within {PATIENCE:g} s; is it still running?")


def distant_engine(base: Base, namespace: str) -> DistantEngine | None:
    """The engine of the running lab that works on the same cluster and namespace, if there is one."""
    for lab in live_labs():
        same = lab.kubeconfig == base.kubeconfig if base.kubeconfig else lab.context == base.context
        if same and lab.namespace == namespace and _read(Path(lab.folder) / STATE):
            return engine_of_lab(lab)
    return None


def engine_of_lab(lab: LabState) -> DistantEngine:
    """The engine of a running lab; its state is ``none`` where the lab has none of its own."""
    return DistantEngine(Path(lab.folder))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)
