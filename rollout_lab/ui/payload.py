"""All the live picture needs in one JSON-safe value: the composition of the pure builders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rollout_lab.messages import explain, section
from rollout_lab.ui.charts import charts, lead
from rollout_lab.ui.controls import controls
from rollout_lab.ui.progress import head, phases, timers, weights
from rollout_lab.ui.scene import colour_of, name_of, scene
from rollout_lab.ui.series import Series

Json = dict[str, Any]
WHY_SHOWN = 30
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
) -> Json:
    """The `data` of the component; see ``frontend/index.js`` for who reads what.

    `tick` rises with every refresh of a session, `ack` is the number of the last action heard.
    """
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
        **charts(lang, picture, series),
        "weights": weights(lang, picture),
        "why": why_lines(lang, picture),
        "answers": answers(picture),
        "actions": controls(lang, picture) if buttons else [],
        "notice": notice,
        "spoken": lead(lang, picture),
    }


def why_lines(lang: str, picture: Mapping[str, Any]) -> list[Json]:
    """One sentence for each reason of the engine, newest first, with object, field and the formula."""
    shown = []
    keys = _Keys()
    for why in picture["why"]:
        code, params = why["code"], named(why["params"], picture)
        source = " · ".join(part for part in (why["object"], why["field"]) if part)
        shown.append(
            {
                "key": keys.of(why["t"], code, why["object"]),
                "t": why["t"],
                "text": explain(lang, f"why.{code}", params, code),
                "source": source,
                "formula": explain(lang, f"formula.{code}", params, " ").strip(),
            }
        )
    return shown[-WHY_SHOWN:][::-1]


def named(params: Mapping[str, Any], picture: Mapping[str, Any]) -> Json:
    """`params` with ReplicaSets and hashes told by their version, as a learner knows them."""
    sets = picture["replicaSets"]
    names = {s["name"]: name_of(s["version"]) for s in sets}
    names |= {s["hash"]: f"{s['hash']}({name_of(s['version'])})" for s in sets}
    return {k: names.get(v, v) if isinstance(v, str) else v for k, v in params.items()}


def answers(picture: Mapping[str, Any]) -> list[Json]:
    """The last answers of the curl loop, newest first, each in the colour of the version that gave it."""
    colours = {s["version"]: colour_of(s["colour"]) for s in picture["replicaSets"]}
    keys = _Keys()
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


class _Keys:
    """Keys that a line keeps for as long as it is shown, also when two lines look alike."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, *parts: object) -> str:
        key = " ".join(str(part) for part in parts)
        self._seen[key] = self._seen.get(key, 0) + 1
        return f"{key} {self._seen[key]}"


def plain(value: Json) -> Json:
    """`value` proven to be JSON: Streamlit sends anything else as one string and does not say so."""
    checked: Json = json.loads(json.dumps(value, allow_nan=False))
    return checked
