"""A run to pass on: JSON lines, CSV tables, one picture as JSON, and a page that needs nothing but a browser.

Everything here makes text; nobody's cluster is asked and nothing is fetched. Images of charts are
the page's business.
"""

from __future__ import annotations

import base64
import hashlib
import html as escaping
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from rollout_lab.errors import UsageError
from rollout_lab.messages import explain
from rollout_lab.observe.arrows import drawn
from rollout_lab.observe.marks import STOPS
from rollout_lab.observe.replay import Recording
from rollout_lab.observe.timeline import line

Json = dict[str, Any]
TABLES: Final = ("pods", "lanes", "shares", "events")
"""The tables `csv` gives, as in `observe.frames`."""
MOST_FRAMES: Final = 1500
_PICTURE: Final = ("rollout", "gateway", "services", "replicaSets", "pods", "routes")
_STATES: Final = ("pulling", "starting", "running", "ready", "failing", "terminating")
_ROLES: Final = ("active", "preview", "stable", "canary", "old", "service")


def jsonl(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a recorded run: what `replay.load` reads."""
    return "".join(line(row) + "\n" for row in rows)


def picture_json(picture: Mapping[str, Any]) -> str:
    """A picture (`Recording.view`, `Lab.view`) as JSON for people to read."""
    return json.dumps(picture, ensure_ascii=False, indent=1) + "\n"


def csv(rows: Sequence[Mapping[str, Any]], table: str = "pods") -> str:
    """One of `TABLES` as CSV with a header. Raises UsageError for an unknown one."""
    from rollout_lab.observe import frames

    made: dict[str, Callable[[Sequence[Mapping[str, Any]]], Any]] = {
        "pods": frames.pods_over_time,
        "lanes": frames.lanes,
        "shares": frames.shares,
        "events": frames.events,
    }
    if table not in made:
        raise UsageError(f'there is no table "{table}"; there are {", ".join(TABLES)}')
    found = made[table](rows)
    # A cell that begins like a formula would be run by a spreadsheet.
    for column in found.columns:
        if found[column].dtype.kind not in "if":
            found[column] = ["'" + v if str(v)[:1] in ("=", "+", "-", "@") else v for v in found[column]]
    text: str = found.to_csv(index=False, lineterminator="\n")
    return text


def html(run: Recording, lang: str = "en") -> str:
    """A page of the run in one file: play, slide, step. No network; its policy forbids any."""
    script, style = _asset("player.js"), _asset("player.css")
    data = json.dumps(_data(run, lang), ensure_ascii=False, separators=(",", ":"), default=str)
    # Inside <script> only these could end the element or confuse an old parser.
    for char in "<>&\u2028\u2029":
        data = data.replace(char, f"\\u{ord(char):04x}")
    policy = f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; base-uri 'none'"
    words = _words(lang)
    title = escaping.escape(f"{run.name} · rollout-lab")
    facts = "".join(f"<span>{escaping.escape(fact)}</span>" for fact in _facts(run, lang))
    return f"""<!doctype html>
<html lang="{escaping.escape(lang)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{escaping.escape(run.name)}</h1>
<p class="facts dim">{facts}</p>
<p><strong id="phase"></strong></p>
<p class="dim" id="step"></p>
<div class="wide" tabindex="0" role="region" aria-label="{escaping.escape(words["picture"])}">
<svg id="stage" role="img" aria-label="{escaping.escape(words["picture"])}"></svg>
</div>
<svg id="chart" viewBox="0 0 900 120" role="img" aria-label="{escaping.escape(words["chart"])}"></svg>
<div class="bar">
<button type="button" id="play">{escaping.escape(words["play"])}</button>
<button type="button" id="back" aria-label="{escaping.escape(words["back"])}">◀</button>
<button type="button" id="next" aria-label="{escaping.escape(words["next"])}">▶</button>
<input type="range" id="t" aria-label="{escaping.escape(words["time"])}">
<output id="clock"></output>
<select id="speed" aria-label="{escaping.escape(words["speed"])}"><option value="1">1×</option>
<option value="5" selected>5×</option><option value="20">20×</option></select>
</div>
<h2>{escaping.escape(words["marks"])}</h2>
<ol id="marks"></ol>
<h2>{escaping.escape(words["why"])}</h2>
<ol id="why"></ol>
<script type="application/json" id="run">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def _asset(name: str) -> str:
    return files("rollout_lab.observe.standalone").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _data(run: Recording, lang: str) -> Json:
    """What the script plays: pictures as references into a pool of parts, so that each part is there once."""
    pool: list[Any] = []
    known: dict[str, int] = {}
    frames: list[Json] = []
    for t in frame_times(run):
        picture = run.moments.at(t)
        frame: Json = {"t": round(t, 2)}
        for key in _PICTURE:
            part = drawn(lang, picture) if key == "gateway" else _trimmed(key, picture[key], lang)
            text = json.dumps(part, sort_keys=True, default=str)
            if text not in known:
                known[text] = len(pool)
                pool.append(part)
            frame[key] = known[text]
        if not frames or {**frames[-1], "t": 0} != {**frame, "t": 0}:
            frames.append(frame)
    names = _names(run)
    marks = [
        {"t": mark["t"], "kind": mark["kind"], "text": _mark_text(mark, lang)}
        for mark in run.marks()
        if mark["kind"] in (*STOPS, "event") and mark["kind"] != "end"
    ]
    why = [
        {
            "t": one["t"],
            "text": explain(lang, f"why.{one['code']}", _named(one["params"], names), str(one["code"])),
        }
        for one in run.moments.why(run.end)
        if one["code"] != "deadline"
    ]
    return {
        "begin": run.first,
        "end": max(run.end, run.first + 0.1),
        "frames": frames,
        "pool": pool,
        "marks": marks,
        "why": why,
        "words": _words(lang),
    }


def frame_times(run: Recording) -> list[float]:
    """The moments of a run at which its picture changes; thinned out evenly past `MOST_FRAMES`."""
    kinds = ("Rollout", "ReplicaSet", "Service", "Pod", "EndpointSlice", "Probe", "Gateway")
    found = sorted(
        {run.first, *(float(r.get("until") or r["t"]) for r in run.timeline() if r.get("kind") in kinds)}
    )
    found = [t for t in found if t >= run.first]
    if len(found) <= MOST_FRAMES:
        return found
    kept = {found[i * len(found) // MOST_FRAMES] for i in range(MOST_FRAMES)}
    return sorted({*kept, *(m["t"] for m in run.marks() if m["t"] >= run.first), found[-1]})


def _trimmed(key: str, part: Any, lang: str) -> Any:
    """The part as far as the script draws it: less that changes means fewer parts."""
    if key == "services":
        keep = ("name", "role", "port", "endpoints")
        return [{k: service[k] for k in keep} for service in part]
    if key == "routes":
        return [{"service": r["service"], "pod": r["pod"], "share": round(r["share"], 2)} for r in part]
    if key == "rollout" and part is not None:
        steps = [{"text": step["text"], "state": step["state"]} for step in part["steps"]]
        message = str(part["message"])
        told = explain(lang, f"message.{message.lower().replace(' ', '-')}", {}, message) if message else ""
        return {"phase": part["phase"], "message": told, "steps": steps}
    if key == "pods":
        return [{k: pod[k] for k in ("name", "hash", "colour", "state", "reason")} for pod in part]
    if key == "replicaSets":
        columns = ("name", "hash", "version", "role", "colour", "replicas", "ready")
        return [{k: rs[k] for k in columns} for rs in part]
    return part


def _names(run: Recording) -> dict[str, str]:
    """Versions by the name and hash of their ReplicaSet, as a learner knows them."""
    found = run.moments.at(run.end)["replicaSets"]
    versions = {rs["name"]: f"v{rs['version']}" for rs in found}
    return versions | {rs["hash"]: f"{rs['hash']} (v{rs['version']})" for rs in found}


def _named(params: Mapping[str, Any], names: Mapping[str, str]) -> Json:
    return {k: names.get(v, v) if isinstance(v, str) else v for k, v in params.items()}


def _mark_text(mark: Mapping[str, Any], lang: str) -> str:
    if mark["kind"] == "reached":
        return explain(lang, f"phase.{mark['key']}", mark["params"], str(mark["text"]))
    if mark["kind"] == "phase":
        return explain(lang, f"rollout.{mark['text']}", {}, str(mark["text"]))
    if mark["kind"] == "action":
        assumed = f" ({_words(lang)['assumed']})" if mark.get("assumed") else ""
        return f"▶ {mark['text']}{assumed}"
    if mark["kind"] == "step":
        return f"{mark['index'] + 1}/{mark['count']} {mark['text']}" if mark["text"] else "✓"
    return str(mark["text"])


def _facts(run: Recording, lang: str) -> list[str]:
    found, words = run.figures(), _words(lang)
    shown = [f"v{found['from']} → v{found['version']}"] if found["from"] else [f"v{found['version']}"]
    for key in ("duration", "downtime"):
        shown.append(f"{words[key]} {found[key]:g} s")
    shown.append(f"{words['maxPods']} {found['maxPods']}")
    return [words["predicted"], *shown] if run.predicted else shown


_SAID: Final[Mapping[str, tuple[str, str]]] = {
    "play": ("재생", "Play"),
    "pause": ("멈춤", "Pause"),
    "back": ("이전 단계", "Step back"),
    "next": ("다음 단계", "Next step"),
    "time": ("시간", "Time"),
    "speed": ("빠르기", "Speed"),
    "marks": ("있었던 일", "What happened"),
    "why": ("이유", "Why"),
    "picture": ("Service가 가리키는 Pod", "Which Service leads to which Pods"),
    "chart": ("버전별 준비된 Pod", "Ready Pods of each version"),
    "ready": ("개 준비됨", "ready"),
    "assumed": ("예측에서 가정", "assumed by the prediction"),
    "predicted": ("예측", "Prediction"),
    "duration": ("걸린 시간", "duration"),
    "downtime": ("중단 시간", "downtime"),
    "maxPods": ("최대 Pod", "most Pods"),
}


def _words(lang: str) -> Any:
    words: dict[str, Any] = {key: pair[0 if lang == "ko" else 1] for key, pair in _SAID.items()}
    words["states"] = {state: explain(lang, f"state.{state}", {}, state) for state in _STATES}
    words["roles"] = {role: explain(lang, f"role.{role}", {}, role) for role in _ROLES} | {
        "service": "Service"
    }
    phases = ("Healthy", "Paused", "Progressing", "Degraded")
    words["phases"] = {phase: explain(lang, f"rollout.{phase}", {}, phase) for phase in phases}
    return words
