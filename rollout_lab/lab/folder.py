"""The files of one running lab: its own folder (0700), its kubeconfig, its logs, and who it is.

Other programs of the same user find the newest live lab here. Nothing is started or stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import platformdirs

from rollout_lab.errors import LabError

STATE: Final = "lab.json"
HOME_VARIABLE: Final = "ROLLOUT_LAB_HOME"
"""Names another folder for the files of running labs."""


@dataclass(frozen=True, slots=True)
class LabState:
    """What other programs need of a live lab. `clock` is `ScaledClock.spec`; `url` the page, if any."""

    pid: int
    kubeconfig: str
    context: str
    namespace: str
    scenario: str
    cluster: str
    speed: float
    clock: str
    started: float
    url: str = ""
    folder: str = ""


def home() -> Path:
    """The folder of all running labs, made if needed (0700)."""
    wanted = os.environ.get(HOME_VARIABLE)
    candidates = [Path(wanted)] if wanted else _usual()
    for folder in candidates:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK | os.X_OK) and folder.stat().st_uid == os.getuid():
            folder.chmod(0o700)
            return folder
    tried = ", ".join(str(c) for c in candidates)
    raise LabError(f"no folder for the lab's files can be written (tried {tried}); set {HOME_VARIABLE}")


def _usual() -> list[Path]:
    """The runtime folder where the system has one, then the cache folder."""
    has_runtime = bool(os.environ.get("XDG_RUNTIME_DIR"))
    runtime = [platformdirs.user_runtime_path("rollout-lab")] if has_runtime else []
    return [*runtime, platformdirs.user_cache_path("rollout-lab") / "run"]


def new_folder() -> Path:
    """A fresh folder of our own. Folders of labs that are gone are removed on the way."""
    base = home()
    for folder in base.glob("lab-*"):
        with contextlib.suppress(OSError, ValueError):
            if not _alive(int(folder.name.split("-")[1])):
                shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"lab-{os.getpid()}-", dir=base))


def write_state(folder: Path, state: LabState) -> None:
    """Write who this lab is, whole or not at all."""
    temporary = folder / f"{STATE}.new"
    temporary.write_text(json.dumps(asdict(state)), encoding="utf-8")
    temporary.replace(folder / STATE)


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def live_labs() -> list[LabState]:
    """All labs of this user that run, newest first."""
    found = []
    try:
        places = sorted(home().glob(f"lab-*/{STATE}"))
    except LabError:
        return []
    for place in places:
        with contextlib.suppress(OSError, ValueError, TypeError):
            state = LabState(**{**json.loads(place.read_text(encoding="utf-8")), "folder": str(place.parent)})
            if _alive(state.pid):
                found.append(state)
    return sorted(found, key=lambda state: state.started, reverse=True)


def newest_lab() -> LabState | None:
    """The lab started last, or None where none runs."""
    return next(iter(live_labs()), None)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
