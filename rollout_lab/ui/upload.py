"""Recorded runs a person brings: dropped, checked, kept for the session. Streamlit calls only."""

from __future__ import annotations

from typing import Final

import streamlit as st

from rollout_lab.messages import say
from rollout_lab.observe.replay import BadRecording, Recording, load

KEPT: Final = "uploaded-runs"
MOST_KEPT: Final = 8


def uploaded() -> dict[str, Recording]:
    """The runs uploaded in this session by file name, oldest first."""
    found: dict[str, Recording] = st.session_state.setdefault(KEPT, {})
    return found


def uploader(lang: str, key: str, *, several: bool = False) -> str:
    """A place to drop files on; what is wrong with one is told below it. The name of the last good one."""
    dropped = st.file_uploader(
        say(lang, "upload.label"),
        type=["jsonl", "json", "txt"],
        accept_multiple_files=True,
        key=key,
        max_upload_size=20,
    )
    last = ""
    for file in dropped[-MOST_KEPT:] if several else dropped[-1:]:
        text = _text(file.getvalue())
        try:
            if file.name not in uploaded() or st.session_state.get(f"{key}-{file.name}") != file.file_id:
                uploaded()[file.name] = load(text, file.name)
                st.session_state[f"{key}-{file.name}"] = file.file_id
                for old in list(uploaded())[:-MOST_KEPT]:
                    del uploaded()[old]
            last = file.name
        except BadRecording as problem:
            st.error(explained(lang, file.name, problem))
    return last


def _text(data: bytes) -> str:
    """The file as text; what is no UTF-8 stays visible as replacement characters."""
    return data.decode("utf-8-sig", errors="replace")


def explained(lang: str, name: str, problem: BadRecording) -> str:
    """Where the mistake is, what it is and what to do, as Markdown."""
    where = [say(lang, "upload.line", n=problem.line)] if problem.line else []
    where += [say(lang, "upload.field", field=problem.field)] if problem.field else []
    place = f" · {' · '.join(where)}" if where else ""
    remedy = f"{say(lang, 'upload.remedy')} {_quiet(problem.remedy)}"
    return f"**{_quiet(name)}**{place}\n\n{_quiet(problem.problem)}\n\n{remedy}"


def _quiet(text: str) -> str:
    """Text of a file as text, never as Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+!|~$:" else c for c in text)
