"""The host's board as data: for each seat its step, what it waits for and its Pods. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rollout_lab.messages import say, section
from rollout_lab.ui.scene import POD_STATES, colour_of, in_order, name_of
from rollout_lab.ui.stage import headline
from rollout_lab.ui.tidying import WORKS

Json = dict[str, Any]
PODS_SHOWN: Final = 24


def board(
    lang: str,
    seats: Sequence[tuple[str, Mapping[str, Any] | None]],
    links: Sequence[str],
    works: Mapping[str, tuple[str, str]] | None = None,
    *,
    ack: int = 0,
    session: str = "",
) -> Json:
    """The `data` of the component. `seats`: (name, picture or None where it cannot be seen now).

    `works`: what a host has begun for a seat and what failed (`tidying.Tidying.state`), by its name; None
    where this session is no host's and gets no buttons. `ack`: number of the last press heard.
    """
    cards = [_card(lang, name, picture, link) for (name, picture), link in zip(seats, links, strict=True)]
    for card in cards:
        running, failed = (works or {}).get(card["name"], ("", ""))
        card["work"] = say(lang, f"board.{running}ing") if running else ""
        card["failed"] = say(lang, "board.failed", error=failed) if failed else ""
        card["offer"] = works is not None and not running
        card["sure"] = {what: say(lang, f"board.sure.{what}", name=card["name"]) for what in WORKS}
    waiting = sum(card["tone"] == "wait" for card in cards)
    stuck = sum(card["tone"] == "bad" for card in cards)
    return {
        "lang": lang,
        "label": section(lang, "board"),
        "seats": cards,
        "ack": ack,
        "session": session,
        "summary": say(lang, "board.summary", n=len(cards), waiting=waiting, stuck=stuck) if cards else "",
    }


def _card(lang: str, name: str, picture: Mapping[str, Any] | None, link: str) -> Json:
    about: Json = {"key": name, "name": name, "link": link, "pods": [], "phases": [], "more": ""}
    if picture is None:
        return {**about, "title": say(lang, "board.gone"), "step": "", "tone": "bad", "rollout": ""}
    told = headline(lang, picture)
    order = {s["hash"]: i for i, s in enumerate(in_order(picture))}
    pods = sorted(picture["pods"], key=lambda p: (order.get(p["hash"], 99), POD_STATES.index(p["state"])))
    pods.sort(key=lambda p: order.get(p["hash"], 99))
    return {
        **about,
        "title": told["title"],
        "step": told["step"],
        "tone": told["tone"],
        "rollout": picture["rollout"]["name"] if picture["rollout"] else "",
        "phases": [p["state"] for p in picture["phases"]],
        "pods": [
            {
                "key": p["name"],
                "state": p["state"],
                "colour": colour_of(p["colour"]),
                "title": f"{name_of(p['version'])}: {say(lang, 'state.' + p['state'])}",
            }
            for p in pods[:PODS_SHOWN]
        ],
        "more": f"+{len(pods) - PODS_SHOWN}" if len(pods) > PODS_SHOWN else "",
    }
