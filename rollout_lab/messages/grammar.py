"""How a number or a name is filled into a sentence, in Korean and in English.

Placeholders of the catalogue, after the parameter's name:

===================  ==========================================================================
``{name}``           the value as it is; a float without a useless ``.0``
``{name:은/는}``     the value and the Korean particle that fits its last sound
``{n:#Pod|Pods}``    the number and its English noun, one or many
``{s:time}``         seconds as a length of time: ``2분 5초``, ``2 min 5 s``
``{t:clock}``        seconds since the start as on a stop watch: ``0:05``, ``1:02:03``
``{x:pct}``          a share from 0 to 1 as ``33.3 %``
===================  ==========================================================================

No sentences live here, and nothing that knows what a rollout is, apart from how the field's
English words are read aloud in Korean.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

_PAIRS = ("은/는", "이/가", "을/를", "과/와", "으로/로", "이라/라", "이고/고", "이었/였")
"""Particles: after a closed syllable / after an open one."""

_DIGIT_ENDS = {
    "0": "ㅇ",
    "1": "ㄹ",
    "2": "",
    "3": "ㅁ",
    "4": "",
    "5": "",
    "6": "ㄱ",
    "7": "ㄹ",
    "8": "ㄹ",
    "9": "",
}

_CLOSED_WORDS = {
    "engine": "ㄴ", "full": "ㄹ", "label": "ㄹ", "probe": "ㅂ", "replicaset": "ㅅ", "rollout": "ㅅ",
    "stable": "ㄹ", "step": "ㅂ", "yaml": "ㄹ",
}  # fmt: skip
"""The last consonant of English words that the course reads with a closed end."""


def _final(text: str) -> str:
    """The closing consonant of the last sound of `text`, or "" where it ends open.

    Hangul is exact. A word of letters only is read as a word, one with digits (a hash) letter by letter.
    """
    word = text.strip().rstrip("\"'`’”)]}.!? ").lower()
    last_word = word.replace("-", " ").split(" ")[-1] if word else ""
    last = last_word[-1:]
    if "가" <= last <= "힣":
        index = (ord(last) - ord("가")) % 28
        return "" if index == 0 else "ㄹ" if index == 8 else "ㅇ"
    if last in _DIGIT_ENDS:
        return _DIGIT_ENDS[last]
    if last_word in _CLOSED_WORDS:
        return _CLOSED_WORDS[last_word]
    if last in ("m", "n"):
        return "ㅁ"
    spelled = any(c.isdigit() for c in last_word)
    return "ㄹ" if last == "l" or (last == "r" and spelled) else ""


def with_particle(text: str, pair: str) -> str:
    """`text` with the particle of `pair` ("은/는") that fits its last sound."""
    closed, opened = pair.split("/")
    final = _final(text)
    if pair == "으로/로" and final == "ㄹ":
        return text + opened
    return text + (closed if final else opened)


def number(value: Any) -> str:
    """A value for reading: 3.0 as ``3``, 33.333 as ``33.3``, all else as it is."""
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)


def duration(lang: str, seconds: float) -> str:
    """`seconds` as a length of time in `lang`, in whole seconds, the two largest units."""
    whole = max(0, round(float(seconds)))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    units = ("시간", "분", "초") if lang == "ko" else (" h", " min", " s")
    parts = [f"{n}{u}" for n, u in zip((hours, minutes, secs), units, strict=True) if n]
    return " ".join(parts[:2]) or f"0{units[2]}"


def clock(seconds: float) -> str:
    """Seconds since the start as people read a stop watch.

    >>> clock(5), clock(3723.9)
    ('0:05', '1:02:03')
    """
    hours, rest = divmod(max(0, int(seconds)), 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


class Grammar(string.Formatter):
    """Fills the placeholders of one language; see the table above."""

    def __init__(self, lang: str) -> None:
        super().__init__()
        self.lang = lang

    def fill(self, sentence: str, params: Mapping[str, Any]) -> str:
        """`sentence` with every placeholder replaced. Raises KeyError when a parameter is missing."""
        return self.vformat(sentence, (), dict(params))

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec in _PAIRS:
            return with_particle(number(value), format_spec)
        if format_spec.startswith("#"):
            one, _, many = format_spec[1:].partition("|")
            return f"{number(value)} {one if value == 1 else many}"
        if format_spec == "time":
            return duration(self.lang, value)
        if format_spec == "clock":
            return clock(value)
        if format_spec == "pct":
            return f"{number(100.0 * value)} %"
        if format_spec:
            return format(value, format_spec)
        return number(value)
