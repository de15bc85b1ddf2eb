"""What the URL says of a session: language, viewer, seat. A reload or a second tab loses nothing.

Streamlit's query parameters only; no drawing and no words.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from rollout_lab.messages import LANGUAGES

FIRST_LANGUAGE: Final = "ROLLOUT_LAB_LANG"
"""Set by `rollout-lab up`: the language of a page whose URL names none."""
CARRIED: Final = ("lang", "lesson", "rollout", "seat", "viewer", "theme")
"""Parameters that go with a person from page to page."""
_SEAT: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?")


def of_url(name: str, allowed: Sequence[str]) -> str:
    """The URL's value of `name` where it is one of `allowed`, else the first of them."""
    found = st.query_params.get(name, "")
    return found if found in allowed else allowed[0]


def language() -> str:
    """The language of this page: the URL's, else the lab's, else the course's own."""
    first = os.environ.get(FIRST_LANGUAGE)
    return of_url("lang", sorted(LANGUAGES, key=lambda known: known != first))


def viewer() -> bool:
    """Whether this session only looks on. Once it does it stays so, whatever page it goes to."""
    if st.query_params.get("viewer", "") not in ("", "0"):
        st.session_state["viewer"] = True
    return bool(st.session_state.get("viewer"))


def hosting() -> bool:
    """Whether this session may tidy up after others: no viewer's, and none that ever sat at a seat."""
    if st.query_params.get("seat", ""):
        st.session_state["seated"] = True
    return not viewer() and not st.session_state.get("seated")


def seat() -> str:
    """The student's seat of the URL, ``""`` where there is none or its name cannot be a namespace's."""
    return seat_name(st.query_params.get("seat", ""))


def seat_name(text: str) -> str:
    """`text` as a seat is named (lower case, digits, ``-``; at most 24), ``""`` where it cannot be.

    >>> seat_name(" Min-ji "), seat_name("a b")
    ('min-ji', '')
    """
    wanted = text.strip().lower()
    return wanted if _SEAT.fullmatch(wanted) else ""


def carried(**more: str) -> dict[str, str]:
    """The parameters a link to another page takes along, with `more` over them ("" leaves one out)."""
    found = {name: st.query_params[name] for name in CARRIED if name in st.query_params}
    return {name: value for name, value in {**found, **more}.items() if value}


def bound(name: str, allowed: Sequence[str]) -> Mapping[str, Any]:
    """A widget's arguments that tie its choice to the URL's `name`; the first of `allowed` is its default.

    Streamlit's own ``bind`` writes the words a person reads, which change with the language.
    """
    if st.session_state.get(name) not in allowed:
        st.session_state[name] = of_url(name, allowed)
    return {"key": name, "on_change": _keep, "args": (name, allowed[0])}


def _keep(name: str, default: str) -> None:
    chosen = str(st.session_state[name])
    if chosen == default:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = chosen
