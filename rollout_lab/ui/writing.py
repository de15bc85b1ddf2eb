"""How the page writes times, versions and shares, and which colour a version has. Pure."""

from __future__ import annotations

COLOURS = 4
"""How many version colours the drawing has; a fifth version takes the first one's again."""


def clock(seconds: float) -> str:
    """Seconds since the start as people read a stop watch: ``0:05``, ``1:02:03``."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def colour_of(number: int) -> int:
    """The drawing's colour of the version that appeared as number `number` (from 0)."""
    return int(number) % COLOURS


def name_of(version: str) -> str:
    """A version as the picture writes it: ``v2.0.0``, but ``slow`` stays ``slow``."""
    return f"v{version}" if version[:1].isdigit() else version


def percent(share: float) -> str:
    return f"{round(100 * share)} %"
