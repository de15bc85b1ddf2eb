"""The Rollout's YAML to read, edit, check and apply; mistakes with field and remedy.

Streamlit calls only: what is wrong is `lint`, applying is the lab's.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from rollout_lab.errors import LabError
from rollout_lab.messages import say
from rollout_lab.ui.lint import Mistake, lint
from rollout_lab.ui.outlook import drawing, outlook
from rollout_lab.ui.outlook import words as words_of
from rollout_lab.ui.session import source


@st.fragment(key="editor")
def editor(lang: str, rollout: str) -> None:
    """An expander with the manifest of `rollout`, checked and predicted as it is edited."""
    area, told = f"yaml-{rollout}", f"yaml-told-{rollout}"
    with st.expander(say(lang, "editor.title"), key=f"editor-{rollout}", on_change="rerun") as opened:
        if not opened.open:
            _forget_unless_applied(rollout)
            return
        st.caption(say(lang, "editor.help"))
        if area not in st.session_state:
            _load(rollout, area, told)
        written, found = st.columns([58, 42], gap="small")
        text = written.text_area(
            say(lang, "editor.area"),
            key=area,
            height=420,
            label_visibility="collapsed",
            on_change=_quiet,
            args=(told,),
        )
        with found:
            _beside(lang, rollout, text or "", area, told)


def _beside(lang: str, rollout: str, text: str, area: str, told: str) -> None:
    """Beside the manifest: its mistakes, or what it would bring about; and the buttons."""
    mistakes = lint(lang, text, rollout)
    with st.container(horizontal=True):
        st.button(
            say(lang, "editor.apply"),
            key=f"apply-{rollout}",
            type="primary",
            disabled=bool(mistakes),
            on_click=_apply,
            args=(lang, rollout, area, told),
        )
        load = say(lang, "editor.load")
        st.button(load, key=f"load-{rollout}", on_click=_load, args=(rollout, area, told))
    kind, words = st.session_state.get(told, ("", ""))
    if kind == "bad":
        st.error(words)
    elif kind:
        st.success(words)
    _report(lang, mistakes)
    if mistakes:
        _forget_unless_applied(rollout)
    elif not kind:
        _predict(lang, rollout, text)


def _predict(lang: str, rollout: str, text: str) -> None:
    """Show what the manifest would bring about, here and as dashed lines in the chart above."""
    try:
        found = outlook(source().lab.forecast(rollout, text), rollout)
    except LabError as problem:
        _forget_unless_applied(rollout)
        st.caption(_plain(say(lang, "outlook.none", error=str(problem))))
        return
    said = words_of(lang, found)
    if len(found.pods) < 2:
        _forget_unless_applied(rollout)
        st.caption(said[0])
        return
    st.session_state[f"outlook-{rollout}"] = found
    picture = source().lab.picture(rollout)
    colours = {s["version"]: s["colour"] for s in picture["replicaSets"]}
    st.markdown(f"**{say(lang, 'outlook.title')}**")
    ink = "#b7c1cc" if st.context.theme.type == "dark" else "#4a5561"
    st.image(drawing(lang, found, colours, ink), width="stretch")
    st.markdown("\n".join(f"- {_plain(line)}" for line in said))


def _forget_unless_applied(rollout: str) -> None:
    found = st.session_state.get(f"outlook-{rollout}")
    if found is not None and found.began is None:
        st.session_state.pop(f"outlook-{rollout}")


def _quiet(told: str) -> None:
    st.session_state.pop(told, None)


def _load(rollout: str, area: str, told: str) -> None:
    _quiet(told)
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


def _apply(lang: str, rollout: str, area: str, told: str) -> None:
    """Apply the manifest as it stands now; what was predicted begins with it."""
    text = str(st.session_state.get(area) or "")
    if lint(lang, text, rollout):  # typed since the button was drawn: the mistake is shown instead
        return
    try:
        changed = source().lab.apply(text)
    except LabError as problem:
        st.session_state[told] = "bad", _plain(str(problem))
        return
    found = st.session_state.get(f"outlook-{rollout}")
    if changed and found is not None:
        st.session_state[f"outlook-{rollout}"] = found.applied(source().lab.picture(rollout)["t"])
    st.session_state[told] = (
        "good",
        say(lang, "editor.applied" if changed else "editor.unchanged", name=rollout),
    )
