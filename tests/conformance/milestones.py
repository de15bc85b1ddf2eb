"""The reduction of a recorded run to its decisions, as `tests/data/traces/milestones.py` does it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Milestones = dict[str, Any]

_PATH = Path(__file__).parents[1] / "data" / "traces" / "milestones.py"
_spec = importlib.util.spec_from_file_location("recorded_milestones", _PATH)
assert _spec is not None and _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)


def milestones_of(lines: Iterable[str]) -> Milestones:
    """Selectors per Service, sizes per version, steps, Events and final state, free of hashes and time."""
    found: Milestones = _module.milestones(list(lines))
    return found


def differences(recorded: Milestones, ours: Milestones) -> str:
    """One paragraph for each kind that differs; empty where all agree."""
    return "\n".join(
        f"{kind} differs\n  recorded: {recorded[kind]}\n  ours:     {ours[kind]}"
        for kind in recorded
        if recorded[kind] != ours[kind]
    )
