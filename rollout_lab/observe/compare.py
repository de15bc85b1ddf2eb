"""Runs side by side over one time axis, which begins where each set its image. Pure.

A run may be recorded or predicted, ours or the peer's, a Rollout or a Deployment: `Recording`s are
all the same here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rollout_lab.errors import UsageError
from rollout_lab.observe.milestones import differences, milestones
from rollout_lab.observe.replay import Recording

Json = dict[str, Any]
FIGURES: Final = (
    "duration",
    "usersOnNewAfter",
    "maxPods",
    "extraPods",
    "extraPodSeconds",
    "minAvailable",
    "downtime",
    "failed",
)
"""Keys of `figures.figures` that are worth a column; of all but minAvailable less is better."""
MOST_RUNS: Final = 8


def compare(runs: Sequence[Recording]) -> Json:
    """Two to eight runs side by side, JSON-safe.

    ``runs``: for each {name, strategy, predicted, offset (its `t` where the axis is 0), first, end (both
    on the axis), figures, marks (on the axis), assumptions}. ``best``: for each of `FIGURES` the indexes
    of the runs that are best in it ([] where all are equal). ``milestones``: {kind: [first, second]} where
    two runs differ; None for other than two. ``end``: the last second of the axis, ``begin`` the first.
    """
    if not 2 <= len(runs) <= MOST_RUNS:
        raise UsageError(f"{len(runs)} runs to compare: name 2 to {MOST_RUNS}")
    shown = [_run(run) for run in runs]
    decided = [milestones(run.timeline()) for run in runs]
    two = differences(decided[0], decided[1]) if len(runs) == 2 else None
    return {
        "runs": shown,
        "best": {key: _best(key, [one["figures"] for one in shown]) for key in FIGURES},
        "milestones": None if two is None else {kind: list(pair) for kind, pair in two.items()},
        "begin": min(one["first"] for one in shown),
        "end": max(one["end"] for one in shown),
    }


def offset(run: Recording) -> float:
    """The `t` of a run that is 0 on the common axis: its set image, else its first object."""
    t0 = run.figures()["t0"]
    return float(run.first if t0 is None else t0)


def aligned(run: Recording) -> tuple[Json, ...]:
    """The rows of a run with `t` (and `until`) on the common axis: for charts of several runs."""
    shift = offset(run)

    def moved(row: Mapping[str, Any]) -> Json:
        times = {key: round(float(row[key]) - shift, 2) for key in ("t", "until") if key in row}
        return {**row, **times}

    return tuple(moved(row) for row in run.timeline())


def _run(run: Recording) -> Json:
    shift = offset(run)
    about = run.view(at=run.end)["rollout"] or {}
    return {
        "name": run.name,
        "strategy": about.get("strategy", ""),
        "predicted": run.predicted,
        "offset": shift,
        "first": round(run.first - shift, 2),
        "end": round(run.end - shift, 2),
        "figures": run.figures(),
        "marks": [{**mark, "t": round(mark["t"] - shift, 2)} for mark in run.marks()],
        "assumptions": [{**one, "t": round(one["t"] - shift, 2)} for one in run.assumptions],
    }


def _best(key: str, found: Sequence[Json]) -> list[int]:
    """Indexes of the best; a run that never got there (None) is not among them."""
    values = [one[key] for one in found]
    known = [value for value in values if value is not None]
    if not known or len({str(value) for value in values}) == 1:
        return []
    best = max(known) if key == "minAvailable" else min(known)
    return [i for i, value in enumerate(values) if value == best]
