"""Counted answers over time: what the curl loop had counted at each Service by any moment. Pure."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollout_lab.observe.observed import Traffic


@dataclass(frozen=True, slots=True)
class _Sum:
    """All answers up to `until`; `since` is when the last bucket of them began."""

    since: float
    until: float
    requests: int
    failed: int
    versions: Mapping[str, int]


@dataclass(slots=True)
class _Line:
    sums: list[_Sum] = field(default_factory=list)
    windows: list[float] = field(default_factory=list)


class Counted:
    """Sums of the Probe rows of each Service, looked up by time."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def take(self, row: Mapping[str, Any]) -> None:
        """Add the answers of a Probe row."""
        line = self._lines.setdefault(str(row.get("name")), _Line())
        last = line.sums[-1] if line.sums else _Sum(0.0, 0.0, 0, 0, {})
        versions = dict(last.versions)
        for version, n in (row.get("versions") or {}).items():
            versions[str(version)] = versions.get(str(version), 0) + int(n)
        failed = int(row.get("failed") or 0)
        answered = sum(int(n) for n in (row.get("versions") or {}).values())
        since = float(row.get("t") or 0.0)
        until = max(float(row.get("until") or since), last.until)
        line.sums.append(
            _Sum(since, until, last.requests + answered + failed, last.failed + failed, versions)
        )

    def led(self, t: float, service: str) -> None:
        """The Service leads elsewhere from `t` on: shares are counted anew."""
        self._lines.setdefault(service, _Line()).windows.append(t)

    def at(self, t: float, started: float) -> dict[str, Traffic]:
        """What was counted at each Service by `t`; a bucket that straddles a change is in neither window."""
        found = {}
        for service, line in self._lines.items():
            if not line.sums:
                continue
            n = bisect.bisect_right(line.sums, t + 1e-6, key=lambda one: one.until)
            now = line.sums[n - 1] if n else None
            w = bisect.bisect_right(line.windows, t + 1e-6)
            since = line.windows[w - 1] if w else 0.0
            before = bisect.bisect_left(line.sums, since, key=lambda one: one.since)
            then = line.sums[before - 1].versions if before > 0 else {}
            versions = {}
            if now is not None and before < n:
                versions = {v: c - then.get(v, 0) for v, c in now.versions.items() if c > then.get(v, 0)}
            found[service] = Traffic(
                now.requests if now else 0, now.failed if now else 0, started + since, versions
            )
        return found
