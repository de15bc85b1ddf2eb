"""The matches of a VirtualService route. Pure.

# upstream: Istio reference, HTTPMatchRequest, StringMatch
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rollout_lab.gateway.objects import part, regex
from rollout_lab.gateway.table import Match, Named, Path, PathMatch, Text, TextMatch

_OBEYED = frozenset(
    {
        *("name", "uri", "method", "authority", "headers", "withoutHeaders", "queryParams", "ignoreUriCase"),
        "statPrefix",
    }
)


class _Bad(Exception):
    """Something that cannot be compiled; the text says what."""


def compile_match(match: Mapping[str, Any]) -> Match | str:
    """The conditions of one match, or what of it cannot be obeyed (then it must take nothing)."""
    unknown = [name for name, value in sorted(match.items()) if name not in _OBEYED and value]
    if unknown:
        return f"this gateway does not obey {', '.join(unknown)}; nothing is taken by this match"
    try:
        return Match(
            _path(part(match, "uri"), bool(match.get("ignoreUriCase"))),
            _text(match.get("method"), "method"),
            _text(match.get("authority"), "authority"),
            _named(match, "headers", small=True),
            _named(match, "withoutHeaders", small=True),
            _named(match, "queryParams", small=False),
        )
    except _Bad as problem:
        return str(problem)


def _path(uri: Mapping[str, Any], ignore_case: bool) -> PathMatch | None:
    if "exact" in uri:
        return PathMatch(Path.EXACT, str(uri["exact"]), ignore_case)
    if "prefix" in uri:
        return PathMatch(Path.START, str(uri["prefix"]), ignore_case)
    if "regex" in uri:
        return PathMatch(Path.REGEX, str(uri["regex"]), pattern=_pattern(str(uri["regex"]), "uri"))
    return None


def _text(wanted: object, where: str) -> TextMatch | None:
    if not isinstance(wanted, Mapping):
        return None
    if "exact" in wanted:
        return TextMatch(Text.EXACT, str(wanted["exact"]))
    if "prefix" in wanted:
        return TextMatch(Text.PREFIX, str(wanted["prefix"]))
    if "regex" in wanted:
        return TextMatch(Text.REGEX, str(wanted["regex"]), _pattern(str(wanted["regex"]), where))
    return TextMatch(Text.PRESENT)


def _named(match: Mapping[str, Any], key: str, *, small: bool) -> Named:
    found = []
    for name, wanted in part(match, key).items():
        compiled = _text(wanted, f"{key}[{name}]") or TextMatch(Text.PRESENT)
        found.append((str(name).lower() if small else str(name), compiled))
    return tuple(found)


def _pattern(text: str, where: str) -> re.Pattern[str]:
    compiled = regex(text)
    if isinstance(compiled, str):
        raise _Bad(f"{where}: {compiled}")
    return compiled
