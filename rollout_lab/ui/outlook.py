"""A prediction as the page shows it: dashed lines in the chart, and a few words before it is applied. Pure.

What will happen is worked out elsewhere (`lab.forecast`, the engine's own planner in virtual time);
its rows are those of a run.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rollout_lab.client.images import image_tag
from rollout_lab.messages import say
from rollout_lab.observe.figures import figures
from rollout_lab.ui.scene import clock, colour_of, name_of
from rollout_lab.ui.series import HASH_LABEL, Series, stacked

Json = dict[str, Any]
LONGEST: Final = 900.0
"""Lab seconds of a prediction that are drawn."""
BLINK: Final = 0.5
"""Lab seconds below which a state is a step on the way, not worth a line."""
KEPT: Final = 60.0
"""Lab seconds an applied prediction stays in the chart after its end."""
INKS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
ON: Final = "#111111"
"""The colour of words on a version's colour."""
_BOX: Final = (420, 130)  # width and height of the small drawing, in its own units


@dataclass(frozen=True, slots=True)
class Outlook:
    """A predicted run. Times are lab seconds since it begins; `began` is when that was, None: not yet.

    `pods`: (t, {hash: Pods}) wherever it changes; `versions`: hash -> version; `ended` as a
    recording says it; `assumed`: when somebody is supposed to act. `parts`: behind a router, (t, percent of
    the requests that `version` has) wherever it changes.
    """

    pods: tuple[tuple[float, Mapping[str, int]], ...]
    versions: Mapping[str, str]
    length: float
    ended: str
    assumed: tuple[float, ...] = ()
    began: float | None = None
    version: str = ""
    parts: tuple[tuple[float, float], ...] = ()

    def applied(self, t: float) -> Outlook:
        """The same, from the moment `t` of the run on."""
        return replace(self, began=t)

    def over(self, t: float) -> bool:
        """Whether the run has long outlived it."""
        return self.began is not None and t > self.began + self.length + KEPT


def outlook(rows: Iterable[Mapping[str, Any]], name: str) -> Outlook:
    """The outlook of predicted rows (`LabLike.forecast`)."""
    rows = list(rows)
    start = next((float(r["t"]) for r in rows if r.get("type") == "ACTION"), 0.0)
    series = Series(name)
    series.feed(rows)
    versions = {
        str((row.get("labels") or {}).get(HASH_LABEL, "")): image_tag(str(row.get("image") or ""))
        for row in rows
        if row.get("kind") == "ReplicaSet" and row.get("type") != "DELETED"
    }
    assumed = [float(r["t"]) - start for r in rows if r.get("type") == "ACTION" and r.get("assumed")]
    ended = next((str(r.get("ended") or "") for r in reversed(rows) if r.get("type") == "END"), "")
    pods = _steady([(round(max(0.0, t - start), 2), counts) for t, counts in series.pods])
    changes = [t for t, _ in pods]
    length = max([float(r["t"]) - start for r in rows] or [0.0]) if ended != "done" else max(changes or [0.0])
    found = Outlook(tuple(pods), versions, round(length, 2), ended, tuple(assumed))
    return replace(found, **_routed(rows, start))


def _routed(rows: Sequence[Mapping[str, Any]], start: float) -> Json:
    """`version` and `parts` of rows; a part may not follow the number of Pods."""
    told = figures(rows)
    began = told["t0"] if told["t0"] is not None else min([float(r.get("t") or 0.0) for r in rows] or [0.0])
    parts: list[tuple[float, float]] = []
    for point in (point for point in told["series"] if point["weights"]):
        part = round(100 * point["weights"].get(told["version"], 0.0), 2)
        if not parts or parts[-1][1] != part:
            parts.append((round(max(0.0, began + point["t"] - start), 2), part))
    return {"version": told["version"], "parts": tuple(parts)}


def _steady(pods: Sequence[tuple[float, Mapping[str, int]]]) -> list[tuple[float, Mapping[str, int]]]:
    """Without states that hold for less than `BLINK`: one Pod made in the moment another one goes."""
    last = len(pods) - 1
    return [p for i, p in enumerate(pods) if i in (0, last) or pods[i + 1][0] - p[0] >= BLINK]


def lines(found: Outlook, now: float, known: Sequence[str]) -> list[Json]:
    """The upper edge of each version's layer as steps [t, low, high], in the run's own seconds.

    `known` are the hashes of the chart in their order; those still to come lie on top of them.
    """
    start = now if found.began is None else found.began
    order = [h for h in known if any(h in counts for _, counts in found.pods)]
    order += [h for h in _hashes(found) if h not in order]
    end = round(start + min(found.length, LONGEST), 2)
    layers = stacked([(start + t, counts) for t, counts in found.pods], order)
    return [{"hash": h, "steps": steps, "end": end} for h, steps in layers.items()]


def end_of(found: Outlook | None, now: float) -> float:
    """How far the time axis must reach; 0 without a prediction."""
    if found is None:
        return 0.0
    return (now if found.began is None else found.began) + min(found.length, LONGEST)


def words(lang: str, found: Outlook) -> list[str]:
    """What is to come, in sentences."""
    totals = [sum(counts.values()) for _, counts in found.pods]
    if len(found.pods) < 2:
        return [say(lang, "outlook.same")]
    said = [
        say(lang, f"outlook.{found.ended or 'unfinished'}", s=found.length),
        say(lang, "outlook.pods", most=max(totals), least=min(totals)),
    ]
    if len(found.parts) > 1:
        said.append(_parts(lang, found))
    return said + [say(lang, "outlook.assumed", s=t) for t in found.assumed]


def _parts(lang: str, found: Outlook) -> str:
    steps = " → ".join(f"{part:g}" for _, part in found.parts)
    return say(lang, "outlook.parts", version=found.version, steps=steps)


def drawing(lang: str, found: Outlook, colours: Mapping[str, int], ink: str = "#4a5561") -> str:
    """A small picture of the predicted Pods as SVG text; `colours` by version, new ones come after.

    Behind a router a dotted line is the part of the requests, the whole height being all of them. `ink`
    is the colour of its words: an image cannot see the page's.
    """
    width, height = _BOX
    order = _hashes(found)
    top = max([sum(counts.values()) for _, counts in found.pods] or [1]) + 0.3
    length = max(min(found.length * 1.06, LONGEST), 1.0)
    layers = stacked(found.pods, order)
    following = max(colours.values(), default=-1) + 1
    parts = []
    for hash_ in order:
        version = found.versions.get(hash_, "")
        number = colours.get(version, following)
        path = _path(layers[hash_], length, top)
        shade = INKS[colour_of(number)]
        name = html.escape(name_of(version))
        parts.append(
            f'<path d="{path}" fill="{shade}" fill-opacity=".55" stroke="{shade}" stroke-dasharray="5 4">'
            f"<title>{name}</title></path>"
        )
        first, last = layers[hash_][0], layers[hash_][-1]
        at, x = (last, width + 6) if last[2] > last[1] else (first, 8)  # one that goes is named where it was
        y = height - (at[1] + at[2]) / 2 / top * height + 4
        parts.append(f'<text x="{x}" y="{y:.1f}" fill="{ink if at is last else ON}">{name}</text>')
    if len(found.parts) > 1:
        line = _path([(t, part, part) for t, part in found.parts], length, 100.0, closed=False)
        parts.append(
            f'<path d="{line}" fill="none" stroke="{ON}" stroke-width="2" stroke-dasharray="1 4" '
            f'stroke-linecap="round"><title>{html.escape(_parts(lang, found))}</title></path>'
            f'<text x="{width + 6}" y="{height * (1 - found.parts[-1][1] / 100) + 4:.1f}" fill="{ink}">'
            f"{found.parts[-1][1]:g} %</text>"
        )
    ticks = "".join(
        f'<text x="{width * part:.0f}" y="{height + 16}" text-anchor="{anchor}" fill="{ink}">'
        f"{clock(length * part)}</text>"
        for part, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    )
    label = html.escape(f"{say(lang, 'outlook.chart')}. {' '.join(words(lang, found))}", quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -6 {width + 96} {height + 28}" '
        f'role="img" aria-label="{label}" style="font:600 13px sans-serif">{"".join(parts)}{ticks}</svg>'
    )


def _hashes(found: Outlook) -> list[str]:
    return list(dict.fromkeys(hash_ for _, counts in found.pods for hash_ in counts))


def _path(steps: Sequence[Sequence[float]], length: float, top: float, *, closed: bool = True) -> str:
    width, height = _BOX
    upper, lower = [], []
    for i, (t, low, high) in enumerate(steps):
        end = steps[i + 1][0] if i + 1 < len(steps) else length
        for at in (t, end):
            x = min(at, length) / length * width
            upper.append(f"{x:.1f},{height - high / top * height:.1f}")
            lower.append(f"{x:.1f},{height - low / top * height:.1f}")
    if not upper:
        return ""
    return f"M{'L'.join(upper)}L{'L'.join(reversed(lower))}Z" if closed else f"M{'L'.join(upper)}"
