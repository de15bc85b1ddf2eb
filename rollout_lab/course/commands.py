"""Commands as the lessons print them, taken apart: what a student types into any terminal. Pure.

`parse` knows the commands of the course: ``curl``, ``kubectl argo rollouts …`` and our own verbs, which a
lab can do by itself, any other ``kubectl``, which needs the program, and a script of a lesson.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from rollout_lab.client.requests import Action
from rollout_lab.errors import UsageError


@dataclass(frozen=True, slots=True)
class Act:
    """Something asked of a rollout (``""``: the lesson's); `args` as for `Lab.do`."""

    action: Action
    rollout: str = ""
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Curl:
    """One request to a port of this machine."""

    port: int
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Anything else for kubectl, its words without ``kubectl``."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A shell script of a lesson: its path from the project's folder, and its arguments."""

    path: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """The engine of the lab: ``stop``, ``start`` or ``status``."""

    what: str


Command = Act | Curl | Kubectl | Script | Switch
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_STARTS: Final = ("kubectl ", "curl ", "rollout-lab ", "sh lessons/")
_SCRIPT: Final = re.compile(r"lessons/\d\d-[a-z0-9-]+/[a-z0-9-]+\.sh")
_SWITCH: Final = ("status", "stop", "start")


def commands_in(text: str) -> Iterator[tuple[str, str]]:
    """(command, expected output) of each command in the fences of a Markdown text, in order.

    A fence of commands has one on each line (a trailing backslash joins two); what it prints may
    follow as a fence ``output``, and belongs to the last command. ``""`` where nothing is said.
    """
    waiting = ""
    for match in _FENCE.finditer(text):
        if match[1] == "output":
            yield waiting, match[2].strip("\n")
            waiting = ""
            continue
        joined = re.sub(r"\\\n\s*", "", match[2])
        for line in joined.splitlines():
            bare = re.sub(r"\s+#.*$", "", line).strip()
            if bare.startswith(_STARTS):
                if waiting:
                    yield waiting, ""
                waiting = bare
    if waiting:
        yield waiting, ""


def parse(line: str) -> Command | None:
    """The command of a line, None where it is none of ours. Raises UsageError for one that is half right.

    >>> parse("kubectl argo rollouts promote web -n shop")
    Act(action=<Action.PROMOTE: 'promote'>, rollout='web', args={})
    >>> parse("curl http://127.0.0.1:32233/version")
    Curl(port=32233, path='/version')
    """
    try:
        words = shlex.split(line)
    except ValueError:
        raise UsageError("a quote is not closed") from None
    if not words:
        return None
    if words[0] == "curl":
        return _curl(words[1:])
    if words[:3] == ["kubectl", "argo", "rollouts"]:
        return _act(words[3:])
    if words[0] == "kubectl":
        return Kubectl(tuple(words[1:]))
    if words[0] == "sh":
        return Script(words[1], tuple(words[2:])) if _SCRIPT.fullmatch(" ".join(words[1:2])) else None
    if words[:2] == ["rollout-lab", "engine"]:
        what = (words[2:] or ["status"])[0]
        if what not in _SWITCH:
            raise UsageError(f"the engine can be asked for: {', '.join(_SWITCH)}")
        return Switch(what)
    return _act(words[1:] if words[0] == "rollout-lab" else words)


def _curl(words: list[str]) -> Curl:
    urls = [w for w in words if not w.startswith("-")]
    if not urls:
        raise UsageError("curl needs an address, like http://127.0.0.1:32233/version")
    url = urls[0] if "//" in urls[0] else f"http://{urls[0]}"
    parts = urlsplit(url)
    if parts.port is None:
        raise UsageError(f"{urls[0]} names no port")
    return Curl(parts.port, parts.path or "/")


def _act(words: list[str]) -> Act | None:
    """``promote NAME [--full]``, ``set image NAME C=IMAGE``, ``undo NAME [--to-revision=N]`` …"""
    plain, options = _split(words)
    if plain[:2] == ["set", "image"]:
        plain = ["set-image", *plain[2:]]
    if plain[:2] == ["retry", "rollout"]:
        plain = ["retry", *plain[2:]]
    if not plain or plain[0] not in [a.value for a in Action]:
        return None
    action, rest = Action(plain[0]), plain[1:]
    images = dict(w.split("=", 1) for w in rest if "=" in w)
    names = [w for w in rest if "=" not in w]
    args: dict[str, Any] = {}
    match action:
        case Action.PROMOTE if "full" in options:
            action = Action.PROMOTE_FULL
        case Action.SET_IMAGE if images:
            args["images"] = images
        case Action.SET_IMAGE:
            if not names:
                raise UsageError("set-image needs a version, like 2.0.0")
            args["version"] = names.pop()
        case Action.UNDO:
            if names and names[-1].isdigit():
                options.setdefault("to-revision", names.pop())
            args["to_revision"] = _number(options.get("to-revision", "0"))
        case Action.SCALE:
            if names and names[-1].isdigit():
                options.setdefault("replicas", names.pop())
            args["replicas"] = _number(options.get("replicas", ""))
        case _:
            pass
    return Act(action, names[0] if names else "", args)


def _number(text: str) -> int:
    if not text.isdigit():
        raise UsageError("a whole number is missing")
    return int(text)


def _split(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Plain words and options; ``-n`` and ``--namespace`` and their value are dropped."""
    plain, options = [], dict[str, str]()
    rest = iter(words)
    for word in rest:
        if word in ("-n", "--namespace"):
            next(rest, None)
        elif word in ("--to-revision", "--replicas"):
            options[word[2:]] = next(rest, "")
        elif word.startswith("--"):
            name, _, value = word[2:].partition("=")
            options[name] = value
        else:
            plain.append(word)
    return plain, options
