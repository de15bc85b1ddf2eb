"""Runs side by side over one time axis, as data for ``frontend/compare.js``. Pure.

What was counted comes from `observe.compare`; here it becomes words, colours and layers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rollout_lab.messages import explain, say, section
from rollout_lab.observe.compare import FIGURES, compare
from rollout_lab.observe.figures import GATE
from rollout_lab.observe.replay import Recording
from rollout_lab.ui.scene import clock, colour_of, name_of
from rollout_lab.ui.series import stacked
from rollout_lab.ui.timebar import action_words

Json = dict[str, Any]
HEADLINE: Final = ("downtime", "extraPods", "duration")
"""The figures that stand beside each run; all are in the table."""
BESIDE: Final = (*HEADLINE, "usersOnNewAfter", "minAvailable")
"""Those where there is no table."""
ASKED: Final = "failed"
"""The figure that is added where requests were counted."""
ALONE: Final = (*HEADLINE, "usersOnNewAfter", "minAvailable", "extraPodSeconds")
"""Those of a run that stands alone."""
FAILED: Final = "failed"
LEAST_BUCKET: Final = 1.0
BUCKETS: Final = 150
"""So many spans of answers the axis has at most, none shorter than `LEAST_BUCKET` seconds."""
_BEFORE: Final = 0.06  # how much of the axis lies before the update


def comparison(
    lang: str,
    runs: Sequence[Recording],
    names: Sequence[str] = (),
    *,
    judge: bool = True,
    table: bool = True,
    running: bool = False,
) -> Json:
    """The `data` of the component for one to eight runs; `names` for their headings.

    `judge` False marks no run as the best: where the runs should be equal, a hair is no merit. `table`
    False leaves the table out, and shows more figures beside each run. `running`: the last run still goes on.

    Raises UsageError for more.
    """
    found = compare(runs) if len(runs) > 1 else compare([*runs, *runs])
    if not judge:
        found["best"] = {key: [] for key in found["best"]}
    shown = found["runs"][: len(runs)]
    if running:
        shown[-1] = {**shown[-1], "figures": {**shown[-1]["figures"], "running": True}}
    end = max(one["end"] for one in shown)
    versions = _versions(shown)
    keys = ALONE if len(runs) == 1 else HEADLINE if table else BESIDE
    if any(one["figures"]["requests"] for one in shown):
        keys = (*keys, ASKED)
    rows = []
    for i, one in enumerate(shown):
        name = names[i] if i < len(names) else one["name"]
        best = [key for key in keys if i in found["best"][key]] if len(runs) > 1 else []
        figures = [_figure(lang, key, one["figures"], key in best) for key in keys]
        heard = answers(lang, runs[i].timeline(), one, versions, max(LEAST_BUCKET, end / BUCKETS))
        drawn = _run(lang, i, {**one, "name": name}, versions)
        rows.append({**drawn, "answers": heard, "figures": figures})
    label = section(lang, "label") | section(lang, "compare")
    if any(row["answers"] for row in rows):
        label["key"] = f"{label['key']} {label['heard']}"
    return {
        "lang": lang,
        "label": label,
        "axis": {"x0": max(found["begin"], -_BEFORE * end), "x1": max(10.0, end * 1.03)},
        "runs": rows,
        "table": _table(lang, rows, shown, found["best"]) if table and len(runs) > 1 else None,
        "summary": summary(lang, rows),
    }


def _versions(shown: Sequence[Json]) -> dict[str, int]:
    """The colour of each version: its order of first appearance over all runs."""
    found: dict[str, int] = {}
    for one in shown:
        for version in (one["figures"]["from"], one["figures"]["version"]):
            found.setdefault(version, len(found))
        for point in one["figures"]["series"]:
            for version in point["pods"]:
                found.setdefault(version, len(found))
    return found


def _run(lang: str, i: int, one: Json, versions: Mapping[str, int]) -> Json:
    figures = one["figures"]
    pods = [(point["t"], point["pods"]) for point in figures["series"]]
    order = [v for v in versions if any(counts.get(v) for _, counts in pods)]
    layers = stacked(pods, order)
    top = max(figures["maxPods"], figures["replicas"], *(sum(counts.values()) for _, counts in pods), 1)
    assumed = {one["t"] for one in one["assumptions"]}
    marks = [m for m in one["marks"] if m["kind"] == "action" and m["t"] >= 0]
    kind = say(lang, f"strategy.{one['strategy'] or 'none'}")
    return {
        "key": f"{i} {one['name']}",
        "name": one["name"],
        "kind": kind if kind != one["name"] else "",
        "badge": say(lang, "compare.predicted" if one["predicted"] else "compare.recorded"),
        "predicted": one["predicted"],
        "replicas": figures["replicas"],
        "top": top,
        "end": figures["duration"] if figures["finished"] else one["end"],
        "finished": figures["finished"],
        "layers": [
            {"key": v, "colour": colour_of(versions[v]), "text": name_of(v), "steps": layers[v]}
            for v in order
        ],
        "lane": lane(figures["series"], versions),
        "marks": [
            {
                "key": f"{m['t']} {n}",
                "t": m["t"],
                "text": action_words(lang, m["text"]),
                "assumed": m["t"] in assumed,
            }
            for n, m in enumerate(marks)
        ],
    }


def lane(series: Sequence[Json], versions: Mapping[str, int]) -> list[Json]:
    """Which versions users could reach, wherever it changes: [{t, parts}]; no parts means nobody answered.

    Behind a router the parts are those it was told.
    """
    found: list[Json] = []
    for point in series:
        led = point["endpoints"]
        reached = (point.get("weights") or led) if sum(led.values()) else {}
        total = sum(reached.values())
        parts = [
            {"key": v, "colour": colour_of(n), "share": round(reached[v] / total, 4)}
            for v, n in versions.items()
            if reached.get(v)
        ]
        if not found or found[-1]["parts"] != parts:
            found.append({"t": point["t"], "parts": parts})
    return found


def answers(
    lang: str, rows: Sequence[Mapping[str, Any]], one: Json, versions: Mapping[str, int], bucket: float
) -> list[Json]:
    """What the curl loop heard where users ask (`figures`), in spans of the axis.

    A span is `bucket` seconds, or as long as the curl loop counted. For each with requests {t, until,
    parts, failed (share), text}; a prediction has none.
    """
    service, shift = one["figures"]["service"], one["offset"]
    rows = [
        row
        for row in rows
        if row.get("kind") == "Probe" and (row["name"] == service or row["name"].startswith(GATE))
    ]
    spans = [float(row["until"]) - float(row["t"]) for row in rows if row.get("until")]
    bucket = max([bucket, *sorted(spans)[len(spans) // 2 : len(spans) // 2 + 1]])
    found: dict[int, Counter[str]] = {}
    for row in rows:
        counts = found.setdefault(int((float(row["t"]) - shift) // bucket), Counter())
        counts.update({str(v): int(n) for v, n in (row.get("versions") or {}).items()})
        counts[FAILED] += int(row.get("failed") or 0)
    heard = []
    for place, counts in sorted(found.items()):
        total = counts.total()
        if not total:
            continue
        parts = [
            {"key": v, "colour": colour_of(n), "share": round(counts[v] / total, 4)}
            for v, n in versions.items()
            if counts[v]
        ]
        t, failed = round(place * bucket, 2), counts[FAILED]
        heard.append(
            {
                "t": t,
                "until": round(t + bucket, 2),
                "parts": parts,
                "failed": round(failed / total, 4),
                "text": say(lang, "compare.answers", t=clock(t), n=total, failed=failed),
            }
        )
    return heard


def _figure(lang: str, key: str, figures: Json, best: bool) -> Json:
    value = figures[key]
    bad = (key == "downtime" and value > 0) or (key == "failed" and value > 0)
    bad = bad or (key == "minAvailable" and value == 0)
    return {
        "key": key,
        "text": say(lang, f"figure.{key}"),
        "value": worded(lang, key, figures),
        "best": best,
        "bad": bad,
    }


def worded(lang: str, key: str, figures: Json) -> str:
    """A figure with its unit."""
    value = figures[key]
    if figures.get("running") and (value is None or (key == "duration" and not figures["finished"])):
        return say(lang, "figure.running")
    if value is None:
        return say(lang, "figure.never")
    if key == "duration" and not figures["finished"]:
        return say(lang, "figure.unfinished")
    if key in ("duration", "usersOnNewAfter", "downtime"):
        return say(lang, "figure.seconds", s=value) if value < 60 else clock(value)
    if key == "extraPods":
        return f"+{value}"
    if key == "extraPodSeconds":
        return say(lang, "figure.pod_seconds", s=round(value))
    if key == "failed" and not figures["requests"]:
        return "–"
    return str(value)


def _table(lang: str, rows: Sequence[Json], shown: Sequence[Json], best: Json) -> Json:
    keys = [k for k in FIGURES if k != "failed" or any(one["figures"]["requests"] for one in shown)]
    return {
        "head": [row["name"] for row in rows],
        "rows": [
            {
                "key": key,
                "text": say(lang, f"figure.{key}"),
                "hint": explain(lang, f"figure.about.{key}", {}, " ").strip(),
                "cells": [_figure(lang, key, one["figures"], i in best[key]) for i, one in enumerate(shown)],
            }
            for key in keys
        ],
    }


def summary(lang: str, rows: Sequence[Json]) -> str:
    """The comparison as sentences, for those who cannot see it."""
    parts = [
        f"{row['name']}: " + ", ".join(f"{f['text']} {f['value']}" for f in row["figures"]) for row in rows
    ]
    return ". ".join(parts)
