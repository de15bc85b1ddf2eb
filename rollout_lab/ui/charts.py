"""The two charts over time as data: Pods per version, and which version each Service led to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rollout_lab.messages import explain, say
from rollout_lab.observe.routed import probe_name
from rollout_lab.ui.outlook import Outlook, end_of, lines
from rollout_lab.ui.scene import clock, colour_of, in_order, name_of
from rollout_lab.ui.series import Series, axis_end, stacked, window
from rollout_lab.ui.timebar import action_words

Json = dict[str, Any]
MARKS_SHOWN = 12


def charts(
    lang: str,
    picture: Mapping[str, Any],
    series: Series,
    now: Mapping[str, Any] | None = None,
    predicted: Outlook | None = None,
) -> Json:
    """``chart`` (time axis, layers, marks), ``lanes`` and ``lanes_hint`` for the drawing.

    `now` is the live picture where `picture` is one of the past: the lines go on to the present, and
    ``chart.cursor`` is where one looks. `predicted` lies dashed over it as ``chart.outlook``.
    """
    live = now or picture
    start, end = window(live["t"], series.updates, picture["t"] if now else None)
    if end_of(predicted, live["t"]) > end:
        end = start + axis_end(end_of(predicted, live["t"]) - start)
    sets = {s["hash"]: s for s in in_order(live)}
    pods = _since(series.pods, start)
    order = [h for h in sets if any(counts.get(h) for _, counts in pods)]
    layers = stacked(pods, order)
    ahead = [counts for _, counts in predicted.pods] if predicted else []
    most = max((sum(counts.values()) for counts in [*(c for _, c in pods), *ahead]), default=0)
    top = max(2, most + 1 if most < 8 else round(most * 1.15))
    last = pods[-1][1] if pods else {}
    versions = []
    low = 0
    for hash_ in order:
        found, count = sets[hash_], last.get(hash_, 0)
        versions.append(
            {
                "hash": hash_,
                "colour": colour_of(found["colour"]),
                "text": name_of(found["version"]),
                "steps": layers[hash_],
                "now": count,
                "middle": low + count / 2,
            }
        )
        low += count
    chart = {
        "t": live["t"],
        "cursor": picture["t"] if now else None,
        "x0": start,
        "x1": end,
        "top": top,
        "ticks": _ticks(top),
        "versions": versions,
        "outlook": _ahead(predicted, live["t"], order, sets),
        "marks": _marks(lang, series, start),
        "summary": _summary(lang, versions),
    }
    gate = picture.get("gateway")
    if gate and gate["window"]["n"]:
        lanes = [_gateway_lane(lang, gate, sets, series, start)]
        return {"chart": chart, "lanes": lanes, "lanes_hint": _hint(lang, [gate])}
    lanes = [_lane(s, sets, series, start) for s in picture["services"]]
    return {"chart": chart, "lanes": lanes, "lanes_hint": _hint(lang, picture["services"])}


def _ahead(predicted: Outlook | None, t: float, order: Sequence[str], sets: Mapping[str, Json]) -> list[Json]:
    """The dashed lines, each in the colour of its version where there is one yet."""
    if predicted is None:
        return []
    shades = {s["version"]: colour_of(s["colour"]) for s in sets.values()}
    found = lines(predicted, t, order)
    return [{**line, "colour": shades.get(predicted.versions.get(line["hash"], ""))} for line in found]


def _since(
    pods: Sequence[tuple[float, Mapping[str, int]]], start: float
) -> list[tuple[float, Mapping[str, int]]]:
    """The changes since `start`, with the one that held at `start` itself."""
    first = 0
    for i, (t, _) in enumerate(pods):
        if t <= start:
            first = i
    return list(pods[first:])


def _ticks(top: int) -> list[int]:
    """Whole numbers from 0 to `top`, at most six of them."""
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, max(1000, top)) if top <= 5 * s)
    return list(range(0, top + 1, step))


def _marks(lang: str, series: Series, start: float) -> list[Json]:
    shown = [m for m in series.marks if m.t >= start][-MARKS_SHOWN:]
    found = []
    for i, mark in enumerate(shown):
        found.append({"key": f"{mark.t} {i}", "t": mark.t, "text": action_words(lang, mark.text)})
    return found


def _summary(lang: str, versions: Sequence[Json]) -> str:
    parts = [say(lang, "ui.pods_now", version=v["text"], n=v["now"]) for v in versions if v["now"]]
    return f"{say(lang, 'ui.pods_over_time')}: {', '.join(parts)}"


def _lane(service: Json, sets: Mapping[str, Json], series: Series, start: float) -> Json:
    """A Service's lane: by its selector where that names a hash, else by the answers counted."""
    line = series.led.get(service["name"], [])
    if service["selectorHash"] or any(hash_ for _, hash_ in line):
        segments = [{"t": t, "parts": _whole(sets, hash_)} for t, hash_ in line]
    else:
        segments = _measured(series.answers.get(service["name"], []), sets)
    return {
        "id": service["name"],
        "title": service["role"] if service["role"] != "service" else "Service",
        "segments": _cut(segments, start),
        "split": " : ".join(str(round(100 * share)) for share in _now(service, sets)),
    }


def _gateway_lane(lang: str, gate: Json, sets: Mapping[str, Json], series: Series, start: float) -> Json:
    """Which versions answered through the gateway."""
    answers = [one for host in gate["hosts"] or [""] for one in series.answers.get(probe_name(host), [])]
    return {
        "id": "gateway",
        "title": gate["name"] or say(lang, "gateway.title"),
        "segments": _cut(_measured(answers, sets), start),
        "split": " : ".join(str(round(100 * share)) for share in _now(gate, sets)),
    }


def _whole(sets: Mapping[str, Json], hash_: str) -> list[Json]:
    found = sets.get(hash_)
    return [] if found is None else [_part(found, 1.0)]


def _part(found: Json, share: float) -> Json:
    name = name_of(found["version"])
    return {
        "hash": found["hash"],
        "colour": colour_of(found["colour"]),
        "share": round(share, 3),
        "text": name,
    }


def _measured(answers: Sequence[tuple[float, Mapping[str, int]]], sets: Mapping[str, Json]) -> list[Json]:
    by_version = {s["version"]: s for s in sets.values()}
    segments: list[Json] = []
    for t, counts in answers:
        total = sum(counts.values())
        parts = [_part(s, counts[v] / total) for v, s in by_version.items() if counts.get(v)]
        if not segments or segments[-1]["parts"] != parts:
            segments.append({"t": t, "parts": parts})
    return segments


def _cut(segments: Sequence[Json], start: float) -> list[Json]:
    """The segments since `start`; the one that held then begins there."""
    before = [s for s in segments if s["t"] <= start][-1:]
    return [*({**s, "t": max(start, s["t"])} for s in before), *(s for s in segments if s["t"] > start)]


def _now(service: Json, sets: Mapping[str, Json]) -> list[float]:
    return [service["shares"][h] for h in sets if service["shares"].get(h)]


def _hint(lang: str, services: Sequence[Json]) -> str:
    n = sum(s["window"]["n"] for s in services)
    since = min((s["window"]["since"] for s in services), default=0.0)
    if not n:
        return say(lang, "ui.no_requests")
    return say(lang, "ui.window", n=n, t=clock(since))


def lead(lang: str, picture: Mapping[str, Any]) -> str:
    """One short sentence of what changed last, for the screen reader."""
    now = next((p for p in picture["phases"] if p["state"] == "now"), None)
    if now is None:
        return ""
    return explain(lang, f"phase.{now['key']}", now["params"], now["key"])
