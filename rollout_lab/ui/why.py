"""Why things happened: one sentence for each reason, and behind it object, field and formula. Pure.

Reasons are the planner's (`plan.why.CODES`); this only tells them, with the numbers they were made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollout_lab.messages import explain, say
from rollout_lab.ui.keys import Keys
from rollout_lab.ui.scene import name_of, percent

Json = dict[str, Any]
SHOWN = 30
_SIZES = ("scale.canary", "scale.stable")


def why_lines(lang: str, picture: Mapping[str, Any]) -> list[Json]:
    """One sentence for each reason of the engine, newest first: key, t, code, text, object, field, formula.

    `formula` is lines of text, ``""`` where nothing was calculated; `source` is object and field in one.
    """
    shown = []
    keys = Keys()
    for why in picture["why"]:
        code, params = why["code"], named(why["params"], picture)
        shown.append(
            {
                "key": keys.of(why["t"], code, why["object"]),
                "t": why["t"],
                "code": code,
                "text": explain(lang, f"why.{code}", params, code),
                "object": why["object"],
                "field": why["field"],
                "source": " · ".join(part for part in (why["object"], why["field"]) if part),
                "formula": formula(lang, code, params),
            }
        )
    return shown[-SHOWN:][::-1]


def formula(lang: str, code: str, params: Mapping[str, Any]) -> str:
    """The calculation behind a reason with its numbers; ``""`` where there is none."""
    if code in _SIZES:
        try:
            return "\n".join(_sizes(lang, params))
        except (KeyError, TypeError, ValueError):  # a run recorded before these numbers were noted
            return ""
    return explain(lang, f"formula.{code}", params, " ").strip()


def _sizes(lang: str, params: Mapping[str, Any]) -> list[str]:
    """How a weight in percent became whole Pods."""
    replicas, weight = int(params["replicas"]), params["weight"]
    canary, stable = int(params["canary"]), int(params["stable"])
    surge, unavailable = int(params["surge"]), int(params["unavailable"])
    total = canary + stable
    written = params["maxSurge"]
    brief = say(
        lang,
        f"sum.brief.{_rounding(written, replicas, 'up')}",
        replicas=replicas,
        weight=weight,
        exact=_fine(replicas * weight / 100),
        canary=canary,
        stable=stable,
        written=written,
        pods=surge,
    )
    lines = [
        brief,
        _room(lang, "surge", "up", params["maxSurge"], surge, replicas),
        _room(lang, "unavailable", "down", params["maxUnavailable"], unavailable, replicas),
        say(lang, "sum.counts", most=replicas + surge, least=replicas - unavailable),
        say(
            lang,
            "sum.result",
            canary=canary,
            total=total,
            share=percent(canary / total) if total else "–",
        ),
    ]
    if params["to"] not in (canary, stable):
        lines.append(say(lang, "sum.step", **{"from": params["from"], "to": params["to"]}))
    return lines


def _room(lang: str, what: str, rounded: str, written: int | str, pods: int, replicas: int) -> str:
    """maxSurge or maxUnavailable in Pods; a percentage with the fraction it was rounded from."""
    way = _rounding(written, replicas, rounded)
    part = "" if way == "plain" else _fine(_part(written, replicas))
    return say(lang, f"sum.{what}.{way}", replicas=replicas, written=written, part=part, pods=pods)


def _rounding(written: int | str, replicas: int, rounded: str) -> str:
    """How a field became Pods: ``plain`` for a number, ``exact`` for whole Pods, else `rounded`."""
    if not (isinstance(written, str) and written.endswith("%")):
        return "plain"
    return "exact" if _part(written, replicas).is_integer() else rounded


def _part(written: int | str, replicas: int) -> float:
    return replicas * float(str(written)[:-1]) / 100


def _fine(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def named(params: Mapping[str, Any], picture: Mapping[str, Any]) -> Json:
    """`params` with ReplicaSets and hashes told by their version, as a learner knows them."""
    sets = picture["replicaSets"]
    names = {s["name"]: name_of(s["version"]) for s in sets}
    names |= {s["hash"]: f"{s['hash']}({name_of(s['version'])})" for s in sets}
    return {k: names.get(v, v) if isinstance(v, str) else v for k, v in params.items()}
