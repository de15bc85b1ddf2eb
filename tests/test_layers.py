"""What import contracts cannot show: file sizes, the map in the package docstring, a thin app.py."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rollout_lab

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "rollout_lab"
SOURCES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 400


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_holds_one_idea(path: Path) -> None:
    """A file past 400 lines holds two ideas: split it by idea."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_opens_with_its_rules(path: Path) -> None:
    """A newcomer learns from the first lines what lives in a module and what must not."""
    source = path.read_text(encoding="utf-8")
    if source.strip():
        assert ast.get_docstring(ast.parse(source)), "no module docstring"


def test_the_map_names_every_part() -> None:
    """The map in `rollout_lab.__doc__` is the tree, so that it can be trusted."""
    doc = rollout_lab.__doc__ or ""
    parts = {p.stem for p in PACKAGE.iterdir() if (p / "__init__.py").exists() or p.suffix == ".py"}
    missing = {p for p in parts if not p.startswith("__") and p not in doc}
    assert not missing


def test_app_is_navigation_only() -> None:
    """`app.py` holds no logic: it imports streamlit and the pages, nothing else of ours."""
    tree = ast.parse((ROOT / "app.py").read_text(encoding="utf-8"))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    allowed = ("__future__", "streamlit", "rollout_lab.ui")
    assert all(n in allowed or n.startswith(("streamlit.", "rollout_lab.ui.")) for n in names)
