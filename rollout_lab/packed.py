"""Where the files beside the package are: lessons, manifests, the page. Finds paths, reads nothing.

In a checkout (and an editable install) they stand at its root, where authors look for them; a wheel
carries the same files below the package (`setup.py` puts them there).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent


def home() -> Path:
    """The folder that has ``manifests`` in it: commands of the lessons are typed there."""
    return place("manifests").parent


def places(name: str) -> tuple[Path, Path]:
    """Where a file or folder may be: in the checkout, in the installed package."""
    return PACKAGE.parent / name, PACKAGE / name


def place(name: str) -> Path:
    """The file or folder `name` (``lessons``, ``manifests/kind/cluster.yaml``, ``app.py``).

    The checkout's one comes first, if its ``pyproject.toml`` says that it is a checkout: a folder of
    that name may lie beside the package by chance. Where there is none, it is where it should be.
    """
    checkout, installed = places(name)
    if (PACKAGE.parent / "pyproject.toml").is_file() and checkout.exists():
        return checkout
    return installed if installed.exists() else checkout
