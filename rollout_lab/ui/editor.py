"""The Rollout's YAML to read, edit, check and apply; mistakes with field and remedy.

Streamlit calls only: what is wrong is `lint`, applying is the lab's.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from rollout_lab.errors import LabError
from rollout_lab.messages import say
from rollout_lab.ui.lint import Mistake, lint
from rollout_lab.ui.session import source


@st.fragment(key="editor")
def editor(lang: str, rollout: str) -> None:
    """An expander with the manifest of `rollout`."""
    area, told = f"yaml-{rollout}", f"yaml-told-{rollout}"
    with st.expander(say(lang, "editor.title"), key=f"editor-{rollout}", on_change="rerun") as opened:
        if not opened.open:
            return
        st.caption(say(lang, "editor.help"))
        if area not in st.session_state:
            _load(rollout, area)
        text = st.text_area(
            say(lang, "editor.area"),
            key=area,
            height=320,
            label_visibility="collapsed",
            on_change=_quiet,
            args=(told,),
        )
        mistakes = lint(lang, text or "", rollout)
        _report(lang, mistakes)
        with st.container(horizontal=True):
            if st.button(
                say(lang, "editor.apply"), key=f"apply-{rollout}", type="primary", disabled=bool(mistakes)
            ):
                st.session_state[told] = _apply(lang, rollout, text or "")
            st.button(say(lang, "editor.load"), key=f"load-{rollout}", on_click=_load, args=(rollout, area))
        kind, words = st.session_state.get(told, ("", ""))
        if kind == "bad":
            st.error(words)
        elif kind:
            st.success(words)


def _quiet(told: str) -> None:
    st.session_state.pop(told, None)


def _load(rollout: str, area: str) -> None:
    try:
        st.session_state[area] = source().lab.manifest(rollout)
    except LabError as problem:
        st.session_state[area] = f"# {problem}\n"


def _report(lang: str, mistakes: Sequence[Mistake]) -> None:
    if not mistakes:
        st.caption(f":green[✓] {say(lang, 'editor.ok')}")
        return
    lines = [f"**{say(lang, 'editor.found', n=len(mistakes))}**"]
    lines += [f"- `{m.field}`: {_plain(m.what)} {_plain(m.remedy)}" for m in mistakes]
    st.error("\n".join(lines))


def _plain(text: str) -> str:
    """Text of a manifest as text, never as Markdown."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+!|~$:" else c for c in text)


def _apply(lang: str, rollout: str, text: str) -> tuple[str, str]:
    try:
        changed = source().lab.apply(text)
    except LabError as problem:
        return "bad", _plain(str(problem))
    return "good", say(lang, "editor.applied" if changed else "editor.unchanged", name=rollout)
