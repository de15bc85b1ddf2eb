"""Keys by which the drawing keeps a line for as long as it is shown. Pure."""

from __future__ import annotations


class Keys:
    """Gives each line its key, also when two lines look alike."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, *parts: object) -> str:
        key = " ".join(str(part) for part in parts)
        self._seen[key] = self._seen.get(key, 0) + 1
        return f"{key} {self._seen[key]}"
