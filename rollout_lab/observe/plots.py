"""Altair charts of a run: a DataFrame of `observe.frames` in, a chart out. The only module outside the page
that imports Altair.

The same charts in a notebook and in a file; nothing is measured here. Colours follow the order in which
the versions appeared, as everywhere in the lab.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from rollout_lab.observe.sketch import COLOURS

WIDTH, HEIGHT = 620, 150
TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "ko": {"t": "시간(초)", "pods": "Pod", "ready": "준비된 Pod", "version": "버전", "share": "측정한 비율"},
    "en": {
        "t": "time (s)",
        "pods": "Pods",
        "ready": "ready Pods",
        "version": "version",
        "share": "measured share",
    },
}


def order_of(*frames: pd.DataFrame) -> list[str]:
    """The versions of all frames, in the order in which they appeared."""
    found = {v: None for frame in frames for v in frame["version"] if v}
    return list(found)


def _colour(order: Sequence[str], lang: str) -> Any:
    shades = [COLOURS[i % len(COLOURS)] for i in range(len(order))]
    return alt.Color("version:N", title=TITLES[lang]["version"]).scale(domain=list(order), range=shades)


def steps(frame: pd.DataFrame, end: float) -> pd.DataFrame:
    """Counts as spans (t, until, version, pods, ready, below): each holds until the next, stacked.

    `below`: the Pods of the versions before it at that time. `end`: lab seconds, where the last ones end.
    """
    times = sorted({*frame["t"], max(end, float(frame["t"].max()) if len(frame) else 0.0)})
    order = order_of(frame)
    now = dict.fromkeys(order, (0, 0))
    changes: dict[float, list[tuple[str, int, int]]] = {}
    for t, version, pods, ready in frame.itertuples(index=False):
        changes.setdefault(t, []).append((version, pods, ready))
    out = []
    for t, until in zip(times, times[1:], strict=False):
        for version, pods, ready in changes.get(t, ()):
            now[version] = (pods, ready)
        below = 0
        for version in order:
            pods, ready = now[version]
            if pods:
                out.append((t, until, version, pods, ready, below))
            below += pods
    return pd.DataFrame(out, columns=["t", "until", "version", "pods", "ready", "below"])


def pods(
    frame: pd.DataFrame, end: float, *, lang: str = "en", expected: Mapping[str, float] | None = None
) -> Any:
    """Pods of each version over time, stacked; what is not ready yet is pale.

    `frame`: `frames.pods_over_time`. `expected`: label -> number of Pods a student expected, as dashed lines.
    """
    titles, spans = TITLES[lang], steps(frame, end)
    spans["top"] = spans["below"] + spans["pods"]
    spans["full"] = spans["below"] + spans["ready"]
    colour = _colour(order_of(frame), lang)
    base = alt.Chart(spans).encode(
        x=alt.X("t:Q", title=titles["t"]),
        x2="until:Q",
        color=colour,
        tooltip=["version:N", "pods:Q", "ready:Q", "t:Q"],
    )
    count = alt.Y("below:Q", title=titles["pods"], axis=alt.Axis(tickMinStep=1))
    layers: list[Any] = [
        base.mark_rect(opacity=0.35).encode(y=count, y2="top:Q"),
        base.mark_rect(opacity=0.9).encode(y=count, y2="full:Q"),
    ]
    if expected:
        lines = pd.DataFrame({"label": list(expected), "n": [float(n) for n in expected.values()]})
        rule = alt.Chart(lines).encode(y="n:Q")
        layers.append(rule.mark_rule(strokeDash=[5, 4], size=2))
        layers.append(rule.mark_text(align="left", dx=4, dy=-6, x=0).encode(text="label:N"))
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def lanes(frame: pd.DataFrame, *, lang: str = "en") -> Any:
    """Which version each Service selected over time. `frame`: `frames.lanes`."""
    led = frame[frame["version"] != ""]
    return (
        alt.Chart(led)
        .mark_bar(height=18)
        .encode(
            x=alt.X("start:Q", title=TITLES[lang]["t"]),
            x2="end:Q",
            y=alt.Y("service:N", title=None),
            color=_colour(order_of(led), lang),
            tooltip=["service:N", "version:N", "hash:N", "start:Q", "end:Q"],
        )
        .properties(width=WIDTH)
    )


def share(frame: pd.DataFrame, *, lang: str = "en") -> Any:
    """Measured shares over time with their 95 % interval. `frame`: `frames.shares`."""
    titles = TITLES[lang]
    base = alt.Chart(frame).encode(
        x=alt.X("end:Q", title=titles["t"]), color=_colour(order_of(frame), lang), detail="service:N"
    )
    percent = alt.Y("share:Q", title=titles["share"], axis=alt.Axis(format="%")).scale(domain=[0, 1])
    return alt.layer(
        base.mark_area(opacity=0.2, interpolate="step-before").encode(y="low:Q", y2="high:Q"),
        base.mark_line(interpolate="step-before").encode(
            y=percent, tooltip=["service:N", "version:N", "n:Q", "total:Q", "share:Q"]
        ),
    ).properties(width=WIDTH, height=HEIGHT)


def whole(pods_chart: Any, lanes_frame: pd.DataFrame, lang: str = "en") -> Any:
    """Pods over lanes, over one time axis."""
    return alt.vconcat(pods_chart, lanes(lanes_frame, lang=lang)).resolve_scale(x="shared", color="shared")


def bundle(chart: Any) -> dict[str, Any]:
    """A chart by MIME type: as Vega-Lite for programs that bring it along, else as HTML that loads it."""
    spec: dict[str, Any] = chart.to_dict()
    older = {**spec, "$schema": "https://vega.github.io/schema/vega-lite/v5.json"}
    return {
        "application/vnd.vegalite.v6+json": spec,
        "application/vnd.vegalite.v5+json": older,
        "text/html": chart.to_html(fullhtml=False, output_div=f"rollout-lab-{id(chart)}"),
        "text/plain": "<chart>",
    }
