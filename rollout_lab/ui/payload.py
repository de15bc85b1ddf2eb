"""All the live picture needs in one JSON-safe value: the composition of the pure builders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rollout_lab.messages import say, section
from rollout_lab.ui.charts import charts, lead
from rollout_lab.ui.controls import controls
from rollout_lab.ui.keys import Keys
from rollout_lab.ui.outlook import Outlook
from rollout_lab.ui.progress import head, phases, timers, weights
from rollout_lab.ui.scene import colour_of, name_of, scene
from rollout_lab.ui.series import Series
from rollout_lab.ui.why import named, why_lines

__all__ = ["answers", "named", "payload", "plain", "why_lines"]

Json = dict[str, Any]
ANSWERS_SHOWN = 14


def payload(
    lang: str,
    picture: Mapping[str, Any],
    series: Series,
    *,
    tick: int,
    ack: int,
    session: str,
    notice: Json | None = None,
    buttons: bool = True,
    past: Json | None = None,
    time: Json | None = None,
    status: str | None = None,
    predicted: Outlook | None = None,
) -> Json:
    """The `data` of the component; see ``frontend/index.js`` for who reads what.

    `tick` rises with every refresh of a session, `ack` is the number of the last action heard.
    `picture` is the live one; `past` the one to show in its place, where a person looks back: nothing
    can be done then. `time` is the slider (`timebar`), `status` the status as YAML where it is asked for,
    `predicted` what was predicted.
    """
    now, picture = picture, past or picture
    counted = past_answers(lang, picture, series) if past else answers(picture)
    return {
        "lang": lang,
        "session": session,
        "tick": tick,
        "ack": ack,
        "label": section(lang, "label"),
        "head": head(lang, picture),
        "phases": phases(lang, picture),
        "timers": timers(lang, picture),
        **scene(lang, picture),
        **charts(lang, picture, series, now if past else None, predicted),
        "weights": weights(lang, picture),
        "why": why_lines(lang, picture),
        "answers": counted,
        "actions": controls(lang, now, past=past is not None) if buttons else [],
        "notice": notice,
        "spoken": lead(lang, picture),
        "past": past is not None,
        "time": time,
        "status": status,
    }


def answers(picture: Mapping[str, Any]) -> list[Json]:
    """The last answers of the curl loop, newest first, each in the colour of the version that gave it."""
    colours = {s["version"]: colour_of(s["colour"]) for s in picture["replicaSets"]}
    keys = Keys()
    shown = [
        {
            "key": keys.of(a["t"], a["service"]),
            "t": a["t"],
            "port": f":{a['port']}",
            "text": a["text"],
            "ok": a["ok"],
            "colour": colours.get(a["version"]),
        }
        for a in picture["answers"]
    ]
    return shown[::-1][:ANSWERS_SHOWN]


def past_answers(lang: str, picture: Mapping[str, Any], series: Series) -> list[Json]:
    """What the curl loop had counted by that moment, newest first: rows hold counts, not the answers."""
    colours = {s["version"]: colour_of(s["colour"]) for s in picture["replicaSets"]}
    keys = Keys()
    shown: list[Json] = []
    for t, service, port, versions, failed in series.counted_until(picture["t"], ANSWERS_SHOWN):
        about: Json = {"t": t, "port": f":{port}"}
        told = [
            (say(lang, "answers.counted", version=name_of(v), n=n), colours.get(v), True)
            for v, n in versions.items()
        ]
        told += [(say(lang, "answers.failed", n=failed), None, False)] if failed else []
        for text, colour, ok in told:
            key = keys.of(t, service, text)
            shown.append({**about, "key": key, "text": text, "ok": ok, "colour": colour})
    return shown[:ANSWERS_SHOWN]


def plain(value: Json) -> Json:
    """`value` proven to be JSON: Streamlit sends anything else as one string and does not say so."""
    checked: Json = json.loads(json.dumps(value, allow_nan=False))
    return checked
