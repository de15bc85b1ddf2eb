"""The buttons: what they do, their command, and the reason when they are off. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rollout_lab.messages import explain, say
from rollout_lab.ui.scene import name_of

Json = dict[str, Any]

BUTTONS = (
    *("set-image", "promote", "promote-full", "abort", "retry", "undo"),
    *("restart", "pause", "resume", "scale"),
)
HOTKEYS = {"promote": "P", "abort": "A"}
FAULTS = ("slow", "failing", "never-ready", "crashing", "slow-start")
"""Tag suffixes of the demo application, one for each thing that can go wrong."""
SIZES = (1, 2, 3, 4, 5, 10, 20, 60)
"""Replicas offered."""
MISSING = "1pro/no-such-image"
"""An image that no registry of the lab has."""


def controls(lang: str, picture: Mapping[str, Any], *, past: bool = False) -> list[Json]:
    """One entry for each button, in order; at most one enabled entry is `main`, the next sensible thing.

    `past`: a person looks back, so that every button is off and says so.
    """
    found = [_button(lang, key, picture) for key in _shown(picture)]
    if past:
        off = say(lang, "time.off")
        return [{**entry, "ok": False, "reason": off, "menu": None} for entry in found]
    main = _main(picture)
    for entry in found:
        entry["main"] = entry["key"] == main
    return found


def _shown(picture: Mapping[str, Any]) -> list[str]:
    """Of pause and resume only the one that makes sense."""
    held = bool(picture["rollout"] and picture["rollout"]["paused"])
    return [key for key in BUTTONS if key != ("pause" if held else "resume")]


def _main(picture: Mapping[str, Any]) -> str | None:
    actions = picture["actions"]
    rollout = picture["rollout"]
    if rollout is None:
        return None
    waiting = rollout["phase"] == "Paused"
    order = ("retry", "promote", "set-image") if waiting or rollout["aborted"] else ("retry", "set-image")
    updating = rollout["currentHash"] != rollout["stableHash"]
    for key in order:
        if key == "set-image" and updating:
            continue
        if actions.get(key, {}).get("ok"):
            return key
    return None


def _button(lang: str, key: str, picture: Mapping[str, Any]) -> Json:
    verdict = picture["actions"].get(key) or {"ok": False, "code": "no-rollout", "params": {}, "command": ""}
    code = verdict["code"]
    told = explain(lang, f"verdict.{code}", verdict["params"], code)
    text = say(lang, f"action.{key}")
    return {
        "key": key,
        "text": text,
        "ok": bool(verdict["ok"]),
        "reason": "" if verdict["ok"] else f"{text}: {told}",
        "command": _filled(verdict["command"]),
        "kubectl": _filled(verdict.get("kubectl", "")),
        "hotkey": HOTKEYS.get(key),
        "menu": _menu(lang, key, picture) if verdict["ok"] else None,
        "main": False,
    }


def _menu(lang: str, key: str, picture: Mapping[str, Any]) -> list[Json] | None:
    if key == "set-image":
        return _versions(lang, picture)
    if key == "undo":
        return _revisions(lang, picture)
    if key == "scale":
        return _sizes(lang, picture)
    return None


def _filled(command: str) -> str:
    """Where nothing is chosen yet, the placeholder as people write one."""
    return command.replace("VERSION", "<tag>").replace("=N", "=<n>")


def _sizes(lang: str, picture: Mapping[str, Any]) -> list[Json]:
    """Other sizes than the present one."""
    asked = picture["actions"]["scale"]
    now = picture["rollout"]["replicas"]
    return [
        {
            "key": str(n),
            "text": say(lang, "ui.pods_of", n=n),
            "hint": f"replicas: {n}",
            "args": {"replicas": n},
            "command": asked["command"].replace("=N", f"={n}"),
            "kubectl": asked.get("kubectl", "").replace("=N", f"={n}"),
        }
        for n in SIZES
        if n != now
    ]


def _versions(lang: str, picture: Mapping[str, Any]) -> list[Json]:
    """The next good version first, then those that were there before, then one for each fault."""
    rollout = picture["rollout"]
    running = rollout["version"] if rollout else ""
    seen = [*(s["version"] for s in picture["replicaSets"]), running]
    newest = max((int(v.split(".")[0]) for v in seen if v.split(".")[0].isdigit()), default=0)
    following = f"{newest + 1}.0.0"
    earlier = [v for v in dict.fromkeys(reversed(seen)) if v != running and "-" not in v and v[:1].isdigit()]
    offered = [(following, "good"), *((v, "earlier") for v in earlier)]
    offered += [(f"{following}-{fault}", fault) for fault in FAULTS]
    asked = picture["actions"]["set-image"]
    command, plain = asked["command"], asked.get("kubectl", "")
    entries = [
        {
            "key": tag,
            "text": name_of(tag),
            "hint": say(lang, f"version.{kind}"),
            "args": {"version": tag},
            "command": command.replace("VERSION", tag),
            "kubectl": plain.replace("VERSION", tag),
        }
        for tag, kind in offered
    ]
    image = f"{MISSING}:{following}"
    missing = {
        "key": "missing",
        "text": image,
        "hint": say(lang, "version.missing"),
        "args": {"images": {"*": image}},
        "command": re.sub(r"\S+=\S+", f"'*={image}'", command),
        "kubectl": re.sub(r'"value":"[^"]*"', f'"value":"{image}"', plain),
    }
    return [*entries, missing]


def _revisions(lang: str, picture: Mapping[str, Any]) -> list[Json]:
    asked = picture["actions"]["undo"]
    command, plain = asked["command"], asked.get("kubectl", "")
    current = picture["rollout"]["currentHash"] if picture["rollout"] else ""
    older = [s for s in reversed(picture["replicaSets"]) if s["hash"] != current]
    return [
        {
            "key": str(s["revision"]),
            "text": name_of(s["version"]),
            "hint": say(lang, "ui.revision", n=s["revision"]),
            "args": {"to_revision": s["revision"]},
            "command": _to_revision(command, s["revision"]),
            "kubectl": re.sub(r"get rs \S+", f"get rs {s['name']}", plain),
        }
        for s in older
    ]


def _to_revision(command: str, revision: int) -> str:
    """The undo command with the revision before its ``-n``."""
    head, where, tail = command.partition(" -n ")
    return f"{head} --to-revision={revision}{where}{tail}"
