"""What pyproject.toml cannot say: a wheel carries the files beside the package too.

In a checkout `lessons/`, `manifests/` and the page stand at the root, where people look for them. A wheel
has the same files below `rollout_lab/`, and `rollout_lab.packed` finds them in either place.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
BESIDE = ("lessons", "manifests", "app.py", ".streamlit/config.toml")


def beside(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """(file, its place in the wheel) of everything that stands beside the package."""
    for name in BESIDE:
        found = root / name
        for path in sorted(found.rglob("*")) if found.is_dir() else [found]:
            hidden = any(p.startswith((".", "__")) for p in path.relative_to(found).parts)
            if path.is_file() and not hidden and path.suffix != ".pyc":
                yield path, f"rollout_lab/{path.relative_to(root).as_posix()}"


class BuildWithFiles(build_py):
    """Copies them when a wheel is built; an editable install uses the checkout as it is."""

    def run(self) -> None:
        super().run()
        if getattr(self, "editable_mode", False):
            return
        for path, place in beside():
            target = Path(self.build_lib) / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


setup(cmdclass={"build_py": BuildWithFiles})
