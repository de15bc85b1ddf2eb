"""A run over time, kept small: Pods per version, where each Service led, and what a person did. Pure.

`Series` is fed with the rows of the recorded-run format (``tests/data/traces/README.md``) once each,
in order, and keeps only the moments at which something changed, so that its cost does not grow
with the number of refreshes. It knows nothing of languages or pixels; `charts` reads it.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
HASH_LABEL = "rollouts-pod-template-hash"
KEPT = 2000
"""Most changes kept for each line; the oldest go first."""
BUCKET = 5.0
"""Lab seconds over which answers are counted into one measured share."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person (or the lesson) did at `t` seconds."""

    t: float
    text: str


Counted = tuple[float, str, int, Mapping[str, int], int]
"""Answers counted until a moment: (t, Service, port, {version: count}, failed)."""


@dataclass(slots=True)
class Series:
    """The lines of one rollout. `pods`: (t, {hash: Pods}); `led`: Service -> (t, hash or "")."""

    name: str
    pods: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    led: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, list[tuple[float, dict[str, int]]]] = field(default_factory=lambda: defaultdict(list))
    marks: list[Mark] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    _alive: dict[str, str] = field(default_factory=dict)
    _image: str = ""

    def feed(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take in rows that are newer than all before."""
        for row in rows:
            self._take(row)

    def _take(self, row: Mapping[str, Any]) -> None:
        kind, type_, t = row.get("kind"), row.get("type"), float(row.get("t", 0.0))
        if type_ == "ACTION":
            self.marks.append(Mark(t, str(row.get("action", ""))))
            del self.marks[:-KEPT]
        elif kind == "Pod":
            self._pod(row, t)
        elif kind == "Service":
            hash_ = str((row.get("selector") or {}).get(HASH_LABEL, ""))
            line = self.led[str(row.get("name"))]
            if not line or line[-1][1] != hash_:
                line.append((t, hash_))
        elif kind == "Rollout" and row.get("name") == self.name and row.get("image") != self._image:
            self._image = str(row.get("image"))
            self.updates.append(t)
            del self.updates[:-KEPT]
        elif kind == "Probe":
            self._probe(row, t)

    def _pod(self, row: Mapping[str, Any], t: float) -> None:
        name, hash_ = str(row.get("name")), str((row.get("labels") or {}).get(HASH_LABEL, ""))
        if not name.startswith(self.name + "-"):
            return
        if row.get("type") == "DELETED" or row.get("deleting"):
            self._alive.pop(name, None)
        else:
            self._alive[name] = hash_
        counts: dict[str, int] = {}
        for found in self._alive.values():
            counts[found] = counts.get(found, 0) + 1
        if self.pods and self.pods[-1][1] == counts:
            return
        if self.pods and self.pods[-1][0] == t:
            self.pods[-1] = (t, counts)
        else:
            self.pods.append((t, counts))
            del self.pods[:-KEPT]

    def _probe(self, row: Mapping[str, Any], t: float) -> None:
        counted = {str(v): int(n) for v, n in (row.get("versions") or {}).items()}
        until = float(row.get("until") or t)
        asked = (until, str(row.get("name")), int(row.get("port") or 0), counted, int(row.get("failed") or 0))
        self.counted.append(asked)
        del self.counted[:-KEPT]
        if not counted:
            return
        line = self.answers[str(row.get("name"))]
        start = t - t % BUCKET
        if not line or line[-1][0] != start:
            line.append((start, {}))
            del line[:-KEPT]
        counts = dict(line[-1][1])
        for version, n in counted.items():
            counts[version] = counts.get(version, 0) + n
        line[-1] = (start, counts)

    def counted_until(self, t: float, most: int) -> list[Counted]:
        """The last `most` counts of the curl loop up to `t`, newest first."""
        end = bisect.bisect_right(self.counted, t, key=lambda found: found[0])
        return self.counted[max(0, end - most) : end][::-1]

    def copy(self) -> Series:
        """The series as it is now, for a reader on another thread."""
        return Series(
            self.name,
            pods=list(self.pods),
            led=defaultdict(list, {name: list(line) for name, line in self.led.items()}),
            answers=defaultdict(list, {name: list(line) for name, line in self.answers.items()}),
            marks=list(self.marks),
            updates=list(self.updates),
            counted=list(self.counted),
        )


def stacked(
    pods: Sequence[tuple[float, Mapping[str, int]]], order: Sequence[str]
) -> dict[str, list[list[float]]]:
    """For each hash of `order` its layer of the stack: [t, low, high] wherever it changes."""
    layers: dict[str, list[list[float]]] = {hash_: [] for hash_ in order}
    for t, counts in pods:
        low = 0.0
        for hash_ in order:
            high = low + counts.get(hash_, 0)
            layer = layers[hash_]
            if not layer or layer[-1][1:] != [low, high]:
                layer.append([round(t, 2), low, high])
            low = high
    return layers


def window(t: float, updates: Sequence[float], shown: float | None = None) -> tuple[float, float]:
    """The time axis at `t`: from the start, or from shortly before the last update once that is long ago.

    `shown` is a moment of the past that must be on it: then it is the axis of the update around it. The
    end moves in large steps, so that the drawing stands still between them.
    """
    start, following = 0.0, t
    before = [at for at in updates if shown is None or at - 20.0 <= shown]
    after = [at for at in updates if shown is not None and at - 20.0 > shown]
    if t > 240 and before and before[-1] > 30:
        start = max(0.0, before[-1] - 20.0)
        following = after[0] if after else t
    return start, axis_end(following - start) + start


def axis_end(length: float) -> float:
    """An end for an axis of `length` seconds with room after it, in large steps."""
    step = next((s for s in (15, 30, 60, 300, 900, 3600) if length < s * 6), 7200)
    return max(60.0, step * (int(length * 1.08 // step) + 1))
