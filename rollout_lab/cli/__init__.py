"""The terminal: `rollout-lab` and its verbs."""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script."""
    raise SystemExit(2)
