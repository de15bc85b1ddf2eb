"""Looking up a sentence by language and key. The sentences themselves are in ``ko.json`` and ``en.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from rollout_lab.messages.grammar import Grammar

LANGUAGES = ("ko", "en")
"""Languages of the catalogue, the course's own first."""


@cache
def _sentences(lang: str) -> Mapping[str, str]:
    if lang not in LANGUAGES:
        raise KeyError(f"no catalogue for language {lang!r}; there are {', '.join(LANGUAGES)}")
    text = files(__package__).joinpath(f"{lang}.json").read_text(encoding="utf-8")
    sentences: dict[str, str] = json.loads(text)
    return sentences


@cache
def _grammar(lang: str) -> Grammar:
    return Grammar(lang)


def keys(lang: str) -> frozenset[str]:
    """Every key of the catalogue in `lang`. Raises KeyError for an unknown language."""
    return frozenset(_sentences(lang))


def has(lang: str, key: str) -> bool:
    """Whether `lang` has a sentence for `key`."""
    return key in _sentences(lang)


def say(lang: str, key: str, /, **params: Any) -> str:
    """The sentence `key` in `lang` with `params` filled in.

    Raises KeyError for an unknown key, language or a placeholder without a parameter: a missing
    sentence is a mistake of the program, found by the tests, not by a student.
    """
    sentence = _sentences(lang).get(key)
    if sentence is None:
        raise KeyError(f"no message {key!r} in {lang}.json")
    return _grammar(lang).fill(sentence, params)


def explain(lang: str, key: str, params: Mapping[str, Any], fallback: str = "") -> str:
    """Like `say`, for codes that come from outside (a recorded run of another version): never raises.

    An unknown code or a parameter that is not there gives `fallback`, or the key's last part.
    """
    try:
        return say(lang, key, **{str(k): v for k, v in params.items()})
    except (KeyError, ValueError, TypeError):
        return fallback or key.partition(".")[2] or key


def section(lang: str, prefix: str) -> dict[str, str]:
    """All sentences below ``prefix.`` that need no parameters, by the rest of their key."""
    start = prefix + "."
    return {k[len(start) :]: v for k, v in _sentences(lang).items() if k.startswith(start)}
