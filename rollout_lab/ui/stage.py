"""What the projector shows: the step and what it waits for, the picture, the shares, and why. Pure.

Few words, for reading from the back row; the picture itself is `scene`'s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from rollout_lab.messages import explain, say, section
from rollout_lab.ui.controls import controls
from rollout_lab.ui.payload import why_lines
from rollout_lab.ui.progress import head, interval, weights
from rollout_lab.ui.scene import clock, colour_of, name_of, percent, scene

Json = dict[str, Any]
KEYS: Final = ("promote", "abort")
"""Actions of the projector: those a lecturer does with a single key."""
_FORMULAS: Final = ("scale.canary", "scale.stable")


def stage(
    lang: str,
    picture: Mapping[str, Any],
    *,
    tick: int,
    ack: int,
    session: str,
    notice: Json | None = None,
    buttons: bool = True,
    past: float | None = None,
    theme: str = "",
) -> Json:
    """The `data` of the projector's component.

    `past`: seconds of the moment shown, None for live. `buttons` False: a viewer, nothing can be done.
    """
    acts = [a for a in controls(lang, picture) if a["key"] in KEYS] if buttons else []
    return {
        "lang": lang,
        "session": session,
        "tick": tick,
        "ack": ack,
        "label": section(lang, "label") | section(lang, "stage"),
        "theme": theme,
        "headline": headline(lang, picture),
        **shown(lang, picture),
        "bars": weights(lang, picture) or _services(lang, picture),
        "why": because(lang, picture),
        "actions": acts if past is None else [],
        "viewer": not buttons,
        "live": past is None,
        "moment": say(lang, "stage.live_now") if past is None else say(lang, "stage.moment", t=clock(past)),
        "notice": notice,
    }


def headline(lang: str, picture: Mapping[str, Any]) -> Json:
    """``title`` (strategy and share), ``step`` (which one, what it waits for), ``name`` and ``tone``."""
    rollout = picture["rollout"]
    about = head(lang, picture)
    if rollout is None:
        return {"title": about["name"], "step": "", "name": "", "tone": "go"}
    return {
        "title": _title(lang, rollout),
        "step": _step(lang, picture, about),
        "name": say(lang, "stage.name", name=rollout["name"], replicas=rollout["replicas"]),
        "tone": about["tone"],
    }


def _title(lang: str, rollout: Json) -> str:
    kind = say(lang, f"strategy.{rollout['strategy'] or 'none'}")
    weight = rollout.get("weight")
    if weight and rollout["currentHash"] != rollout["stableHash"] and not rollout["aborted"]:
        return f"{kind} {weight['asked']} %"
    return kind


def _step(lang: str, picture: Mapping[str, Any], about: Json) -> str:
    rollout = picture["rollout"]
    if rollout["phase"] == "Degraded":
        return str(about["message"] or about["state"])
    at = next((i for i, p in enumerate(picture["phases"]) if p["state"] == "now"), None)
    if at is None:
        if rollout["phase"] == "Healthy":
            return say(lang, "stage.healthy", version=name_of(rollout["version"]))
        return str(about["message"] or about["state"])
    total = rollout["stepCount"] or len(picture["phases"])
    words = _waits(lang, picture["phases"][at], picture["t"])
    return words if at >= total else say(lang, "stage.step", n=at + 1, total=total, what=words)


def _waits(lang: str, phase: Json, now: float) -> str:
    """What the present phase waits for."""
    params, key = phase["params"], phase["key"]
    ends = params.get("endsAt", params.get("at"))
    if ends is not None:
        left = clock(max(0, math.ceil(ends - now)))
        return say(lang, "stage.deletes_in" if key == "oldPodsDeleted" else "stage.goes_on_in", t=left)
    if key in ("waitingPromote", "pause"):
        return say(lang, "stage.waits_promote")
    name = explain(lang, f"phase.{key}", params, key)
    if key == "newPodsReady":
        return f"{name} {params['ready']} / {params['wanted']}"
    return name


def shown(lang: str, picture: Mapping[str, Any]) -> Json:
    """The scene with fewer words: no hashes, Pods told by their state."""
    found = scene(lang, picture)
    states = {pod["name"]: pod for pod in picture["pods"]}
    sets = {s["hash"]: s for s in picture["replicaSets"]}
    roles = {s["name"]: s["role"] for s in picture["services"]}
    found["services"] = [
        _big_service(lang, s, roles.get(s["id"], ""), bool(found["gateway"])) for s in found["services"]
    ]
    found["sets"] = [_big_set(lang, s, sets[s["hash"]]) for s in found["sets"]]
    found["pods"] = [
        {**pod, "label": _pod_label(lang, states[pod["name"]]), "note": ""} for pod in found["pods"]
    ]
    return found


def _big_service(lang: str, service: Json, role: str, gated: bool) -> Json:
    """Name, whose door it is and its port; the shares stand on the arrows where there are several."""
    kind = "Service" if role == "service" else service["role"] if gated else say(lang, f"role.{role}")
    several = len(service["shares"]) > 1
    sample = f"{kind} · {service['port']}" if service["port"] != ":0" else kind
    mixed = "" if several else service["mixed"]
    return {
        **service,
        **dict.fromkeys(("role", "port", "hash", "hashLabel", "changed"), ""),
        "sample": sample,
        "mixed": mixed,
    }


def _big_set(lang: str, found: Json, counts: Json) -> Json:
    role = say(lang, "role.old") if counts["role"] == "old" else counts["role"]
    revision = counts["revision"]
    name = "ReplicaSet " if counts["replicas"] < 10 else ""  # two figures more need its room
    facts = f"{name}r{revision} · {counts['ready']} / {counts['replicas']}"
    return {**found, "revision": f"· {role}", "facts": facts}


def _pod_label(lang: str, pod: Json) -> str:
    if pod["state"] == "failing" and pod["reason"]:
        return str(pod["reason"])
    return say(lang, f"short.{pod['state']}")


def _services(lang: str, picture: Mapping[str, Any]) -> list[Json]:
    """Blue/green: one bar for each Service, the version its users meet, with the error of the sample."""
    sets = {s["hash"]: s for s in picture["replicaSets"]}
    bars = []
    for service in picture["services"]:
        n = service["window"]["n"]
        best = max(service["shares"], key=lambda h: service["shares"][h], default="")
        about: Json = {"key": service["name"], "text": service["role"], "low": None, "high": None}
        if not n or best not in sets:
            bars.append({**about, "share": None, "colour": 0, "value": say(lang, "ui.no_requests")})
            continue
        share = service["shares"][best]
        low, high = interval(share, n)
        name = name_of(sets[best]["version"])
        value = f"{name} {percent(share)} ± {round(50 * (high - low))} (n = {n})"
        colour = colour_of(sets[best]["colour"])
        bars.append({**about, "share": share, "colour": colour, "value": value, "low": low, "high": high})
    return bars


def because(lang: str, picture: Mapping[str, Any]) -> Json:
    """``text``: the newest reason; ``formula``: how the canary's Pods were counted, where they were."""
    lines = why_lines(lang, picture)
    if not lines:
        return {"text": "", "formula": ""}
    rollout = picture["rollout"]
    counted = rollout and rollout.get("weight") and rollout["currentHash"] != rollout["stableHash"]
    codes = [why["code"] for why in picture["why"]][-len(lines) :][::-1]
    formulas = [line for line, code in zip(lines, codes, strict=True) if code in _FORMULAS]
    formula = (
        formulas[0]["formula"].partition("\n")[0] if counted and formulas and not rollout["aborted"] else ""
    )
    return {"text": lines[0]["text"], "formula": formula or lines[0]["formula"]}
