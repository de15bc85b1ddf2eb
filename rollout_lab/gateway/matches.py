"""The matches of an HTTPRoute rule. Pure.

# upstream: Gateway API reference, HTTPRouteMatch (the first of two conditions on one name counts)
"""

from __future__ import annotations

import re
from typing import Any

from rollout_lab.gateway.objects import part, regex, rows
from rollout_lab.gateway.table import Match, Named, Path, PathMatch, Text, TextMatch

_PATHS = {"Exact": Path.EXACT, "PathPrefix": Path.PREFIX, "RegularExpression": Path.REGEX}


class _Bad(Exception):
    """Something that cannot be compiled; the text says what."""


def compile_match(match: dict[str, Any]) -> Match | str:
    """The conditions of one match, or what is wrong with it."""
    try:
        path = part(match, "path")
        kind = _PATHS.get(path.get("type") or "PathPrefix")
        if kind is None:
            raise _Bad(f"path.type: {path.get('type')} is not known")
        value = str(path.get("value") or "/")
        pattern = _pattern("path.value", value) if kind is Path.REGEX else None
        method = match.get("method")
        return Match(
            PathMatch(kind, value, pattern=pattern),
            TextMatch(Text.EXACT, str(method)) if method else None,
            headers=_named(match, "headers", small=True),
            query=_named(match, "queryParams", small=False),
        )
    except _Bad as problem:
        return str(problem)


def _named(match: dict[str, Any], key: str, *, small: bool) -> Named:
    found: dict[str, TextMatch] = {}
    for index, row in enumerate(rows(match, key)):
        name, value = str(row.get("name") or ""), str(row.get("value") or "")
        name = name.lower() if small else name
        if name in found:
            continue
        if row.get("type", "Exact") == "RegularExpression":
            found[name] = TextMatch(Text.REGEX, value, _pattern(f"{key}[{index}].value", value))
        else:
            found[name] = TextMatch(Text.EXACT, value)
    return tuple(found.items())


def _pattern(where: str, text: str) -> re.Pattern[str]:
    compiled = regex(text)
    if isinstance(compiled, str):
        raise _Bad(f"{where}: {compiled}")
    return compiled
